/** What proves a release: the digest of each file, and a signature of those that `ssh-keygen` makes and verifies. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * Signs the sums, and puts the public key beside them as `allowed_signers`, which `ssh-keygen -Y verify` reads.
 * @param key an SSH private key's file; one that an agent holds is named by its public half
 * @returns the fingerprint of the key, which whoever signs makes known elsewhere
 */
export const signSums = (folder: string, key: string): string => {
  for (const file of [companions.signature, companions.signers]) rmSync(join(folder, file), { force: true });
  const run = (...words: string[]): string =>
    execFileSync("ssh-keygen", words, { cwd: folder, stdio: "pipe", encoding: "utf8" });
  try {
    run("-Y", "sign", "-n", "file", "-f", key, companions.sums);
    const [kind, half] = publicHalf(key, run).split(" ");
    writeFileSync(join(folder, companions.signers), `dray ${kind} ${half}\n`);
    return run("-l", "-f", companions.signers).split(" ")[1] ?? "";
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string | Buffer };
    throw new Error(`DRAY_RELEASE_KEY=${key}: ssh-keygen did not sign: ${String(stderr).trim()}`, { cause: error });
  }
};

/** `ssh-ed25519 AAAA… comment`: the key itself where an agent holds the private half, else what lies beside it or is made from it. */
const publicHalf = (key: string, run: (...words: string[]) => string): string => {
  for (const file of [key, `${key}.pub`])
    if (existsSync(file) && /^(?:ssh|ecdsa|sk)-/.test(readFileSync(file, "utf8")))
      return readFileSync(file, "utf8").trim();
  return run("-y", "-f", key).trim();
};
