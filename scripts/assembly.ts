/**
 * `npm run assembly`: compiles `packages/dray/assembly` and writes what comes of it into the module that carries it. It lies in the repository, so
 * that sources run without a compiler; `-- --check` refuses one that is not what the sources compile to, and so does the build.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./runtimes.ts";

const source = "packages/dray/assembly/index.ts";
const carrier = join(root, "packages/dray/src/deflate/encoder.wasm.ts");

/** @throws Error with what the compiler says */
const compileAssembly = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "dray-assembly-"));
  const wasm = join(folder, "encoder.wasm");
  const options = ["--runtime", "stub", "--noAssert", "--optimizeLevel", "3", "--converge", "--outFile", wasm];
  try {
    const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
    const { status, stderr } = spawnSync(process.execPath, [compiler, source, "--baseDir", root, ...options], {
      cwd: root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${source} does not compile:\n${stderr}`);
    return `/** What \`npm run assembly\` made of \`packages/dray/assembly\`: not to be changed here. */
export const encoderWasm =
  "${readFileSync(wasm).toString("base64")}";
`;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** @throws Error if what is carried is something else than what the sources compile to */
export const checkAssembly = (): void => {
  if (readFileSync(carrier, "utf8") !== compileAssembly())
    throw new Error(`${relative(root, carrier)} is not what packages/dray/assembly compiles to; run npm run assembly`);
};

if (import.meta.main) {
  try {
    if (process.argv.includes("--check")) checkAssembly();
    else writeFileSync(carrier, compileAssembly());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
