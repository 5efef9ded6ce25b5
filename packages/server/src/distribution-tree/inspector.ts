import { setImmediate as turn } from "node:timers/promises";
import { ThreadPool } from "dray/internal/threads";
import { inspectScript } from "./inspect.script.ts";
import type { InspectionQuestion } from "./inspect-question.ts";
import { type Inspection, inspect, typeInside } from "./inspection.ts";
import { type PackedInspection, unpack } from "./packed-inspection.ts";

/** From so many bytes on a manifest is read in a thread: what is smaller takes less time than anybody notices. */
export const inspectedElsewhere: number = 256 * 1024;

const pool = new ThreadPool<InspectionQuestion, PackedInspection>({
  script: inspectScript,
  inPlace: async () => {
    const { answerInspection } = await import("./inspect-question.ts");
    return () => answerInspection;
  },
  // Large manifests are rare, and wait for each other.
  most: () => 1,
});

/** As `inspect`; a large manifest is read by another thread, so that nobody waits for it but who asked. */
export const inspectManifest = async (bytes: Uint8Array, mediaType?: string): Promise<Inspection> => {
  if (bytes.byteLength < inspectedElsewhere) return inspect(bytes, mediaType);
  const inspection = unpack(await elsewhere(bytes, mediaType));
  // What is done with so many children takes its time as well: others have their turn before.
  await turn();
  return inspection;
};

/** The media type that a manifest shows by itself, and nothing else of it. */
export const shownType = async (bytes: Uint8Array): Promise<string> =>
  bytes.byteLength < inspectedElsewhere ? typeInside(bytes) : (await inspectManifest(bytes)).shows;

const elsewhere = (bytes: Uint8Array, mediaType: string | undefined): Promise<PackedInspection> =>
  new Promise((resolve, reject) => {
    const { thread, id } = pool.join({ answered: resolve, refused: reject, lost: reject });
    thread.ask(id, { bytes, mediaType }, true);
  });
