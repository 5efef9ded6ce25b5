import type { Branch, Call } from "../context.ts";
import { complete, completionLines } from "./complete.ts";

/** Somebody waits with a finger on the tab key. */
const patience = 2000;

/** Answers a shell's script: completes words, asking registries for tags where that is quick. */
export const answer = async (
  branches: readonly Branch[],
  words: readonly string[],
  parts: Omit<Call, "options" | "defer">,
): Promise<void> => {
  const deferred: (() => Promise<void>)[] = [];
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(patience)]);
  try {
    const completion = await complete(branches, words, parts.env, async (repository, options) => {
      const { tagsOf } = await import("./live-tags.ts");
      const call = { ...parts, options: { ...options, retry: 0 }, signal };
      return tagsOf({ ...call, defer: (work) => void deferred.push(work) }, repository);
    });
    for (const line of completionLines(completion)) await parts.out.line(line);
  } finally {
    for (const work of deferred) await work();
  }
};
