/** Archives and layouts that are damaged, hostile, locked or none: what each gets, and that nothing of it is pushed. */
import assert from "node:assert/strict";
import { cp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, type TarEntry, tar } from "@dray/testkit";
import { hexOf } from "dray/oci";
import { type Sandbox, workshop } from "./dray.ts";
import { type Case, isRefused, type Places } from "./refusal.ts";

const image = sampleImage({ seed: "bad files", docker: true });
const hex = (i: number): string => hexOf((image.layers[i] ?? image.root).digest);

const list = (value: unknown): TarEntry => ({
  path: "manifest.json",
  kind: "file",
  bytes: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});
const naming = (config: string, ...layers: string[]): TarEntry =>
  list([{ Config: config, RepoTags: null, Layers: layers }]);
const link = (path: string, target: string): TarEntry => ({ path, kind: "symlink", target });

/** Tars made by hand, what is wrong with them being their names. */
const hostile: Readonly<Record<string, readonly TarEntry[]>> = {
  "entry-above.tar": [{ path: "../../above", kind: "file" }, naming("../../above")],
  "entry-absolute.tar": [{ path: "/etc/above", kind: "file" }, naming("/etc/above")],
  "names-above.tar": [naming("../../etc/passwd")],
  "names-absolute.tar": [naming("c.json", "/etc/passwd"), { path: "c.json", kind: "file", bytes: configOf(1) }],
  "link-circle.tar": [naming("a"), link("a", "b"), link("b", "a")],
  "link-itself.tar": [link("manifest.json", "manifest.json")],
  "link-above.tar": [naming("a"), link("a", "../../../etc/passwd")],
  "link-absolute.tar": [naming("a"), link("a", "/etc/passwd")],
  "link-nowhere.tar": [naming("a"), link("a", "b")],
  "missing.tar": [naming("gone.json")],
  "no-json.tar": [list("{oops")],
  "no-list.tar": [list({})],
  "deep.tar": [list("[".repeat(100_000))],
  "wide.tar": [list(`[${"[],".repeat(1_000_000)}0]`)],
  "large.tar": [list(" ".repeat(16 * 1024 * 1024 + 1))],
  "control.tar": [naming("\u001b[31mx\u0007\u202e")],
};

function configOf(layers: number): Uint8Array {
  const diffIDs = Array.from({ length: layers }, () => `sha256:${"0".repeat(64)}`);
  return Buffer.from(JSON.stringify({ rootfs: { type: "layers", diff_ids: diffIDs } }));
}

const pushed = (file: string, code: number, says: RegExp): Case => ({
  name: file,
  commands: [`push HERE/${file} TO`, `cp docker-archive:HERE/${file} oci:OUT`],
  code,
  says,
});

