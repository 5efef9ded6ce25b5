/**
 * What a store can do besides reading and writing, or promises to. It has a capability or not; the guard beside each asks. No
 * code asks which store it has before it: a store to come says what is true of it.
 */
import type { Compression, Descriptor, Digest, DigestAlgorithm, Platform } from "../oci/index.ts";
import type { Content } from "./bytes.ts";
import type { OnEvent } from "./events.ts";
import type { Cancel, ContentKind, OfKind, ReadableStore, WritableStore, WriteOptions } from "./store.ts";

/** Asks whether a store has a capability. */
export type Guard<C extends object> = (store: object) => store is C;

/** A capability is a member that there is: a method, or a promise that is kept. */
const has =
  <C extends object>(member: keyof C): Guard<C> =>
  (store): store is C =>
    Boolean((store as Partial<C>)[member]);

/**
 * The store refuses bytes that do not have their digest, so nobody needs to check on the way to it. `write` must throw
 * `DIGEST_MISMATCH` then, and make nothing visible.
 */
export interface ChecksDigests {
  readonly checksDigests: true;
}
/** Whether the store refuses bytes that do not have their digest. */
export const checksDigests: Guard<ChecksDigests> = has("checksDigests");

/**
 * What a manifest here names is here as long as the manifest is, so what a name stands for need not be looked at again. Not so
 * where files may be lost one by one, and copying again makes that good.
 */
export interface KeepsReferenced {
  readonly keepsReferenced: true;
}
/** Whether what a manifest names is there as long as the manifest is. */
export const keepsReferenced: Guard<KeepsReferenced> = has("keepsReferenced");

/**
 * What had come when a copy ended early stays, and a later one goes on with it: `parts` of a blob, too, or only what is `whole`. Registries may keep
 * parts, and may not.
 */
export interface KeepsArrived {
  readonly keepsArrived: "parts" | "whole";
}
/** Whether what had come when a copy ended early stays. */
export const keepsArrived: Guard<KeepsArrived> = has("keepsArrived");

/** Written to, the store begins empty: what it replaces counts for nothing, neither content nor names. */
export interface StartsEmpty {
  readonly startsEmpty: true;
}
/** Whether the store begins empty when it is written to. */
export const startsEmpty: Guard<StartsEmpty> = has("startsEmpty");

/**
 * The manifests that the store gives are made when it is asked, of content that lies there without: nobody knows their digests from
 * elsewhere, so they may be made in another way. The same content must give the same manifest each time.
 */
export interface ComposesManifests {
  readonly composesManifests: true;
}
/** Whether the store makes its manifests when it is asked. */
export const composesManifests: Guard<ComposesManifests> = has("composesManifests");

/** Names are whole references (`quay.io/team/app:1.0`), as docker keeps them. Elsewhere they are tags. */
export interface NamesReferences {
  readonly namesReferences: true;
}
/** Whether names are whole references. */
export const namesReferences: Guard<NamesReferences> = has("namesReferences");

/** The store shows another one with something laid over it. */
export interface LiesOver {
  readonly base: ReadableStore;
  /** Where content lies that is neither new nor below: layers of another image, or ones that are in the target already. */
  readonly elsewhere?: ReadonlyMap<Digest, ReadableStore>;
}
/** Whether the store shows another one, with something laid over it. */
export const liesOver: Guard<LiesOver> = has("base");

/** The store that lies lowest: where the content is that nobody changed. */
export const bottomOf = (store: object): object => (liesOver(store) ? bottomOf(store.base) : store);

/** The store in which content is known to lie, because somebody put it there or found it there; `undefined` where nobody said. */
export const placeOf = (store: object, digest: Digest): object | undefined => {
  if (!liesOver(store)) return undefined;
  const other = store.elsewhere?.get(digest);
  return other === undefined ? placeOf(store.base, digest) : (placeOf(other, digest) ?? bottomOf(other));
};

/** Blobs may be taken over from another store of the same registry, without moving bytes. */
export interface MountsFrom {
  /**
   * `true`: the content is there now. `false`: it has to be written (an upload that was opened on the way is kept for that). A mount
   * is a shortcut: what goes wrong with it is `false` and no error, and so is a source that is not of the same kind.
   */
  mountFrom(descriptor: Descriptor, source: object, options?: Cancel & OfKind): Promise<boolean>;
  /** Whether `mountFrom` would ask for it at all: what a dry run can say. Default: it would not. */
  mayMountFrom?(descriptor: Descriptor, source: object, options?: OfKind): boolean;
}
/** Whether blobs may be taken over from another store, without moving bytes. */
export const mountsFrom: Guard<MountsFrom> = has("mountFrom");

