import { openImage } from "dray";

/** What an image says of itself, and its layers: nothing is read but manifest and configuration. */
export const described = async (location: string): Promise<object> => {
  const image = await openImage(location, { platform: "linux/arm64" });
  const { config, created } = await image.config();
  const layers = await image.layers();
  return {
    digest: image.descriptor.digest,
    created,
    env: config?.Env ?? [],
    layers: layers.map(({ descriptor, diffID }) => ({ type: descriptor.mediaType, size: descriptor.size, diffID })),
    size: await image.contentSize(),
  };
};
