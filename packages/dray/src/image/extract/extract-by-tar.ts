import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DrayError, isDrayError } from "../../errors.ts";
import { errnoOf } from "../../files/index.ts";
import { lentEntries, type TreeEntry, type TreeOptions, tarOf } from "../tree/index.ts";
import type { Image } from "../views.ts";
import { stagingFor } from "./staging.ts";

/** Bytes of what tar says that are told. */
const mostSaid = 2000;

/**
 * As `extract`, but that GNU tar makes the files: with extended attributes, capabilities, devices and pipes, as far as whoever runs it may. There
 * are no limits but those of tar and the disk. Who is not root gets no set-uid and set-gid, as with `extract`.
 * @throws DrayError `UNSUPPORTED` where there is no GNU tar, `DISK` with what it says, and what `extract` throws
 * @example await extractByTar(image, "rootfs");
 */
export const extractByTar = async (image: Image, directory: string, options: TreeOptions = {}): Promise<void> => {
  const staging = await stagingFor(directory);
  try {
    let hasRoot = false;
    const tar = tarOf(ownable(lentEntries(image, options), () => (hasRoot = true)));
    await untar(tar, staging.path, options.signal);
    await staging.finish(hasRoot);
  } catch (error) {
    await staging.abandon();
    throw error;
  }
};

/** A program that runs as its owner is none that runs as whoever extracted it, to whom tar gives all files unless he is root. `onRoot` hears of the root's entry. */
async function* ownable(entries: AsyncIterable<TreeEntry>, onRoot: () => void): AsyncGenerator<TreeEntry> {
  const kept = process.getuid?.() === 0 ? 0o7777 : 0o1777;
  for await (const entry of entries) {
    if (entry.path === ".") onRoot();
    yield { ...entry, mode: entry.mode & kept };
  }
}

const untar = async (
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  // Directories get their mode and time at the end: a layer may come back to one that nobody may write to.
  const directories = "--delay-directory-restore";
  const flags = ["-x", "-p", directories, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
  flags.push("-f", "-", "-C", path);
  const child = spawn("tar", flags, { stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } });
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(0, mostSaid);
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  // Told below; until then it must not count as unhandled.
  ended.catch(() => {});
  try {
    await pipeline(Readable.from(chunks), child.stdin, signal === undefined ? {} : { signal });
  } catch (error) {
    // A pipe that broke is tar's to explain, what reading the image throws is not.
    if (isDrayError(error) || signal?.aborted === true) {
      child.kill();
      await ended.catch(() => {});
      throw error;
    }
  }
  const [code] = await ended.catch((cause: unknown) => {
    if (errnoOf(cause) !== "ENOENT") throw cause;
    throw new DrayError("UNSUPPORTED", "there is no tar on this machine, which is to make the files; install GNU tar", {
      cause,
    });
  });
  if (code !== 0)
    throw new DrayError("DISK", `tar failed: ${said.trim().replaceAll("\n", "; ") || `exit code ${code}`}`);
};
