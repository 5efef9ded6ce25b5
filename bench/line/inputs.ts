/** The images that go over the long line: many small things, and a few that fill it. */
import { type Input, indexOf, input, manifestOf, randomLayer } from "../input.ts";

const kB = 1000;
const times = async <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> => {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(await make(i));
  return made;
};

/** 40 layers of 100 kB. */
export const small40 = (): Promise<Input> =>
  input("line-small-40", async (dir) => manifestOf(dir, await times(40, () => randomLayer(dir, 100 * kB))));

/** An index of 8 platforms: two layers in all of them, four more in each. */
export const platforms8 = (): Promise<Input> =>
  input("line-platforms-8", async (dir) => {
    const shared = await times(2, () => randomLayer(dir, 100 * kB));
    const architectures = ["amd64", "arm64", "s390x", "ppc64le", "riscv64", "386", "loong64", "mips64le"];
    const images = await times(architectures.length, async (i) => {
      const architecture = architectures[i] as string;
      const own = await times(4, () => randomLayer(dir, 70 * kB));
      return { architecture, manifest: await manifestOf(dir, [...shared, ...own], { architecture }) };
    });
    return indexOf(dir, images);
  });

/** 20 tags: four layers in all of them, one more in each. */
export const tags20 = (): Promise<Input> =>
  input("line-tags-20", async (dir) => {
    const shared = await times(4, () => randomLayer(dir, 100 * kB));
    return times(20, async () => manifestOf(dir, [...shared, await randomLayer(dir, 100 * kB)]));
  });

/** 36 MB in 3 layers. */
export const large3 = (): Promise<Input> =>
  input("line-large-3", async (dir) => manifestOf(dir, await times(3, () => randomLayer(dir, 12_000 * kB))));
