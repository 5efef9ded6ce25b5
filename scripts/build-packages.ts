/** The npm packages: JavaScript and types by the compiler, one folder each, ready for `npm pack`. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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
  exports: Record<string, { types: string; default: string }>;
  [member: string]: unknown;
}

const output = join(root, "dist", "npm");

export const buildPackages = (): void => {
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
    cpSync(join(emitted, basename(folder), "src"), target, { recursive: true });
    for (const file of globSync("**/*.{js,d.ts}", { cwd: target })) pointAtJavaScript(join(target, file));
    if (manifest.bin !== undefined) makeExecutable(join(target, "main.js"));
    const published = publishedManifest(manifest);
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
    exports: Object.fromEntries(
      Object.entries(exports ?? {}).map(([path, source]) => {
        const built = source.replace(/^\.\/src\//, "./").replace(/\.ts$/, "");
        return [path, { types: `${built}.d.ts`, default: `${built}.js` }];
      }),
    ),
  };
};

const refuseMissing = (target: string, name: string, { exports }: PublishedManifest): void => {
  for (const file of Object.values(exports).flatMap((entry) => Object.values(entry))) {
    if (!existsSync(join(target, file))) throw new Error(`${name} exports ${file}, which does not exist`);
  }
};
