import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { build } from "esbuild";
import { buildCommand } from "./build-command.ts";
import { findRuntime, root } from "./runtimes.ts";

const externals = ["commander", "picomatch", "re2js", "semver", "yaml", "bcryptjs", "jose", "prom-client", "smol-toml"];

test("the npm command reads what is compressed: modules that are imported when they are used have their names", async () => {
  const home = temporaryFolder("reads");
  await buildCommand(join(home, "command"), externals);
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
  writeFileSync(join(home, "archive.tar.gz"), gzipSync(new Uint8Array(10_240)));
  const words = [join(home, "command/main.js"), "digest", "--tarball", "archive.tar.gz"];
  const ended = spawnSync(process.execPath, words, { cwd: home, env: { HOME: home }, encoding: "utf8" });
  assert.match(ended.stderr, /archive\.tar\.gz is empty/);
  assert.equal(ended.status, 1);
});

test("the npm command takes Node's modules as they are: an import of node:http would load all of fetch", async () => {
  const folder = join(temporaryFolder("built"), "command");
  await buildCommand(folder, externals);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8"));
  assert.ok(texts.some((text) => text.includes('process.getBuiltinModule("node:http")')));
  for (const [i, text] of texts.entries()) assert.ok(!/(?:from|import)\s*"node:/.test(text), files[i]);
  // What tells an old Node that it is too old runs there.
  assert.ok(!readFileSync(join(folder, "main.js"), "utf8").includes("getBuiltinModule"));
});

test("what every question to a registry begins with is one file, which others find their part of", async () => {
  const home = temporaryFolder("starts");
  const folder = join(home, "command");
  await buildCommand(folder, externals);
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
  writeFileSync(join(home, "archive.tar.gz"), gzipSync(new Uint8Array(10_240)));
  const registry = memoryRegistry();
  const image = sampleImage();
  put(registry, "a/b", "v1", image);
  const server = await listen(registry.handler);
  const env = { ...process.env, HOME: home, NODE_DISABLE_COMPILE_CACHE: "" };
  const dray = (...words: string[]) =>
    promisify(execFile)(process.execPath, [join(folder, "main.js"), ...words], { cwd: home, env });
  try {
    // What lies in chunks of its own, and needs the start.
    await dray("cp", `${server.host}/a/b:v1`, "oci:layout:a");
    assert.equal((await dray("digest", "oci:layout:a")).stdout, `${image.root.digest}\n`);
    await assert.rejects(dray("digest", "--tarball", "archive.tar.gz"), /archive\.tar\.gz is empty/);
    const { metafile } = await build({
      entryPoints: [join(folder, "main.js")],
      absWorkingDir: folder,
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      packages: "external",
      metafile: true,
      plugins: [
        {
          name: "static",
          setup: (plugins) =>
            plugins.onResolve({ filter: /.*/ }, ({ path, kind }) =>
              kind === "dynamic-import" && !/compile-cache/.test(path) ? { path, external: true } : undefined,
            ),
        },
      ],
    });
    const kept = new Set([...Object.keys(metafile.inputs), "chunks/start.js", "package.json"]);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
    for (const name of files.filter((each) => !kept.has(each))) rmSync(join(folder, name));
    assert.ok(files.length > 50 && kept.size < 10, `${files.length} ${[...kept].join(" ")}`);
    assert.equal((await dray("digest", `${server.host}/a/b:v1`)).stdout, `${image.root.digest}\n`);
  } finally {
    await server.close();
  }
});

test("a digest over plain http loads no module of Node that it has no use for", async (t) => {
  const node = findRuntime("node");
  if ("missing" in node) return t.skip(node.missing);
  const home = temporaryFolder("loads");
  await buildCommand(join(home, "command"), externals);
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
  const [list, told] = [join(home, "loaded.json"), join(home, "tell.cjs")];
  const loaded = `JSON.stringify(process.moduleLoadList.map((name) => name.replace(/^NativeModule /, "")))`;
  writeFileSync(
    told,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, ${loaded}));`,
  );
  const registry = memoryRegistry();
  const image = sampleImage();
  put(registry, "a/b", "v1", image);
  const server = await listen(registry.handler);
  try {
    const words = ["--require", told, join(home, "command/main.js"), "digest", `${server.host}/a/b:v1`];
    const { stdout } = await promisify(execFile)(node.path, words, { cwd: home, env: { HOME: home } });
    assert.equal(stdout, `${image.root.digest}\n`);
  } finally {
    await server.close();
  }
  const names: string[] = JSON.parse(readFileSync(list, "utf8"));
  assert.ok(names.includes("http"));
  const needless = ["tls", "https", "zlib", "stream/consumers", "readline", "sqlite", "internal/deps/undici/undici"];
  assert.deepEqual(
    needless.filter((name) => names.includes(name)),
    [],
  );
});
