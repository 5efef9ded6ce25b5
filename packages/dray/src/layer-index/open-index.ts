import type { Indexes } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Descriptor } from "../oci/index.ts";
import { IndexReader } from "./index-reader.ts";

/** The index of a layer, where there is one that can be used. */
export const openIndex = async (blob: Descriptor, indexes: Indexes): Promise<IndexReader | undefined> => {
  const kept = await indexes.open(blob);
  try {
    return kept && (await IndexReader.open(kept, blob));
  } catch (error) {
    if (isDrayError(error, "DISK")) return undefined;
    throw error;
  }
};
