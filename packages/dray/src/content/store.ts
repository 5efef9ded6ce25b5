import { type Descriptor, type Digest, type DigestAlgorithm, isManifestLike } from "../oci/index.ts";
import type { Content } from "./bytes.ts";
import type { OnEvent } from "./events.ts";

export interface Cancel {
  readonly signal?: AbortSignal;
}

/** What content is: a manifest, an index among them, which names other content, or a blob, which is bytes. */
export type ContentKind = "blob" | "manifest";

export interface OfKind {
  /**
   * Kind follows position as well as media type: a child of an index may be a blob (BuildKit caches), a layer may carry a
   * manifest's media type. Whoever knows the position says it; a store that keeps the two apart goes by it. Default: by
   * media type.
   */
  readonly kind?: ContentKind;
}

/** Whether content is a manifest, as far as it was said; else by its media type. */
export const isManifest = ({ mediaType }: Descriptor, { kind }: OfKind = {}): boolean =>
  kind === undefined ? isManifestLike(mediaType) : kind === "manifest";

export interface ReadOptions extends Cancel, OfKind {
  /** First byte to read. With an offset the bytes cannot be verified here; the caller has the ones before. */
  readonly offset?: number;
  /** `false`: whoever takes the bytes checks their digest. Default `true`: a wrong digest or size throws at the end. */
  readonly verify?: boolean;
  /** Hears of retries and throttling on the way. */
  readonly onEvent?: OnEvent;
}

/** Something that holds content and names for it. */
export interface ReadableStore {
  /**
   * What a tag or digest stands for. For a registry the manifest's media type, size and digest are checked or computed.
   * @throws DrayError `NOT_FOUND`
   */
  resolve(name: string, options?: Cancel): Promise<Descriptor>;
  /** The bytes of a descriptor. */
  read(descriptor: Descriptor, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface WriteOptions extends Cancel, OfKind {
  /** Hears of bytes that were there already when an unfinished write goes on, of retries and throttling. */
  readonly onEvent?: OnEvent;
}

/** Something that content can be put into. Nothing is visible under its digest before it is whole and checked. */
export interface WritableStore {
  /** Whether the content is there already, whole: same digest, same size. */
  has(descriptor: Descriptor, options?: Cancel & OfKind): Promise<boolean>;
  /** Puts content there. Goes on where an earlier attempt stopped, where the store can. Children come before parents. */
  write(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  /** Gives content a name. Its bytes are there already. */
  tag(descriptor: Descriptor, name: string, options?: Cancel): Promise<void>;
  /**
   * Finishes what was written so far; `abort` lets go of it, keeping what a later attempt can use. `copy` calls it when
   * it ends; the store can be used again afterwards.
   */
  close(options?: { abort?: boolean }): Promise<void>;
}

export type Store = ReadableStore & WritableStore;

/** A store, and a name in it. `name` is `""` where the location names only the store. */
export interface Located<S = Store> {
  readonly store: S;
  /** Tag, digest or name, as `resolve` and `tag` take it. */
  readonly name: string;
  /** The location in words, for messages. */
  readonly location: string;
}

// Capabilities. A store has them or not; ask with the guard beside each.

/** The store refuses bytes that do not have their digest, so nobody needs to check on the way to it. */
export interface ChecksDigests {
  readonly checksDigests: true;
}
export const checksDigests = (store: object): store is ChecksDigests =>
  (store as Partial<ChecksDigests>).checksDigests === true;

/** Blobs may be taken over from another store of the same registry, without moving bytes. */
export interface MountsFrom {
  /** `true`: the content is there now. `false`: it has to be written (an upload that was opened on the way is kept for that). */
  mountFrom(descriptor: Descriptor, source: object, options?: Cancel & OfKind): Promise<boolean>;
}
export const mountsFrom = (store: object): store is MountsFrom =>
  typeof (store as Partial<MountsFrom>).mountFrom === "function";

/** The store knows what says something about its content. */
export interface HasReferrers {
  referrers(subject: Descriptor, options?: Cancel & { artifactType?: string }): AsyncIterable<Descriptor>;
}
export const hasReferrers = (store: object): store is HasReferrers =>
  typeof (store as Partial<HasReferrers>).referrers === "function";

/** The store can list its names. */
export interface HasTags {
  tags(options?: Cancel): AsyncIterable<string>;
}
export const hasTags = (store: object): store is HasTags => typeof (store as Partial<HasTags>).tags === "function";

/** Content and names can be removed. */
export interface Removes {
  /** Removes a tag or, by digest, the content. */
  remove(name: string, options?: Cancel): Promise<void>;
}
export const removes = (store: object): store is Removes => typeof (store as Partial<Removes>).remove === "function";

/** Content can be put there before its digest is known. */
export interface Ingests {
  /** `key`: names what is being made, so that an unfinished upload of the same can be gone on with. */
  ingest(
    content: Content,
    options: WriteOptions & { mediaType: string; algorithm?: DigestAlgorithm; key?: string },
  ): Promise<Descriptor>;
}
export const ingests = (store: object): store is Ingests => typeof (store as Partial<Ingests>).ingest === "function";

/** Writing a manifest and naming it are one step here. */
export interface WritesNamed {
  /** As `write` and then `tag`, in one request. */
  writeNamed(descriptor: Descriptor, content: Content, name: string, options?: WriteOptions): Promise<void>;
}
export const writesNamed = (store: object): store is WritesNamed =>
  typeof (store as Partial<WritesNamed>).writeNamed === "function";

/** A name that stands for nothing is no error here, and costs less to find out than by `resolve`. */
export interface LooksUp {
  lookUp(name: string, options?: Cancel): Promise<Descriptor | undefined>;
}
export const looksUp = (store: object): store is LooksUp => typeof (store as Partial<LooksUp>).lookUp === "function";

/** The store can say how large content is, and what type it has, by its digest alone. */
export interface Describes {
  /** @throws DrayError `NOT_FOUND` */
  describe(digest: Digest, options?: Cancel): Promise<Descriptor>;
}
export const describes = (store: object): store is Describes =>
  typeof (store as Partial<Describes>).describe === "function";

/** Content that will come. */
export interface PlannedContent {
  readonly descriptor: Descriptor;
  readonly kind: ContentKind;
}

/** What a store is told of the whole before its parts come, where it wants to plan (an archive lays out its entries). */
export interface Plans {
  plan(root: Descriptor, content: readonly PlannedContent[], options?: Cancel): Promise<void>;
}
export const plans = (store: object): store is Plans => typeof (store as Partial<Plans>).plan === "function";
