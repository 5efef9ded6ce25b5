/** Actions, extensions and functions are shipped as one file. Each runs where nothing else lies, on the oldest Node and on the one of today. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, installed, type Place, run, runtime, tool } from "./case.ts";

interface Bundler {
  readonly name: string;
  /** Of the bundle, below the folder. */
  readonly file: string;
  readonly bundle: (place: Place, entry: string) => Promise<unknown>;
}

const esbuild =
  (format: string, file: string): Bundler["bundle"] =>
  ({ folder }, entry) =>
    run(folder, [
      tool("esbuild"),
      entry,
      "--bundle",
      "--platform=node",
      `--format=${format}`,
      `--outfile=${file}`,
      "--log-level=error",
    ]);

/** With a file of settings, as these are used. */
const configured = async ({ folder }: Place, name: string, text: string, command: readonly string[]): Promise<void> => {
  writeFileSync(join(folder, name), text);
  await run(folder, command);
};

const list: readonly Bundler[] = [
  { name: "esbuild, CommonJS", file: "out.cjs", bundle: esbuild("cjs", "out.cjs") },
  { name: "esbuild, ES module", file: "out.mjs", bundle: esbuild("esm", "out.mjs") },
  {
    name: "webpack",
    file: "out.cjs",
    bundle: (place, entry) =>
      configured(
        place,
        "pack.cjs",
        `const webpack = require(${JSON.stringify(installed("webpack"))});
        webpack({ entry: ${JSON.stringify(entry)}, target: "node", mode: "production",
          output: { path: ${JSON.stringify(place.folder)}, filename: "out.cjs", chunkFilename: "[name].cjs" } },
          (error, stats) => {
            if (error ?? stats.hasErrors()) { console.error(error ?? stats.toString()); process.exitCode = 1; }
          });`,
        [runtime("node"), "pack.cjs"],
      ),
  },
  {
    name: "rollup",
    file: "out/copy.mjs",
    bundle: (place, entry) =>
      configured(
        place,
        "rollup.config.mjs",
        `import resolve from ${JSON.stringify(installed("@rollup/plugin-node-resolve/dist/es/index.js"))};
        export default { input: ${JSON.stringify(entry)}, plugins: [resolve({ preferBuiltins: true })], external: [/^node:/],
          onwarn(warning) { throw new Error(warning.message); },
          output: { dir: "out", format: "es", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" } };`,
        [tool("rollup"), "--config", "rollup.config.mjs", "--silent"],
      ),
  },
  {
    name: "ncc",
    file: "out/index.mjs",
    bundle: ({ folder }, entry) => run(folder, [tool("ncc"), "build", entry, "--out", "out", "--no-cache", "--quiet"]),
  },
  {
    name: "bun build",
    file: "out.mjs",
    bundle: ({ folder }, entry) =>
      run(folder, [runtime("bun"), "build", "--target=node", entry, "--outfile", join(folder, "out.mjs")]),
  },
];

export const bundlers: readonly Case[] = list.map(({ name, file, bundle }) => ({
  name: `bundled by ${name}`,
  run: async (place) => {
    await bundle(place, join(place.folder, "../copy.mjs"));
    const said = [];
    for (const node of [runtime("node"), installed("node-22.12/bin/node")]) {
      const alone = join(place.folder, `alone-${said.length}`);
      mkdirSync(alone);
      said.push(await run(alone, [node, join(place.folder, file)]));
    }
    return said.join("; ");
  },
}));
