/** `npm run check`: every check, all of them even when one fails, and at the end which ones did. `npm run check:NAME` runs one. */
import { spawnSync } from "node:child_process";
import { root } from "./runtimes.ts";

const checks = [
  "format",
  "lint",
  "types",
  "imports",
  "docs",
  "dead-code",
  "lock",
  "portable",
  "length",
  "assembly",
] as const;

const failed = checks.filter((name) => {
  console.log(`\n${name}`);
  const { status } = spawnSync("npm", ["run", "--silent", `check:${name}`], { cwd: root, stdio: "inherit" });
  return status !== 0;
});
console.log(failed.length === 0 ? `\n${checks.length} checks, clean` : `\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
