/**
 * `npm run release`: what README's Install names, in `dist/release/`: an executable for each machine, man pages and completions, a bill of
 * materials, the licences of what is in it, checksums, and with `DRAY_RELEASE_KEY=FILE` (an SSH private key) their signature. What this machine can run is run.
 * `-- linux-x64-musl windows-arm64` makes these alone.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../packages/cli/src/version.ts";
import { buildExecutable } from "./build-executable.ts";
import { licensesOf } from "./licenses.ts";
import { signSums, writeSums } from "./release/checksums.ts";
import { manualArchive } from "./release/manual.ts";
import { billOfMaterials, foldersNeeded } from "./release/sbom.ts";
import { companions, type Target, targets, untriable } from "./release/targets.ts";
import { root } from "./runtimes.ts";

const folder = join(root, "dist/release");

const release = async (chosen: readonly Target[]): Promise<void> => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const target of chosen) {
    await buildExecutable({ target: target.bun, outfile: join(folder, target.file) });
    console.log(`  ${tried(target)}`);
  }
  writeFileSync(join(folder, companions.manual), await manualArchive());
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  writeFileSync(
    join(folder, companions.sbom),
    `${JSON.stringify(billOfMaterials(lock, "packages/cli"), undefined, 2)}\n`,
  );
  writeFileSync(join(folder, companions.licenses), licensesOf(foldersNeeded(lock, "packages/cli")));
  await writeSums(folder, [...chosen.map(({ file }) => file), companions.manual, companions.sbom, companions.licenses]);
  const key = process.env["DRAY_RELEASE_KEY"];
  const signed = key ? `signed by ${signSums(folder, key)}` : "not signed: DRAY_RELEASE_KEY names no key";
  console.log(`dist/release/ has dray ${version}: ${chosen.length} executables, ${signed}`);
};

/** Alone, in a folder without anything. */
const tried = (target: Target): string => {
  const why = untriable(target, { platform: process.platform, arch: process.arch, has: existsSync });
  if (why !== undefined) return `not tried: ${why}`;
  const said = execFileSync(join(folder, target.file), ["version"], {
    cwd: folder,
    env: { PATH: "" },
    encoding: "utf8",
  });
  if (said !== `${version}\n`) throw new Error(`${target.file} version says ${said}`);
  return "runs here";
};

const chosenBy = (names: readonly string[]): readonly Target[] => {
  const unknown = names.find((name) => !targets.some(({ bun }) => bun === `bun-${name}`));
  if (unknown !== undefined)
    throw new Error(`${unknown}: expected ${targets.map(({ bun }) => bun.replace("bun-", "")).join(", ")}`);
  return names.length === 0 ? targets : targets.filter(({ bun }) => names.includes(bun.replace("bun-", "")));
};

try {
  await release(chosenBy(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
