import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  errnoOf,
  type FileSystem,
  isAlive,
  nodeFiles,
  onDisk,
  type ProcessIdentity,
  thisProcess,
  writeFileAtomic,
} from "../files/index.ts";
import { isObject } from "../oci/index.ts";

/** What an upload is known by: where it goes, and its digest or another name of what is being made. */
export interface UploadName {
  readonly registry: string;
  readonly repository: string;
  readonly content: string;
}

/** An upload session as it outlives a process. */
export interface SavedSession {
  /** Where the session goes on. A registry's own state may be in it; credentials never are. */
  readonly location: string;
  /** Bytes of a chunk, where the upload had come down to chunks. */
  readonly chunkSize?: number | undefined;
}

/**
 * Upload sessions that survive the process: one small file each, so that a push that was killed goes on where the registry
 * still knows the session. No method throws: without these files a push only begins again.
 */
export interface SavedSessions {
  /** The session of an earlier attempt. From here on it is the caller's: another process does not get it as well. */
  take(name: UploadName): Promise<SavedSession | undefined>;
  save(name: UploadName, session: SavedSession): Promise<void>;
  /** The attempt is over. What was saved stays for another one. */
  leave(name: UploadName): void;
  /** The attempt is over, and nothing is left to go on with. */
  forget(name: UploadName): Promise<void>;
}

export interface SavedSessionsOptions {
  readonly fs?: FileSystem | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Hears once why nothing could be saved. */
  readonly onWarning?: (message: string) => void;
}

/** How long a session is believed in, in milliseconds. docker-registry forgets after the same week. */
const lifetime = 7 * 24 * 60 * 60 * 1000;

/** Where the state of Dray lies: `$XDG_STATE_HOME/dray`, `~/.local/state/dray`. @see https://specifications.freedesktop.org/basedir-spec/ */
export const stateDirectory = (env: NodeJS.ProcessEnv = process.env): string => {
  const home = env["XDG_STATE_HOME"];
  // The specification says to ignore relative paths.
  return join(home?.startsWith("/") ? home : join(env["HOME"] || homedir(), ".local", "state"), "dray");
};

/** The sessions below a state directory. */
export const savedSessions = (
  stateDir: string,
  { fs = nodeFiles, now = Date.now, onWarning }: SavedSessionsOptions = {},
): SavedSessions => {
  const directory = join(stateDir, "uploads");
  const inUse = new Set<string>();
  let purged: Promise<void> | undefined;
  let warned = false;

  return {
    take: async (name) => {
      purged ??= purge(fs, directory, now() - lifetime);
      await purged;
      const file = fileOf(directory, name);
      const record = await read(fs, file);
      if (record === undefined || record.created < now() - lifetime || !isFree(record, inUse.has(file)))
        return undefined;
      inUse.add(file);
      // Whoever can remove it has it, when two come at once.
      return (await remove(fs, file)) ? record.session : undefined;
    },
    save: async (name, session) => {
      const file = fileOf(directory, name);
      inUse.add(file);
      const record = { version: 1, ...name, ...session, created: now(), process: thisProcess() };
      try {
        await onDisk("make", directory, () => fs.makeDirectory(directory));
        await writeFileAtomic(fs, file, new TextEncoder().encode(JSON.stringify(record)), { mode: 0o600 });
      } catch (error) {
        if (!warned) onWarning?.(`an interrupted push will begin again: ${(error as Error).message}`);
        warned = true;
      }
    },
    leave: (name) => void inUse.delete(fileOf(directory, name)),
    forget: async (name) => {
      const file = fileOf(directory, name);
      inUse.delete(file);
      await remove(fs, file);
    },
  };
};

const fileOf = (directory: string, { registry, repository, content }: UploadName): string => {
  const hash = createHash("sha256").update(`${registry}/${repository}@${content}`).digest("hex");
  return join(directory, `${hash.slice(0, 40)}.json`);
};

interface Record {
  readonly session: SavedSession;
  readonly created: number;
  readonly process: ProcessIdentity;
}

/**
 * A session belongs to the process that is sending, as long as that lives. Of a process elsewhere, or before the machine or
 * container was started anew, nobody can know: if it should live after all, the registry refuses one of the two.
 */
const isFree = ({ process: owner }: Record, inUseHere: boolean): boolean =>
  isAlive(owner) !== true || (owner.pid === process.pid && !inUseHere);

const read = async (fs: FileSystem, file: string): Promise<Record | undefined> => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await fs.readFile(file)));
    if (!isObject(value) || value["version"] !== 1) return undefined;
    const { location, chunkSize, created, process: owner } = value;
    if (typeof location !== "string" || typeof created !== "number" || !isObject(owner)) return undefined;
    const session = { location, ...(typeof chunkSize === "number" ? { chunkSize } : {}) };
    return { session, created, process: owner as unknown as ProcessIdentity };
  } catch {
    // Not there, not readable, or damaged: all the same to somebody who can begin again.
    return undefined;
  }
};

const remove = async (fs: FileSystem, file: string): Promise<boolean> => {
  try {
    await fs.unlink(file);
    return true;
  } catch {
    return false;
  }
};

const purge = async (fs: FileSystem, directory: string, before: number): Promise<void> => {
  try {
    for (const name of await fs.readdir(directory)) {
      const file = join(directory, name);
      if ((await fs.stat(file)).mtimeMs < before) await remove(fs, file);
    }
  } catch (error) {
    // Another process may purge at the same time, or nothing was ever saved. Anything else will show when it is written to.
    if (errnoOf(error) === undefined) throw error;
  }
};
