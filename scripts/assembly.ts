/**
 * `npm run assembly`: compiles `packages/dray/assembly` and writes what comes of it into the modules that carry it. They lie in the repository, so
 * that sources run without a compiler; `-- --check` refuses what is not what the sources compile to, and so does the build.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./runtimes.ts";

/** What is compiled, and the module that carries it, by a name of its own. */
const programs = [
  {
    source: "packages/dray/assembly/index.ts",
    carrier: "packages/dray/src/deflate/encoder.wasm.ts",
    name: "encoderWasm",
  },
  {
    source: "packages/dray/assembly/inflate/index.ts",
    carrier: "packages/dray/src/deflate/inflater.wasm.ts",
    name: "inflaterWasm",
  },
] as const;
type Program = (typeof programs)[number];

/** @throws Error with what the compiler says */
const compileAssembly = ({ source, name }: Program): string => {
  const folder = mkdtempSync(join(tmpdir(), "dray-assembly-"));
  const wasm = join(folder, "out.wasm");
  const options = ["--runtime", "stub", "--noAssert", "--optimizeLevel", "3", "--converge", "--outFile", wasm];
  try {
    const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
    const { status, stderr } = spawnSync(process.execPath, [compiler, source, "--baseDir", root, ...options], {
      cwd: root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${source} does not compile:\n${stderr}`);
    return `/** What \`npm run assembly\` made of \`${dirname(source)}\`: not to be changed here. */
export const ${name} =
  "${readFileSync(wasm).toString("base64")}";
`;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** @throws Error if what is carried is something else than what the sources compile to */
export const checkAssembly = (): void => {
  for (const program of programs)
    if (readFileSync(join(root, program.carrier), "utf8") !== compileAssembly(program))
      throw new Error(`${program.carrier} is not what ${dirname(program.source)} compiles to; run npm run assembly`);
};

if (import.meta.main) {
  try {
    if (process.argv.includes("--check")) checkAssembly();
    else for (const each of programs) writeFileSync(join(root, each.carrier), compileAssembly(each));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
