import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { imageOf, imageOfTars, type Line, layerTar } from "../../../test/tree-image.ts";
import { isDrayError } from "../../errors.ts";
import { endOfArchive, padding, readEntries, writeHeader } from "../../tar/index.ts";
import type { Image } from "../views.ts";
import { exportTar } from "./export-tar.ts";

const bytesOf = async (image: Image): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of exportTar(image)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const large = "0123456789abcdef".repeat(40_000);

test("everything that an entry says of itself is in the export, below another name too", async () => {
  const odd: Exclude<Line, string> = {
    name: "usr/bin/ping",
    mode: 0o4751,
    uid: 3_000_000,
    gid: 7,
    uname: "grüße",
    gname: "net",
    mtime: 1_700_000_000.125,
    pax: {
      "SCHILY.xattr.security.capability": "\u0001\u0000\u0000\u0002\u0000\u00ff\u0000\n",
      "SCHILY.xattr.user.a": "b",
      mtime: "1700000000.125",
    },
    body: "pong",
  };
  const image = await imageOf(
    [odd, { name: "large", body: large, mode: 0o600 }, "link=>usr/bin/ping"],
    [
      { name: "dev/sda", type: "block-device", deviceMajor: 8, deviceMinor: 1, mode: 0o660 },
      "a\udcff=x",
      "usr/bin/.wh.ping",
    ],
  );
  const bytes = await bytesOf(image);
  assert.equal(bytes.byteLength % 512, 0);
  const found = [];
  for await (const { start: _, offset: __, body, data: ___, stored: ____, ...entry } of readEntries(once(bytes))) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    found.push({ ...entry, body: Buffer.concat(parts).toString() });
  }
  const plain = {
    type: "file",
    size: 0,
    linkName: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    uname: "",
    gname: "",
    mtime: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    pax: {},
  };
  assert.deepEqual(found, [
    { ...plain, name: "dev/sda", type: "block-device", deviceMajor: 8, deviceMinor: 1, mode: 0o660, body: "" },
    { ...plain, name: "a\udcff", size: 1, pax: { path: "a\udcff" }, body: "x" },
    { ...plain, name: "large", size: large.length, mode: 0o600, body: large },
    { ...plain, ...odd, name: "link", size: 4, pax: { ...odd.pax, uid: "3000000", uname: "grüße" } },
  ]);
});

test("a sparse file stays one, in the newest form", async () => {
  const extents = [{ offset: 500_000, size: 3 }];
  const sparse = [writeHeader({ name: "s", size: 1_000_000, extents }), Buffer.from("abc"), padding(3), endOfArchive()];
  const bytes = await bytesOf(await imageOfTars([Buffer.concat(sparse)]));
  assert.ok(bytes.byteLength < 10_000);
  for await (const entry of readEntries(once(bytes))) {
    assert.deepEqual([entry.name, entry.size, entry.extents], ["s", 1_000_000, extents]);
    let size = 0;
    for await (const chunk of entry.body) size += chunk.byteLength;
    assert.equal(size, 1_000_000);
  }
});

test("GNU tar extracts hard links whose files lie in another layer, or are there no more", async (t) => {
  const folder = temporaryFolder("export");
  const [file, out] = [join(folder, "a.tar"), join(folder, "out")];
  await mkdir(out);
  const image = await imageOf(["x=below", "y=changed", "z=>y", "w=>y"], ["a=>x", "y=new"]);
  await writeFile(file, await bytesOf(image));
  try {
    execFileSync("tar", ["-xf", file, "-C", out], { stdio: "pipe" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    console.error("export-tar.test.ts: tar is not here: not compared");
    return t.diagnostic("tar is not here: not compared");
  }
  const seen = async (name: string): Promise<readonly [string, number]> => [
    await readFile(join(out, name), "utf8"),
    (await stat(join(out, name))).ino,
  ];
  const [a, x, y, z, w] = [await seen("a"), await seen("x"), await seen("y"), await seen("z"), await seen("w")];
  assert.deepEqual([a[0], x[0], y[0], z[0], w[0]], ["below", "below", "new", "changed", "changed"]);
  assert.ok(a[1] === x[1] && z[1] === w[1] && y[1] !== z[1]);
});

test("an image without layers is an empty archive; one that breaks off has no end", async () => {
  assert.deepEqual(await bytesOf(await imageOf()), Buffer.from(endOfArchive()));
  const broken = await imageOfTars([layerTar(["a=1", { name: "b", body: large }]).slice(0, 300_000)]);
  const chunks: Uint8Array[] = [];
  await assert.rejects(
    async () => {
      for await (const chunk of exportTar(broken)) chunks.push(chunk);
    },
    (error: unknown) => isDrayError(error, "ARCHIVE_INVALID") && error.message.includes('"b"'),
  );
  assert.ok(Buffer.concat(chunks).byteLength <= 300_000);
});

test("a signal ends it", async () => {
  const image = await imageOf([{ name: "a", body: large }, "b=1"]);
  const control = new AbortController();
  await assert.rejects(
    async () => {
      for await (const _ of exportTar(image, { signal: control.signal })) control.abort();
    },
    (error: unknown) => isDrayError(error, "ABORTED"),
  );
});
