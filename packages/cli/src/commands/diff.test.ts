import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const file = (path: string, text: string, mode?: number) => ({
  path,
  kind: "file" as const,
  bytes: new TextEncoder().encode(text),
  ...(mode === undefined ? {} : { mode }),
});
const status = (version: string): string =>
  `Package: libc\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`;
const base = Array.from({ length: 4 }, (_, i) => tar([file(`base/${i}`, `${i}`)]));
const config = { created: "2000-01-01T00:00:00Z", history: [] };
const long = (end: string): { readonly long: string } => ({ long: `${"x".repeat(300)}${end}` });
const one = sampleImage({
  tars: [
    ...base,
    tar([file("app", "one"), file("old", "x"), file("var/lib/dpkg/status", status("1"))]),
    tar([file("su", "x")]),
  ],
  config: { ...config, config: { Env: ["A=1"], Labels: { v: "1", ...long("old") } } },
  annotations: { note: "a" },
});
const two = sampleImage({
  tars: [
    ...base,
    tar([file("app", "three"), file("var/lib/dpkg/status", status("2")), file("odd\u001b[31m", "")]),
    tar([file("su", "x", 0o4755), file("big", "b".repeat(9000))]),
  ],
  config: { ...config, config: { Env: ["A=2"], Labels: { v: "1", ...long("new") } } },
});

const { registry, host, at, dray } = await commands("diff");
const app = `${host}/app`;

