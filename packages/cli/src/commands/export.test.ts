import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { answerWith, faults, listen, put, sampleArtifact, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const image = sampleImage({
  tars: [
    tar([
      { path: "etc/", kind: "directory" },
      { path: "etc/gone", kind: "file", bytes: Buffer.from("gone") },
      { path: "etc/kept", kind: "file", bytes: Buffer.from("kept") },
    ]),
    tar([{ path: "etc/.wh.gone", kind: "file" }]),
  ],
});
const index = sampleIndex({ platforms: ["linux/arm64", "linux/amd64"] });
const alone = sampleIndex({ platforms: ["linux/arm64"] });
const blob = sampleArtifact({ bytes: Buffer.from("no tar at all") });

const { registry, host, home, at, dray } = await commands("export");
const app = `${host}/team/app`;

describe("an export", () => {
  const listed = (file: string): string => execFileSync("tar", ["-tf", file]).toString();

  before(async () => {
    for (const [tag, sample] of Object.entries({ image, index, alone, blob })) put(registry, "team/app", tag, sample);
  });

  test("goes to a file, of which a document tells, or to stdout", async () => {
    const { exitCode, stdout, stderr } = await dray(["export", `${app}:image`, at("a.tar")]);
    assert.deepEqual([exitCode, stdout], [0, ""], stderr);
    assert.equal(listed(at("a.tar")), "etc\netc/kept\n");
    const bytes = await readFile(at("a.tar"));
    for (const words of [[`${app}:image`], [`${app}:image`, "-"]]) {
      const printed = await dray(["export", ...words]);
      assert.equal(printed.exitCode, 0, printed.stderr);
      assert.equal(printed.stdout, bytes.toString());
    }
    const told = await dray(["export", "-o", "json", `${app}:image`, at("b.tar")]);
    assert.deepEqual(JSON.parse(told.stdout), {
      schemaVersion: 1,
      reference: `${app}:image`,
      digest: image.root.digest,
      file: at("b.tar"),
      size: bytes.byteLength,
    });
    assert.deepEqual(await readFile(at("b.tar")), bytes);
  });

  test("is of one platform, linux/amd64 unless another is named", async () => {
    for (const [words, code] of [
      [[`${app}:index`, at("p.tar")], 0],
      [["--platform", "linux/arm64", `${app}:index`, at("q.tar")], 0],
      [["--platform", "linux/arm64", `${app}:alone`, at("r.tar")], 0],
      [[`${app}:alone`, at("s.tar")], 5],
      [["--platform", "linux/arm64,linux/amd64", `${app}:index`, at("s.tar")], 2],
    ] as const)
      assert.equal((await dray(["export", ...words])).exitCode, code, words.join(" "));
    assert.ok(!(await readFile(at("p.tar"))).equals(await readFile(at("q.tar"))));
    assert.ok(!(await readdir(home)).some((name) => name.startsWith("s.tar")));
  });

  test("takes a layout, an archive, and an archive on stdin", async () => {
    for (const words of [
      ["cp", `${app}:image`, `oci:${at("layout")}:x`],
      ["pull", `${app}:image`, at("saved.tar")],
    ])
      assert.equal((await dray(words)).exitCode, 0);
    const wanted = (await dray(["export", `${app}:image`])).stdout;
    for (const source of [`oci:${at("layout")}:x`, `docker-archive:${at("saved.tar")}`])
      assert.equal((await dray(["export", source])).stdout, wanted, source);
    const piped = await dray(["export", "-", "-"], { stdin: await readFile(at("saved.tar")) });
    assert.equal(piped.stdout, wanted, piped.stderr);
  });

  test("of a single blob that is no layer is that blob", async () => {
    assert.equal((await dray(["export", `${app}:blob`])).stdout, "no tar at all");
  });

  test("that fails leaves nothing under its name", async () => {
    const [layer] = image.layers;
    await writeFile(at("old.tar"), "old");
    const other = await listen(
      faults(registry.handler, [{ target: `/blobs/${layer?.digest}`, effect: answerWith(404) }]),
    );
    try {
      const { exitCode, stderr } = await dray(["export", `${other.host}/team/app:image`, at("old.tar")]);
      assert.notEqual(exitCode, 0, stderr);
    } finally {
      await other.close();
    }
    assert.equal(await readFile(at("old.tar"), "utf8"), "old");
    assert.ok((await readdir(home)).every((name) => !name.endsWith(".tmp")));
    for (const words of [
      ["-o", "json", `${app}:image`],
      [`${app}:image`, ""],
    ])
      assert.equal((await dray(["export", ...words])).exitCode, 2);
  });
});
