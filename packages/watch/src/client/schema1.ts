import { isObject, parseJson } from "dray/oci";
import { type ConfigurationFacts, factsIn } from "./configurations.ts";

/** What a manifest of schema 1 says of its image, or what is wrong with that. */
export type Schema1Facts =
  | { readonly imageID: string | undefined; readonly facts: ConfigurationFacts }
  | { readonly fault: string };

/**
 * The image of a manifest of Docker's schema 1: the first line of its history is the configuration of the topmost layer, as text.
 * @see https://distribution.github.io/distribution/spec/manifest-v2-1/
 */
export const schema1Facts = (bytes: Uint8Array): Schema1Facts => {
  const manifest = parseJson(bytes, "manifest");
  const history = isObject(manifest) ? manifest["history"] : undefined;
  const [top] = Array.isArray(history) ? (history as unknown[]) : [];
  const text = isObject(top) ? top["v1Compatibility"] : undefined;
  if (typeof text !== "string") return { fault: "is empty" };
  let image: unknown;
  try {
    image = JSON.parse(text);
  } catch {
    return { fault: "holds something that is no JSON" };
  }
  if (!isObject(image)) return { fault: "holds something that is no JSON object" };
  const { id } = image;
  return { imageID: typeof id === "string" && id !== "" ? id : undefined, facts: factsIn(image) };
};
