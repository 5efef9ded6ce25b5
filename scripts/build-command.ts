/**
 * The npm command: one entry, one file for what all commands begin with, and chunks that are read when they are used. A program of hundreds of
 * files takes longer to start than to work.
 * Ours is all in it; what others wrote stays a dependency, so that its own updates reach it, but for the libraries of clouds, which are large and
 * seldom needed.
 */
import { rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import { overChunks } from "./chunks.ts";
import { joinStart } from "./join-start.ts";
import { licensesOf, packageFolder } from "./licenses.ts";
import { root } from "./runtimes.ts";
import { scriptModules } from "./worker-texts.ts";

/** @param external the packages that are installed beside it */
export const buildCommand = async (target: string, external: readonly string[]): Promise<void> => {
  rmSync(target, { recursive: true, force: true });
  const { metafile } = await build({
    ...overChunks,
    absWorkingDir: root,
    entryPoints: { main: "packages/cli/src/main.ts" },
    outdir: target,
    minifySyntax: true,
    minifyWhitespace: true,
    // Names are kept: a stack trace is read by people.
    legalComments: "none",
    plugins: [workerTexts, nodeModules, beside(external), proxyAgent],
    metafile: true,
  });
  const bundled = Object.keys(metafile.inputs).flatMap((file) => packageFolder(file) ?? []);
  writeFileSync(join(target, "THIRD-PARTY-LICENSES.txt"), licensesOf(bundled));
  await joinStart(target, metafile, start);
};

/**
 * What every question to a registry reads: it is one file, since each file takes Node as long to find and to link as to compile. What has Node keep
 * what it compiles comes before.
 */
const start = {
  before: ["packages/cli/src/compile-cache.ts"],
  sources: ["packages/dray/src/errors.ts", "packages/cli/src/run.ts", "packages/cli/src/commands/digest.ts"],
};

/**
 * Node's own modules are taken as `require` would take them. An `import` of one reads every name that it has, and with `node:http` that is
 * `WebSocket`, behind which all of `fetch` is loaded: as long as a small command works.
 */
const nodeModules: Plugin = {
  name: "node-modules",
  setup(build) {
    // What is imported when it is used stays an import: its names would be lost in a chunk of its own.
    build.onResolve({ filter: builtin }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, external: true } : { path, namespace: "node" },
    );
    build.onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** What is installed beside the command. A module that is bundled and requires it has it bundled, too: an ES module cannot. */
const beside = (names: readonly string[]): Plugin => ({
  name: "beside",
  setup: (build) =>
    build.onResolve({ filter: new RegExp(`^(?:${names.join("|")})(?:/|$)`) }, ({ path, kind }) =>
      kind === "require-call" ? undefined : { path, external: true },
    ),
});

/** Google's library imports this one when it is used, by a name that a module of CommonJS loses in a chunk of its own. */
const proxyAgent: Plugin = {
  name: "proxy-agent",
  setup(build) {
    build.onResolve({ filter: /^https-proxy-agent$/ }, ({ path, kind, resolveDir }) =>
      kind === "dynamic-import" ? { path, namespace: "proxy-agent", pluginData: resolveDir } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "proxy-agent" }, ({ path, pluginData }) => ({
      contents: `export { HttpsProxyAgent } from ${JSON.stringify(path)};`,
      resolveDir: String(pluginData),
    }));
  },
};

/** Modules of others leave the `node:` out. */
const builtin = new RegExp(`^(?:node:.*|${builtinModules.join("|")})$`);

const workerTexts: Plugin = {
  name: "worker-texts",
  setup(build) {
    const modules = scriptModules();
    build.onLoad({ filter: /\.script\.ts$/ }, ({ path }) => {
      const contents = modules.get(relative(root, path).replaceAll("\\", "/"));
      if (contents === undefined) throw new Error(`there is no worker beside ${join(path)}`);
      return { contents, loader: "js" };
    });
  },
};
