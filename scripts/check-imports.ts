/** `npm run check:imports`: imports point down and through doors, nothing goes in circles, and what is imported is listed. */
import { type FaultKind, tolerated } from "./floors.ts";
import { importFaults } from "./import-faults.ts";
import { readRepository } from "./repository.ts";

const { sources, manifests } = readRepository();
const found = Map.groupBy(importFaults(sources, manifests), ({ kind }) => kind);
let refused = 0;
for (const kind of new Set([...found.keys(), ...(Object.keys(tolerated) as FaultKind[])])) {
  const faults = found.get(kind) ?? [];
  const bound = tolerated[kind] ?? 0;
  if (faults.length > bound) {
    refused += faults.length;
    for (const { text } of faults) console.log(text);
  }
  if (bound > 0) console.log(`${kind}: ${faults.length}, and ${bound} are tolerated; see scripts/floors.ts`);
}
console.log(`${sources.size} files, ${refused} imports that point the wrong way`);
process.exitCode = refused === 0 ? 0 : 1;
