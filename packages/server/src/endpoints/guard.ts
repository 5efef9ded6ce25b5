import { type RegistryContext, refusedWrites } from "../context.ts";
import { RegistryError } from "../registry-error.ts";

/** Everything that writes comes through here first. */
export const refuseWrites = ({ settings }: RegistryContext): void => {
  const refusal = refusedWrites(settings);
  if (refusal !== undefined) throw refusal;
};

/** Pushing blobs needs room; pulling, deleting and collecting go on without. */
export const refuseFullDisk = async ({ tree, settings }: RegistryContext): Promise<void> => {
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
