import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { relative } from "node:path";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const one = sampleImage({ seed: "one", docker: true });
const two = sampleImage({ seed: "two", docker: true });
const index = sampleIndex({ seed: "many", platforms: ["linux/amd64", "linux/arm64", "windows/amd64"] });

const { registry, host, at: file, dray, printed, refused } = await commands("archives");
const app = `${host}/team/app`;

describe("archives, and which image of several is meant", () => {
  before(async () => {
    put(registry, "team/app", "1", one);
    put(registry, "team/app", "2", two);
    put(registry, "team/app", "multi", index);
    await printed("pull", `${app}:1`, file("one.tar"));
    await printed("pull", `${app}:1`, `${app}:2`, file("both.tar"));
    await printed("cp", `${app}:1`, `oci-archive:${file("one.oci")}`);
    await printed("cp", `${app}:1`, `oci:${file("layout")}:a`);
    await printed("cp", `${app}:2`, `oci:${file("layout")}:b`);
  });

  test("a fast check asks the table of contents of what is read", async () => {
    for (const words of [["--tarball", file("one.tar")], [`docker-archive:${file("one.tar")}`]])
      assert.match(await printed("validate", "--fast", ...words), /^PASS: .*\n$/);
    for (const words of [["--tarball", file("one.oci")], [`oci-archive:${file("one.oci")}`]]) {
      assert.match(await printed("validate", "--fast", ...words), /^PASS: .*\n$/);
      assert.match(await printed("validate", ...words), /^PASS: .*\n$/);
    }
    assert.equal(await printed("digest", "--tarball", file("one.oci")), `${one.root.digest}\n`);
  });

  test("what an archive of several images says helps when it is followed", async () => {
    const both = file("both.tar");
    for (const words of [["validate", "--tarball"], ["digest", "--tarball"], ["push"]] as const) {
      const to = words[0] === "push" ? [`${host}/pushed:1`] : [];
      const { stderr } = await refused(2, /say which: docker-archive:/, ...words, both, ...to);
      const [, which = ""] = /say which: (docker-archive:[^;]*);/.exec(stderr) ?? [];
      await printed(...words, which, ...to);
    }
    const { stderr } = await refused(2, /say which: oci:/, "push", file("layout"), `${host}/pushed:2`);
    const [, which = ""] = /say which: (oci:[^;]*);/.exec(stderr) ?? [];
    await printed("push", which, `${host}/pushed:2`);
    assert.match(await printed("digest", "--tarball", both, `${app}:2`), /^sha256:/);
  });

  test("an archive cannot be changed", async () => {
    await refused(1, /archives are written whole; copy the image/, "tag", `docker-archive:${file("one.tar")}`, "w");
    await refused(1, /archives are written whole/, "tag", `oci-archive:${file("one.oci")}`, "w");
  });

  test("validate goes on after a location that is not there, and says so of each", async () => {
    const missing = `oci:${file("nope")}`;
    const { stdout } = await refused(3, /1 of 2 locations could not be looked at/, "validate", missing, `${app}:1`);
    assert.match(stdout, /^FAIL: oci:.*nope.*there is no layout.*\nPASS: .*:1\n$/);
    const json = await refused(3, /1 of 2/, "validate", "-o", "json", missing, `${app}:1`);
    const { results } = JSON.parse(json.stdout);
    assert.deepEqual(
      results.map(({ ok, error }: { ok: boolean; error?: { code: string } }) => [ok, error?.code]),
      [
        [false, "NOT_FOUND"],
        [true, undefined],
      ],
    );
    await refused(5, /there is no layout/, "validate", missing);
    await refused(5, /there is no layout/, "validate", missing, missing);
  });

  test("a file that has the name of what is no location is pointed out", async () => {
    const here = relative(process.cwd(), file("One.oci"));
    await copyFile(file("one.oci"), file("One.oci"));
    await refused(2, /there is a file .*One\.oci here: check that with --tarball/, "validate", here);
    assert.match(await printed("validate", "--tarball", here), /^PASS/);
  });

  test("an os alone is one image only where there is one", async () => {
    for (const command of ["digest", "config", "manifest", "validate"])
      await refused(
        2,
        /several images for linux: linux\/amd64, linux\/arm64/,
        command,
        "--platform",
        "linux",
        `${app}:multi`,
      );
    assert.equal(await printed("digest", "--platform", "windows", `${app}:multi`), `${index.images[2]?.root.digest}\n`);
    await refused(5, /no image for plan9; it has linux\/amd64/, "digest", "--platform", "plan9", `${app}:multi`);
  });

  test("an interrupted copy prints no document", async () => {
    const words = ["cp", "-o", "json", `${app}:1`, `oci:${file("interrupted")}:a`];
    const { exitCode, stdout } = await dray(words, { signal: AbortSignal.abort() });
    assert.deepEqual([exitCode, stdout], [130, ""]);
  });

  test("where nothing can be written that is said, and nothing else", async () => {
    await refused(1, /cannot write layout \/dev\/null\/x/, "cp", `${app}:1`, "oci:/dev/null/x:y");
    if (existsSync("/proc/self")) await refused(1, /cannot write layout \/proc\/x/, "cp", `${app}:1`, "oci:/proc/x:y");
    await refused(2, /the PATH is empty/, "pull", `${app}:1`, "");
  });
});
