/**
 * `npm run check:portable`: no file names the machine it was written on. Looks for the folder of this checkout, for the host of
 * the package registry, and for a lock file that is bound to one registry.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./runtimes.ts";
import { trackedFiles } from "./tracked.ts";

const registryHost = (): string =>
  new URL(execFileSync("npm", ["config", "get", "registry"], { cwd: root, encoding: "utf8", stdio: "pipe" }).trim())
    .host;

const host = registryHost();
const words = [root, host];
// Two levels down, the folder above the checkout is a place of this machine's owner; one level down it is anybody's.
if (dirname(dirname(root)) !== "/") words.push(`${dirname(root)}/`);

let faults = 0;
for (const file of trackedFiles()) {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    const word = words.find((candidate) => line.includes(candidate));
    const bound = file === "package-lock.json" && /"resolved": "https?:/.test(line);
    if (word === undefined && !bound) continue;
    faults += 1;
    console.log(`${file}:${index + 1}: ${bound ? "the lock file names a registry" : "names this machine"}`);
  }
}
console.log(`${faults} lines bound to one machine`);
process.exitCode = faults === 0 ? 0 : 1;
