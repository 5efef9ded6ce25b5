import { type Descriptor, isIndexType, isManifestType } from "../oci/index.ts";
import { type Image, type ImageIndex, viewOf } from "./views.ts";

/** One thing in which two views differ. */
export interface Difference {
  /** Where: `config.Env[2]`, `layers[0].diffID`, `manifests[1].config.os`. */
  readonly path: string;
  /** What each of them has there; `undefined`: nothing. */
  readonly a: unknown;
  readonly b: unknown;
}

/** What counts. */
export interface CompareOptions {
  /**
   * `false`: how layers are compressed does not count, nor do digests and sizes of whatever names them; media types, diffIDs, and all that is said
   * do. Default `true`.
   */
  readonly compressed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * In what two images, or two indexes with all below them, differ: manifests, configurations, and their layers by digest and diffID, member by
 * member. No layer is read.
 * @returns nothing where they are the same
 * @throws DrayError what reading throws
 * @example for (const { path, a, b } of await compare(mine, theirs, { compressed: false })) console.log(path, a, b);
 */
export const compare = async (
  a: Image | ImageIndex,
  b: Image | ImageIndex,
  options: CompareOptions = {},
): Promise<Difference[]> => {
  const [one, other] = await Promise.all([described(a, options), described(b, options)]);
  return [...differences("", one, other)];
};

/** All that a view says, as one value. */
const described = async (view: Image | ImageIndex, options: CompareOptions): Promise<object> => {
  const { compressed = true, signal } = options;
  const told = ({ digest, size, ...said }: Descriptor): object => (compressed ? { digest, size, ...said } : said);
  if (view.kind === "index") {
    const { manifests, ...said } = await view.index();
    const below = manifests.map(async (entry) => {
      if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return told(entry);
      return { ...told(entry), ...(await described(await viewOf(view.store, entry, { signal }), options)) };
    });
    return { ...said, manifests: await Promise.all(below) };
  }
  const { config, layers, ...said } = await view.manifest();
  const views = await view.layers();
  const isImage = (await view.platform()) !== undefined;
  return {
    ...said,
    configuration: told(config),
    layers: layers.map((layer, i) => ({ ...told(layer), diffID: views[i]?.diffID })),
    ...(isImage ? { config: await view.config() } : {}),
  };
};

function* differences(path: string, a: unknown, b: unknown): Generator<Difference> {
  if (a === b) return;
  if (
    typeof a !== "object" ||
    typeof b !== "object" ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    yield { path, a, b };
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inside = Array.isArray(a) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    yield* differences(inside, (a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]);
  }
}
