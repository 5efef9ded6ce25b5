import type { Branch, Call } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { complete, completionLines } from "./complete.ts";

/** Milliseconds. Somebody waits with a finger on the tab key. */
const usualPatience = 2000;

/** Answers a shell's script: completes words, asking registries for repositories and tags where that is quick. */
export const answer = async (
  branches: readonly Branch[],
  words: readonly string[],
  parts: Omit<Call, "options" | "defer">,
  patience: number = usualPatience,
): Promise<void> => {
  const deferred: (() => Promise<void>)[] = [];
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(patience)]);
  try {
    const call = (options: SharedOptions): Call => ({
      ...parts,
      options: { ...options, retry: 0 },
      signal,
      defer: (work) => void deferred.push(work),
    });
    const completion = await complete(branches, words, parts.env, {
      tags: async (repository, options) => (await import("./live.ts")).tagsOf(call(options), repository),
      repositories: async (registry, start, options) =>
        (await import("./live.ts")).repositoriesOf(call(options), registry, start),
    });
    for (const line of completionLines(completion)) await parts.out.line(line);
  } finally {
    for (const work of deferred) await work();
  }
};