/** The store knows what says something about its content. */
export interface HasReferrers {
  /** Manifests whose `subject` this is, each once; none where the subject is not there. `artifactType`: only those of that type. */
  referrers(subject: Descriptor, options?: Cancel & { artifactType?: string | undefined }): AsyncIterable<Descriptor>;
}
/** Whether the store knows what says something about its content. */
export const hasReferrers: Guard<HasReferrers> = has("referrers");

/** The store can list its names. */
export interface HasTags {
  /** @throws DrayError `NOT_FOUND` where there is nothing that could have names */
  tags(options?: Cancel): AsyncIterable<string>;
}
/** Whether the store can list its names. */
export const hasTags: Guard<HasTags> = has("tags");

/** The store can say whether content lies in it to be read, of the right size, without reading it. */
export interface Holds {
  /** Unlike `has`, which of a store that begins empty speaks of what is being written, and of a manifest asks for all below it. */
  holds(descriptor: Descriptor, options?: Cancel): Promise<boolean>;
}
/** Whether the store can say what lies in it to be read. */
export const holds: Guard<Holds> = has("holds");

/** Whether a blob lies in a store to be read, as far as it can tell without reading it. */
export const isHeld = async (
  store: object,
  descriptor: Descriptor,
  options: Cancel = {},
): Promise<boolean | undefined> => {
  if (holds(store)) return store.holds(descriptor, options);
  const { has } = store as Partial<WritableStore>;
  return has?.call(store, descriptor, { kind: "blob", ...options });
};

/** Content and names can be removed. */
export interface Removes {
  /**
   * Removes a tag or, by digest, the content.
   * @throws DrayError `NOT_FOUND`, `UNSUPPORTED`
   */
  remove(name: string, options?: Cancel): Promise<void>;
}
/** Whether content and names can be removed. */
export const removes: Guard<Removes> = has("remove");

/** Content can be put there before its digest is known. */
export interface Ingests {
  /**
   * Puts content there and says what it turned out to be. It may be opened more than once, at any offset.
   * `key` names what is being made, where it comes out the same each time, so that an unfinished upload of it can be gone on with.
   */
  ingest(
    content: Content,
    options: WriteOptions & { mediaType: string; algorithm?: DigestAlgorithm; key?: string },
  ): Promise<Descriptor>;
}
/** Whether content can be put there before its digest is known. */
export const ingests: Guard<Ingests> = has("ingest");

/** Layers of an archive that docker saved are kept here as they lie, though they could be compressed on the way. */
export interface KeepsLayers {
  readonly keepsLayers: true;
}
/** Whether layers are kept here as they lie in their source. */
export const keepsLayers: Guard<KeepsLayers> = has("keepsLayers");

/** Writing a manifest and naming it are one step here. */
export interface WritesNamed {
  /** As `write` and then `tag`, in one request. */
  writeNamed(descriptor: Descriptor, content: Content, name: string, options?: WriteOptions): Promise<void>;
}
/** Whether writing a manifest and naming it are one step. */
export const writesNamed: Guard<WritesNamed> = has("writeNamed");

/** A name that stands for nothing is no error here, and costs less to find out than by `resolve`. */
export interface LooksUp {
  lookUp(name: string, options?: Cancel): Promise<Descriptor | undefined>;
}
/** Whether a name can be looked up that may stand for nothing. */
export const looksUp: Guard<LooksUp> = has("lookUp");

/** A write asks for a place before it opens its content, and that takes a while: content may be asked for meanwhile. */
export interface OpensLate {
  /** Not where an unfinished write may go on, at whatever byte. */
  opensLate(descriptor: Descriptor): boolean;
}
/** Whether a write opens its content late. */
export const opensLate: Guard<OpensLate> = has("opensLate");

/** The store can say that there is nothing in it yet, so that nobody need ask for this and that. */
export interface TellsNew {
  /** `false` where it does not know. What an unfinished write has left may be there all the same. */
  isNew(options?: Cancel): Promise<boolean>;
}
/** Whether the store can say that there is nothing in it yet. */
export const tellsNew: Guard<TellsNew> = has("isNew");

/** Far away, connections take a while to open, which can be done meanwhile. */
export interface Expects {
  /** So many pieces of content are about to be read or written. */
  expect(pieces: number): void;
  /** Whether a manifest was read just now, so that reading it costs nothing. */
  remembers(descriptor: Descriptor): boolean;
}
/** Whether the store wants to know what is about to come. */
export const expects: Guard<Expects> = has("expect");

/** The same content may be read from several places, and one of them may give something else. */
export interface ReadsElsewhere {
  /**
   * What was read of this content is something else. `true`: that place is not asked again, so another try may do better.
   * @param sure `false`: it has another size than was promised, and who promised may be wrong. Default `true`
   */
  misled(digest: Digest, sure?: boolean): boolean;
}
/** Whether content that turned out wrong may be read from elsewhere. */
export const readsElsewhere: Guard<ReadsElsewhere> = has("misled");

