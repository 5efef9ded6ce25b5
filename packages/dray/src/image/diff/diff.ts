import type { Cancel } from "../../content/index.ts";
import type { Digest } from "../../oci/index.ts";
import type { Image, Layer } from "../views.ts";
import { type SaidChange, saidChanges } from "./documents.ts";
import { type FileChange, filesChanged } from "./files-changed.ts";
import { layersApart } from "./layers-apart.ts";
import { type PackagesChanged, packagesChanged } from "./packages-changed.ts";
import { Side } from "./side.ts";

/** What is read of two images. */
export interface DiffOptions extends Cancel {
  /**
   * Reads the layers that both have, too, so that it is known what a new file has replaced, and what lists of packages say that only one of them
   * has changed. Default `false`: only layers that differ are fetched.
   */
  readonly sharedLayers?: boolean | undefined;
}

/** A layer that only one image has. */
export interface LayerApart {
  readonly digest: Digest;
  /** Bytes, compressed. */
  readonly size: number;
}

/** In what two images differ. */
export interface ImageDiff {
  /** Whether they differ in anything that is told here. */
  readonly differs: boolean;
  /** Bytes of all layers, compressed. */
  readonly size: { readonly before: number; readonly after: number };
  /** Layers by content, wherever they lie and however they are compressed. */
  readonly layers: {
    readonly before: readonly LayerApart[];
    readonly after: readonly LayerApart[];
    readonly shared: number;
  };
  /** Configuration, environment, labels and annotations. */
  readonly said: readonly SaidChange[];
  readonly packages: PackagesChanged;
  /** By path. Made while they are asked for; may be asked for again. */
  readonly files: () => Iterable<FileChange>;
}

/**
 * In what two images differ: what they say of themselves, packages and files. Only layers that one of them has and the other has not are read.
 * @throws DrayError what reading throws; `LIMIT_EXCEEDED` where the names in the layers take too much memory
 * @example
 * const { said, packages, files } = await diff(await openImage("app:1.0"), await openImage("app:1.1"));
 * for (const { change, path } of files()) console.log(change, path);
 */
export const diff = async (
  before: Image,
  after: Image,
  { sharedLayers = false, signal }: DiffOptions = {},
): Promise<ImageDiff> => {
  const apart = await layersApart(before, after);
  const isPartial = !sharedLayers && apart.shared > 0;
  const nothing = apart.before.length === 0 && apart.after.length === 0;
  const layersOf = async (image: Image, own: readonly Layer[]): Promise<readonly Layer[]> =>
    sharedLayers && !nothing ? image.layers() : own;
  const [one, other] = [
    new Side(await layersOf(before, apart.before), { isPartial, signal }),
    new Side(await layersOf(after, apart.after), { isPartial, signal }),
  ];
  await one.read();
  await other.read();
  const said = await saidChanges(before, after);
  const packages = packagesChanged(one, other, new Set([...one.packageFiles(), ...other.packageFiles()]));
  const files = (): Iterable<FileChange> => filesChanged(one, other);
  const [first] = files();
  return {
    differs: said.length > 0 || packages.changes.length > 0 || first !== undefined,
    size: { before: await sizeOf(before), after: await sizeOf(after) },
    layers: { before: apart.before.map(told), after: apart.after.map(told), shared: apart.shared },
    said,
    packages,
    files,
  };
};

const told = ({ descriptor: { digest, size } }: Layer): LayerApart => ({ digest, size });

const sizeOf = async (image: Image): Promise<number> => {
  const { layers } = await image.manifest();
  return layers.reduce((sum, { size }) => sum + size, 0);
};
