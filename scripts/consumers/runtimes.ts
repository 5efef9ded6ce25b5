/** The packages as they are installed, on each runtime that they name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, type Case, installed, type Place, run, runtime, tool } from "./case.ts";

interface Runtime {
  readonly name: string;
  readonly command: () => readonly string[];
  /** It has what the command, the server and the testkit need; the library takes less. */
  readonly whole: boolean;
}

const node = (version: string, whole: boolean): Runtime => ({
  name: `Node ${version}`,
  command: () => [installed(`node-${version}/bin/node`), "--disable-warning=ExperimentalWarning"],
  whole,
});

/** What is used of `miniflare`, which lies with the tools. */
declare class Workers {
  constructor(options: {
    readonly modules: readonly { readonly type: "ESModule"; readonly path: string; readonly contents: string }[];
    readonly compatibilityDate: string;
    readonly compatibilityFlags: readonly string[];
  });
  dispatchFetch(url: string): Promise<{ text(): Promise<string> }>;
  dispose(): Promise<void>;
}

const list: readonly Runtime[] = [
  node("22.12", false),
  node("22.21", true),
  node("26", true),
  { name: "Node 24", command: () => [runtime("node")], whole: true },
  { name: "Bun", command: () => [runtime("bun")], whole: true },
  { name: "Deno", command: () => [tool("deno"), "run", "--allow-all", "--quiet"], whole: false },
];

const at = (folder: string, name: string): string => join(folder, "..", name);

const library: readonly Case[] = list.flatMap(({ name, command }) => [
  {
    name: `${name}: a large layer into a directory`,
    run: ({ folder }) => run(folder, [...command(), at(folder, "copy.mjs")]),
  },
  {
    name: `${name}: a large layer to a registry and back`,
    run: ({ folder, host }) => run(folder, [...command(), at(folder, "registry.mjs")], { HOST: host }),
  },
  {
    name: `${name}: a layer of zstd`,
    run: async ({ folder }) => {
      const said = await run(folder, [...command(), at(folder, "zstd.mjs")]);
      assert.match(said, name === "Node 22.12" ? /zstd, which Node 22\.12\.0 cannot read/ : /^none$/);
      return said;
    },
  },
]);

const whole: readonly Case[] = list
  .filter((each) => each.whole)
  .flatMap(({ name, command }) => [
    {
      name: `${name}: the testkit serves a registry`,
      run: ({ folder }) => run(folder, [...command(), at(folder, "testkit.mjs")]),
    },
    {
      name: `${name}: the command`,
      run: async (place) => {
        const dray = [...command(), at(place.folder, "node_modules/@dray/cli/main.js")];
        const version = await run(place.folder, [...dray, "version"]);
        await run(place.folder, [...dray, "cp", "oci:../zstd:v1", `${place.host}/consumers/command:v1`]);
        const digest = await run(place.folder, [...dray, "digest", `${place.host}/consumers/command:v1`]);
        assert.match(digest, /^sha256:[0-9a-f]{64}$/);
        await run(place.folder, [...dray, "serve", "check-config", "--data", "./data"]);
        return version;
      },
    },
  ]);

/** The machine's own Node may be older than what is supported; then it is said so, in a sentence. */
const tooOld: Case = {
  name: "Node 22.12: the command names what it needs",
  run: async ({ folder }) => {
    const main = at(folder, "node_modules/@dray/cli/main.js");
    const { code, stderr } = await attempt(folder, [installed("node-22.12/bin/node"), main, "digest", "localhost:1/a"]);
    assert.equal(code, 1);
    assert.match(stderr, /^Error: dray needs Node 22\.21 or newer, or Bun; this is Node 22\.12\.0\n$/);
    return stderr.trim();
  },
};

const workerd: Case = {
  name: "workerd: a push and a pull by its fetch",
  run: async (place: Place) => {
    const worker = join(place.folder, "worker.js");
    const words = ["--bundle", "--format=esm", "--platform=node", "--conditions=workerd,worker", `--outfile=${worker}`];
    await run(place.folder, [tool("esbuild"), at(place.folder, "worker.mjs"), ...words, "--log-level=error"]);
    const { Miniflare } = (await import(installed("miniflare/dist/src/index.js"))) as { Miniflare: typeof Workers };
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync(worker, "utf8") }],
      compatibilityDate: "2026-07-01",
      compatibilityFlags: ["nodejs_compat"],
    });
    try {
      const answer = await miniflare.dispatchFetch(`http://worker/?host=${place.host}`);
      const said = await answer.text();
      assert.equal(said, "v1 true");
      return said;
    } finally {
      await miniflare.dispose();
    }
  },
};

export const runtimes: readonly Case[] = [...library, ...whole, tooOld, workerd];
