/** Dray's server beside docker-registry, registry 3 and zot: `npm run bench -- server`, or one of these by its name. */
import type { Measurement } from "../measurements.ts";
import { blob } from "./blob.ts";
import { listing } from "./lists.ts";
import { manifest } from "./manifest.ts";
import { underCollection } from "./manifest-under-gc.ts";
import { memory } from "./memory.ts";
import { push } from "./push.ts";
import { start } from "./start.ts";

const byName = (run: Measurement["run"]): Measurement => ({ run, onlyByName: true });

export const server: Readonly<Record<string, Measurement>> = {
  "server-manifest": byName(manifest),
  "server-gc": byName(underCollection),
  "server-blob": byName(blob),
  "server-push": byName(push),
  "server-lists": byName(listing),
  "server-memory": byName(memory),
  "server-start": byName(start),
};
