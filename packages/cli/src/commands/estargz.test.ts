import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { seededBytes, tar } from "@dray/testkit";
import { digestOf, encodeJson, type Manifest } from "dray/oci";
import { commands } from "../../test/commands.ts";
import type { Rehearsed } from "../../test/rehearse.ts";

const env = { GGCR_EXPERIMENT_ESTARGZ: "1" };
const annotation = "containerd.io/snapshot/stargz/toc.digest";

const text = (of: string): Uint8Array => new TextEncoder().encode(of);
const large = seededBytes("estargz command", 400_000);
const layers = [
  tar([{ path: "etc/motd", kind: "file", bytes: text("lower\n") }]),
  tar([
    { path: "etc/motd", kind: "file", bytes: text("hello\n") },
    { path: "srv/large", kind: "file", bytes: large },
  ]),
];

/** As docker saves one: layers as they are, and a step that made none. */
const saved = (): Uint8Array => {
  const config = encodeJson({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
    history: [{ created_by: "one" }, { created_by: "none", empty_layer: true }, { created_by: "two" }],
    kept: "as it is",
  });
  const name = `${digestOf(config).slice("sha256:".length)}.json`;
  const manifest = [{ Config: name, RepoTags: ["app:1"], Layers: ["0/layer.tar", "1/layer.tar"] }];
  return tar([
    { path: name, kind: "file", bytes: config },
    ...layers.map((bytes, i) => ({ path: `${i}/layer.tar`, kind: "file" as const, bytes })),
    { path: "manifest.json", kind: "file", bytes: encodeJson(manifest) },
  ]);
};

const { registry, host, home, at, done: doneIn } = await commands("estargz-command");
const { log } = registry;

describe("GGCR_EXPERIMENT_ESTARGZ=1", () => {
  const done = (words: readonly string[], given: Record<string, string> = env): Promise<Rehearsed> =>
    doneIn(words, { env: { XDG_CACHE_HOME: at("cache"), ...given } });
  const app = (tag: string): string => `${host}/app:${tag}`;
  const layersOf = async (tag: string): Promise<Manifest["layers"]> =>
    (JSON.parse((await done(["manifest", app(tag)])).stdout) as Manifest).layers;
  const tocs = async (tag: string): Promise<readonly boolean[]> =>
    (await layersOf(tag)).map(({ annotations }) => annotations?.[annotation]?.startsWith("sha256:") === true);

  before(async () => {
    await writeFile(at("saved.tar"), saved());
    await writeFile(at("layer.tar"), layers[1] ?? "");
    await writeFile(at("layer.tgz"), gzipSync(layers[1] ?? ""));
    await mkdir(at("folder"));
    await writeFile(join(home, "folder", "file"), "file");
  });

  test("makes push write uncompressed layers so, and the configuration names what they became", async () => {
    const { stdout } = await done(["push", at("saved.tar"), app("pushed")]);
    assert.deepEqual(await tocs("pushed"), [true, true]);
    await done(["validate", "--remote", app("pushed")]);
    const config = JSON.parse((await done(["config", app("pushed")])).stdout);
    assert.equal(config.kept, "as it is");
    assert.equal(config.history.length, 3);
    assert.ok(config.rootfs.diff_ids.every((id: string) => !layers.some((layer) => digestOf(layer) === id)));
    // What push prints, and whoever pushes it again.
    const digest = stdout.trim().split("@")[1];
    assert.equal((await done(["digest", "--tarball", at("saved.tar")])).stdout.trim(), digest);
    assert.equal((await done(["push", at("saved.tar"), app("again")])).stdout.trim().split("@")[1], digest);
    for (const tag of ["pushed", "again"]) assert.equal((await done(["digest", app(tag)])).stdout.trim(), digest);
  });

  test("and cat reads of such an image what it needs", async () => {
    await done(["push", at("saved.tar"), app("cat")]);
    log.entries.splice(0);
    assert.equal((await done(["cat", `${app("cat")}:/etc/motd`], {})).stdout, "hello\n");
    const out = log.select({ method: "GET", target: "/blobs/" }).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    assert.ok(out > 0 && out < 64 * 1024, `${out}`);
    const { bytes } = await done(["cat", `${app("cat")}:/srv/large`], {});
    assert.ok(bytes.equals(large));
  });

  test("makes append write so what it is given, unless another compression is asked for", async () => {
    const rows: readonly [name: string, words: readonly string[], env: Record<string, string>, expected: boolean][] = [
      ["tar", ["-f", at("layer.tar")], env, true],
      ["compressed", ["-f", at("layer.tgz")], env, true],
      ["folder", ["-f", at("folder")], env, true],
      ["level", ["-f", at("layer.tar"), "--level", "6", "--compression", "gzip"], env, true],
      ["zstd", ["-f", at("layer.tar"), "--compression", "zstd"], env, false],
      ["none", ["-f", at("layer.tar"), "--compression", "none"], env, false],
      ["unset", ["-f", at("layer.tar")], {}, false],
      ["zero", ["-f", at("layer.tar")], { GGCR_EXPERIMENT_ESTARGZ: "0" }, false],
    ];
    for (const [name, words, given, expected] of rows) {
      await done(["append", ...words, "-t", app(name)], given);
      assert.deepEqual(await tocs(name), [expected], name);
      if (name !== "zstd") await done(["validate", "--remote", app(name)]);
    }
  });

  test("changes no layer that has a digest already, and nothing without it", async () => {
    await done(["push", at("saved.tar"), app("plain")], {});
    assert.deepEqual(await tocs("plain"), [false, false]);
    await done(["pull", "--format", "oci", app("plain"), at("layout")]);
    await done(["push", at("layout"), app("from-layout")]);
    assert.deepEqual(await layersOf("from-layout"), await layersOf("plain"));
  });
});
