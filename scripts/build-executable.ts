/** The one executable: the command, what its threads run and Bun, in a file that needs nothing beside it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./runtimes.ts";
import { scriptModules } from "./worker-texts.ts";

const main = "packages/cli/src/main.ts";

/** The settings of Bun's bundler that are used here. */
interface Bundling {
  readonly entrypoints: readonly string[];
  readonly compile: Readonly<Record<string, unknown>>;
  readonly plugins: readonly { readonly name: string; setup(build: Build): void }[];
  readonly [option: string]: unknown;
}
interface Build {
  onLoad(of: { filter: RegExp }, load: (file: { path: string }) => { contents: string; loader: "js" }): void;
}
interface Bun {
  build(bundling: Bundling): Promise<{ readonly logs: readonly { readonly message: string }[] }>;
}

export interface ExecutableOptions {
  /** One of Bun's names, such as `bun-linux-arm64`. Default: this machine. */
  readonly target?: string | undefined;
  /** Default: `dist/dray`, or `dist/dray-linux-arm64`. */
  readonly outfile?: string;
}

export const buildExecutable = async ({
  target,
  outfile = usualFile(target),
}: ExecutableOptions = {}): Promise<void> => {
  if (!existsSync(join(root, main))) throw new Error(`${main} is missing; no executable was built`);
  const { Bun } = globalThis as unknown as { Bun?: Bun };
  if (Bun === undefined) throw new Error("the executable is built by Bun: npm run build");
  mkdirSync(dirname(outfile), { recursive: true });
  const { logs } = await Bun.build({
    entrypoints: [join(root, main)],
    compile: {
      outfile,
      ...(target !== undefined && { target }),
      // An executable that obeys the folder it is started in runs the code that lies there.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
    // Bytecode saves the parsing; its default format knows no top-level await.
    bytecode: true,
    format: "esm",
    // Commands that are loaded when they are called stay files of their own: `version` reads a tenth of the code.
    splitting: true,
    minify: true,
    plugins: [workerTexts],
  }).catch((error: AggregateError) => {
    throw new Error(`${error.message}:\n${(error.errors ?? []).join("\n")}`, { cause: error });
  });
  const log = logs.map(({ message }) => message).join("\n");
  // Bun may end well without bytecode; the executable works and starts three times as slowly.
  if (/fail\w* to generate bytecode/i.test(log)) throw new Error(`no bytecode was generated:\n${log}`);
  if (target === undefined) proveBytecode(outfile);
  const built = [outfile, `${outfile}.exe`].find((file) => existsSync(file));
  if (built === undefined) throw new Error(`bun wrote no ${outfile}:\n${log}`);
  console.log(`${relative(root, built)}  ${Math.round(statSync(built).size / 1e6)} MB`);
};

const usualFile = (target: string | undefined): string =>
  join(root, "dist", target === undefined ? "dray" : target.replace(/^bun-/, "dray-"));

/** An executable has no files for workers: what threads run is text in it, as in the packages. */
const workerTexts: Bundling["plugins"][number] = {
  name: "worker-texts",
  setup(build) {
    const modules = scriptModules();
    build.onLoad({ filter: /\.script\.ts$/ }, ({ path }) => {
      const contents = modules.get(relative(root, path).replaceAll("\\", "/"));
      if (contents === undefined) throw new Error(`there is no worker beside ${path}`);
      return { contents, loader: "js" };
    });
  },
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
