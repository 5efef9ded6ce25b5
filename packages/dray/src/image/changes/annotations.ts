import type { JsonChange, JsonObject } from "../../content/index.ts";
import type { Change } from "../edit.ts";
import { changedTexts, objectIn, type TextChange, withFilled } from "./members.ts";
import { isAttestation } from "./of-images.ts";

/** Where annotations stand: in the manifest of each image, in the index, in what the index says of each image, or in what a manifest says of its layers. */
export type AnnotatePlace = "manifest" | "index" | "entry" | "layers";

/**
 * Sets annotations, and takes away those that are `null`. In the manifests of images by default, of every one below an index; attestations keep
 * theirs. In `index` it is the one in view: an image has none, and stays.
 * @throws DrayError from `edit` `MANIFEST_INVALID` where annotations are no object
 * @example
 * await edit(view, annotated({ "org.opencontainers.image.source": "https://example.com", "org.example.old": null }));
 * await edit(view, annotated({ "org.example.team": "a" }, ["index", "entry"]));
 */
export const annotated = (annotations: TextChange, on: readonly AnnotatePlace[] = ["manifest"]): Change => {
  const change: JsonChange = (document) =>
    withFilled(document, "annotations", changedTexts(objectIn(document, "annotations"), annotations));
  const [inManifest, inLayers] = [on.includes("manifest"), on.includes("layers")];
  const below: JsonChange = (document) => {
    const layers = (document["layers"] ?? []) as readonly JsonObject[];
    const noted = inLayers && layers.length > 0 ? { ...document, layers: layers.map(change) } : document;
    return inManifest ? change(noted) : noted;
  };
  return {
    image: ({ descriptor }) =>
      isAttestation(descriptor) ? undefined : { manifest: below, entry: on.includes("entry") ? change : undefined },
    index: (document, { depth }) => (depth === 0 && on.includes("index") ? change(document) : document),
  };
};