const archives: readonly Case[] = [
  pushed(
    "entry-above.tar",
    1,
    /entry-above\.tar has an entry "\.\.\/\.\.\/above", whose name leads out .* not to be trust/,
  ),
  pushed("entry-absolute.tar", 1, /entry-absolute\.tar has an entry "\/etc\/above", whose name leads out/),
  pushed(
    "names-above.tar",
    1,
    /names-above\.tar names a file "\.\.\/\.\.\/etc\/passwd", which leads out of the archive/,
  ),
  pushed("names-absolute.tar", 1, /names-absolute\.tar names a file "\/etc\/passwd", which leads out of the archive/),
  pushed("link-circle.tar", 1, /link-circle\.tar has a link "a" that leads in a circle/),
  pushed("link-itself.tar", 1, /link-itself\.tar has a link "manifest\.json" that leads in a circle/),
  pushed("link-above.tar", 1, /link-above\.tar has a link "a" to "\.\.\/\.\.\/\.\.\/etc\/passwd", which leads out/),
  pushed("link-absolute.tar", 1, /link-absolute\.tar has a link "a" to "\/etc\/passwd", which leads out/),
  pushed("link-nowhere.tar", 1, /link-nowhere\.tar has a link "a" that leads to "b", which is not in it/),
  pushed("missing.tar", 1, /missing\.tar has no file "gone\.json", which manifest\.json names/),
  pushed("no-json.tar", 1, /no-json\.tar: the manifest\.json is no valid JSON/),
  pushed("no-list.tar", 1, /no-list\.tar: manifest\.json is no list of images/),
  pushed("deep.tar", 1, /deep\.tar: the manifest\.json nests deeper than 64 levels/),
  pushed("wide.tar", 1, /wide\.tar: the manifest\.json has more than 500000 lists and objects/),
  pushed("large.tar", 1, /manifest\.json in .*large\.tar is larger than 16777216 bytes/),
  pushed("control.tar", 1, /control\.tar has no file "\\u001b\[31mx\\u0007\\u202e"/),
  pushed("cut-header.tar", 1, /cut-header\.tar is truncated, or no archive at all: it ends in the middle of a header/),
  pushed("cut-body.tar", 1, /cut-body\.tar is truncated: it ends \d+ bytes before the end of entry "/),
  pushed("damaged-config.tar", 1, /damaged-config\.tar has a config "sha256:.*: it is damaged/),
  pushed("damaged-header.tar", 1, /damaged-header\.tar is no tar archive/),
  pushed("damaged-layer.tar", 1, /damaged-layer\.tar.* layer ".*(damaged|ends early).*; save it again/),
  pushed("empty.tar", 1, /empty\.tar is empty/),
  pushed("text.tar", 1, /text\.tar is no tar archive/),
  pushed("packed.tar.xz", 1, /packed\.tar\.xz is compressed with xz; decompress it first/),
  {
    name: "the wrong kind of place",
    commands: ["cp docker-archive:HERE/layout TO", "cp oci-archive:HERE/layout TO"],
    code: 2,
    says: /layout is a directory, not an archive; an OCI layout is read as oci:/,
  },
  {
    name: "the wrong kind of archive",
    commands: ["cp oci-archive:HERE/good.tar TO"],
    code: 1,
    says: /good\.tar is a docker archive; read it as docker-archive:/,
  },
  {
    name: "two images, and nobody says which",
    commands: ["push HERE/two.tar TO", "digest --tarball HERE/two.tar"],
    code: 2,
    says: /two\.tar holds 2 images: .*; say which: docker-archive:/,
  },
  {
    name: "a name that the archive does not have",
    commands: ["cp docker-archive:HERE/good.tar:other:1 TO"],
    code: 5,
    says: /good\.tar has no "other:1"; it holds 127\.0\.0\.1/,
  },
  {
    name: "no such file",
    commands: ["push HERE/none.tar TO", "digest --tarball HERE/none.tar", "cp oci-archive:HERE/none.tar TO"],
    code: 5,
    says: /none\.tar/,
  },
];

/** A layout that has been tampered with, by what was done to it. */
const tampered: Readonly<Record<string, (dir: string) => Promise<unknown>>> = {
  "no-index": (dir) => rm(`${dir}/index.json`),
  "of-the-future": (dir) => writeFile(`${dir}/oci-layout`, '{"imageLayoutVersion":"9.0.0"}'),
  "half-an-index": (dir) => writeFile(`${dir}/index.json`, '{"schemaVersion":2,'),
  "no-object": (dir) => writeFile(`${dir}/index.json`, "[]"),
  "a-path-for-a-digest": (dir) =>
    writeFile(
      `${dir}/index.json`,
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: "a/b", size: 1, digest: "sha256:../../secret" }] }),
    ),
  "no-manifest": (dir) => rm(`${dir}/blobs/sha256/${hex(-1)}`),
  "no-layer": (dir) => rm(`${dir}/blobs/sha256/${hex(0)}`),
  "a-wrong-manifest": (dir) => flip(`${dir}/blobs/sha256/${hex(-1)}`, 30),
  "a-wrong-layer": (dir) => flip(`${dir}/blobs/sha256/${hex(0)}`, 1000),
  "a-short-layer": (dir) => truncate(`${dir}/blobs/sha256/${hex(0)}`, 100),
  "a-circle-of-links": async (dir) => {
    await rm(`${dir}/blobs/sha256/${hex(0)}`);
    await symlink(hex(0), `${dir}/blobs/sha256/${hex(0)}`);
  },
  "an-empty-index": (dir) => writeFile(`${dir}/index.json`, '{"schemaVersion":2,"manifests":[]}'),
};

const flip = async (file: string, at: number): Promise<void> => {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  await writeFile(file, bytes);
};

const copied = (layout: string, code: number, says: RegExp): Case => ({
  name: layout,
  commands: [`push HERE/${layout} TO`, `cp --verify oci:HERE/${layout} oci-archive:OUT`],
  code,
  says,
});

