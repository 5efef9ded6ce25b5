import { openImage, openRepository, readFile } from "dray";
import { blobCache, cachedStore } from "dray/cache";

/** A file of an image; its layers are fetched once, whichever process asks, and hashed each time. */
export const release = async (location: string, directory: string): Promise<string> => {
  const opened = await openRepository(location);
  const cache = blobCache(directory, { limit: 2 * 1024 ** 3 });
  const image = await openImage({ ...opened, store: cachedStore(opened.store, cache) });
  return new TextDecoder().decode(await readFile(image, "/etc/os-release"));
};
