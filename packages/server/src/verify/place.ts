import { isDrayError } from "dray/errors";
import type { Driver } from "../storage/index.ts";
import type { Sums } from "./types.ts";

/** Beside the tree: whoever goes on finds it there. */
const file = "dray/verify.json";

/** How far a run has come: links of repositories first, then data in the order of digests. */
export interface Place {
  readonly phase: "links" | "data";
  /** The last repository or digest that is done; empty: none. */
  readonly after: string;
  readonly sums: Sums;
}

/** `undefined`: none was cut off, or nobody can say where. */
export const placeOf = async (driver: Driver): Promise<Place | undefined> => {
  const bytes = await driver.read(file);
  try {
    const { phase, after, sums } = JSON.parse(new TextDecoder().decode(bytes)) as Place;
    const known = (phase === "links" || phase === "data") && typeof after === "string" && typeof sums === "object";
    return known ? { phase, after, sums } : undefined;
  } catch {
    return undefined;
  }
};

/** Who only reads a volume remembers nothing in it. */
const unlessReading = async (work: Promise<void>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!isDrayError(error, "DENIED")) throw error;
  }
};

export const keepPlace = (driver: Driver, place: Place): Promise<void> =>
  unlessReading(driver.write(file, new TextEncoder().encode(`${JSON.stringify(place)}\n`), { durable: false }));

export const dropPlace = (driver: Driver): Promise<void> => unlessReading(driver.remove(file, { durable: false }));
