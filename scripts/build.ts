/**
 * `npm run build`: the npm packages in `dist/npm/` and the executable `dist/dray`.
 * `npm run build -- --target bun-linux-arm64` compiles for another machine, into `dist/dray-linux-arm64`.
 */
import { parseArgs } from "node:util";
import { checkAssembly } from "./assembly.ts";
import { buildExecutable } from "./build-executable.ts";
import { buildPackages } from "./build-packages.ts";

const { values } = parseArgs({ options: { target: { type: "string" } } });
try {
  checkAssembly();
  await buildPackages();
  await buildExecutable({ target: values.target });
  const made = values.target === undefined ? "dist/dray" : `dist/dray-${values.target.replace(/^bun-/, "")}`;
  console.log(
    `made dist/npm/ and ${made}. Try: ${values.target === undefined ? "./dist/dray version" : `${made} version, there`}`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