describe("dray diff", () => {
  const layersFetched = (): number =>
    registry.log.entries
      .splice(0)
      .filter(
        ({ method, target }) =>
          method === "GET" && [...one.layers, ...two.layers].some(({ digest }) => target.endsWith(digest)),
      ).length;

  before(async () => {
    put(registry, "app", "1", one);
    put(registry, "app", "2", two);
    put(
      registry,
      "multi",
      "1",
      sampleIndex({ seed: "a", platforms: ["linux/amd64", "linux/arm64"], attestations: true }),
    );
    put(registry, "multi", "2", sampleIndex({ seed: "b", platforms: ["linux/amd64", "linux/s390x"] }));
  });

  test("says what differs, and fetches two layers of six on each side, the second time none", async () => {
    layersFetched();
    const { exitCode, stdout, stderr } = await dray("diff", `${app}:1`, `${app}:2`);
    assert.equal(exitCode, 1, stderr);
    assert.equal(layersFetched(), 4);
    const [app1, su1] = one.layers.slice(4).map(({ digest }) => digest.slice(7, 19));
    const [app2, su2] = two.layers.slice(4).map(({ digest }) => digest.slice(7, 19));
    const lines = stdout.split("\n");
    assert.deepEqual(lines.slice(0, -2), [
      "configuration",
      '  ~ environment A: "1" -> "2"',
      `  ~ label long: …${"x".repeat(20)}old" -> …${"x".repeat(20)}new"`,
      '  - annotation note: "a"',
      "packages",
      "  ~ libc 1 -> 2 (amd64)",
      "files",
      `  ~ /app: content, 3 B -> 5 B [${app2}]`,
      `  + /big: 9.0 kB [${su2}]`,
      `  + /odd\\u001b[31m: 0 B [${app2}]`,
      `  - /old: 1 B [${app1}]`,
      `  ~ /su: mode -rw-r--r-- -> -rwsr-xr-x [${su2}]`,
      `  ~ /var/lib/dpkg/status: content [${app2}]`,
      "  ? 3 of these may stand in place of what is in 4 layers that both have, which were not read",
    ]);
    assert.match(lines.at(-2) ?? "", /^size \d.* -> \d.* more; 2 and 2 layers differ, 4 are shared$/);
    assert.equal(stderr, "");
    assert.ok(su1);
    await dray("diff", `${app}:1`, `${app}:2`);
    assert.equal(layersFetched(), 0);
    const whole = await dray("diff", "--shared-layers", `${app}:1`, `${app}:2`);
    assert.equal(whole.exitCode, 1);
    assert.equal(layersFetched(), 4);
    assert.ok(!whole.stdout.includes("may stand in place"));
  });

  test("of an image and itself prints nothing and ends well, also from elsewhere", async () => {
    const layout = `oci:${at("layout")}:x`;
    assert.equal((await dray("copy", `${app}:1`, layout)).exitCode, 0);
    for (const other of [`${app}@${one.root.digest}`, layout])
      assert.deepEqual(await dray("diff", `${app}:1`, other).then(({ exitCode, stdout }) => [exitCode, stdout]), [
        0,
        "",
      ]);
  });

  test("with --max-growth fails only for that", async () => {
    const grown = await dray("diff", "--max-growth", "100", `${app}:1`, `${app}:2`);
    assert.equal(grown.exitCode, 1);
    assert.match(grown.stderr, /^Error: \S+:2 is larger than \S+:1 by more than 100 B: by /);
    assert.match(grown.stdout, /^files$/m);
    assert.equal((await dray("diff", "--max-growth", "5MB", `${app}:1`, `${app}:2`)).exitCode, 0);
    assert.equal((await dray("diff", "--max-growth", "0", `${app}:2`, `${app}:1`)).exitCode, 0);
    assert.equal((await dray("diff", "--max-growth", "much", `${app}:1`, `${app}:2`)).exitCode, 2);
  });

  test("prints a document", async () => {
    const { exitCode, stdout } = await dray("diff", "-o", "json", `${app}:1`, `${app}:2`);
    assert.equal(exitCode, 1);
    const { images, ...rest } = JSON.parse(stdout);
    assert.deepEqual(rest, {
      schemaVersion: 1,
      before: { location: `${app}:1`, digest: one.root.digest },
      after: { location: `${app}:2`, digest: two.root.digest },
      differs: true,
    });
    assert.equal(images.length, 1);
    const [{ files, layers, said, packages, platform, size }] = images;
    assert.equal(platform, "linux/amd64");
    assert.deepEqual([layers.shared, layers.before.length, layers.after[0].digest], [4, 2, two.layers[4]?.digest]);
    assert.ok(size.after > size.before);
    assert.deepEqual(said, [
      { kind: "environment", name: "A", before: "1", after: "2" },
      { kind: "label", name: "long", before: long("old").long, after: long("new").long },
      { kind: "annotation", name: "note", before: "a" },
    ]);
    assert.deepEqual(packages, {
      changes: [{ name: "libc", architecture: "amd64", before: "1", after: "2", database: "/var/lib/dpkg/status" }],
      unread: [],
    });
    const facts = { type: "file", uid: 0, gid: 0, modified: "1970-01-01T00:00:00.000Z" };
    assert.deepEqual(
      files.find(({ path }: { path: string }) => path === "/su"),
      {
        path: "/su",
        change: "changed",
        aspects: ["mode"],
        shared: false,
        before: { ...facts, size: 1, mode: "0644", layer: one.layers[5]?.digest },
        after: { ...facts, size: 1, mode: "4755", layer: two.layers[5]?.digest },
      },
    );
    assert.equal(files.length, 6);
    const same = JSON.parse((await dray("diff", "-o", "json", `${app}:1`, `${app}:1`)).stdout);
    assert.deepEqual([same.differs, same.images[0].files], [false, []]);
  });

  test("compares all platforms of indexes, or those that are named", async () => {
    const [a, b] = [`${host}/multi:1`, `${host}/multi:2`];
    const { exitCode, stdout } = await dray("diff", a, b);
    assert.equal(exitCode, 1);
    assert.deepEqual(
      stdout.split("\n").filter((line) => /^(linux|only)/.test(line)),
      ["linux/amd64", "linux/arm64", `only ${a} has it`, "linux/s390x", `only ${b} has it`],
    );
    const json = JSON.parse((await dray("diff", "-o", "json", a, b)).stdout);
    assert.deepEqual(
      json.images.map(({ platform, before: was, after: is }: Record<string, string>) => [
        platform,
        was !== undefined,
        is !== undefined,
      ]),
      [
        ["linux/amd64", true, true],
        ["linux/arm64", true, false],
        ["linux/s390x", false, true],
      ],
    );
    const chosen = await dray("diff", "--platform", "linux/amd64", a, b);
    assert.doesNotMatch(chosen.stdout, /^linux\//m);
    assert.equal((await dray("diff", "--platform", "linux/arm64", a, b)).exitCode, 5);
    // An image and an index: of that the image's platform.
    assert.equal((await dray("diff", `${app}:1`, a)).exitCode, 1);
    assert.equal((await dray("diff", a, `${app}:none`)).exitCode, 5);
    assert.equal((await dray("diff", a)).exitCode, 2);
  });
});
