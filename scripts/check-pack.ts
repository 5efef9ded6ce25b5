/**
 * `npm run check:pack`: what is published works where this repository is not. Packs the npm packages, installs them into an empty
 * project, checks the types of an example and of every TypeScript block in the READMEs, runs the example and the command on
 * both runtimes, and the executable, where one is built, alone in an empty folder. What bundlers, other runtimes and test runners make of
 * them is `npm run consumers`.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { buildPackages } from "./build-packages.ts";
import { findRuntime, type Runtime, type RuntimeName, root } from "./runtimes.ts";

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "dray-pack-"));
  try {
    await buildPackages();
    const project = join(folder, "project");
    const packed = pack(join(folder, "packed"));
    install(project, packed);
    checkTypes(project);
    for (const name of ["node", "bun"] as const) runOn(runtime(name), project);
    const executable = join(root, "dist", process.platform === "win32" ? "dray.exe" : "dray");
    if (existsSync(executable)) runAlone(executable, join(folder, "alone"), project);
    else console.log("dist/dray is not built, so it was not tried");
    console.log("the packages work in a project of their own");
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const pack = (folder: string): string[] => {
  mkdirSync(folder, { recursive: true });
  return globSync("dist/npm/*", { cwd: root })
    .sort()
    .map((source) => {
      const [report] = JSON.parse(run(root, "npm", "pack", `./${source}`, "--json", "--pack-destination", folder));
      const files = report.files.map(({ path }: { path: string }) => path) as string[];
      const stray = files.find((file) => /\.test\.|(^|\/)test\//.test(file));
      if (stray !== undefined) throw new Error(`${report.name} contains a test, or what tests begin with: ${stray}`);
      const expected = ["LICENSE", "README.md", "package.json"];
      // The command has libraries of others in it.
      if (report.name === "@dray/cli") expected.push("THIRD-PARTY-LICENSES.txt");
      const missing = expected.filter((file) => !files.includes(file));
      if (missing.length > 0) throw new Error(`${report.name} lacks ${missing.join(", ")}`);
      console.log(`${report.filename}  ${files.length} files, ${Math.ceil(report.size / 1024)} KiB`);
      return join(folder, report.filename);
    });
};

const install = (project: string, packed: readonly string[]): void => {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  run(project, "npm", "install", "--prefix", project, "--prefer-offline", "--no-audit", "--no-fund", ...packed);
};

const examples = ["example.ts"] as const;

const checkTypes = (project: string): void => {
  for (const name of examples) copyFileSync(join(root, "scripts/pack", name), join(project, name));
  const blocks = globSync(["README.md", "packages/*/README.md"], { cwd: root }).flatMap((readme) =>
    [...readFileSync(join(root, readme), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], index) => {
      const name = `${basename(dirname(join(root, readme)))}-readme-${index + 1}.ts`;
      // `export {}` makes a module of a block that imports nothing.
      writeFileSync(join(project, name), `${code}\nexport {};\n`);
      return name;
    }),
  );
  const compilerOptions = {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [...examples, ...blocks] }));
  run(project, join(root, "node_modules/.bin/tsc"), "-p", ".");
  console.log(`types: ${examples.length} examples and ${blocks.length} blocks of the READMEs`);
};

const runOn = ({ title, path }: Runtime, project: string): void => {
  rmSync(join(project, "mirror"), { recursive: true, force: true });
  const said = run(project, path, "example.ts").trim();
  const version = run(project, path, "node_modules/@dray/cli/main.js", "version").trim();
  console.log(`${title}: ${said}; dray ${version}`);
};

/** Copies an image from one directory to another. Without the processor's SHA instructions the digests are left to threads. */
const runAlone = (executable: string, folder: string, project: string): void => {
  mkdirSync(folder);
  cpSync(executable, join(folder, "dray"));
  cpSync(join(project, "mirror"), join(folder, "mirror"), { recursive: true });
  execFileSync(join(folder, "dray"), ["cp", "oci:./mirror:v1", "oci:./again:v1"], {
    cwd: folder,
    env: { PATH: "", HOME: folder, OPENSSL_ia32cap: ":~0x20000000" },
    stdio: "pipe",
  });
  const [before, after] = ["mirror", "again"].map((name) => rootOf(join(folder, name)));
  if (before === undefined || before !== after) throw new Error(`the executable copied ${before} and left ${after}`);
  console.log("the executable works alone in an empty folder");
};

/** The digest of the one image in a layout. */
const rootOf = (layout: string): string | undefined =>
  JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests[0]?.digest;

const runtime = (name: RuntimeName): Runtime => {
  const found = findRuntime(name);
  if ("missing" in found) throw new Error(found.missing);
  return found;
};

const run = (cwd: string, command: string, ...parameters: string[]): string => {
  const { npm_config_local_prefix: _, ...env } = process.env;
  try {
    return execFileSync(command, parameters, { cwd, env, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${[basename(command), ...parameters].join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
};

await main();
