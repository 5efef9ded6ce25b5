/**
 * One scan of made-up repositories by the library, as a program of its own, so that the kernel tells what it took:
 * `bun scan.ts HOST FILE REPOSITORIES due|list|all`. Prints what the looks came to, as JSON.
 */
import {
  budgetTables,
  createRefresh,
  eventTables,
  ledgerTables,
  openFile,
  parseRepository,
  remoteClientFactory,
  stateTables,
} from "@dray/watch";
import { forEachConcurrent } from "dray/internal/async";

const [host = "", path = "", count = "", what = "due"] = process.argv.slice(2);
const file = await openFile(path, { rooms: [stateTables, eventTables, ledgerTables, budgetTables] });
const factory = remoteClientFactory({ rps: 1_000_000, burst: 64, insecureHosts: [host] });
const refresh = createRefresh({ file, clientFor: (repository) => factory.clientFor(repository), tagsAtOnce: 16 });
const now = what === "list" || what === "all" ? what : undefined;
let [complete, events] = [0, 0];
const names = Array.from({ length: Number(count) }, (_, i) => parseRepository(`${host}/r/${i}`));
await forEachConcurrent(names, 4, async (repository) => {
  const result = await refresh.look(repository, { now });
  if (result.complete) complete++;
  events += result.events.length;
});
await factory.close();
file.close();
process.stdout.write(`${JSON.stringify({ complete, events })}\n`);
