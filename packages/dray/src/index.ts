/**
 * What a program begins with: places in words or by hand, one `copy` between any two of them, views over what lies there, and the
 * changes that can be made. Each concept has more under a path of its own, such as `dray/oci` and `dray/registry`.
 */
export { type ArchiveStore, dockerArchive } from "./archive/index.ts";
export {
  anonymous,
  type Credential,
  chain,
  dockerConfig,
  environment,
  type Keychain,
  staticCredential,
} from "./auth/index.ts";
export {
  attach,
  type Body,
  bytesContent,
  type Content,
  checksDigests,
  collect,
  hasReferrers,
  hasTags,
  ingests,
  type Located,
  loadManifest,
  type MemoryStore,
  memoryStore,
  mountsFrom,
  type OnEvent,
  type ProgressEvent,
  put,
  putManifest,
  type ReadableStore,
  readJson,
  removes,
  type Store,
  type Walked,
  type WritableStore,
  walk,
} from "./content/index.ts";
export { type CopyOptions, type CopyResult, copy, copyAll } from "./copy/index.ts";
export { DrayError, type ErrorCode, isDrayError } from "./errors.ts";
export { fetchConnection, type Handler, type HttpRequest, type HttpResponse, type Middleware } from "./http/index.ts";
export {
  allOf,
  annotated,
  type Change,
  compare,
  configured,
  edit,
  exportTar,
  type FileEntry,
  type Image,
  type ImageChange,
  type ImageConfig,
  type ImageFiles,
  type ImageIndex,
  imageFiles,
  imageFrom,
  type Layer,
  readEntries,
  readFile,
  type TreeEntry,
  treeEntries,
  validate,
  viewOf,
} from "./image/index.ts";
export { type LayoutStore, layoutStore, type OciArchiveStore, ociArchive } from "./layout/index.ts";
export {
  type Opened,
  type OpenImageOptions,
  type OpenOptions,
  open,
  openImage,
  openRepository,
  type ParsedLocation,
  parseLocation,
} from "./locations/index.ts";
export {
  annotationKeys,
  canonical,
  childrenOf,
  type Descriptor,
  type Digest,
  digestOf,
  familiar,
  formatPlatform,
  formatReference,
  type Index,
  isDigest,
  type Manifest,
  matchPlatform,
  mediaTypes,
  type ParsedManifest,
  type Platform,
  packManifest,
  parseManifest,
  parsePlatform,
  parseReference,
  type Reference,
  type WantedPlatform,
} from "./oci/index.ts";
export { type ConnectOptions, connect, type HostPurpose, type Registry, type Repository } from "./registry/index.ts";
