/** What proves a release: the digest of each file, and a signature of those that `ssh-keygen` makes and verifies. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { companions } from "./targets.ts";

/** `SHA256SUMS` of these files, as `sha256sum --check` reads it. */
export const writeSums = async (folder: string, files: readonly string[]): Promise<void> => {
  const lines: string[] = [];
  for (const file of [...files].sort()) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, file)), hash);
    lines.push(`${hash.digest("hex")}  ${file}\n`);
  }
  writeFileSync(join(folder, companions.sums), lines.join(""));
};

/** @param key an SSH private key's file; one that an agent holds is named by its public half */
export const signSums = (folder: string, key: string): void => {
  rmSync(join(folder, companions.signature), { force: true });
  try {
    execFileSync("ssh-keygen", ["-Y", "sign", "-n", "file", "-f", key, companions.sums], {
      cwd: folder,
      stdio: "pipe",
    });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string | Buffer };
    throw new Error(`DRAY_RELEASE_KEY=${key}: ssh-keygen did not sign: ${String(stderr).trim()}`, { cause: error });
  }
};
