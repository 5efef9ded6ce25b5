import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { collect } from "dray/content";
import { type FileInTar, filesTar, type ImageConfig } from "dray/image";
import type { Index, Manifest } from "dray/oci";
import { commands } from "../../test/commands.ts";
import { type Rehearsed, type RehearseOptions } from "../../test/rehearse.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const layer = (entries: readonly FileInTar[]): Promise<Uint8Array> =>
  collect(filesTar(entries).open(), 1_000_000, "layer");
const files = [
  await layer([
    { name: "etc/", type: "directory", mode: 0o755 },
    { name: "etc/motd", mode: 0o640, content: bytes("old\n") },
    { name: "usr/bin/tool", mode: 0o4755, content: bytes("tool") },
    { name: "bin", type: "symlink", linkName: "usr/bin" },
    { name: "usr/bin/also", type: "hardlink", linkName: "usr/bin/tool", mode: 0o4755 },
  ]),
];
const image = sampleImage({ seed: "edit-fs", tars: files });
const windows = sampleImage({
  seed: "edit-fs/windows",
  platform: { os: "windows", architecture: "amd64" },
  tars: [
    await layer([
      { name: "Files/", type: "directory", mode: 0o755 },
      { name: "Files/app.ini", content: bytes("a=1") },
    ]),
  ],
});
const same = sampleIndex({
  seed: "edit-fs/same",
  platforms: ["linux/amd64", "linux/arm64"],
  image: { tars: files },
  attestations: true,
});

const { registry, host, at, dray, done: doneIn } = await commands("edit-fs");
const app = `${host}/team/app`;

