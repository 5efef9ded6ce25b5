/** The one executable: the command, its workers and Bun, in a file that needs nothing beside it. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "./runtimes.ts";

const main = "packages/cli/src/main.ts";

const options = [
  "build",
  "--compile",
  // Bytecode saves the parsing; its default format knows no top-level await.
  "--bytecode",
  "--format=esm",
  // Commands that are loaded when they are called stay files of their own: `version` reads a tenth of the code.
  "--splitting",
  "--minify",
  // Workers lie flat beside the main file, where `new URL("./x.worker.js", import.meta.url)` looks for them.
  "--entry-naming=[name].[ext]",
  // An executable that obeys the folder it is started in runs the code that lies there.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/** @param target one of Bun's names, such as `bun-linux-arm64`; without it, this machine */
export const buildExecutable = (target?: string): void => {
  if (!existsSync(join(root, main))) throw new Error(`${main} is missing; no executable was built`);
  const workers = globSync("packages/*/src/**/*.worker.ts", { cwd: root }).sort();
  refuseEqualNames(workers);
  const outfile = join("dist", target === undefined ? "dray" : target.replace(/^bun-/, "dray-"));
  mkdirSync(join(root, "dist"), { recursive: true });
  const aim = target === undefined ? [] : [`--target=${target}`];
  const log = run(join(root, "node_modules/.bin/bun"), [...options, ...aim, main, ...workers, `--outfile=${outfile}`]);
  // Bun may end well without bytecode; the executable works and starts three times as slowly.
  if (/fail\w* to generate bytecode/i.test(log)) throw new Error(`no bytecode was generated:\n${log}`);
  if (target === undefined) proveBytecode(join(root, outfile));
  const built = [outfile, `${outfile}.exe`].map((file) => join(root, file)).find((file) => existsSync(file));
  if (built === undefined) throw new Error(`bun wrote no ${outfile}:\n${log}`);
  console.log(`${outfile}  ${Math.round(statSync(built).size / 1e6)} MB, ${workers.length} worker files`);
};

/** Two workers of one name would take one place. */
const refuseEqualNames = (workers: readonly string[]): void => {
  const names = workers.map((file) => basename(file));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two worker files are called ${twice}; give one another name`);
};

/** The engine says of each source whether it came with its bytecode; those of Bun itself never do. */
const proveBytecode = (executable: string): void => {
  const log = run(executable, ["version"], { BUN_JSC_verboseDiskCache: "1" });
  if (!log.includes("Cache hit")) throw new Error(`${executable} does not run from bytecode:\n${log}`);
};

const run = (command: string, parameters: string[], environment: Record<string, string> = {}): string => {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd: root, encoding: "utf8", env });
  if (error !== undefined || status !== 0) {
    throw new Error(`${[command, ...parameters].join(" ")} failed:\n${error?.message ?? `${stdout}${stderr}`}`);
  }
  return `${stdout}${stderr}`;
};
