import {
  type ArtifactParts,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  emptyContent,
  emptyDescriptor,
  encodeJson,
  type Index,
  largestManifest,
  type Manifest,
  type ParsedManifest,
  packManifest,
  parseJson,
  parseManifest,
} from "../oci/index.ts";
import { bytesContent, collect } from "./bytes.ts";
import { writesNamed } from "./capabilities.ts";
import type { ReadableStore, ReadOptions, Store, WritableStore, WriteOptions } from "./store.ts";

/** What bytes are that are put somewhere. */
export interface PutOptions extends WriteOptions {
  readonly mediaType: string;
  /** Default `sha256`. */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/**
 * Puts bytes into a store, unless they are there, and says what they are.
 * @throws DrayError what `has` and `write` of the store throw
 * @example const layer = await put(store, new TextEncoder().encode("hello"), { mediaType: "text/plain" });
 */
export const put = async (store: WritableStore, bytes: Uint8Array, options: PutOptions): Promise<Descriptor> => {
  const { mediaType, algorithm, ...how } = options;
  const descriptor = { mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength };
  if (!(await store.has(descriptor, { signal: how.signal, kind: how.kind })))
    await store.write(descriptor, bytesContent(bytes), how);
  return descriptor;
};

/** What a manifest is called that is put somewhere. */
export interface PutManifestOptions extends Omit<WriteOptions, "kind" | "parsed"> {
  /** Names that it gets. Default: none, it is there by its digest. */
  readonly tags?: readonly string[] | undefined;
  /** Where the bytes do not say it. */
  readonly mediaType?: string | undefined;
  /** Default `sha256`. */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/**
 * Puts a manifest or index into a store and gives it names. What it names has to be there, but for the empty content, which is put there, too.
 * Bytes stay as they are.
 * @throws DrayError `MANIFEST_INVALID`, and what the store throws
 * @example await putManifest(store, packManifest({ artifactType: "application/vnd.acme.note", layers: [layer] }), { tags: ["note"] });
 */
export const putManifest = async (
  store: WritableStore,
  manifest: Manifest | Index | Uint8Array,
  options: PutManifestOptions = {},
): Promise<Descriptor> => {
  const { tags = [], mediaType, algorithm, ...how } = options;
  const bytes = ArrayBuffer.isView(manifest) ? manifest : encodeJson(manifest);
  const parsed = parseManifest(bytes, mediaType);
  if (namesEmptyContent(parsed)) await put(store, emptyContent, { mediaType: emptyDescriptor().mediaType, ...how });
  const descriptor = { mediaType: parsed.mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength };
  const writing = { ...how, kind: "manifest", parsed } as const;
  const [first, ...others] = tags;
  const together = first !== undefined && writesNamed(store);
  if (together) await store.writeNamed(descriptor, bytesContent(bytes), first, writing);
  else await store.write(descriptor, bytesContent(bytes), writing);
  for (const tag of together ? others : tags) await store.tag(descriptor, tag, { signal: how.signal });
  return descriptor;
};

const namesEmptyContent = (parsed: ParsedManifest): boolean =>
  parsed.kind === "manifest" &&
  [parsed.manifest.config, ...parsed.manifest.layers].some(({ digest }) => digest === emptyDescriptor().digest);

/**
 * Attaches an artifact to what is in a store: a signature, an SBOM, an attestation. Its layers have to be there.
 * @param subject a name, or a descriptor
 * @throws DrayError `NOT_FOUND`, `USAGE`, and what the store throws
 * @example
 * const layer = await put(store, sbom, { mediaType: "application/spdx+json" });
 * await attach(store, "1.0", { artifactType: "application/spdx+json", layers: [layer] });
 */
export const attach = async (
  store: Store,
  subject: string | Descriptor,
  artifact: Omit<ArtifactParts, "subject">,
  options: PutManifestOptions = {},
): Promise<Descriptor> => {
  const found = typeof subject === "string" ? await store.resolve(subject, { signal: options.signal }) : subject;
  return putManifest(store, packManifest({ ...artifact, subject: found }), options);
};

/**
 * Small content as the JSON value that it is: a configuration, an attestation, a manifest. `T` is believed and not checked.
 * @throws DrayError `MANIFEST_INVALID` for what is no JSON, `LIMIT_EXCEEDED`, `NOT_FOUND`, `DIGEST_MISMATCH`
 * @example const { Labels } = (await readJson<ImageConfig>(store, manifest.config)).config ?? {};
 */
export const readJson = async <T = unknown>(
  store: ReadableStore,
  descriptor: Descriptor,
  options: Pick<ReadOptions, "signal" | "onEvent" | "kind"> = {},
): Promise<T> => jsonOf<T>(store.read(descriptor, options), descriptor.digest);

/** The same of bytes on their way. */
export const jsonOf = async <T = unknown>(chunks: AsyncIterable<Uint8Array>, digest: Digest): Promise<T> => {
  const what = `content ${digest}`;
  return parseJson(await collect(chunks, largestManifest, what), what) as T;
};
