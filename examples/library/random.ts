import { copy, open } from "dray";
import { randomIndex } from "dray/image";

/** An index of random images for a test; the same seed gives the same digest on every machine. */
export const pushRandom = async (location: string, seed: string): Promise<string> => {
  const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }));
  const { store, descriptor } = await randomIndex(platforms, { layers: 2, size: 4096, seed });
  const target = await open(location);
  await copy({ store, name: descriptor.digest, location: "chance" }, target);
  return descriptor.digest;
};
