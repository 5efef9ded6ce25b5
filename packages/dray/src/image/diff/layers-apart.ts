import type { Image, Layer } from "../views.ts";

/** Layers of two images: those that only one of them has, bottom first, and how many both have. */
export interface LayersApart {
  readonly before: readonly Layer[];
  readonly after: readonly Layer[];
  readonly shared: number;
}

/** What tells a layer: its content, however it is compressed, where the image says what that is. */
const contentOf = ({ diffID, descriptor }: Layer): string => diffID ?? descriptor.digest;

/** Tells layers by their content, wherever they lie; one that comes twice in an image is two. */
export const layersApart = async (before: Image, after: Image): Promise<LayersApart> => {
  const [one, other] = await Promise.all([before.layers(), after.layers()]);
  const both = new Map<string, number>();
  for (const layer of other) both.set(contentOf(layer), (both.get(contentOf(layer)) ?? 0) + 1);
  const left = new Map(both);
  const onlyBefore = one.filter((layer) => !taken(left, contentOf(layer)));
  // Of what both have, so many as the one before has.
  const shared = new Map([...both].map(([content, count]) => [content, count - (left.get(content) ?? 0)]));
  const onlyAfter = other.filter((layer) => !taken(shared, contentOf(layer)));
  return { before: onlyBefore, after: onlyAfter, shared: one.length - onlyBefore.length };
};

const taken = (counts: Map<string, number>, content: string): boolean => {
  const count = counts.get(content) ?? 0;
  counts.set(content, count - 1);
  return count > 0;
};