describe("edit fs", { skip: process.platform === "win32" ? "the editor is a script of a shell" : false }, () => {
  const done = (words: readonly string[], stdin?: string | RehearseOptions): Promise<Rehearsed> =>
    doneIn(words, typeof stdin === "string" ? { stdin } : stdin);
  /** Lines of `ls -l` without the times. */
  const listed = async (name: string, path: string, ...more: string[]): Promise<string[]> =>
    (await done(["ls", "-l", ...more, `${app}:${name}:${path}`])).stdout.trimEnd().split("\n");
  const text = async (name: string, path: string, ...more: string[]): Promise<string> =>
    (await done(["cat", ...more, `${app}:${name}:${path}`])).stdout;
  const manifest = (name: string): Manifest & Index =>
    JSON.parse(new TextDecoder().decode(registry.manifest("team/app", name)?.bytes)) as Manifest & Index;
  const config = async (name: string): Promise<ImageConfig> =>
    JSON.parse((await done(["config", `${app}:${name}`])).stdout) as ImageConfig;
  const typing = async (script: string): Promise<RehearseOptions> => {
    const editor = at(`editor-${Math.random()}`);
    await writeFile(editor, `#!/bin/sh\nset -e\n${script}\n`);
    await chmod(editor, 0o755);
    return {
      stdin: Object.assign(Readable.from([]), { isTTY: true }),
      env: { EDITOR: editor },
      isTerminal: true,
    };
  };

  before(async () => {
    for (const [tag, sample] of Object.entries({ one: image, windows, same })) put(registry, "team/app", tag, sample);
  });

  test("from standard input: one layer more with that file alone, which keeps what it had; prints the name where it went", async () => {
    const { stdout } = await done(
      ["edit", "fs", "--filename", "/etc/motd", "--tag", `${app}:new`, `${app}:one`],
      "new\n",
    );
    assert.equal(stdout, `${app}:new\n`);
    assert.equal(await text("new", "/etc/motd"), "new\n");
    assert.deepEqual(await listed("new", "/etc"), ["-rw-r----- 0/0 4 1970-01-01T00:00:00Z motd"]);
    assert.deepEqual(manifest("new").layers.slice(0, 1), manifest("one").layers);
    assert.equal(manifest("new").layers.length, 2);
    const { history, rootfs } = await config("new");
    assert.deepEqual(history?.at(-1), { created_by: "dray edit fs /etc/motd" });
    assert.equal(rootfs?.diff_ids?.length, 2);
    // The same again is the same digest, however the path is written.
    await done(["edit", "fs", "-f", "etc/motd", "-t", `${app}:again`, `${app}:one`], "new\n");
    assert.equal(registry.manifest("team/app", "again")?.digest, registry.manifest("team/app", "new")?.digest);
  });

  test("what comes from an empty standard input is an empty file, and that is told", async () => {
    const { stderr } = await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:empty`, `${app}:one`], "");
    assert.match(stderr, /^standard input was empty, and so is the new file$/m);
    assert.equal(await text("empty", "/etc/motd"), "");
  });

  test("of a file that is that one already changes nothing", async () => {
    const { stderr } = await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:kept`, `${app}:one`], "old\n");
    assert.match(stderr, /nothing was changed/);
    assert.equal(registry.manifest("team/app", "kept")?.digest, image.root.digest);
  });

  test("of a new file makes the folders above, with crane's mode or the one that is said", async () => {
    await done(["edit", "fs", "-f", "/srv/a/run.sh", "-t", `${app}:made`, `${app}:one`], "#!/bin/sh\n");
    assert.deepEqual(await listed("made", "/srv", "-R", "--full-ref"), [
      `drwxr-xr-x 0/0  0 1970-01-01T00:00:00Z ${app}:made:/srv`,
      `drwxr-xr-x 0/0  0 1970-01-01T00:00:00Z ${app}:made:/srv/a`,
      `-r-xr-xr-x 0/0 10 1970-01-01T00:00:00Z ${app}:made:/srv/a/run.sh`,
    ]);
    const words = ["edit", "fs", "--mode", "4600", "--owner", "7:8", "-t", `${app}:owned`];
    await done([...words, "-f", "/etc/new", `${app}:one`], "x");
    assert.deepEqual(await listed("owned", "/etc/new"), ["-rwS------ 7/8 1 1970-01-01T00:00:00Z new"]);
    await done([...words, "-f", "/etc/motd", `${app}:one`], "old\n");
    assert.deepEqual(await listed("owned", "/etc/motd"), ["-rwS------ 7/8 4 1970-01-01T00:00:00Z motd"]);
  });

  test("follows links, and says where a file keeps another name", async () => {
    const { stderr } = await done(["edit", "fs", "-f", "/bin/also", "-t", `${app}:linked`, `${app}:one`], "other");
    assert.match(stderr, /Warning: \/usr\/bin\/also was another name of \/usr\/bin\/tool, which keeps what it holds/);
    assert.deepEqual([await text("linked", "/usr/bin/also"), await text("linked", "/usr/bin/tool")], ["other", "tool"]);
    await done(["edit", "fs", "-f", "/bin/new", "-t", `${app}:linked`, `${app}:one`], "n");
    assert.equal(await text("linked", "/usr/bin/new"), "n");
    assert.match((await listed("linked", "/")).join(), / bin -> usr\/bin/);
  });

  test("--delete takes a file away, or a folder, or a link and not what it leads to", async () => {
    await done(["edit", "fs", "--delete", "-f", "/etc/motd", "-t", `${app}:less`, `${app}:one`]);
    assert.deepEqual(await listed("less", "/etc"), [""]);
    assert.deepEqual((await config("less")).history?.at(-1), { created_by: "dray edit fs --delete /etc/motd" });
    await done(["edit", "fs", "--delete", "-f", "/usr", "-t", `${app}:less`, `${app}:one`]);
    assert.doesNotMatch((await done(["ls", `${app}:less:/`])).stdout, /usr/);
    await done(["edit", "fs", "--delete", "-f", "/bin", "-t", `${app}:less`, `${app}:one`]);
    assert.equal((await done(["ls", `${app}:less:/`])).stdout, "etc\nusr\n");
    const gone = await dray(["edit", "fs", "--delete", "-f", "/nope", `${app}:one`]);
    assert.deepEqual([gone.exitCode, /has no file \/nope/.test(gone.stderr)], [5, true], gone.stderr);
  });

  test("of an index: of every image, or of those that are named; the index stays one", async () => {
    const { stderr } = await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:all`, `${app}:same`], "all");
    assert.match(stderr, /2 attestations of what changed are left out/);
    for (const platform of ["linux/amd64", "linux/arm64"])
      assert.equal(await text("all", "/etc/motd", "--platform", platform), "all");
    const words = ["edit", "fs", "--platform", "linux/arm64", "-f", "/etc/motd", "-t", `${app}:arm`, `${app}:same`];
    await done(words, "arm");
    assert.equal(await text("arm", "/etc/motd", "--platform", "linux/arm64"), "arm");
    assert.equal(await text("arm", "/etc/motd", "--platform", "linux/amd64"), "old\n");
    assert.equal(manifest("arm").manifests[0]?.digest, manifest("same").manifests[0]?.digest);
    await done([
      "edit",
      "fs",
      "--platform",
      "linux/arm64",
      "--delete",
      "-f",
      "/etc/motd",
      "-t",
      `${app}:arm`,
      `${app}:same`,
    ]);
    const partly = await done(["edit", "fs", "--delete", "-f", "/etc/motd", "-t", `${app}:none`, `${app}:arm`]);
    assert.match(partly.stderr, /there is no \/etc\/motd for linux\/arm64/);
    await done(["validate", "--remote", `${app}:none`]);
  });

  test("of Windows: below Files, with what lets it run there", async () => {
    await done(["edit", "fs", "-f", "/Files/app.ini", "-t", `${app}:ini`, `${app}:windows`], "a=2");
    assert.equal(await text("ini", "/Files/app.ini"), "a=2");
    assert.deepEqual((await done(["ls", `${app}:ini:/`])).stdout, "Files\nHives\n");
    const refused = await dray(["edit", "fs", "-f", "/app.ini", `${app}:windows`], { stdin: "a" });
    assert.deepEqual([refused.exitCode, /lie below \/Files\//.test(refused.stderr)], [2, true], refused.stderr);
  });

  test("--dry-run sends nothing and tells as a document which image it would be; -o json tells the same", async () => {
    const words = ["edit", "fs", "-f", "/etc/motd", "-o", "json", "-j", "1", "-t", `${app}:planned`, `${app}:one`];
    const planned = await done([...words, "--dry-run"], "planned");
    assert.equal(registry.manifest("team/app", "planned"), undefined);
    const made = await done(words, "planned");
    const { digest } = registry.manifest("team/app", "planned") ?? {};
    for (const { stdout } of [planned, made]) {
      assert.ok(digest !== undefined && stdout.includes(digest), stdout);
      assert.equal((JSON.parse(stdout) as { schemaVersion: number }).schemaVersion, 1);
    }
  });

  test("in a layout, and from there to a registry", async () => {
    const layout = `oci:${at("layout")}:a`;
    await done(["copy", `${app}:one`, layout]);
    const { stdout } = await done(["edit", "fs", "-f", "/etc/motd", layout], "lies here");
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal((await done(["cat", `${layout}:/etc/motd`])).stdout, "lies here");
    await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:up`, layout], "and there");
    assert.equal(await text("up", "/etc/motd"), "and there");
  });

  test("in an editor: the file under its own name; what was left as it is changes nothing", async () => {
    const script = `grep -qx old "$1"\ncase "$1" in */motd) echo typed >> "$1" ;; esac`;
    const { stdout } = await done(
      ["edit", "fs", "-f", "/etc/motd", "-t", `${app}:typed`, `${app}:one`],
      await typing(script),
    );
    assert.equal(stdout, `${app}:typed\n`);
    assert.equal(await text("typed", "/etc/motd"), "old\ntyped\n");
    await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:left`, `${app}:one`], await typing("true"));
    await done(["edit", "fs", "-f", "/etc/none", "-t", `${app}:left`, `${app}:one`], await typing("true"));
    assert.equal(registry.manifest("team/app", "left")?.digest, image.root.digest);
    await done(
      ["edit", "fs", "-f", "/etc/odd name'", "-t", `${app}:odd`, `${app}:one`],
      await typing(`echo new > "$1"`),
    );
    assert.equal(await text("odd", "/etc/odd name'"), "new\n");
  });

  test("in an editor: what is the same in each image of an index is changed in each, and what is not is refused", async () => {
    await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:both`, `${app}:same`], await typing(`echo both > "$1"`));
    for (const platform of ["linux/amd64", "linux/arm64"])
      assert.equal(await text("both", "/etc/motd", "--platform", platform), "both\n");
    await done(
      ["edit", "fs", "--platform", "linux/arm64", "-f", "/etc/motd", "-t", `${app}:mixed`, `${app}:same`],
      "arm",
    );
    const words = ["edit", "fs", "-f", "/etc/motd", `${app}:mixed`];
    const refused = await dray(words, await typing(`echo never > "$1"`));
    assert.equal(refused.exitCode, 2);
    assert.match(
      refused.stderr,
      /\/etc\/motd is not the same in all images of .*; name one with --platform \(linux\/amd64, linux\/arm64\)/,
    );
  });

  test("what was typed is kept where it cannot be written, and nothing is left otherwise", async () => {
    const temporary = temporaryFolder("edit-fs-tmp");
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temporary;
    try {
      const script = await typing(`echo precious > "$1"; exit 3`);
      const { exitCode, stderr } = await dray(["edit", "fs", "-f", "/etc/motd", `${app}:one`], script);
      assert.equal(exitCode, 2);
      const [, file = ""] = /what was typed is kept in (\S+\/motd): /.exec(stderr) ?? [];
      assert.equal(await readFile(file, "utf8"), "precious\n");
      assert.equal(registry.manifest("team/app", "one")?.digest, image.root.digest);
      const kept = await readdir(temporary);
      assert.equal(kept.length, 1);
      // A name that no file can have is refused before anybody types.
      await dray(["edit", "fs", "-f", "/etc/motd/x", `${app}:one`], await typing(`echo lost > "$1"`));
      await done(["edit", "fs", "-f", "/etc/motd", "-t", `${app}:tidy`, `${app}:one`], "tidy");
      await dray(["edit", "fs", "-f", "/etc/motd", `${app}:nope`], { stdin: "x" });
      assert.deepEqual(await readdir(temporary), kept);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });

  const refused: readonly [words: readonly string[], exitCode: number, says: RegExp][] = [
    [["APP:one"], 2, /-f: say which file of the image is meant/],
    [["-f", "", "APP:one"], 2, /-f: say which file/],
    [["-f", "/etc", "APP:one"], 2, /\/etc is a directory in /],
    [["-f", "/", "APP:one"], 2, /names no file|is a directory/],
    [["-f", "/new/", "APP:one"], 2, /names no file/],
    [["-f", "/etc/motd/x", "APP:one"], 5, /\/etc\/motd is no directory/],
    [["-f", "/etc/.wh.motd", "APP:one"], 2, /a name that layers keep/],
    [["-f", `/${"n".repeat(256)}`, "APP:one"], 2, /is longer than Linux has it/],
    [["-f", "/etc/motd", "--mode", "888", "APP:one"], 2, /Expected octal digits/],
    [["-f", "/etc/motd", "--owner", "root", "APP:one"], 2, /Expected numbers/],
    [["-f", "/etc/motd", "--delete", "--mode", "644", "APP:one"], 2, /--delete: --mode is about a file that stays/],
    [["-f", "/", "--delete", "APP:one"], 2, /the root of an image cannot be taken away/],
    [["-f", "/etc/motd", "--platform", "linux/s390x", "APP:same"], 5, /s390x/],
    [["-f", "/etc/motd", "APP:nope"], 5, /check the name/],
  ];
  for (const [words, exitCode, says] of refused)
    test(`${words.join(" ").slice(0, 60)} is refused, and nothing is written`, async () => {
      const before = registry.log.count({ method: "PUT" });
      const ended = await dray(["edit", "fs", ...words.map((word) => word.replace("APP", app))], { stdin: "x" });
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, "");
      assert.equal(registry.log.count({ method: "PUT" }), before);
    });
});
