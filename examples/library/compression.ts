import { openRepository } from "dray";
import { directoryTar, ingestLayer } from "dray/image";

/** A folder as a layer of zstd, compressed on all cores while it goes up. */
export const zstdLayer = async (directory: string, location: string): Promise<object> => {
  const target = await openRepository(location);
  const layer = await ingestLayer(target.store, directoryTar(directory), { compression: "zstd", level: 10 });
  return { ...layer.descriptor, diffID: layer.diffID };
};
