import type * as Jose from "jose";

let loaded: Promise<typeof Jose> | undefined;

/** The library of signatures and keys, read with the first key: a registry without tokens never needs it. */
export const jose = (): Promise<typeof Jose> => (loaded ??= import("jose"));
