/**
 * `npm test`: every test file under Bun and then under Node 24.
 * `npm test -- [--runtime bun|node|node22]… [--without PART]… [FILE…]` narrows; FILE and PART are any part of a path.
 */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative, sep } from "node:path";
import { parseArgs } from "node:util";
import { findRuntime, type Runtime, type RuntimeName, root } from "./runtimes.ts";
import { killAll, type Outcome, runFile } from "./test-file.ts";

const folders = ["packages/*/src", "packages/*/test", "scripts", "bench", "examples", "e2e"];
const names: readonly RuntimeName[] = ["bun", "node", "node22"];
const byDefault: readonly RuntimeName[] = ["bun", "node"];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: "string", multiple: true, default: [...byDefault] },
      without: { type: "string", multiple: true, default: [] },
    },
  });
  const unknown = values.runtime.find((name) => !names.includes(name as RuntimeName));
  if (unknown !== undefined) return usage(`unknown runtime "${unknown}"; there are ${names.join(", ")}`);
  const files = find(positionals).filter((file) => !values.without.some((part) => file.includes(part)));
  if (files.length === 0) return usage(`no test file matches ${positionals.join(" ") || folders.join(" ")}`);

  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const name of new Set(values.runtime as RuntimeName[])) {
    const runtime = findRuntime(name);
    if ("missing" in runtime) {
      console.log(`\n${runtime.missing}`);
      totals.failed += 1;
      continue;
    }
    add(totals, await runAll(runtime, files));
  }
  console.log(`\n${line(totals)}`);
  return totals.failed === 0 ? 0 : 1;
};

const usage = (message: string): number => {
  console.error(message);
  return 2;
};

const find = (parts: readonly string[]): string[] =>
  folders
    .flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }))
    .map((file) => file.split(sep).join("/"))
    .filter(
      (file) => !file.includes("node_modules/") && (parts.length === 0 || parts.some((part) => matches(file, part))),
    )
    .sort();

const matches = (file: string, part: string): boolean =>
  file.includes(part.replace(/^\.\//, "")) || file === relative(root, part).split(sep).join("/");

const aloneBy = /^e2e\/(?:server-|deploy|disk|doctor|engines|interrupt|kubernetes|limits|load|operating|resume)/;

const runAll = async (runtime: Runtime, files: readonly string[]): Promise<Totals> => {
  console.log(`\n${runtime.title}, ${files.length} ${files.length === 1 ? "file" : "files"}`);
  const start = performance.now();
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  const width = Math.max(...files.map((file) => file.length));
  const run = async (file: string): Promise<void> => {
    const outcome = await runFile(runtime, file);
    add(totals, outcome);
    report(outcome, width);
  };
  // What measures times, fills the disk or the machine, or starts engines: one after the other, when it is quiet.
  const alone = files.filter((file) => aloneBy.test(file));
  await inParallel(
    files.filter((file) => !alone.includes(file)),
    availableParallelism(),
    run,
  );
  await inParallel(alone, 1, run);
  console.log(`${runtime.title}: ${line(totals)} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return totals;
};

const inParallel = async (
  files: readonly string[],
  lanes: number,
  run: (file: string) => Promise<void>,
): Promise<void> => {
  const waiting = files.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const file of waiting) await run(file);
    }),
  );
};

const report = (outcome: Outcome, width: number): void => {
  const mark = outcome.failed > 0 ? "FAIL" : "ok  ";
  console.log(`  ${mark} ${outcome.file.padEnd(width)}  ${line(outcome)}, ${Math.round(outcome.took)} ms`);
  for (const skip of outcome.skips) console.log(`       skipped: ${skip}`);
  if (outcome.failed > 0) console.log(outcome.output.trim().replace(/^/gm, "       "));
};

const add = (totals: Totals, more: Totals): void => {
  totals.passed += more.passed;
  totals.failed += more.failed;
  totals.skipped += more.skipped;
};

const line = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(128 + number);
  });
}
process.exitCode = await main();
