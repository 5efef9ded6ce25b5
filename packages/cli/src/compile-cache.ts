import { lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
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
  const named = env["XDG_CACHE_HOME"] || (env["HOME"] && `${env["HOME"]}/.cache`);
  if (user === undefined || !named?.startsWith("/")) return undefined;
  try {
    made(named);
    // A link to it may lead elsewhere by the time that Node looks there.
    const cache = realpathSync.native(named);
    const folder = `${cache}/dray`;
    const above = statSync(cache);
    if ((above.uid !== user && above.uid !== 0) || (above.mode & 0o022) !== 0) return undefined;
    made(folder);
    // A link is none of ours; nor is a folder that others may have put something into already.
    const own = lstatSync(folder);
    return own.isDirectory() && own.uid === user && (own.mode & 0o022) === 0 ? folder : undefined;
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
