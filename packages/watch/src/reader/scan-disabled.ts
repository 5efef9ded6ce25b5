import { DrayError } from "dray/errors";
import type { Registry } from "./registry.ts";

const disabled = async (): Promise<never> => {
  throw new DrayError("SCAN_DISABLED", "nothing is known of images here, because scanning is switched off");
};

/** A registry where scanning is switched off: every question is answered with `SCAN_DISABLED`, at once. */
export const scanDisabledRegistry: Registry = { getRepositoryMetadata: disabled, getImage: disabled, images: disabled };
