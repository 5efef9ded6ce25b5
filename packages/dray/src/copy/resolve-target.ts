import {
  type Cancel,
  type Located,
  looksUp,
  type ReadableStore,
  startsEmpty,
  type WritableStore,
} from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, isDigest } from "../oci/index.ts";

/** What a target's name stands for now, where knowing that may save the work. */
export const resolveTarget = async (
  { store, name }: Located<WritableStore>,
  options: Cancel,
): Promise<Descriptor | undefined> => {
  const { resolve } = store as Partial<ReadableStore>;
  if (resolve === undefined || name === "" || isDigest(name) || startsEmpty(store)) return undefined;
  try {
    return await (looksUp(store) ? store.lookUp(name, options) : resolve.call(store, name, options));
  } catch (error) {
    // Whoever may push may perhaps not pull, and a layout that was never finished has no names; writing will tell.
    if (isDrayError(error, "NOT_FOUND", "DENIED", "UNAUTHORIZED", "LAYOUT_INVALID")) return undefined;
    throw error;
  }
};
