/** Servers in turn, the medians of what was seen, and how they stand to what was promised. */
import { median } from "../measure.ts";
import type { ServerName } from "./servers.ts";

/** Figures of one run, by the key of their column. */
export type Sample = Readonly<Record<string, number>>;
export type Samples = Map<ServerName, Sample[]>;

export interface Column {
  readonly key: string;
  readonly title: string;
  /** After the point; default 0. */
  readonly digits?: number;
  /** Of peaks, the highest counts. */
  readonly highest?: boolean;
}

/** Runs the servers in turn, some rounds, so that a noisy minute is shared by all. */
export const inTurn = async (
  names: readonly ServerName[],
  rounds: number,
  run: (name: ServerName) => Promise<Sample>,
): Promise<Samples> => {
  const samples: Samples = new Map();
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      const sample = await run(name);
      samples.set(name, [...(samples.get(name) ?? []), sample]);
      const figures = Object.entries(sample).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`);
      process.stderr.write(`  ${name}: ${figures.join(", ")}\n`);
    }
  return samples;
};

/** What stands in a cell; `undefined` for a server that was not measured, or has no such figure. */
export const figure = (samples: Samples, name: ServerName, { key, highest }: Column): number | undefined => {
  const values = (samples.get(name) ?? []).flatMap((sample) => sample[key] ?? []);
  if (values.length === 0) return undefined;
  return highest === true ? Math.max(...values) : median(values);
};

export const serverTable = (title: string, columns: readonly Column[], samples: Samples): string =>
  [
    `### ${title}`,
    "",
    `| server | ${columns.map((column) => column.title).join(" | ")} |`,
    `|---${"|---".repeat(columns.length)}|`,
    ...[...samples.keys()].map(
      (name) =>
        `| ${name} | ${columns
          .map((column) => figure(samples, name, column)?.toFixed(column.digits ?? 0) ?? "–")
          .join(" | ")} |`,
    ),
    "",
  ].join("\n");

/** A line for each promise: what was wanted, what was seen. */
export const verdict = (promise: string, seen: number | undefined, kept: (seen: number) => boolean): string =>
  seen === undefined
    ? `- ${promise}: not measured`
    : `- ${promise}: ${Number(seen.toPrecision(3))}, ${kept(seen) ? "kept" : "**not kept**"}`;

/** How many times Dray's figure is another's. */
export const ratio = (samples: Samples, to: ServerName, column: Column): number | undefined => {
  const [ours, theirs] = [figure(samples, "dray", column), figure(samples, to, column)];
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
};
