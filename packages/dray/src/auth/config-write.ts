import { chown, mkdir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { aborted, DrayError, isDrayError } from "../errors.ts";
import { type FileSystem, type Lock, lock, nodeFiles, onDisk, writeFileAtomic } from "../files/index.ts";
import { parseConfigText } from "./config-document.ts";
import { codeOf, readText } from "./config-files.ts";

export interface UpdateConfigOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait for others who write the same file. Default 10,000; they need milliseconds. */
  readonly lockTimeout?: number | undefined;
  readonly fs?: FileSystem | undefined;
}

/**
 * Changes a configuration under its lock, so that two who log in at once both stay logged in. Members nobody here knows
 * are kept, in their order; the text is indented by tabs as docker writes it. The file is replaced at once or not at all,
 * readable by its owner alone; one that is a symbolic link stays one.
 * @param change gets the members and says whether anything changed.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be understood, `DISK` where it cannot be written, `LOCKED`; it is unchanged then.
 */
export const updateConfig = async (
  file: string,
  change: (members: Record<string, unknown>) => boolean,
  options: UpdateConfigOptions = {},
): Promise<void> => {
  const { fs = nodeFiles } = options;
  const target = await linkTarget(file);
  await onDisk("make the folder of", file, () => mkdir(dirname(target), { recursive: true, mode: 0o700 }));
  const held = await waitForLock(fs, target, options);
  try {
    const members = await readMembers(target, file);
    if (!change(members)) return;
    const before = await stat(target).catch(() => undefined);
    const text = new TextEncoder().encode(JSON.stringify(members, null, "\t"));
    await writeFileAtomic(fs, target, text, { mode: 0o600 });
    // Under sudo the file must not become root's. Whoever may not give files away owns it already, or takes it over.
    if (before !== undefined) await chown(target, before.uid, before.gid).catch(() => {});
  } finally {
    await held.release();
  }
};

const waitForLock = async (fs: FileSystem, target: string, options: UpdateConfigOptions): Promise<Lock> => {
  const { signal, lockTimeout = 10_000 } = options;
  const since = performance.now();
  for (;;) {
    try {
      return await lock(fs, target, target);
    } catch (error) {
      if (!isDrayError(error, "LOCKED") || performance.now() - since >= lockTimeout) throw error;
    }
    try {
      await sleep(10 + Math.random() * 40, undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : error;
    }
  }
};

const readMembers = async (target: string, file: string): Promise<Record<string, unknown>> => {
  try {
    return parseConfigText(await readText(target), file);
  } catch (error) {
    if (codeOf((error as Error).cause) === "ENOENT") return {};
    throw error;
  }
};

/** The file a chain of symbolic links ends at, even if nothing is there yet. */
const linkTarget = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch {
    let at = resolve(file);
    for (let hops = 0; hops < 40; hops++) {
      const next = await readlink(at).catch(() => undefined);
      if (next === undefined) return at;
      at = resolve(dirname(at), next);
    }
    throw new DrayError("CONFIG_INVALID", `${file} is a circle of symbolic links; remove it`);
  }
};
