import { memoryStore, put } from "../../content/index.ts";
import { encodeJson, mediaTypes } from "../../oci/index.ts";
import { type Image, type ImageIndex, viewOf } from "../views.ts";

/** Whose media types an empty image or index has. */
interface FormOptions {
  /** Default `oci`. */
  readonly form?: "oci" | "docker" | undefined;
}

/** Byte for byte the configuration of go-containerregistry's empty image, so that both build on the same base. */
const emptyConfig = {
  architecture: "",
  created: "0001-01-01T00:00:00Z",
  os: "",
  rootfs: { type: "layers", diff_ids: null },
  config: {},
};

/** An image with nothing in it, to build on. In Docker's form it has the digest of go-containerregistry's `empty.Image`. @example const base = await emptyImage(); */
export const emptyImage = async ({ form = "oci" }: FormOptions = {}): Promise<Image> => {
  const store = memoryStore();
  const isDocker = form === "docker";
  const bytes = encodeJson(emptyConfig);
  const found = await put(store, bytes, { mediaType: isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig });
  const config = { mediaType: found.mediaType, size: found.size, digest: found.digest };
  const mediaType = isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const manifest = encodeJson({ schemaVersion: 2, mediaType, config, layers: [] });
  return (await viewOf(store, await put(store, manifest, { mediaType, kind: "manifest" }))) as Image;
};

/** An index with nothing in it, to append to. In OCI's form it has the digest of go-containerregistry's `empty.Index`. @example const base = await emptyIndex(); */
export const emptyIndex = async ({ form = "oci" }: FormOptions = {}): Promise<ImageIndex> => {
  const store = memoryStore();
  const mediaType = form === "docker" ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const index = encodeJson({ schemaVersion: 2, mediaType, manifests: [] });
  return (await viewOf(store, await put(store, index, { mediaType, kind: "manifest" }))) as ImageIndex;
};
