import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DrayError } from "../errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";
import type { FileSystem, OpenFile } from "./file-system.ts";
import { isAlive, type ProcessIdentity, thisProcess } from "./process-identity.ts";

/** A lock that is held. */
export interface Lock {
  release(): Promise<void>;
}

/** A holder shows this often that it lives; one elsewhere that did not for the longer time is dead. Milliseconds. */
const heartbeat = 15_000;
const silence = 90_000;
/** Tries when several begin in the same moment, each stepping back before the others. */
const tries = 8;

/**
 * Locks `path` against other processes, and against others in this one. A holder is a file `PATH.lock-PID-START-MACHINE-RANDOM`
 * beside it, made with `wx`. Nobody ever removes or replaces a file that another may hold: each claims a name of its own, then
 * looks who else is there, and steps back before anyone alive. So the claim of a dead process can be swept away by any number
 * of takers at once. It is released with `release`, and when the process exits; after a kill it is found dead. A copy of the folder, made
 * while it was held, is nobody's: a claim says where it was made.
 * @param what names what is locked, for messages.
 * @throws DrayError `LOCKED` naming the holder; `DISK`
 */
export const lock = async (fs: FileSystem, path: string, what: string): Promise<Lock> => {
  for (let attempt = 1; ; attempt++) {
    const claim = await makeClaim(fs, resolve(path), what);
    let other: string | undefined;
    try {
      other = await otherHolder(fs, claim);
    } catch (error) {
      await removeClaim(fs, claim);
      throw error;
    }
    if (other === undefined) return hold(fs, claim);
    await removeClaim(fs, claim);
    if (attempt === tries) throw locked(other, what, (await toldIn(fs, other)).host);
    await sleep(Math.random() * 5 * attempt);
  }
};

const makeClaim = async (fs: FileSystem, path: string, what: string): Promise<string> => {
  const { pid, started, machine } = thisProcess();
  const claim = `${path}.lock-${pid}-${started}-${machine}-${randomBytes(4).toString("hex")}`;
  try {
    const file = await openIn(fs, dirname(path), claim);
    try {
      const text = new TextEncoder().encode(`${hostname()}\n${claim}`);
      await file.write(text, 0, text.byteLength, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeClaim(fs, claim);
    // Nobody asked for a lock: what it is for cannot be written.
    throw diskError(error, "write", what);
  }
  return claim;
};

/** Whoever releases the last lock may remove the directory as well, just when somebody else has seen that it is there. */
const openIn = async (fs: FileSystem, directory: string, claim: string): Promise<OpenFile> => {
  for (let attempt = 1; ; attempt++) {
    await fs.makeDirectory(directory);
    try {
      return await fs.open(claim, "wx", 0o644);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || attempt === tries) throw error;
    }
  }
};

/** The claim of somebody else who is alive. Those of the dead are removed on the way. */
const otherHolder = async (fs: FileSystem, own: string): Promise<string | undefined> => {
  const directory = dirname(own);
  const prefix = basename(own).slice(0, basename(own).lastIndexOf(".lock-") + 6);
  try {
    for (const name of await fs.readdir(directory)) {
      const claim = join(directory, name);
      const holder = name.startsWith(prefix) ? holderOf(name) : undefined;
      if (holder === undefined || claim === own) continue;
      if (await livesStill(fs, claim, holder, own)) return claim;
      await removeClaim(fs, claim);
    }
    return undefined;
  } catch (error) {
    throw diskError(error, "look for locks in", directory);
  }
};

const livesStill = async (fs: FileSystem, claim: string, holder: ProcessIdentity, own: string): Promise<boolean> => {
  if (abandoned.has(claim)) return false;
  const alive = isAlive(holder);
  if (alive === true) return !(await isCopied(fs, claim));
  if (alive === false) return false;
  // Both times come from the clock of the file system, so that the clocks of two machines need not agree.
  const now = (await fs.stat(own)).mtimeMs;
  try {
    return now - (await fs.stat(claim)).mtimeMs < silence;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
};

/** Whether it came here with a copy of its folder: then it lies where it was made as well, and is another file there. */
const isCopied = async (fs: FileSystem, claim: string): Promise<boolean> => {
  const { origin = claim } = await toldIn(fs, claim);
  if (origin === claim) return false;
  try {
    return (await fs.stat(origin)).ino !== (await fs.stat(claim)).ino;
  } catch {
    // Nobody knows: its folder may have been moved.
    return false;
  }
};

const holderOf = (name: string): ProcessIdentity | undefined => {
  const [, pid, started, machine] = /\.lock-(\d+)-(\d+)-([0-9a-f]+)-[0-9a-f]+$/.exec(name) ?? [];
  return pid === undefined || started === undefined || machine === undefined
    ? undefined
    : { pid: Number(pid), started, machine };
};

/** Claims that this process gave up but could not remove: nobody holds them, though the process lives. */
const abandoned = new Set<string>();

const removeClaim = async (fs: FileSystem, claim: string): Promise<void> => {
  try {
    await fs.unlink(claim);
    abandoned.delete(claim);
  } catch (error) {
    // The lock is given up all the same: other processes find the claim dead when this one has ended.
    if (errnoOf(error) !== "ENOENT") abandoned.add(claim);
  }
};

/** Claims of this process, removed when it exits. */
const held = new Set<string>();
const removeHeld = (): void => {
  for (const claim of held) {
    try {
      unlinkSync(claim);
    } catch {
      // Nobody is left to tell.
    }
  }
};

const hold = (fs: FileSystem, claim: string): Lock => {
  if (held.size === 0) process.on("exit", removeHeld);
  held.add(claim);
  const timer = setInterval(() => {
    const now = new Date();
    // A heartbeat that fails is only a missing sign of life.
    fs.utimes(claim, now, now).catch(() => {});
  }, heartbeat);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      held.delete(claim);
      if (held.size === 0) process.off("exit", removeHeld);
      await removeClaim(fs, claim);
    },
  };
};

/** Of which host a claim is, and where it was made. */
const toldIn = async (fs: FileSystem, claim: string): Promise<{ host: string; origin: string | undefined }> => {
  const text = await fs.readFile(claim).catch(() => undefined);
  const [host, origin] = new TextDecoder().decode(text).split("\n");
  return { host: host || "an unknown host", origin };
};

const locked = (claim: string, what: string, host: string): DrayError => {
  const holder = holderOf(claim) as ProcessIdentity;
  const who =
    holder.pid === process.pid && isAlive(holder) === true ? "this process" : `process ${holder.pid} on ${host}`;
  return new DrayError(
    "LOCKED",
    `${what} is in use by ${who}; wait until that is done, or if it is not running remove ${claim}`,
    { retryable: true },
  );
};
