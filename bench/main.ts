/** `npm run bench [-- NAME…]`: measures Dray beside its peers, in one run, and prints tables. */
import { cpus } from "node:os";
import { images } from "./images/index.ts";
import { library } from "./library/index.ts";
import { line } from "./line/index.ts";
import { alternate, type Contender, table } from "./measure.ts";
import * as measurements from "./measurements.ts";
import { server } from "./server/index.ts";
import { shaInstructions } from "./sha-instructions.ts";
import { watch } from "./watch/index.ts";

/** `server`, `line`, `images` and `watch` stand for all that begin with them. */
const chosen = process.argv
  .slice(2)
  .filter((word) => !word.startsWith("-"))
  .flatMap((word) =>
    word === "server"
      ? Object.keys(server)
      : word === "line"
        ? Object.keys(line)
        : word === "images"
          ? Object.keys(images)
          : word === "watch"
            ? Object.keys(watch)
            : word,
  );
const rounds = Number(process.argv.find((word) => word.startsWith("--rounds="))?.slice("--rounds=".length) ?? 5);

const all = Object.entries({ ...measurements.all, ...images, ...library, ...line, ...server, ...watch });
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
    full: process.argv.includes("--full"),
    compare: async (title: string, contenders: readonly Contender[]) => {
      const costs = await alternate(contenders, rounds);
      process.stdout.write(`${table(title, costs)}\n`);
      return costs;
    },
    say: (text: string) => void process.stdout.write(`${text}\n`),
  });
}
