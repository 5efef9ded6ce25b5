import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@dray/testkit/files";

/** Mounts for tests, which only root may make, and not everywhere. */
export const mount = (...words: readonly string[]): void => {
  const { status, stderr, error } = spawnSync("mount", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${words.join(" ")}: ${error?.message ?? stderr.trim()}`);
};

export const unmount = (at: string): void => void spawnSync("umount", ["-l", at]);

/** A file system of its own, in memory, at a folder that is made. */
export const mountMemory = (at: string): void => {
  mkdirSync(at, { recursive: true });
  mount("-t", "tmpfs", "-o", "size=256m", "none", at);
};

/** Why a test with mounts cannot run here, for `skip`. */
export const noMounts: string | false = (() => {
  const at = join(temporaryFolder("mounts"), "probe");
  try {
    mountMemory(at);
    return false;
  } catch (error) {
    return `needs to mount: ${(error as Error).message}`;
  } finally {
    unmount(at);
  }
})();
