import type { JsonObject } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { bare, type Descriptor, mediaTypes } from "../../oci/index.ts";
import type { Change } from "../edit.ts";
import { withMember } from "./members.ts";

/**
 * Sets what the image or index in view says something about, so that it is found among the referrers of that; `null` takes it away. What lies
 * below an index keeps its own. Every other change leaves a subject as it is.
 * @throws DrayError from `edit` `UNSUPPORTED` for Docker's media types, which know no subject
 * @example await edit(view, referringTo(await repository.resolve("1.0")));
 */
export const referringTo = (subject: Descriptor | null): Change => {
  const change = (document: JsonObject): JsonObject => {
    const { mediaType } = document;
    if (subject !== null && (mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerList))
      throw new DrayError("UNSUPPORTED", `${mediaType} knows no subject`, { remedy: "oci-media-types" });
    return withMember(document, "subject", subject === null ? null : bare(subject));
  };
  return {
    image: (_, { depth }) => (depth === 0 ? { manifest: change } : undefined),
    index: (document, { depth }) => (depth === 0 ? change(document) : document),
  };
};
