/**
 * `npm run kill -- [--rounds=200] [--seed=N] [--data=FOLDER]`: a registry is killed again and again under load, and what it
 * acknowledged is looked for each time. The folder is kept where something is wrong.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killRounds } from "../e2e/load/kill-rounds.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    data: { type: "string" },
  },
});
const data = values.data ?? mkdtempSync(join(tmpdir(), "dray-kill-"));
console.log(`seed ${values.seed}, ${values.rounds} rounds, data in ${data}`);
const sums = await killRounds({
  data,
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  onRound: (line) => console.log(line),
});
console.log(JSON.stringify(sums));
if (values.data === undefined) rmSync(data, { recursive: true });
