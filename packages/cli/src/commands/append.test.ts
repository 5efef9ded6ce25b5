import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { before, describe, test } from "node:test";
import { put, sampleArtifact, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { open } from "dray";
import { viewOf } from "dray/image";
import { commands } from "../../test/commands.ts";

const files = tar([{ path: "srv/app", kind: "file", bytes: new TextEncoder().encode("app") }]);

const { registry, host, home, at, dray, done } = await commands("append");
const app = `${host}/app`;
const { log } = registry;

describe("append", () => {
  const index = sampleIndex({
    seed: "append",
    platforms: ["linux/amd64", "linux/arm64", "windows/amd64"],
    attestations: true,
  });
  /** What an image's layers are, uppermost last. */
  const layersOf = async (location: string, platform?: string): Promise<readonly string[]> => {
    const { store, name } = await open(location);
    const view = await viewOf(store, await store.resolve(name));
    const image = view.kind === "index" ? await view.image(platform ?? "linux/amd64") : view;
    return (await image.layers()).map(({ diffID, descriptor }) => `${descriptor.mediaType} ${diffID}`);
  };

  before(async () => {
    put(registry, "app", "1", sampleImage({ seed: "append/one" }));
    put(registry, "app", "multi", index);
    put(registry, "app", "sbom", sampleArtifact());
    await writeFile(at("app.tar"), files);
    await writeFile(at("words.txt"), "no tar at all".repeat(100));
  });

  test("tells how far it is with a file, a folder and standard input, and so does mutate --append", async () => {
    const folder = join(home, "told");
    await mkdir(folder);
    await writeFile(join(folder, "file"), "in it");
    const append = ["append", "-b", `${app}:1`, "--created-by", "told", "-f"];
    // What standard input is where a file is behind it.
    const behind = await done([...append, "-", "-t", `${app}:told`], { stdin: createReadStream(at("app.tar")) });
    assert.match(behind.stdout, /@sha256:/);
    const rows: readonly [words: readonly string[], what: string, size: number | undefined][] = [
      [[...append, join(home, "app.tar")], join(home, "app.tar"), files.byteLength],
      [[...append, folder], folder, undefined],
      [[...append, "-"], "standard input", undefined],
      [["mutate", "--append", join(home, "app.tar"), `${app}:1`], join(home, "app.tar"), files.byteLength],
    ];
    for (const [words, what, size] of rows) {
      const { stderr } = await done([...words, "-t", `${app}:told`, "--progress", "json"], { stdin: files });
      const told = stderr
        .split("\n")
        .filter((line) => line.includes('"event":"ingest"'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const known = size === undefined ? {} : { size };
      assert.deepEqual(told, [
        { event: "ingest", what, ...known },
        { event: "ingest", what, ...known, done: true },
      ]);
    }
  });

  test("an index gets the layer on each of its images, in the form of Windows where that is it, and loses attestations of what is there no more", async () => {
    const { stdout, stderr } = await done([
      "append",
      "-b",
      `${app}:multi`,
      "-f",
      at("app.tar"),
      "-t",
      `${app}:multi-2`,
    ]);
    assert.match(stdout, new RegExp(`^${app}@sha256:[0-9a-f]{64}\n$`));
    assert.match(stderr, /3 attestations of what changed are left out/);
    const [amd64, arm64, windows] = await Promise.all(
      ["linux/amd64", "linux/arm64", "windows/amd64"].map((platform) => layersOf(`${app}:multi-2`, platform)),
    );
    assert.equal(amd64?.length, 3);
    assert.equal(amd64?.at(-1), arm64?.at(-1));
    assert.notEqual(windows?.at(-1), arm64?.at(-1));
    const two = await done([
      "append",
      "--platform",
      "linux/arm64,windows/amd64",
      "-b",
      `${app}:multi`,
      "-f",
      at("app.tar"),
      "-t",
      `${app}:two`,
    ]);
    assert.notEqual(two.stdout, stdout);
    assert.equal((await layersOf(`${app}:two`, "linux/arm64")).at(-1), arm64?.at(-1));
  });

  test("a folder, with owner and place; the history says so", async () => {
    const words = [
      "append",
      "-b",
      `${app}:1`,
      "-f",
      at("site"),
      "--prefix",
      "srv/www",
      "--owner",
      "1000:7",
      "-t",
      `${app}:site`,
    ];
    assert.equal((await dray(words)).exitCode, 5);
    await mkdir(at("site"), { recursive: true });
    await writeFile(join(home, "site", "index.html"), "<p>");
    const first = await done([...words, "--created-by", "make site"]);
    assert.equal((await done([...words, "--created-by", "make site"])).stdout, first.stdout);
    const { stdout } = await done(["config", `${app}:site`]);
    assert.equal((JSON.parse(stdout) as { history: { created_by: string }[] }).history.at(-1)?.created_by, "make site");
  });

  test("a layout takes the layer itself, an archive by a folder that goes again", async () => {
    const counted = async (...more: readonly string[]): Promise<unknown> => {
      const words = ["append", "-b", `${app}:1`, "-f", "-", "-t", `${host}/counted:1`, "-o", "json", ...more];
      const { copied, bytes } = JSON.parse((await done(words, { stdin: files })).stdout) as Record<string, number>;
      return [copied, (bytes ?? 0) > files.byteLength];
    };
    // The layer itself, the configuration and the manifest.
    assert.deepEqual(await counted("--compression", "none"), [3, true]);
    const location = `oci:${at("layout")}:x`;
    const printed = await done(["append", "-b", `${app}:1`, "-f", "-", "-t", location], { stdin: files });
    assert.match(printed.stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.deepEqual((await layersOf(location)).at(-1), (await layersOf(`${app}:multi-2`)).at(-1));
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("dray-layers-"));
    const archive = at("out.tar");
    assert.equal(
      (await done(["append", "-b", `${app}:1`, "-f", "-", "-t", "a/b:1", "-o", archive], { stdin: files })).stdout,
      "",
    );
    assert.equal((await layersOf(`docker-archive:${archive}`)).length, 3);
    const one = await done(["append", "-b", `${app}:multi`, "-f", at("app.tar"), "-t", "a/b:1", "-o", archive]);
    assert.equal(one.stdout, "");
    assert.match(one.stderr, /out\.tar has one image alone, as docker loads them: linux\/amd64 of the index/);
    const chosen = ["append", "-b", `${app}:multi`, "-f", at("app.tar"), "-t", "a/b:1", "-o", archive];
    const arm = await done([...chosen, "--platform", "linux/arm64"]);
    assert.doesNotMatch(arm.stderr, /one image alone/);
    assert.match((await done(["config", `docker-archive:${archive}`])).stdout, /"architecture":"arm64"/);
    const left = (await readdir(tmpdir())).filter((name) => name.startsWith("dray-layers-") && !before.includes(name));
    assert.deepEqual(left, []);
  });

  test("--dry-run says what would be there and sends nothing; -o json is a document", async () => {
    const words = ["append", "-b", `${app}:1`, "-f", at("app.tar"), "-t", `${host}/dry:1`];
    const from = log.select({}).length;
    const said = await done([...words, "--dry-run"]);
    assert.match(said.stdout, /-> .*\/dry:1: sha256:[0-9a-f]{64}\n$/);
    assert.deepEqual(
      log
        .select({})
        .slice(from)
        .filter(({ method }) => method !== "GET" && method !== "HEAD"),
      [],
    );
    const { stdout } = await done([...words, "-o", "json"]);
    const { roots } = JSON.parse(stdout) as { roots: { digest: string }[] };
    assert.ok(said.stdout.includes(roots[0]?.digest ?? "?"));
  });

  const refusals: readonly (readonly [exitCode: number, says: RegExp, words: string])[] = [
    [2, /-t: say what the result is called/, "-f FILE"],
    [2, /-f: say what is appended/, "-t APP:x"],
    [2, /--oci-empty-base: there is a --base/, "-b APP:1 --oci-empty-base -f FILE -t APP:x"],
    [2, /too many arguments/, "-f FILE -t APP:x APP:1"],
    [2, /Expected numbers such as 1000:1000/, "-f FILE -t APP:x --owner root"],
    [2, /--level 10: gzip has levels from 1 to 9/, "-f FILE -t APP:x --level 10"],
    [2, /Allowed choices are gzip, zstd, none/, "-f FILE -t APP:x --compression xz"],
    [5, /nope: no such file or directory/, "-f FILE.nope -t APP:x"],
    [1, /words.txt: this is no tar, compressed or not/, "-f WORDS -t APP:x"],
    [5, /has no manifest nope/, "-b APP:nope -f FILE -t APP:x"],
    [1, /is an artifact/, "-b APP:sbom -f FILE -t APP:x"],
    [1, /standard input comes once and is needed again/, "-b APP:1 -f - -f - -t APP:x"],
    [1, /standard input comes once and is needed again/, "-b APP:multi -f - -t APP:x"],
  ];
  for (const [exitCode, says, words] of refusals)
    test(`refused: ${words}`, async () => {
      const said = words
        .split(" ")
        .map((word) => word.replace("FILE", at("app.tar")).replace("WORDS", at("words.txt")).replace("APP", app));
      const { exitCode: ended, stderr, stdout } = await dray(["append", ...said], { stdin: Readable.from([files]) });
      assert.match(stderr, says);
      assert.equal(ended, exitCode);
      assert.equal(stdout, "");
      assert.equal(registry.manifest("app", "x"), undefined);
    });
});
