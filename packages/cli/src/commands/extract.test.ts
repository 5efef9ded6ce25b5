import assert from "node:assert/strict";
import { lstat, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const image = sampleImage({
  tars: [
    tar([
      { path: "etc/", kind: "directory", mode: 0o700 },
      { path: "etc/gone", kind: "file", bytes: Buffer.from("gone") },
      { path: "etc/kept", kind: "file", bytes: Buffer.from("kept"), mode: 0o4755 },
      { path: "etc/link", kind: "symlink", target: "../../../etc/passwd" },
    ]),
    tar([{ path: "etc/.wh.gone", kind: "file" }]),
  ],
});
const evil = sampleImage({ tars: [tar([{ path: "../evil", kind: "file" }])] });

const { registry, host, home, at, dray } = await commands("extract");
const app = `${host}/team/app`;

describe("an extraction", () => {
  before(async () => {
    put(registry, "team/app", "1", image);
    put(registry, "team/app", "evil", evil);
    put(registry, "team/app", "index", sampleIndex({ platforms: ["linux/arm64", "linux/amd64"] }));
  });

  test("puts the tree into a directory, and says what it was", async () => {
    const { exitCode, stdout, stderr } = await dray(["extract", `${app}:1`, at("a")]);
    assert.deepEqual([exitCode, stdout], [0, ""], stderr);
    assert.match(stderr, /extracted 1 file of 4 B, 1 directory and 1 link to /);
    assert.deepEqual((await readdir(at("a/etc"))).sort(), ["kept", "link"]);
    assert.equal(await readFile(at("a/etc/kept"), "utf8"), "kept");
    assert.ok((await lstat(at("a/etc/link"))).isSymbolicLink());
    assert.equal((await stat(at("a/etc"))).mode & 0o777, 0o700);
    const again = await dray(["extract", `${app}:1`, at("a")]);
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /is not empty/);
  });

  test("tells of it as a document, what it could not set among it", async () => {
    await mkdir(at("b"));
    const { stdout, stderr } = await dray(["extract", "-o", "json", "--no-same-owner", `${app}:1`, at("b")]);
    const { leftOut, ...told } = JSON.parse(stdout);
    assert.deepEqual(told, {
      schemaVersion: 1,
      reference: `${app}:1`,
      directory: at("b"),
      digest: image.root.digest,
      files: 1,
      directories: 1,
      symlinks: 1,
      hardlinks: 0,
      bytes: 4,
    });
    assert.deepEqual(
      leftOut.filter(({ what }: { what: string }) => what === "set-id"),
      [{ what: "set-id", count: 1, paths: ["etc/kept"] }],
    );
    assert.match(stderr, /1 of the files are set-uid or set-gid in the image.*: etc\/kept/);
  });

  test("by tar is the same", async () => {
    const { exitCode, stdout, stderr } = await dray(["extract", "--tar", "-o", "json", `${app}:1`, at("c")]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(stdout).digest, image.root.digest);
    assert.equal(await readFile(at("c/etc/kept"), "utf8"), "kept");
    assert.equal((await stat(at("c/etc/kept"))).mode & 0o7777, 0o4755);
  });

  test("takes an archive on stdin, and one platform of several", async () => {
    assert.equal((await dray(["pull", `${app}:1`, at("saved.tar")])).exitCode, 0);
    const piped = await dray(["extract", "-", at("d")], { stdin: await readFile(at("saved.tar")) });
    assert.equal(piped.exitCode, 0, piped.stderr);
    assert.deepEqual(await readdir(at("d")), ["etc"]);
    const several = await dray(["extract", `${app}:index`, at("e")]);
    assert.equal(several.exitCode, 2);
    assert.match(several.stderr, /linux\/arm64/);
    assert.equal((await dray(["extract", "--platform", "linux/arm64", `${app}:index`, at("e")])).exitCode, 0);
  });

  test("is refused with the right code, and leaves nothing", async () => {
    for (const [words, code, said] of [
      [[`${app}:evil`, at("x")], 1, /leaves the root/],
      [[`${app}:none`, at("x")], 5, /none/],
      [["--max-size", "3", `${app}:1`, at("x")], 1, /more than 3 bytes; raise --max-size, if that is right/],
      [["--max-entries", "2", `${app}:1`, at("x")], 1, /more than 2 entries/],
      [["--max-ratio", "0", `${app}:1`, at("x")], 2, /above zero/],
      [["--tar", "--max-size", "3", `${app}:1`, at("x")], 2, /--max-size/],
      [["--tar", "--no-same-owner", `${app}:1`, at("x")], 2, /--no-same-owner/],
      [[`${app}:1`, ""], 2, /DIRECTORY/],
      [[`${app}:1`], 2, /directory/i],
    ] as const) {
      const { exitCode, stderr } = await dray(["extract", ...words]);
      assert.equal(exitCode, code, `${words.join(" ")}: ${stderr}`);
      assert.match(stderr, said, words.join(" "));
    }
    assert.ok(!(await readdir(home)).some((name) => name.startsWith("x")));
  });
});
