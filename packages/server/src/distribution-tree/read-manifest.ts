import { algorithmOf, type Digest, digestOf } from "dray/oci";
import type { FileVersion } from "../storage/index.ts";
import { inspectManifest } from "./inspector.ts";
import type { Tree } from "./tree.ts";

export interface WholeManifest {
  /** Of its link in the repository. */
  readonly version: FileVersion;
  readonly bytes: Uint8Array;
  /** The type it was pushed with, where its bytes do not show it. */
  readonly pushedType: string | undefined;
}

/** A manifest as the tree has it: its bytes, which have its digest, or why there are none. */
export type StoredManifest =
  | WholeManifest
  | {
      /** Of its link in the repository. */
      readonly version: FileVersion;
      /** The link names no digest; its content is missing; it has more bytes than are read; they have another digest. */
      readonly fault: "torn" | "missing" | "too large" | "damaged";
      readonly size: number;
    };

/**
 * Reads a revision from the tree. `undefined`: the repository has none.
 * @param largest bytes that are read at most
 * @param ready waits until so many may be in memory
 */
export const readManifest = async (
  tree: Tree,
  repository: string,
  digest: Digest,
  largest: number,
  ready?: (size: number) => Promise<void> | undefined,
): Promise<StoredManifest | undefined> => {
  const version = await tree.revision(repository, digest);
  if (version === undefined) return undefined;
  const target = await tree.revisionTarget(repository, digest);
  if (target === undefined)
    // Gone meanwhile, or torn.
    return (await tree.revision(repository, digest)) && { version, fault: "torn", size: 0 };
  const size = await tree.blobSize(target);
  if (size !== undefined && size > largest) return { version, fault: "too large", size };
  if (size !== undefined) await ready?.(size);
  const bytes = size === undefined ? undefined : await tree.readBlob(target);
  if (bytes === undefined) return { version, fault: "missing", size: 0 };
  if (digestOf(bytes, algorithmOf(digest)) !== digest) return { version, fault: "damaged", size: bytes.byteLength };
  return { version, bytes, pushedType: await tree.notes.pushedType(repository, digest) };
};

/**
 * Reads a manifest whose link lies among those of layers, where registry 2.1.0 put it; every later 2.x of distribution looks there as
 * well. A layer's link looks the same, so what is no manifest is none. `undefined`: there is none.
 * @param largest bytes that are read at most
 * @param ready waits until so many may be in memory
 */
export const readLegacyManifest = async (
  tree: Tree,
  repository: string,
  digest: Digest,
  largest: number,
  ready?: (size: number) => Promise<void> | undefined,
): Promise<WholeManifest | undefined> => {
  const version = await tree.layerVersion(repository, digest);
  if (version === undefined) return undefined;
  const target = await tree.layer(repository, digest);
  const bytes = target === undefined ? undefined : await readIfManifest(tree, target, largest, ready);
  return bytes === undefined || digestOf(bytes, algorithmOf(digest)) !== digest
    ? undefined
    : { version, bytes, pushedType: undefined };
};

/** A blob whole if it is a manifest by what it says. Of most others, whatever their size, one byte is read. */
const readIfManifest = async (
  tree: Tree,
  digest: Digest,
  largest: number,
  ready?: (size: number) => Promise<void> | undefined,
): Promise<Uint8Array | undefined> => {
  const file = await tree.openBlob(digest);
  if (file === undefined) return undefined;
  try {
    const { size } = file;
    const first = new Uint8Array(1);
    if (size > largest || (await file.read(first, 0)) === 0 || !isJsonStart(first[0])) return undefined;
    await ready?.(size);
    const bytes = new Uint8Array(size);
    return (await file.read(bytes, 0)) === size && (await inspectManifest(bytes)).isManifest ? bytes : undefined;
  } finally {
    await file.close();
  }
};

/** `{`, or white space before it. */
const isJsonStart = (byte: number | undefined): boolean =>
  byte === 0x7b || byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
