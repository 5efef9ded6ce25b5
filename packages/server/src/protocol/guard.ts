import { Refusal } from "../answer/index.ts";
import type { Parts } from "../registry/parts.ts";

/** Everything that writes comes through here first. */
export const refuseWrites = ({ settings }: Pick<Parts, "settings">): void => {
  if (settings.readOnly) throw new Refusal(405, "UNSUPPORTED", "the registry is read-only at the moment");
};

/** Deleting, of whatever kind and by whatever name. */
export const refusedDeletes = ({ settings }: Pick<Parts, "settings">): Refusal | undefined => {
  if (settings.readOnly) return new Refusal(405, "UNSUPPORTED", "the registry is read-only at the moment");
  return settings.deletes ? undefined : new Refusal(405, "UNSUPPORTED", "deleting is disabled here");
};

/** Pushing blobs needs room; pulling, deleting and collecting go on without. */
export const refuseFullDisk = async ({ tree, settings }: Pick<Parts, "tree" | "settings">): Promise<void> => {
  if (settings.freeSpace === 0) return;
  const space = await tree.driver.space?.();
  if (space !== undefined && space.free < settings.freeSpace)
    throw new Refusal(
      503,
      "UNAVAILABLE",
      "the registry's disk is nearly full; nothing can be pushed until there is room",
      {
        headers: { "Retry-After": "60" },
      },
    );
};