/** The store can say how large content is, and what type it has, by its digest alone. */
export interface Describes {
  /** @throws DrayError `NOT_FOUND` */
  describe(digest: Digest, options?: Cancel): Promise<Descriptor>;
}
/** Whether the store can describe content by its digest alone. */
export const describes: Guard<Describes> = has("describe");

/** Content that will come. */
export interface PlannedContent {
  readonly descriptor: Descriptor;
  readonly kind: ContentKind;
}

/** The store is told of the whole before its parts come, where it wants to plan (an archive lays out its entries). */
export interface Plans {
  /**
   * What one root will bring, in the order of its documents. Comes once for each root, all before the first `write`.
   * @throws DrayError `UNSUPPORTED` for what the store cannot hold, before anything was moved
   */
  plan(root: Descriptor, content: readonly PlannedContent[], options?: Cancel): Promise<void>;
}
/** Whether the store is told of the whole before its parts come. */
export const plans: Guard<Plans> = has("plan");

/** What was found out about a blob when it was read, as a file that can be read in parts. */
export interface KeptIndex {
  /** Bytes. */
  readonly size: number;
  /** So many bytes from a place on; fewer where it ends. @throws DrayError `DISK` */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** An index that is being written. Nobody sees it before it has ended well. */
export interface NewIndex {
  write(bytes: Uint8Array): Promise<void>;
  /** `false`: it is thrown away. */
  end(isWhole: boolean): Promise<void>;
}

/** What is kept of blobs besides their bytes. Nothing here fails but by having nothing: whoever asks can do without. */
export interface Indexes {
  /** The index of a blob, if there is one. */
  open(blob: Descriptor): Promise<KeptIndex | undefined>;
  /** Begins an index, which takes the place of another one when it ends well; `undefined` where none can be kept. */
  begin(blob: Descriptor): Promise<NewIndex | undefined>;
  /** Takes away an index that is damaged. */
  remove(blob: Descriptor): Promise<void>;
  /** Bytes of the blob were wrong: `true` where it was kept here and was damaged. It is gone then, and comes from its source again. */
  mend(blob: Descriptor, options?: Cancel): Promise<boolean>;
}

/** Beside its content the store keeps indexes of blobs, for whoever wants a part of one that was read whole before. */
export interface KeepsIndexes {
  readonly indexes: Indexes;
}
/** Whether the store keeps indexes of blobs. */
export const keepsIndexes: Guard<KeepsIndexes> = has("indexes");

/** Where indexes of a store's blobs are kept, by it or by one that it lies over. */
export const indexesOf = (store: object): Indexes | undefined =>
  keepsIndexes(store) ? store.indexes : liesOver(store) ? indexesOf(store.base) : undefined;

/** Content of a store that comes in an order of its own: a layer, or what else is too large to be kept until somebody asks for it. */
export interface ComingBlob {
  /** Its digest, where something says it before the bytes do; whoever takes them checks it. */
  readonly digest?: Digest | undefined;
  /** `undefined`: nobody knows before it has come. */
  readonly size: number | undefined;
  /** Of how it begins. */
  readonly compression: Compression;
  /** Whether the manifest that will name it is made by the store, and not one that somebody knows: then it may take another form. */
  readonly composed: boolean;
  /** How it is called in its source, for messages. */
  readonly what: string;
  /** Its bytes, while it is its turn. Opened again, or at an offset, they are asked for anew from the start. */
  readonly content: Content;
}

/**
 * The store can give its content only as one stream, whose order is its own: an engine's save. Whoever wants all of it takes it as it comes, and has
 * what names it at the end.
 */
export interface ComesInOrder {
  /**
   * Streams all that these names need. `take` gets one piece after the other and puts it where it is to go; configurations and manifests are
   * kept.
   * @returns a store that resolves the names and reads what was kept; it knows what the pieces are, and does not have their bytes
   */
  inOrder(
    names: readonly string[],
    take: (blob: ComingBlob) => Promise<void>,
    options?: Cancel,
  ): Promise<ReadableStore>;
  /** The same for whoever reads here and there: in a temporary file, of which `onEvent` hears once. */
  atHand(
    names: readonly string[],
    options?: Cancel & { readonly onEvent?: OnEvent | undefined },
  ): Promise<ReadableStore>;
}
/** Whether content comes as one stream, in an order of its own. */
export const comesInOrder: Guard<ComesInOrder> = has("inOrder");

/** The store holds images of one platform each, and has one of its own. */
export interface HoldsOnePlatform {
  /** The platform of which it takes the image where an index comes and nobody names another; `undefined`: it holds indexes, too. */
  platform(options?: Cancel): Promise<Platform | undefined>;
}
/** Whether the store holds images of one platform each. */
export const holdsOnePlatform: Guard<HoldsOnePlatform> = has("platform");
