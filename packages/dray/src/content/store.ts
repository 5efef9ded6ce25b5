import { type Descriptor, isManifestLike, type ParsedManifest } from "../oci/index.ts";
import type { Content } from "./bytes.ts";
import type { OnEvent } from "./events.ts";

/** A signal that ends a call: it rejects with `ABORTED` then, soon, and lets go of what it holds. */
export interface Cancel {
  readonly signal?: AbortSignal | undefined;
}

/** What content is: a manifest, an index among them, which names other content, or a blob, which is bytes. */
export type ContentKind = "blob" | "manifest";

/** What kind of content a descriptor stands for. */
export interface OfKind {
  /**
   * Kind follows position as well as media type: a child of an index may be a blob (BuildKit caches), a layer may carry a
   * manifest's media type. Whoever knows the position says it; a store that keeps the two apart goes by it. Default: by
   * media type.
   */
  readonly kind?: ContentKind | undefined;
}

/** Whether content is a manifest, as far as it was said; else by its media type. */
export const isManifest = ({ mediaType }: Pick<Descriptor, "mediaType">, { kind }: OfKind = {}): boolean =>
  kind === undefined ? isManifestLike(mediaType) : kind === "manifest";

/** How content is read. */
export interface ReadOptions extends Cancel, OfKind {
  /** First byte to read. With an offset the bytes cannot be verified here; the caller has the ones before. */
  readonly offset?: number | undefined;
  /**
   * Bytes that are wanted at most, for whoever needs a part: a store asks for no more where it can, and may give more all the same. They cannot be
   * verified here. Default: all.
   */
  readonly length?: number | undefined;
  /** `false`: whoever takes the bytes checks their digest. Default `true`: a wrong digest or size throws at the end. */
  readonly verify?: boolean | undefined;
  /** Hears of retries and throttling on the way. */
  readonly onEvent?: OnEvent | undefined;
}

/** How a name is looked up. */
export interface ResolveOptions extends Cancel {
  /** `true`: the manifest is read next, so a store may get it right away, where that costs no more. Default `false`. */
  readonly toRead?: boolean | undefined;
}

/**
 * Something that holds content and names for it. Reads change nothing, go on side by side, and end with `ABORTED` when their
 * signal says so.
 */
export interface ReadableStore {
  /**
   * What a tag or digest stands for. For a registry the manifest's media type, size and digest are checked or computed.
   * @throws DrayError `NOT_FOUND`
   */
  resolve(name: string, options?: ResolveOptions): Promise<Descriptor>;
  /**
   * The bytes of a descriptor, read as they are asked for. An implementation may never give bytes of another digest or size and
   * end well: it throws, at the end at the latest, unless `verify`, `offset` or `length` leave that to the caller.
   * @throws DrayError `NOT_FOUND`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`
   */
  read(descriptor: Descriptor, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

/** How content is written. */
export interface WriteOptions extends Cancel, OfKind {
  /** Hears of bytes that were there already when an unfinished write goes on, of retries and throttling, and `mounted` where none were needed. */
  readonly onEvent?: OnEvent | undefined;
  /** What a manifest's bytes say, where the caller has parsed them: a store that wants to know need not do it again. */
  readonly parsed?: ParsedManifest | undefined;
}

/** How a store looks for what it may have. */
export interface HasOptions extends Cancel, OfKind {
  /**
   * `true`: bytes that lie where anybody may change them are read, and what is not what its digest says is not there; the next write
   * replaces it. Default `false`: a store believes what it finds by name and size.
   */
  readonly thorough?: boolean | undefined;
}

/** Something that content can be put into. Nothing is visible under its digest before it is whole and checked. */
export interface WritableStore {
  /** Whether the content is there already, whole: same digest, same size. */
  has(descriptor: Descriptor, options?: HasOptions): Promise<boolean>;
  /**
   * Puts content there. Goes on where an earlier attempt stopped, where the store can: it opens `content` at that offset, later
   * ones too, and perhaps more than once. Children come before parents.
   * @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH` from stores that check; whatever reading the content throws
   */
  write(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  /**
   * Gives content a name. Its bytes are there already. With `atClose` the name may come as late as `close`, also one that aborts: a store whose
   * names lie in one file need not write it again for each of thousands. Default `false`: it is there when this resolves.
   */
  tag(descriptor: Descriptor, name: string, options?: Cancel & { readonly atClose?: boolean }): Promise<void>;
  /**
   * Finishes what was written so far; `abort` lets go of it, keeping what a later attempt can use. `copy` calls it when
   * it ends; the store can be used again afterwards.
   */
  close(options?: { abort?: boolean }): Promise<void>;
}

/** What can be read from and written to. */
export type Store = ReadableStore & WritableStore;

/** A store, and a name in it. `name` is `""` where the location names only the store. */
export interface Located<S = Store> {
  readonly store: S;
  /** Tag, digest or name, as `resolve` and `tag` take it. */
  readonly name: string;
  /** The location in words, for messages. */
  readonly location: string;
}
