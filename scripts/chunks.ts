/** The modules of a library as they go out: one file for each path that may be imported, and chunks that those share. */
import { cpSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { commonJsFolder } from "./commonjs.ts";

/** Entries over chunks that they share, for every Node that is supported. */
export const overChunks: BuildOptions = {
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  logLevel: "error",
};

/**
 * Puts the modules of a folder together. Node looks for the nearest package.json of each file that it imports and reads it: a library of hundreds of
 * files takes twice the time and memory to load. Names and white space stay: a stack trace is read by people.
 */
export const joinModules = async (folder: string, entries: readonly string[]): Promise<void> => {
  const made = mkdtempSync(join(dirname(folder), ".chunks-"));
  try {
    await build({
      ...overChunks,
      absWorkingDir: folder,
      entryPoints: [...entries],
      outbase: folder,
      outdir: made,
      packages: "external",
    });
    for (const file of globSync("**/*.js", { cwd: folder, exclude: [commonJsFolder] })) rmSync(join(folder, file));
    cpSync(made, folder, { recursive: true });
  } finally {
    rmSync(made, { recursive: true });
  }
};
