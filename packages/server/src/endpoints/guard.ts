import type { RegistryContext } from "../registry/context.ts";
import { RegistryError } from "./registry-error.ts";

/** Everything that writes comes through here first. */
export const refuseWrites = ({ settings }: Pick<RegistryContext, "settings">): void => {
  if (settings.readOnly) throw new RegistryError(405, "UNSUPPORTED", "the registry is read-only at the moment");
};

/** Deleting, of whatever kind and by whatever name. */
export const refusedDeletes = ({ settings }: Pick<RegistryContext, "settings">): RegistryError | undefined => {
  if (settings.readOnly) return new RegistryError(405, "UNSUPPORTED", "the registry is read-only at the moment");
  return settings.deletes ? undefined : new RegistryError(405, "UNSUPPORTED", "deleting is disabled here");
};

/** Pushing blobs needs room; pulling, deleting and collecting go on without. */
export const refuseFullDisk = async ({ tree, settings }: Pick<RegistryContext, "tree" | "settings">): Promise<void> => {
  if (settings.freeSpace === 0) return;
  const space = await tree.space();
  if (space !== undefined && space.free < settings.freeSpace)
    throw new RegistryError(
      503,
      "UNAVAILABLE",
      "the registry's disk is nearly full; nothing can be pushed until there is room",
      {
        headers: { "Retry-After": "60" },
      },
    );
};
