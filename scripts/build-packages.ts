/**
 * The npm packages, one folder each, ready for `npm pack`: libraries as modules for each path that may be imported, with their types, and as
 * CommonJS, file by file; a command as one entry with chunks.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildCommand } from "./build-command.ts";
import { joinModules } from "./chunks.ts";
import { addCommonJs, commonJsFolder } from "./commonjs.ts";
import { root } from "./runtimes.ts";
import { scriptModules } from "./worker-texts.ts";

/** What the sources say of a package, as far as it goes out with it. */
interface Manifest {
  name: string;
  version: string;
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  [member: string]: unknown;
}

interface PublishedManifest {
  bin?: Record<string, string>;
  /** A package without exports lets nobody in: the command is to be run, not imported. */
  exports: Record<string, string | { import: Entry; require: Entry }>;
  [member: string]: unknown;
}

interface Entry {
  types: string;
  default: string;
}

const output = join(root, "dist", "npm");

export const buildPackages = async (): Promise<void> => {
  rmSync(output, { recursive: true, force: true });
  const manifests = new Map(
    globSync("packages/*/package.json", { cwd: root })
      .sort()
      .map((file): [string, Manifest] => [dirname(file), JSON.parse(readFileSync(join(root, file), "utf8"))]),
  );
  refuseMixedVersions([...manifests.values()]);
  const emitted = compile();
  putTexts(emitted);
  for (const [folder, manifest] of manifests) {
    const target = join(output, basename(folder));
    const published = publishedManifest(manifest);
    if (manifest.bin === undefined) {
      cpSync(join(emitted, basename(folder), "src"), target, { recursive: true });
      for (const file of globSync("**/*.{js,d.ts}", { cwd: target })) pointAtJavaScript(join(target, file));
      addCommonJs(target);
      await joinModules(target, modulesOf(published));
    } else {
      published["dependencies"] = thirdParty(manifest, [...manifests.values()]);
      await buildCommand(target, Object.keys(published["dependencies"] as object));
      makeExecutable(join(target, "main.js"));
    }
    refuseMissing(target, manifest.name, published);
    writeFileSync(join(target, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
    cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
    const readme = join(root, folder, "README.md");
    if (existsSync(readme)) cpSync(readme, join(target, "README.md"));
    else console.log(`warning: ${folder} has no README.md`);
    console.log(`dist/npm/${basename(folder)}  ${manifest.name} ${manifest.version}`);
  }
  rmSync(emitted, { recursive: true });
};

/** Packages of one repository go out together: each names the others at the one version. */
const refuseMixedVersions = (manifests: readonly Manifest[]): void => {
  const versions = new Map(manifests.map(({ name, version }) => [name, version]));
  for (const { name, dependencies = {} } of manifests) {
    for (const [other, wanted] of Object.entries(dependencies)) {
      const actual = versions.get(other);
      if (actual !== undefined && actual !== wanted)
        throw new Error(`${name} wants ${other} ${wanted}, which is ${actual}`);
    }
  }
};

/** What this package of ours needs of others is bundled with the command, as far as it is used: installed it is 160 MB. */
const bundled = "@dray/cloud";

/** What the command and the packages of ours in it need of others, each at its one version. */
const thirdParty = (command: Manifest, manifests: readonly Manifest[]): Record<string, string> => {
  const ours = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  const inIt = new Set([command]);
  for (const { dependencies = {} } of inIt)
    for (const name of Object.keys(dependencies)) {
      const own = ours.get(name);
      if (own !== undefined && name !== bundled) inIt.add(own);
    }
  const all = [...inIt].flatMap(({ dependencies = {} }) => Object.entries(dependencies));
  return Object.fromEntries(all.filter(([name]) => !ours.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** All packages in one run: they see each other's sources through the workspace. */
const compile = (): string => {
  const folder = join(output, ".emitted");
  mkdirSync(folder, { recursive: true });
  const project = join(folder, "tsconfig.json");
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { noEmit: false, noEmitOnError: true, rootDir: join(root, "packages"), outDir: folder },
    include: [join(root, "packages/*/src")],
    exclude: [join(root, "**/*.test.ts")],
  };
  writeFileSync(project, JSON.stringify(settings));
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", project], { stdio: "inherit" });
  } catch {
    throw new Error("the sources do not compile; no package was built");
  }
  return folder;
};

/** No bundler finds the file of a worker: what threads run is text in a module, and the files do not go out. */
const putTexts = (emitted: string): void => {
  for (const [module, text] of scriptModules())
    writeFileSync(join(emitted, module.replace(/^packages\//, "").replace(/\.ts$/, ".js")), text);
  for (const file of globSync("**/*.worker.{js,d.ts}", { cwd: emitted })) rmSync(join(emitted, file));
};

/** The compiler rewrites imports in JavaScript; those in declarations are left to us. */
const pointAtJavaScript = (file: string): void => {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(["'])(\.{1,2}\/[^"'\n]+)(?<!\.d)\.ts\1/g, "$1$2.js$1"));
};

/** In a checkout the command is a shell script that starts the sources; a package starts its JavaScript. */
const makeExecutable = (file: string): void => {
  if (!existsSync(file)) throw new Error(`${file} is missing: a package with a command starts at src/main.ts`);
  const text = readFileSync(file, "utf8").replace(/^#!.*\n/, "");
  writeFileSync(file, `#!/usr/bin/env node\n${text}`, { mode: 0o755 });
};

/** What only a checkout needs. */
const keptBack = ["scripts", "devDependencies"];

const publishedManifest = (manifest: Manifest): PublishedManifest => {
  const { exports, bin, ...rest } = manifest;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([member]) => !keptBack.includes(member))),
    ...(bin && { bin: Object.fromEntries(Object.keys(bin).map((command) => [command, "./main.js"])) }),
    ...(exports?.["."] !== undefined && { main: `./${commonJsFolder}/index.js`, types: "./index.d.ts" }),
    exports: {
      ...Object.fromEntries(Object.entries(exports ?? {}).map(([path, source]) => [path, entries(source)])),
      "./package.json": "./package.json",
    },
  };
};

/** What may be imported. */
const modulesOf = ({ exports }: PublishedManifest): string[] =>
  Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : entry.import.default));

/** A module of the sources as it is imported and as it is required. */
const entries = (source: string): { import: Entry; require: Entry } => {
  const built = source.replace(/^\.\/src\//, "").replace(/\.ts$/, "");
  const entry = (folder: string): Entry => ({ types: `${folder}/${built}.d.ts`, default: `${folder}/${built}.js` });
  return { import: entry("."), require: entry(`./${commonJsFolder}`) };
};

const refuseMissing = (target: string, name: string, { exports }: PublishedManifest): void => {
  const files = Object.values(exports).flatMap((entry) =>
    typeof entry === "string" ? [] : Object.values(entry).flatMap((either) => Object.values(either)),
  );
  for (const file of files as string[]) {
    if (!existsSync(join(target, file))) throw new Error(`${name} exports ${file}, which does not exist`);
  }
};
