import type { JsonObject } from "../../content/index.ts";
import { DrayError, firstOf } from "../../errors.ts";
import { isConfigType, mediaTypes } from "../../oci/index.ts";
import type { Change } from "../edit.ts";
import { withMember } from "./members.ts";
import { isAttestation, ofImages } from "./of-images.ts";

/** How an image is brought into other media types. */
export interface ConvertOptions {
  /** `true`: what Docker's types cannot express is taken away. Default `false`: it is refused, and said. */
  readonly lossy?: boolean | undefined;
}

/**
 * Gives an image, or an index with each image below it, the media types of the OCI image specification or of Docker: manifests, configurations,
 * layers and the index. No layer changes: they are called otherwise. Docker's know no annotations, subjects, artifacts and attestations, no content in descriptors,
 * and no encrypted layers.
 * @throws DrayError from `edit` `UNSUPPORTED` naming what cannot be expressed, or a layer of a type of its own
 * @example await edit(view, inMediaTypes("oci"));
 */
export const inMediaTypes = (form: "oci" | "docker", { lossy = false }: ConvertOptions = {}): Change => {
  const convert = form === "oci" ? toOci : (document: JsonObject, what: string) => toDocker(document, what, lossy);
  const images = ofImages((image) => ({ manifest: (document) => convert(document, image.descriptor.digest) }));
  return {
    image: (image, place) =>
      form === "docker" && place.depth > 0 && isAttestation(image.descriptor)
        ? undefined
        : images.image?.(image, place),
    index: (document) => convert(document, "the index"),
  };
};

const toOci = (document: JsonObject): JsonObject => {
  const isIndex = Array.isArray(document["manifests"]);
  // Without one it is OCI's already.
  const converted =
    (document["mediaType"] ?? "") === ""
      ? document
      : { ...document, mediaType: isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest };
  if (isIndex) return converted;
  const named = (entry: JsonObject): JsonObject => ({ ...entry, mediaType: ociTypeOf(String(entry["mediaType"])) });
  return { ...converted, ...membersBelow(document, named) };
};

const toDocker = (document: JsonObject, what: string, lossy: boolean): JsonObject => {
  const lost: string[] = [];
  const without = (object: JsonObject, where: string, members: readonly string[]): JsonObject => {
    let after = object;
    for (const member of members) {
      if (object[member] !== undefined && object[member] !== null) lost.push(`${where}${member}`);
      after = withMember(after, member, undefined);
    }
    return after;
  };
  const own = without(document, "", ["annotations", "subject", "artifactType"]);
  const inEntry = ["annotations", "data", "artifactType"];
  let converted: JsonObject;
  if (Array.isArray(document["manifests"])) {
    const entries = (document["manifests"] as readonly JsonObject[]).flatMap((entry, i) => {
      const { mediaType } = entry;
      const isImage = mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerList;
      if (isImage) return [without(entry, `manifests[${i}].`, inEntry)];
      lost.push(`manifests[${i}] (an artifact or attestation)`);
      return [];
    });
    converted = { ...own, mediaType: mediaTypes.dockerList, manifests: entries };
  } else {
    const named = (entry: JsonObject, where: string): JsonObject => ({
      ...without(entry, `${where}.`, inEntry),
      mediaType: dockerTypeOf(String(entry["mediaType"])),
    });
    converted = { ...own, mediaType: mediaTypes.dockerManifest, ...membersBelow(document, named) };
  }
  if (lost.length > 0 && !lossy)
    throw new DrayError(
      "UNSUPPORTED",
      `Docker's media types cannot express of ${what}: ${firstOf(lost)}; take these away first`,
      { remedy: "convert-with-loss" },
    );
  return converted;
};

const membersBelow = (document: JsonObject, named: (entry: JsonObject, where: string) => JsonObject): JsonObject => ({
  config: named(document["config"] as JsonObject, "config"),
  layers: ((document["layers"] ?? []) as readonly JsonObject[]).map((layer, i) => named(layer, `layers[${i}]`)),
});

const dockerLayers = "application/vnd.docker.image.rootfs.";
const ociLayers = "application/vnd.oci.image.layer.";

/** What OCI calls a layer or configuration of such a type. @throws DrayError `UNSUPPORTED` */
export const ociTypeOf = (type: string): string => {
  if (isConfigType(type)) return mediaTypes.ociConfig;
  if (type.startsWith(ociLayers)) return type;
  const parts = /^(foreign\.)?diff\.tar(?:\.(gzip|zstd))?$/.exec(after(type, dockerLayers));
  if (!type.startsWith(dockerLayers) || parts === null) throw unknown(type, "OCI");
  const [, foreign, how] = parts;
  return `${ociLayers}${foreign === undefined ? "" : "nondistributable."}v1.tar${how === undefined ? "" : `+${how}`}`;
};

/** What Docker calls it. @throws DrayError `UNSUPPORTED` */
export const dockerTypeOf = (type: string): string => {
  if (isConfigType(type)) return mediaTypes.dockerConfig;
  if (type.startsWith(dockerLayers)) return type;
  const parts = /^(nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?$/.exec(after(type, ociLayers));
  if (!type.startsWith(ociLayers) || parts === null) throw unknown(type, "Docker");
  const [, foreign, how] = parts;
  return `${dockerLayers}${foreign === undefined ? "" : "foreign."}diff.tar${how === undefined ? "" : `.${how}`}`;
};

const after = (text: string, start: string): string => text.slice(start.length);

const unknown = (type: string, whose: string): DrayError =>
  new DrayError(
    "UNSUPPORTED",
    `${whose}'s media types have none for ${JSON.stringify(type)}; such a layer stays as it is, or goes`,
  );
