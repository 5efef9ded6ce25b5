import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Index, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";
import { type RehearseOptions } from "../../test/rehearse.ts";

type Json = Readonly<Record<string, unknown>>;

const image = sampleImage({ seed: "edit" });
const multi = sampleIndex({ seed: "edit", platforms: ["linux/amd64", "linux/arm64"] });

const { registry, host, at, dray, done } = await commands("edit");
const app = `${host}/team/app`;
const { log } = registry;

describe("edit", { skip: process.platform === "win32" ? "the editor is a script of a shell" : false }, () => {
  const shown = async (word: string, name: string, ...more: string[]): Promise<Json> =>
    JSON.parse((await done([word, ...more, `${app}:${name}`])).stdout) as Json;
  /** Somebody at a terminal, whose editor is this script; `$1` is the file. */
  const typing = async (script: string): Promise<RehearseOptions> => {
    const editor = at(`editor-${Math.random()}`);
    await writeFile(editor, `#!/bin/sh\nset -e\n${script}\n`);
    await chmod(editor, 0o755);
    return { stdin: Object.assign(Readable.from([]), { isTTY: true }), env: { EDITOR: editor }, isTerminal: true };
  };

  before(async () => {
    put(registry, "team/app", "1", image);
    put(registry, "team/app", "multi", multi);
  });

  test("config from standard input, unknown members and all; prints the name where it went, as crane does", async () => {
    const config = await shown("config", "1");
    const { stdout } = await done(["edit", "config", "-t", `${app}:new`, `${app}:1`], {
      stdin: JSON.stringify({ ...config, "x-mine": [1] }, null, 4),
    });
    assert.equal(stdout, `${app}:new\n`);
    assert.deepEqual(await shown("config", "new"), { ...config, "x-mine": [1] });
    const long = JSON.stringify(config).replace("{", '{"x-long":9223372036854775807,');
    await done(["edit", "config", "-t", `${app}:long`, `${app}:1`], { stdin: long });
    assert.equal((await done(["config", `${app}:long`])).stdout.trim(), long);
    const typed = await typing(`sed -i 's/"x-long": 9223372036854775807/&, "x-more": 1/' "$1"`);
    await done(["edit", "config", "-t", `${app}:long`, `${app}:long`], typed);
    assert.equal((await done(["config", `${app}:long`])).stdout.trim(), long.replace("5807,", '5807,"x-more":1,'));
    const same = await done(["edit", "config", `${app}@${image.root.digest}`], { stdin: JSON.stringify(config) });
    assert.equal(same.stdout, `${app}@${image.root.digest}\n`);
    const bare = await done(["edit", "config", "-t", `${app}:bare`, `${app}:1`], { stdin: "{}" });
    assert.match(bare.stderr, /Warning: the configuration has 0 diff_ids for 2 layers/);
    assert.deepEqual(await shown("config", "bare"), {});
  });

  test("config of an index: of the platform that is named, and the index stays", async () => {
    const config = await shown("config", "multi", "--platform", "linux/arm64");
    const words = ["edit", "config", "--platform", "linux/arm64", "-t", `${app}:two`, `${app}:multi`];
    await done(words, { stdin: JSON.stringify({ ...config, architecture: "arm", variant: "v7" }) });
    const index = (await shown("manifest", "two")) as unknown as Index;
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform),
      [
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm", variant: "v7" },
      ],
    );
    assert.equal(index.manifests[0]?.digest, multi.images[0]?.root.digest);
    await done(["validate", "--remote", `${app}:two`]);
  });

  test("manifest from standard input: of an image, of an index, and of one image of an index", async () => {
    const manifest = await shown("manifest", "1");
    await done(["edit", "manifest", "-t", `${app}:noted`, `${app}:1`], {
      stdin: JSON.stringify({ ...manifest, annotations: { a: "b" } }),
    });
    assert.deepEqual(await shown("manifest", "noted"), { ...manifest, annotations: { a: "b" } });
    const index = await shown("manifest", "multi");
    await done(["edit", "manifest", "-t", `${app}:noted`, `${app}:multi`], {
      stdin: JSON.stringify({ ...index, annotations: { c: "d" } }),
    });
    assert.deepEqual(await shown("manifest", "noted"), { ...index, annotations: { c: "d" } });
    const arm = await shown("manifest", "multi", "--platform", "linux/arm64");
    await done(["edit", "manifest", "--platform", "linux/arm64", "-t", `${app}:noted`, `${app}:multi`], {
      stdin: JSON.stringify({ ...arm, annotations: { e: "f" } }),
    });
    assert.deepEqual(await shown("manifest", "noted", "--platform", "linux/arm64"), {
      ...arm,
      annotations: { e: "f" },
    });
    assert.equal(((await shown("manifest", "noted"))["manifests"] as unknown[]).length, 2);
    await done(["edit", "manifest", "-m", mediaTypes.dockerManifest, "-t", `${app}:typed`, `${app}:1`], {
      stdin: JSON.stringify(manifest),
    });
    assert.equal(registry.manifest("team/app", "typed")?.mediaType, mediaTypes.dockerManifest);
  });

  test("--dry-run sends nothing and tells as a document which image it would be", async () => {
    for (const [word, change] of [
      ["config", { "x-dry": 1 }],
      ["manifest", { annotations: { dry: "1" } }],
    ] as const) {
      const before = log.count({ method: "PUT" }) + log.count({ method: "POST" });
      const stdin = JSON.stringify({ ...(await shown(word, "1")), ...change });
      const target = ["-t", `${app}:dry-${word}`, `${app}:1`];
      const planned = await done(["edit", word, "--dry-run", "--output", "json", "--jobs", "1", ...target], { stdin });
      assert.equal(log.count({ method: "PUT" }) + log.count({ method: "POST" }), before);
      assert.equal(registry.manifest("team/app", `dry-${word}`), undefined);
      await done(["edit", word, "--jobs", "1", ...target], { stdin });
      const made = registry.manifest("team/app", `dry-${word}`)?.digest ?? "nothing";
      assert.ok(planned.stdout.includes(made), planned.stdout);
      assert.equal((JSON.parse(planned.stdout) as Json)["schemaVersion"], 1);
    }
  });

  test("in an editor: the document has white space there, and none in the image", async () => {
    const options = await typing(`grep -q '^  "os": "linux",$' "$1"\nsed -i 's/"os": "linux"/"os": "plan9"/' "$1"`);
    const { stdout } = await done(["edit", "config", "-t", `${app}:typed`, `${app}:1`], options);
    assert.equal(stdout, `${app}:typed\n`);
    assert.equal((await shown("config", "typed"))["os"], "plan9");
    assert.doesNotMatch((await done(["config", `${app}:typed`])).stdout, /\s"/);
    await done(["edit", "manifest", "-t", `${app}:same`, `${app}:1`], await typing("true"));
    assert.equal(registry.manifest("team/app", "same")?.digest, image.root.digest);
  });

  test("where the result is piped on, the new one is read from whoever types, as crane has it, and they are told", async () => {
    const config = JSON.stringify({ ...(await shown("config", "1")), "x-piped": 1 });
    const stdin = Object.assign(Readable.from([Buffer.from(config)]), { isTTY: true });
    const { stderr } = await done(["edit", "config", "-t", `${app}:piped`, `${app}:1`], {
      stdin,
      env: { EDITOR: "false" },
    });
    assert.match(stderr, /no editor is opened: type all of the new content/);
    assert.equal((await shown("config", "piped"))["x-piped"], 1);
  });

  const kept: readonly [
    what: string,
    words: readonly string[],
    script: string,
    exitCode: number,
    says: RegExp,
    holds: string,
  ][] = [
    ["no JSON", ["config"], `echo '{ half' > "$1"`, 1, /no valid JSON/, "{ half\n"],
    ["no object", ["config"], `echo '[]' > "$1"`, 1, /is no JSON object/, "[]\n"],
    [
      "no manifest",
      ["manifest"],
      `echo '{"a":1}' > "$1"`,
      1,
      /the change to the manifest .* is not valid/,
      '{"a":1}\n',
    ],
    ["an editor that fails", ["config"], `echo '{}' > "$1"; exit 3`, 2, /the editor .* ended with 3/, "{}\n"],
    [
      "a blob that is nowhere",
      ["manifest"],
      `sed -i 's/"digest": "sha256:......../"digest": "sha256:00000000/' "$1"`,
      5,
      /BLOB_UNKNOWN/,
      "",
    ],
  ];
  for (const [what, words, script, exitCode, says, holds] of kept)
    test(`${what}: what was typed is kept, and said where`, async () => {
      const ended = await dray(
        ["--retry", "0", "edit", ...words, "-t", `${app}:refused`, `${app}:1`],
        await typing(script),
      );
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, says);
      const [, file = ""] = /what was typed is kept in (\S+\.json): /.exec(ended.stderr) ?? [];
      const text = await readFile(file, "utf8");
      if (holds === "") assert.match(text, /sha256:00000000/);
      else assert.equal(text, holds);
      assert.equal(registry.manifest("team/app", "refused"), undefined);
    });

  test("nothing is kept where all went well, or where nothing was typed yet", async () => {
    const temporary = temporaryFolder("edit-tmp");
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temporary;
    try {
      await done(["edit", "config", "-t", `${app}:typed`, `${app}:1`], await typing("true"));
      assert.equal((await dray(["edit", "config", `${app}:nope`], await typing("true"))).exitCode, 5);
      const failed = await dray(["edit", "config", `${app}:1`], await typing("exit 3"));
      assert.equal(failed.exitCode, 2);
      assert.match(failed.stderr, /^Error: the editor .* ended with 3, so nothing was changed/);
      assert.deepEqual(await readdir(temporary), []);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });

  const refused: readonly [words: readonly string[], stdin: string, exitCode: number, says: RegExp][] = [
    [["config", "APP:1"], "x", 1, /the configuration on standard input is no valid JSON/],
    [["config", "APP:1"], "", 1, /no valid JSON/],
    [["config", "APP:1"], "[]", 1, /is no JSON object/],
    [
      ["config", "APP:multi"],
      "{}",
      2,
      /is an index of several images; name one with --platform: linux\/amd64, linux\/arm64/,
    ],
    [["manifest", "APP:1"], "{}", 1, /is not valid/],
    [
      ["manifest", "-m", mediaTypes.ociIndex, "APP:1"],
      '{"schemaVersion":2,"layers":[]}',
      1,
      /is not valid: an index may not have "layers"/,
    ],
    [["manifest", "APP:nope"], "{}", 5, /check the name/],
  ];
  for (const [words, stdin, exitCode, says] of refused)
    test(`${words.join(" ")} with ${stdin || "nothing"} is refused, and nothing is written`, async () => {
      const before = log.count({ method: "PUT" });
      const ended = await dray(["edit", ...words.map((word) => word.replace("APP", app))], { stdin });
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, "");
      assert.equal(log.count({ method: "PUT" }), before);
    });
});