const layouts: readonly Case[] = [
  copied("no-index", 1, /layout .*no-index: it is no OCI layout: it has no index\.json; check the path/),
  copied("of-the-future", 1, /layout .*of-the-future has version "9\.0\.0"; Dray reads 1\.0\.0/),
  copied("half-an-index", 1, /layout .*half-an-index: the index\.json is no valid JSON; write the layout again/),
  copied("no-object", 1, /layout .*no-object: index\.json is damaged: it is no JSON object; write the layout again/),
  copied("a-path-for-a-digest", 1, /index\.json is damaged: .*"sha256:\.\.\/\.\.\/secret" is missing or invalid/),
  copied("no-manifest", 5, /layout .*no-manifest has no sha256:/),
  copied("no-layer", 5, /layout .*no-layer has no sha256:/),
  copied("a-wrong-manifest", 1, /layout .*a-wrong-manifest: blob sha256:.* holds other bytes; remove /),
  copied("a-wrong-layer", 1, /sha256:.*(holds other bytes; remove|DIGEST_INVALID|has digest)/),
  copied(
    "a-short-layer",
    1,
    /layout .*a-short-layer: blob sha256:.* has 100 bytes instead of \d+; copy it there again/,
  ),
  copied("a-circle-of-links", 1, /layout .*a-circle-of-links: blob sha256:.* is a loop of links; remove /),
  copied("an-empty-index", 5, /layout .*an-empty-index is empty/),
  {
    name: "a layout that is damaged is not written to",
    commands: ["half-an-index", "no-object", "of-the-future"].map((name) => `pull --format oci IMAGE HERE/${name}`),
    code: 1,
    says: /layout .*(half-an-index|no-object|of-the-future)/,
  },
  {
    name: "two entries, and nobody says which",
    commands: ["push HERE/two TO"],
    code: 2,
    says: /layout .*two holds 2 entries.*; say which: .*or consider --index/,
  },
  {
    name: "a name that the layout does not have",
    commands: ["cp oci:HERE/layout:other TO", "delete oci:HERE/layout:other"],
    code: 5,
    says: /layout .* has no name "other"/,
  },
  {
    name: "a directory that is none",
    commands: ["cp oci:HERE/nowhere TO", "ls oci:HERE/nowhere"],
    code: 5,
    says: /there is no layout .*nowhere; check the path/,
  },
  {
    name: "a file in place of a layout",
    commands: ["cp oci:HERE/good.tar TO"],
    code: 1,
    says: /layout .*good\.tar: (it is a file|a part of the path is no directory)/,
  },
  {
    name: "a file where a layout is to be",
    commands: ["pull --format oci IMAGE HERE/good.tar", "cp IMAGE oci:HERE/good.tar"],
    code: 2,
    says: /^Error: .*good\.tar is a file; name a directory, or write an archive as oci-archive:/,
  },
];

describe("files", { concurrency: 4 }, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();

  before(async () => {
    shop = await workshop();
    put(registry, "demo/app", "v1", image);
    put(registry, "demo/other", "v1", sampleImage({ seed: "other file" }));
    server = await listen(registry.handler);
    const [app, other] = [`${server.host}/demo/app:v1`, `${server.host}/demo/other:v1`];
    await Promise.all([
      shop.ok(["pull", app, shop.path("good.tar")]),
      shop.ok(["pull", app, other, shop.path("two.tar")]),
      shop.ok(["pull", "--format", "oci", app, shop.path("layout")]),
      shop.ok(["pull", "--format", "oci", app, other, shop.path("two")]),
    ]);
    const good = await readFile(shop.path("good.tar"));
    const write = (name: string, bytes: string | Uint8Array): Promise<void> => writeFile(shop.path(name), bytes);
    for (const [name, entries] of Object.entries(hostile)) await write(name, tar(entries));
    await write("cut-header.tar", good.subarray(0, 300));
    await write("cut-body.tar", good.subarray(0, good.byteLength >> 1));
    await write("empty.tar", "");
    await write("text.tar", "no archive ".repeat(100));
    await write("packed.tar.xz", Buffer.concat([Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), Buffer.alloc(600)]));
    for (const [name, at] of [
      ["damaged-header.tar", 5],
      ["damaged-config.tar", 600],
      ["damaged-layer.tar", good.indexOf(hex(0)) + 512 + 2000],
    ] as const) {
      await write(name, good);
      await flip(shop.path(name), at);
    }
    for (const [name, tamper] of Object.entries(tampered)) {
      await cp(shop.path("layout"), shop.path(name), { recursive: true });
      await tamper(shop.path(name));
    }
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  for (const [i, each] of [...archives, ...layouts].entries())
    test(each.name, async () => {
      const places: Places = {
        HERE: shop.dir,
        IMAGE: `${server.host}/demo/app:v1`,
        TO: `${server.host}/to/case-${i}:v1`,
      };
      await isRefused(shop, places, each);
      assert.deepEqual(registry.tags(`to/case-${i}`), [], "nothing was named");
    });
});
