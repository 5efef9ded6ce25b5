import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { open } from "dray";
import { viewOf } from "dray/image";
import { commands } from "../../test/commands.ts";

const { registry, host, at, dray, done } = await commands("rebase");
const { log } = registry;

describe("rebase", () => {
  const bases = { one: sampleIndex({ seed: "rebase/1" }), two: sampleIndex({ seed: "rebase/2" }) };
  const diffIDsOf = async (location: string, platform: string): Promise<readonly (string | undefined)[]> => {
    const { store, name } = await open(location);
    const view = await viewOf(store, await store.resolve(name));
    const image = view.kind === "index" ? await view.image(platform) : view;
    return (await image.layers()).map(({ diffID }) => diffID);
  };

  before(async () => {
    put(registry, "base", "1", bases.one);
    put(registry, "base", "latest", bases.one);
    put(registry, "base", "2", bases.two);
    put(registry, "other", "1", sampleImage({ seed: "rebase/other" }));
    await writeFile(at("app.tar"), tar([{ path: "app", kind: "file", bytes: new Uint8Array(10) }]));
    await done(
      "append",
      "-b",
      `${host}/base:latest`,
      "--set-base-image-annotations",
      "-f",
      at("app.tar"),
      "-t",
      `${host}/app:1`,
    );
    put(registry, "base", "latest", bases.two);
  });

  test("an index by its annotations, where it lies: each image on the image of its platform, which is mounted", async () => {
    await done("copy", `${host}/app:1`, `${host}/app:here`);
    const before = await Promise.all(
      ["linux/amd64", "linux/arm64"].map((platform) => diffIDsOf(`${host}/app:here`, platform)),
    );
    const from = log.select({}).length;
    const { stdout, stderr } = await done("rebase", `${host}/app:here`);
    assert.match(stdout, new RegExp(`^${host}/app@sha256:[0-9a-f]{64}\n$`));
    assert.match(
      stderr,
      /app:here \(linux\/arm64\): 2 layers of \S+\/base@sha256:\w{12}… make room for 2 of \S+\/base:latest, 1 stays on top/,
    );
    for (const [i, platform] of ["linux/amd64", "linux/arm64"].entries())
      assert.deepEqual(await diffIDsOf(`${host}/app:here`, platform), [
        ...(bases.two.images[i]?.diffIDs ?? []),
        before[i]?.at(-1),
      ]);
    const sent = log.select({}).slice(from);
    assert.equal(sent.filter(({ target }) => target.includes("mount=")).length, 4);
    assert.equal(sent.filter(({ method, target }) => method === "POST" && !target.includes("mount=")).length, 2);
    assert.match(
      (await done("rebase", `${host}/app:here`)).stderr,
      /app:here \(linux\/amd64\) stands on \S+\/base:latest already/,
    );
  });

  test("--dry-run says the same and sends nothing; --platform leaves the others; the layout and the file", async () => {
    const words = ["rebase", `${host}/app:1`, "--new_base", `${host}/base:2`, "-t", `${host}/app:dry`];
    const from = log.select({}).length;
    const said = await done(...words, "--dry-run");
    assert.match(said.stderr, /make room for 2 of/);
    assert.deepEqual(
      log
        .select({})
        .slice(from)
        .filter(({ method }) => method !== "GET" && method !== "HEAD"),
      [],
    );
    const real = await done(...words);
    assert.ok(said.stdout.trim().endsWith(real.stdout.trim().split("@")[1] ?? "?"));
    await done(...words.slice(0, -1), `${host}/app:arm`, "--platform", "linux/arm64");
    assert.deepEqual(
      await diffIDsOf(`${host}/app:arm`, "linux/amd64"),
      await diffIDsOf(`${host}/app:1`, "linux/amd64"),
    );
    assert.deepEqual(
      await diffIDsOf(`${host}/app:arm`, "linux/arm64"),
      await diffIDsOf(`${host}/app:dry`, "linux/arm64"),
    );
    const layout = `oci:${at("layout")}:x`;
    await done(...words.slice(0, -1), layout);
    assert.deepEqual(await diffIDsOf(layout, "linux/arm64"), await diffIDsOf(`${host}/app:dry`, "linux/arm64"));
    await done("rebase", layout, "--old_base", `${host}/base:2`, "--new_base", `${host}/base:1`);
    assert.deepEqual(await diffIDsOf(layout, "linux/arm64"), await diffIDsOf(`${host}/app:1`, "linux/arm64"));
  });

  test("what an image says of its base is on a registry, however it is written, and no directory here", async () => {
    const said = [
      "org.opencontainers.image.base.name=oci:1/base:1",
      `org.opencontainers.image.base.digest=sha256:${"0".repeat(64)}`,
    ];
    await done("mutate", `${host}/app:1`, ...said.flatMap((each) => ["-a", each]), "-t", `${host}/app:odd`);
    const { exitCode, stderr } = await dray("--retry", "0", "--timeout", "5s", "rebase", `${host}/app:odd`);
    assert.match(stderr, /reading manifest oci:1\/base@sha256:0/);
    assert.doesNotMatch(stderr, /no layout/);
    assert.notEqual(exitCode, 0);
  });

  const refusals: readonly (readonly [exitCode: number, says: RegExp, words: string])[] = [
    [2, /say which image is to stand on another base/, ""],
    [2, /the image is named twice/, "HOST/app:1 --original HOST/app:1"],
    [2, /which base is the new one: .* has no annotation .*base.name; name it with --new_base/, "HOST/other:1"],
    [
      2,
      /which base is the old one: .* has no annotation .*base.digest; name it with --old_base/,
      "HOST/other:1 --new_base HOST/base:1",
    ],
    [
      1,
      /app:1 \(linux\/amd64\) does not stand on [^ ]*base:2: layer 1 of the base is sha256:.*; name the base .* with --old_base/,
      "HOST/app:1 --old_base HOST/base:2 --new_base HOST/base:1 -t HOST/app:x",
    ],
    [5, /has no manifest nope/, "HOST/app:1 --new_base HOST/base:nope -t HOST/app:x"],
    [5, /has no manifest nope/, "HOST/app:1 --old_base HOST/base:nope --new_base HOST/base:1 -t HOST/app:x"],
    [5, /has no image for linux\/s390x/, "HOST/app:1 --platform linux/s390x -t HOST/app:x"],
  ];
  for (const [exitCode, says, words] of refusals)
    test(`refused: ${words}`, async () => {
      const said = words
        .split(" ")
        .filter((word) => word !== "")
        .map((word) => word.replace("HOST", host));
      const { exitCode: ended, stderr, stdout } = await dray("rebase", ...said);
      assert.match(stderr, says);
      assert.equal(ended, exitCode);
      assert.equal(stdout, "");
      assert.equal(registry.manifest("app", "x"), undefined);
    });
});
