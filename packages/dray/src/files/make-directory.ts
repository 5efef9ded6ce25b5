import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./disk-error.ts";

/** Others may remove a directory above just when it was made. */
const tries = 8;

/**
 * Makes a directory and what is missing above it, and tells the first it made; `undefined` where it was there. Node's own way asks for ever
 * where a directory that is there says that it is not (below `/proc`), and nothing ends that: here each try goes up once and down once.
 */
export const makeDirectory = async (path: string, mode?: number): Promise<string | undefined> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await madeOnce(path, mode);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || attempt === tries) throw error;
    }
  }
};

const madeOnce = async (path: string, mode: number | undefined): Promise<string | undefined> => {
  const missing: string[] = [];
  let at = path;
  let first: string | undefined;
  for (;;) {
    const made = await makeOne(at, mode).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT" || dirname(at) === at) throw error;
      return "no parent" as const;
    });
    if (made !== "no parent") {
      if (made) first = at;
      break;
    }
    missing.push(at);
    at = dirname(at);
  }
  for (const next of missing.reverse()) if (await makeOne(next, mode)) first ??= next;
  return first;
};

/** Whether it was made now; not where it is there. */
const makeOne = async (path: string, mode: number | undefined): Promise<boolean> => {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && (await isDirectory(path))) return false;
    throw error;
  }
};

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // What cannot be looked at is told by the error that made us look.
    return false;
  }
};
