import { chmodSync, lstatSync, mkdirSync, statSync } from "node:fs";
import type { Environment } from "./environment.ts";

/**
 * Lets Node keep what it compiles of the command, in the user's own cache: a part of the time that a small command takes. The executable brings
 * its own, and where that is not possible nothing is kept. `NODE_DISABLE_COMPILE_CACHE=1` is Node's way to say no,
 * `NODE_COMPILE_CACHE` its way to say where.
 */
export const keepCompiled = (env: Environment): void => {
  if (env["NODE_DISABLE_COMPILE_CACHE"] || env["NODE_COMPILE_CACHE"]) return;
  const folder = compiledIn(env, process.getuid?.());
  if (folder !== undefined) process.getBuiltinModule("node:module").enableCompileCache(folder);
};

/**
 * The folder `dray` in the user's cache, made for this user alone; nothing where others could put their code there. What lies in it is run as it
 * is. It is made here, one level at a time: Node's own way asks for ever below `/proc`.
 */
export const compiledIn = (env: Environment, user: number | undefined): string | undefined => {
  const cache = env["XDG_CACHE_HOME"] || (env["HOME"] && `${env["HOME"]}/.cache`);
  if (user === undefined || !cache?.startsWith("/")) return undefined;
  const folder = `${cache}/dray`;
  try {
    made(cache);
    const above = statSync(cache);
    if ((above.uid !== user && above.uid !== 0) || (above.mode & 0o022) !== 0) return undefined;
    made(folder);
    // A link is none of ours.
    const own = lstatSync(folder);
    if (!own.isDirectory() || own.uid !== user) return undefined;
    if ((own.mode & 0o077) !== 0) chmodSync(folder, 0o700);
    return folder;
  } catch {
    return undefined;
  }
};

const made = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
};
