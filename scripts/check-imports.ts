/** `npm run check:imports`: imports point down and through doors, nothing goes in circles, and what is imported is listed. */
import { importFaults } from "./import-faults.ts";
import { readRepository } from "./repository.ts";

const { sources, manifests } = readRepository();
const faults = importFaults(sources, manifests);
for (const { text } of faults) console.log(text);
console.log(`${sources.size} files, ${faults.length} imports that point the wrong way`);
process.exitCode = faults.length === 0 ? 0 : 1;
