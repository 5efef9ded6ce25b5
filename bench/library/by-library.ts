/**
 * The same by the library, as a program that depends on the package has it.
 * @example node by-library.ts file:///…/dist/npm/dray/index.js cp http://HOST/bench/image:latest http://HOST/bench/image:latest
 */
import type * as Dray from "dray";

const [library, work, from, to] = process.argv.slice(2) as [string, string, string, string];
const { copy, open, validate } = (await import(library)) as typeof Dray;

const source = await open(from);
if (work === "validate") {
  const { findings } = await validate(source.store, await source.store.resolve(source.name));
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
} else await copy(source, await open(to));
