/** crane and dray with the same arguments against the same registry: what scripts can see is the same, but for docs/crane.md. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, sampleIndex } from "@dray/testkit";
import { type Finished, findPeer, finish, succeed } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "./dray.ts";

const crane = findPeer("crane");
const tar = findPeer("tar");

const image = sampleImage({ seed: "parity", docker: true, layers: 3 });
const oci = sampleImage({ seed: "parity-oci" });
const index = sampleIndex({ seed: "parity-index", platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7"] });

describe("the same arguments", { skip: missing(["crane", crane]), concurrency: 4 }, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();

  before(async () => {
    shop = await workshop();
    put(registry, "demo/app", "1.0", image);
    put(registry, "demo/app", "oci", oci);
    put(registry, "demo/app", "multi", index);
    put(registry, "demo/app", "latest", image);
    registry.addTags("demo/app", ["v1.10", "v1.9", `sha256-${"0".repeat(64)}.sig`], image.root.digest);
    put(registry, "demo/other", "latest", oci);
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  /** `APP` stands for the repository, `HOST` for the registry, `DIR` for a folder of each program's own. */
  const both = async (...words: readonly string[]): Promise<{ crane: Finished; dray: Finished }> => {
    const said = (who: string): string[] =>
      words.map((word) =>
        word
          .replaceAll("APP", `${server.host}/demo/app`)
          .replaceAll("HOST", server.host)
          .replaceAll("DIR", shop.path(who)),
      );
    const env = { HOME: shop.dir, DOCKER_CONFIG: shop.path("docker") };
    return { crane: await finish([crane as string, ...said("crane")], { env }), dray: await shop.dray(said("dray")) };
  };

  const equal: readonly string[][] = [
    ["digest", "APP:1.0"],
    ["digest", "APP"],
    ["digest", "APP:multi"],
    ["digest", "--full-ref", "APP:1.0"],
    ["digest", "--platform", "linux/arm64", "APP:multi"],
    ["digest", "--platform=linux/arm/v7", "APP:multi"],
    ["digest", "--platform", "linux/amd64", "APP:1.0"],
    ["--platform", "linux/arm64", "digest", "APP:multi"],
    ["digest", `APP@${index.root.digest}`],
    ["manifest", "APP:1.0"],
    ["manifest", "APP:multi"],
    ["manifest", "--platform", "linux/arm64", "APP:multi"],
    ["manifest", "--platform", "all", "APP:multi"],
    ["manifest", "--insecure=true", "APP:oci"],
    ["config", "APP:1.0"],
    ["config", "APP:oci"],
    ["config", "APP:multi"],
    ["config", "--platform", "linux/arm/v7", "APP:multi"],
    ["ls", "APP"],
    ["ls", "-O", "APP"],
    ["ls", "--omit-digest-tags=true", "APP"],
    ["ls", "--full-ref", "APP"],
    ["catalog", "HOST"],
    ["catalog", "--full-ref", "HOST"],
    ["blob", `APP@${image.config.digest}`],
    ["blob", `APP@${image.layers[0]?.digest}`],
    ["validate", "--remote", "APP:1.0"],
    ["validate", "--remote", "APP:oci"],
    ["validate", "--remote", "APP:multi"],
    ["validate", "--fast", "--remote", "APP:multi"],
    ["validate", "--platform", "linux/arm64", "--remote", "APP:multi"],
    ["auth", "get", "HOST"],
  ];
  for (const words of equal) {
    test(words.join(" "), async () => {
      const { crane, dray } = await both(...words);
      assert.equal(dray.stdout, crane.stdout, dray.stderr);
      assert.equal(dray.code, crane.code, dray.stderr);
    });
  }

  const failing: readonly string[][] = [
    ["digest", "APP:nope"],
    ["digest", "APP@sha256:1"],
    ["digest", "APP:bad tag"],
    ["digest", "UPPER/case"],
    ["digest", "--full-ref", "--tarball", "x.tar"],
    ["digest", "--tarball", "DIR/missing.tar"],
    ["digest", "--platform", "linux/s390x", "APP:multi"],
    ["manifest"],
    ["manifest", "APP:nope"],
    ["manifest", "APP", "APP"],
    ["manifest", "--platform", "a/b/c/d", "APP"],
    ["manifest", "127.0.0.1:1/demo/app"],
    ["config", "APP:nope"],
    ["config", `APP@${image.config.digest}`],
    ["ls", "APP:1.0"],
    ["ls", "HOST/demo/nope"],
    ["ls"],
    ["ls", "--nope", "APP"],
    ["catalog", "HOST/demo"],
    ["catalog", "bad host"],
    ["blob", "APP:1.0"],
    ["blob", `APP@sha256:${"0".repeat(64)}`],
    ["tag", "APP:nope", "x"],
    ["tag", "APP:1.0", "a/b"],
    ["tag", "APP:1.0"],
    ["delete", "APP:nope"],
    ["copy", "APP:nope", "HOST/copied/nope"],
    ["copy", "APP:1.0"],
    ["copy", "-n", "APP:1.0", "HOST/demo/other:latest"],
    ["copy", "-a", "APP:1.0", "HOST/copied/nope"],
    ["pull", "APP:1.0"],
    ["pull", "APP:nope", "DIR/nope.tar"],
    ["pull", "--format", "nope", "APP", "DIR/nope.tar"],
    ["pull", "APP", "DIR/no/such/folder.tar"],
    ["push", "DIR/missing.tar", "HOST/pushed:1"],
    ["push", "DIR"],
    ["validate", "--remote", "APP:nope"],
    ["validate", "--tarball", "DIR/missing.tar"],
    ["auth", "login", "HOST"],
    ["auth", "token", "APP"],
    ["nope"],
  ];
  for (const words of failing) {
    test(`fails: ${words.join(" ")}`, async () => {
      const { crane, dray } = await both(...words);
      assert.notEqual(crane.code, 0);
      assert.notEqual(dray.code, 0);
      assert.match(crane.stderr, /^(.* )?Error: /m);
      assert.match(dray.stderr, /^Error: /m);
      if (words[0] !== "digest" || words.length > 1) assert.equal(dray.stdout, "");
    });
  }

  test("copy, tag and delete print nothing and leave the same behind", async () => {
    const rows: readonly string[][] = [
      ["copy", "APP:multi", "HOST/copied/WHO:multi"],
      ["cp", "--platform", "linux/arm64", "APP:multi", "HOST/copied/WHO:arm"],
      ["cp", "-n", "APP:1.0", "HOST/copied/WHO:1.0"],
      ["tag", "HOST/copied/WHO:1.0", "again"],
      ["delete", "HOST/copied/WHO:1.0"],
      ["copy", "--all-tags", "--jobs", "2", "HOST/copied/WHO", "HOST/mirrored/WHO"],
    ];
    for (const words of rows) {
      const [a, b] = ["crane", "dray"].map((who) =>
        words.map((word) =>
          word.replaceAll("WHO", who).replaceAll("APP", `${server.host}/demo/app`).replaceAll("HOST", server.host),
        ),
      );
      const byCrane = await succeed([crane as string, ...(a ?? [])], { env: { HOME: shop.dir } });
      assert.equal(await shop.ok(b ?? []), byCrane, words.join(" "));
    }
    for (const place of ["copied", "mirrored"]) {
      const digests = (who: string) =>
        registry.tags(`${place}/${who}`).map((tag) => [tag, registry.manifest(`${place}/${who}`, tag)?.digest]);
      assert.deepEqual(digests("dray"), digests("crane"), place);
      assert.deepEqual(registry.tags(`${place}/dray`), ["again", "arm", "multi"]);
    }
  });

  test("push prints the same and leaves the same behind", async () => {
    await succeed([crane as string, "pull", `${server.host}/demo/app:1.0`, shop.path("push.tar")]);
    await succeed([
      crane as string,
      "pull",
      "--format",
      "oci",
      `${server.host}/demo/app:multi`,
      shop.path("push.layout"),
    ]);
    await succeed([
      crane as string,
      "pull",
      "--format",
      "oci",
      `${server.host}/demo/app:1.0`,
      shop.path("push.layout"),
    ]);
    const rows: readonly string[][] = [
      [shop.path("push.tar"), `${server.host}/pushed/tar:1`],
      ["--index", shop.path("push.layout"), `${server.host}/pushed/layout:1`],
    ];
    for (const words of rows) {
      const byCrane = await succeed([crane as string, "push", "--image-refs", shop.path("refs.crane"), ...words]);
      assert.equal(await shop.ok(["push", "--image-refs", shop.path("refs.dray"), ...words]), byCrane);
      assert.equal(await readFile(shop.path("refs.dray"), "utf8"), await readFile(shop.path("refs.crane"), "utf8"));
    }
  });

  const archives: readonly string[][] = [
    ["pull", "APP:1.0", "OUT"],
    ["pull", "APP", "OUT"],
    ["pull", "APP:1.0", "APP:oci", "APP:latest", "OUT"],
    ["pull", "APP:multi", "OUT"],
    ["pull", "--platform", "linux/arm64", "APP:multi", "OUT"],
    ["pull", `APP@${image.root.digest}`, "OUT"],
    ["pull", "--format", "legacy", "APP:1.0", "OUT"],
  ];
  for (const [n, words] of archives.entries()) {
    test(`the same archive: ${words.join(" ")}`, { skip: missing(["tar", tar]) }, async () => {
      const [a, b] = await pulled(words, `archive-${n}.tar`);
      assert.deepEqual(await entriesOf(b), await entriesOf(a));
    });
  }

  const layouts: readonly string[][] = [
    ["pull", "--format", "oci", "APP:1.0", "OUT"],
    ["pull", "--format", "oci", "APP:multi", "OUT"],
    ["pull", "--format=oci", "--platform", "linux/arm64", "APP:multi", "OUT"],
    ["pull", "--format=oci", "--annotate-ref", "APP:1.0", "APP", "APP:multi", "OUT"],
  ];
  for (const [n, words] of layouts.entries()) {
    test(`the same layout: ${words.join(" ")}`, async () => {
      const [a, b] = await pulled(words, `layout-${n}`);
      assert.deepEqual(await filesOf(b), await filesOf(a));
      assert.deepEqual(await entriesIn(b), await entriesIn(a));
    });
  }

  const pulled = async (words: readonly string[], name: string): Promise<[byCrane: string, byDray: string]> => {
    const said = (who: string): string[] =>
      words.map((word) =>
        word.replaceAll("APP", `${server.host}/demo/app`).replaceAll("OUT", shop.path(`${who}-${name}`)),
      );
    await succeed([crane as string, ...said("crane")]);
    await shop.ok(said("dray"));
    return [shop.path(`crane-${name}`), shop.path(`dray-${name}`)];
  };

  /** Names of the entries in a tar with the digests of their bytes. */
  const entriesOf = async (file: string): Promise<Record<string, string>> => {
    const names = (await succeed([tar as string, "-tf", file])).trimEnd().split("\n");
    const folder = `${file}.unpacked`;
    await succeed(["mkdir", folder]);
    await succeed([tar as string, "-xf", file, "-C", folder, "--no-same-owner"]);
    const found: Record<string, string> = {};
    for (const name of new Set(names)) if (!name.endsWith("/")) found[name] = await sumOf(join(folder, name));
    return found;
  };

  /** Files of a layout with the digests of their bytes, but for the index, whose entries are compared. */
  const filesOf = async (folder: string): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for (const name of await readdir(folder, { recursive: true })) {
      const file = join(folder, name);
      if (name !== "index.json" && (await stat(file)).isFile()) found[relative(folder, file)] = await sumOf(file);
    }
    return found;
  };

  /** Entries of a layout's index in any order, as far as both programs say something: crane also repeats the artifact type. */
  const entriesIn = async (folder: string): Promise<unknown[]> => {
    const { manifests } = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
    const inOrder = (entry: Record<string, unknown>): string => JSON.stringify([entry["digest"], entry["annotations"]]);
    return manifests
      .map(({ artifactType: _repeated, ...entry }: Record<string, unknown>) => entry)
      .sort((a: Record<string, unknown>, b: Record<string, unknown>) => (inOrder(a) < inOrder(b) ? -1 : 1));
  };

  const sumOf = async (file: string): Promise<string> =>
    createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
});
