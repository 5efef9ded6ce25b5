/** Runs a program and tells what it took, as the kernel counted it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { succeed } from "@dray/testkit/peers";
import type { ProgramName } from "./programs.ts";

export interface Cost {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of all cores, user and system. */
  readonly cpu: number;
  /** MiB at the highest. */
  readonly peak: number;
}

/** Runs a command under `time`, which asks the kernel. @throws with what it said, when it fails. */
export const measure = async (command: readonly string[], env: Record<string, string> = {}): Promise<Cost> => {
  const dir = await mkdtemp(join(tmpdir(), "dray-bench-"));
  const file = join(dir, "time");
  try {
    const begin = performance.now();
    await succeed(["/usr/bin/time", "-q", "-o", file, "-f", "%U %S %M", ...command], { env });
    const wall = (performance.now() - begin) / 1000;
    const [user, system, peak] = (await readFile(file, "utf8")).trim().split(/\s+/).map(Number) as [
      number,
      number,
      number,
    ];
    return { wall, cpu: user + system, peak: peak / 1024 };
  } finally {
    await rm(dir, { recursive: true });
  }
};

export interface Contender {
  readonly name: ProgramName;
  readonly run: () => Promise<Cost>;
}

/** Runs the contenders in turn, some rounds, so that a noisy minute is shared by all. */
export const alternate = async (
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<ProgramName, Cost[]>> => {
  const costs = new Map<ProgramName, Cost[]>();
  for (let round = 0; round < rounds; round++)
    for (const { name, run } of contenders) {
      const cost = await run();
      costs.set(name, [...(costs.get(name) ?? []), cost]);
      process.stderr.write(
        `  ${name}: ${cost.wall.toFixed(2)} s, ${cost.cpu.toFixed(2)} CPU s, ${cost.peak.toFixed(0)} MiB\n`,
      );
    }
  return costs;
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

/** A table of medians (of peaks, the highest), with ratios to one of them. */
export const table = (title: string, costs: Map<ProgramName, Cost[]>, base: ProgramName = "crane"): string => {
  const rows = [...costs].map(([name, all]) => ({
    name,
    wall: median(all.map(({ wall }) => wall)),
    cpu: median(all.map(({ cpu }) => cpu)),
    peak: Math.max(...all.map(({ peak }) => peak)),
  }));
  const to = rows.find(({ name }) => name === base);
  const ratio = (value: number, of: number | undefined): string =>
    of === undefined || of === 0 ? "–" : (value / of).toFixed(2);
  return [
    `### ${title}`,
    "",
    `| program | wall s | of ${base} | CPU s | of ${base} | peak MiB |`,
    "|---|---|---|---|---|---|",
    ...rows.map(
      ({ name, wall, cpu, peak }) =>
        `| ${name} | ${wall.toFixed(2)} | ${ratio(wall, to?.wall)} | ${cpu.toFixed(2)} | ${ratio(cpu, to?.cpu)} | ${peak.toFixed(0)} |`,
    ),
    "",
  ].join("\n");
};
