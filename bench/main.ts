/** `npm run bench [-- NAME…]`: measures Dray beside its peers, in one run, and prints tables. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { alternate, type Contender, table } from "./measure.ts";
import * as measurements from "./measurements.ts";

const chosen = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const rounds = Number(process.argv.find((word) => word.startsWith("--rounds="))?.slice("--rounds=".length) ?? 5);

const shaInstructions = (): string => {
  try {
    return / (sha_ni|sha2) /.test(`${readFileSync("/proc/cpuinfo", "latin1").replace(/\n/g, " ")} `)
      ? "with"
      : "without";
  } catch {
    return "with or without (unknown)";
  }
};

const all = Object.entries(measurements.all);
const unknown = chosen.filter((name) => !all.some(([key]) => key === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no measurement is called ${unknown.join(", ")}; there are ${all.map(([key]) => key).join(", ")}\n`,
  );
  process.exit(2);
}

process.stdout.write(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${shaInstructions()} SHA instructions; medians of ${rounds} rounds\n\n`,
);
for (const [name, measurement] of all) {
  if (chosen.length > 0 ? !chosen.includes(name) : measurement.onlyByName === true) continue;
  process.stderr.write(`${name}\n`);
  await measurement.run({
    rounds,
    compare: async (title: string, contenders: readonly Contender[]) =>
      void process.stdout.write(`${table(title, await alternate(contenders, rounds))}\n`),
    say: (text: string) => void process.stdout.write(`${text}\n`),
  });
}
