import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseLocation } from "dray/locations";
import { formatReference, parseReference } from "dray/oci";
import type { Call } from "./context.ts";

/** Whether words name an image without its registry, which is then looked up on Docker Hub. */
export const namesNoRegistry = (text: string): boolean => {
  const location = parseLocation(text);
  if (location.kind !== "registry" || location.reference.registry !== "docker.io") return false;
  return !/^(?:docker:\/\/|(?:index\.|registry-1\.)?docker\.io\/)/i.test(text);
};

/** What lies here under such words, as locations. */
export const liesHere = async (text: string): Promise<readonly string[] | undefined> => {
  const [colon, lastColon] = [text.indexOf(":"), text.lastIndexOf(":")];
  // `layout:name` and `ociarchive:file` are words for a path, too.
  const paths = colon < 0 ? [text] : [text, text.slice(0, lastColon), text.slice(colon + 1)];
  for (const path of new Set(paths)) {
    const here = await kindOf(path);
    if (here !== undefined) return here.map((kind) => `${kind}:${path}`);
  }
  return undefined;
};

/**
 * Says of words that name no registry, and are looked up on Docker Hub, that something of that name lies here: it was perhaps meant. Nothing is
 * done on that guess, since `dray pull alpine alpine` may have made that file.
 */
export const warnOfLocal = async ({ reporter }: Pick<Call, "reporter">, text: string): Promise<void> => {
  if (!namesNoRegistry(text)) return;
  const here = await liesHere(text);
  if (here === undefined) return;
  reporter.warn(
    `"${text}" is read as ${formatReference(parseReference(text))}; what lies here is ${here.join(" or ")}`,
  );
};

/** What a path may be read as: any file may be an archive, and a directory is a layout where it says so. */
const kindOf = async (path: string): Promise<readonly string[] | undefined> => {
  if (await isFile(path)) return ["docker-archive", "oci-archive"];
  return (await isFile(join(path, "oci-layout"))) ? ["oci"] : undefined;
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
