import { readFileSync } from "node:fs";

/** Whether the processor hashes by itself; most of a push depends on it. */
export const shaInstructions = (): "with" | "without" | "with or without (unknown)" => {
  try {
    return / (sha_ni|sha2) /.test(`${readFileSync("/proc/cpuinfo", "latin1").replace(/\n/g, " ")} `)
      ? "with"
      : "without";
  } catch {
    return "with or without (unknown)";
  }
};
