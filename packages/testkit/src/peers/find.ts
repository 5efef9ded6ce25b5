import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const said = new Set<string>();

/**
 * The path of a program that tests and measurements speak to: in the folder that `PEERS` names (default
 * `~/.cache/dray-peers/bin`), else on the PATH. `undefined` where it is not there, which is said once on stderr.
 */
export const findPeer = (name: string): string | undefined => {
  const beside = join(process.env["PEERS"] ?? join(homedir(), ".cache/dray-peers/bin"), name);
  if (existsSync(beside)) return beside;
  try {
    return execFileSync("/bin/sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
  } catch {
    if (!said.has(name))
      process.stderr.write(`missing: ${name}; what needs it is left out (install it, or name its folder in PEERS)\n`);
    said.add(name);
    return undefined;
  }
};
