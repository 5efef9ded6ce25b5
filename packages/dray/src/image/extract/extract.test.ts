import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { temporaryFolder } from "@dray/testkit/files";
import { imageOf, imageOfTars, type Line, layerTar } from "../../../test/tree-image.ts";
import { type ErrorCode, isDrayError } from "../../errors.ts";
import { endOfArchive, padding, writeHeader } from "../../tar/index.ts";
import { type ExtractOptions, extract } from "./extract.ts";
import { extractByTar } from "./extract-by-tar.ts";

const isRoot = process.getuid?.() === 0;
const code =
  (wanted: ErrorCode, ...words: readonly string[]) =>
  (error: unknown): boolean => {
    assert.ok(isDrayError(error, wanted), String(error));
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  };

/** Runs as nobody, who may not go where the root may. */
const asNobody = async <T>(work: () => Promise<T>): Promise<T> => {
  if (!isRoot) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
};

describe("a tree in a directory", () => {
  test("has the mode that the root's entry says, whatever that is", async () => {
    for (const mode of [0o1700, 0o700, 0o1777, 0o600])
      for (const isThere of [false, true])
        for (const make of [extract, extractByTar]) {
          const dir = join(temporaryFolder("extract"), "root");
          if (isThere) mkdirSync(dir);
          await make(await imageOf([{ name: "./", type: "directory", mode }, "a=1"]), dir);
          assert.equal(statSync(dir).mode & 0o7777, mode, `${mode.toString(8)} ${isThere}`);
        }
  });

  test("is made by who may not enter its root afterwards", async () => {
    const above = temporaryFolder("extract");
    chmodSync(above, 0o777);
    const shut: Line = { name: "./", type: "directory", mode: 0o600 };
    const dirs: Line[] = ["-d", "!d", "d"].map((name) => ({ name: `${name}/`, type: "directory", mode: 0o711 }));
    const image = await imageOf([shut, ...dirs, "d/a=1"]);
    const dir = join(above, "root");
    await asNobody(() => extract(image, dir, { owners: false }));
    assert.equal(statSync(dir).mode & 0o7777, 0o600);
    chmodSync(dir, 0o700);
    for (const name of ["-d", "!d", "d"]) assert.equal(statSync(join(dir, name)).mode & 0o7777, 0o711);
  });

  const everything: readonly Line[] = [
    { name: "./", type: "directory", mode: 0o711, mtime: 1_000_000_000 },
    { name: "bin/", type: "directory", mode: 0o555, mtime: 1_100_000_000 },
    { name: "bin/su", body: "su", mode: 0o4755, uid: 3, gid: 4, mtime: 1_200_000_000.5 },
    "bin/sh=>bin/su",
    { name: "bin/sl", type: "symlink", linkName: "/etc/passwd", mtime: 1_300_000_000 },
    "implied/deep/file=x",
    { name: "a\udcff", body: "any bytes" },
    { name: "old", body: "1950", mtime: -631_152_000 },
    { name: "cap", body: "c", pax: { "SCHILY.xattr.security.capability": "\u0001" } },
    { name: "dev/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
    { name: "dev/zero", type: "character-device", deviceMajor: 1, deviceMinor: 5 },
    "dev/hard=>dev/null",
    { name: "pipe", type: "fifo" },
  ];

  for (const there of [false, true])
    test(`is what the image says, ${there ? "in one that is there and empty" : "in one that is made"}`, async () => {
      const dir = join(temporaryFolder("extract"), "deep/rootfs");
      if (there) mkdirSync(dir, { recursive: true });
      const result = await extract(await imageOf(everything), dir, { owners: isRoot });
      assert.equal(readdirSync(dir).length, 6);
      assert.deepEqual(readdirSync(join(dir, "..")), ["rootfs"]);
      assert.equal(statSync(dir).mode & 0o7777, 0o711);
      assert.equal(statSync(dir).mtimeMs, 1_000_000_000_000);
      assert.equal(statSync(join(dir, "bin")).mode & 0o7777, 0o555);
      assert.equal(statSync(join(dir, "bin")).mtimeMs, 1_100_000_000_000);
      const su = statSync(join(dir, "bin/su"));
      assert.equal(su.mtimeMs, 1_200_000_000_500);
      assert.equal(su.nlink, 2);
      assert.equal(su.ino, statSync(join(dir, "bin/sh")).ino);
      assert.equal(su.mode & 0o7777, isRoot ? 0o4755 : 0o755);
      if (isRoot) assert.deepEqual([su.uid, su.gid], [3, 4]);
      assert.equal(readlinkSync(join(dir, "bin/sl")), "/etc/passwd");
      assert.equal(lstatSync(join(dir, "bin/sl")).mtimeMs, 1_300_000_000_000);
      assert.equal(readFileSync(join(dir, "implied/deep/file"), "utf8"), "x");
      assert.equal(statSync(join(dir, "implied")).mode & 0o7777, 0o755);
      assert.equal(readFileSync(Buffer.concat([Buffer.from(`${dir}/a`), Buffer.of(0xff)]), "utf8"), "any bytes");
      assert.equal(statSync(join(dir, "old")).mtimeMs, -631_152_000_000);
      const { leftOut, digest: _, ...counts } = result;
      assert.deepEqual(counts, { files: 5, directories: 2, symlinks: 1, hardlinks: 1, bytes: 17 });
      assert.deepEqual(
        leftOut.filter(({ what }) => what !== "owner" && what !== "set-id"),
        [
          { what: "attributes", count: 1, paths: ["cap"] },
          { what: "device", count: 2, paths: ["dev/null", "dev/zero"] },
          { what: "pipe", count: 1, paths: ["pipe"] },
        ],
      );
      assert.ok(!existsSync(join(dir, "dev/hard")));
    });

  test("without owners has no program that runs as somebody else, and says so", async () => {
    const dir = join(temporaryFolder("extract"), "x");
    const { leftOut } = await extract(
      await imageOf([
        { name: "su", body: "su", mode: 0o6755, uid: 12_345 },
        { name: "t/", type: "directory", mode: 0o1777 },
      ]),
      dir,
      { owners: false },
    );
    assert.equal(statSync(join(dir, "su")).mode & 0o7777, 0o755);
    assert.equal(statSync(join(dir, "t")).mode & 0o7777, 0o1777);
    assert.deepEqual(
      leftOut.filter(({ paths }) => paths.includes("su")).map(({ what }) => what),
      ["owner", "set-id"],
    );
  });

  test("keeps the holes of sparse files", async () => {
    const extents = [
      { offset: 3_000_000, size: 3 },
      { offset: 5_000_000, size: 2 },
    ];
    const tar = [
      writeHeader({ name: "s", size: 9_000_000, extents }),
      Buffer.from("abcde"),
      padding(5),
      endOfArchive(),
    ];
    const dir = join(temporaryFolder("extract"), "x");
    await extract(await imageOfTars([Buffer.concat(tar)]), dir);
    const wanted = Buffer.alloc(9_000_000);
    wanted.write("abc", 3_000_000);
    wanted.write("de", 5_000_000);
    assert.ok(readFileSync(join(dir, "s")).equals(wanted));
    assert.ok(statSync(join(dir, "s")).blocks * 512 < 1_000_000);
  });

  test("by GNU tar has all of it", async (t) => {
    const dir = join(temporaryFolder("extract"), "x");
    const shut: Line = { name: "d/", type: "directory", mode: 0o555, mtime: 1_100_000_000 };
    const image = await imageOf(
      ["a=1", "b=>a", { name: "pipe", type: "fifo" }, "s->../../a", shut, "e/file=2", "d/later=3"],
      [".wh.a"],
    );
    try {
      await extractByTar(image, dir);
    } catch (error) {
      if (!isDrayError(error, "UNSUPPORTED")) throw error;
      console.error("extract.test.ts: GNU tar is not here: not tried");
      return t.diagnostic("GNU tar is not here: not tried");
    }
    assert.deepEqual(readdirSync(dir).sort(), ["b", "d", "e", "pipe", "s"]);
    assert.ok(lstatSync(join(dir, "pipe")).isFIFO());
    assert.deepEqual(readdirSync(join(dir, "d")), ["later"], "a layer may come back to a directory");
    assert.equal(statSync(join(dir, "d")).mode & 0o7777, 0o555);
    assert.equal(statSync(join(dir, "d")).mtimeMs, 1_100_000_000_000);
    assert.equal(statSync(dir).mode & 0o7777, 0o755);
    const broken = join(temporaryFolder("extract"), "y");
    await assert.rejects(extractByTar(await imageOf(["a=>b"]), broken), code("ARCHIVE_INVALID", "no such file"));
    assert.deepEqual(readdirSync(join(broken, "..")), []);
    // Who is not root owns what tar makes, and no image makes programs that run as him.
    const { getuid } = process;
    process.getuid = () => 1000;
    try {
      const own = join(temporaryFolder("extract"), "z");
      const entry = { name: "t/", type: "directory", mode: 0o3777 } as const;
      await extractByTar(await imageOf([{ name: "su", body: "su", mode: 0o6755 }, entry]), own);
      const modes = ["su", "t"].map((name) => statSync(join(own, name)).mode & 0o7777);
      assert.deepEqual(modes, [0o755, 0o1777]);
    } finally {
      if (getuid !== undefined) process.getuid = getuid;
    }
  });
});

test("a tree that is not whole yet lies under another name", async () => {
  for (const there of [false, true]) {
    const folder = temporaryFolder("extract");
    const dir = join(folder, "x");
    if (there) mkdirSync(dir);
    const image = await imageOf(["a=1"], ["b=2"]);
    const layers = await image.layers();
    const seen: string[][] = [];
    async function* looked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      seen.push(readdirSync(there ? dir : folder));
      yield* chunks;
    }
    const watched = {
      ...image,
      layers: async () => layers.map((layer) => ({ ...layer, compressed: () => looked(layer.compressed()) })),
    };
    await extract(watched, dir);
    assert.equal(seen.length, 2);
    for (const names of seen) {
      assert.equal(names.length, 1);
      assert.match(names[0] ?? "", there ? /^\.dray\.[0-9a-f]+\.partial$/ : /^x\.[0-9a-f]+\.partial$/);
    }
    assert.deepEqual(readdirSync(folder), ["x"]);
    assert.deepEqual(readdirSync(dir).sort(), ["a", "b"]);
  }
});

describe("an extraction is refused, and leaves nothing", () => {
  const zeros = Buffer.alloc(70 * 1024 * 1024);
  const cases: readonly (readonly [
    what: string,
    layers: readonly (readonly Line[])[],
    ErrorCode,
    words: readonly string[],
    limits?: ExtractOptions["limits"],
  ])[] = [
    ["a name that leaves the root", [["ok=1", "../evil=1"]], "ARCHIVE_INVALID", ["../evil"]],
    ["a hard link that leaves the root", [["ok=1", "evil=>../../etc/passwd"]], "ARCHIVE_INVALID", ["evil"]],
    ["a hard link to nothing", [["ok=1", "a=>b"]], "ARCHIVE_INVALID", ['"b"']],
    ["more bytes than are allowed", [["a=12345", "b=12345"]], "LIMIT_EXCEEDED", ['"b"', "9 bytes"], { bytes: 9 }],
    ["more entries than are allowed", [["a=1", "b=2", "c=3"]], "LIMIT_EXCEEDED", ['"c"', "2 entries"], { entries: 2 }],
    ["a long name", [[`${"n".repeat(256)}=1`]], "LIMIT_EXCEEDED", ["255 bytes"]],
    ["a name of many bytes", [[`${"ü".repeat(130)}=1`]], "LIMIT_EXCEEDED", ["255 bytes"]],
    ["a deep path", [[`${"d/".repeat(300)}f=1`]], "LIMIT_EXCEEDED", ["256 directories"]],
  ];
  for (const [what, layers, wanted, words, limits] of cases)
    test(`for ${what}`, async () => {
      const folder = temporaryFolder("extract");
      await assert.rejects(extract(await imageOf(...layers), join(folder, "x"), { limits }), code(wanted, ...words));
      assert.deepEqual(readdirSync(folder), []);
      mkdirSync(join(folder, "y"));
      await assert.rejects(extract(await imageOf(...layers), join(folder, "y"), { limits }), code(wanted, ...words));
      assert.deepEqual(readdirSync(join(folder, "y")), []);
    });

  test("for a layer that becomes far more than it is", async () => {
    const folder = temporaryFolder("extract");
    const bomb = [writeHeader({ name: "zeros", size: zeros.byteLength }), zeros, endOfArchive()];
    await assert.rejects(
      extract(await imageOfTars([Buffer.concat(bomb)]), join(folder, "x"), { limits: { ratio: 100 } }),
      code("LIMIT_EXCEEDED", "100 times", "layer sha256:"),
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  test("for a layer that becomes more than gzip could, whoever said nothing of it", async () => {
    const folder = temporaryFolder("extract");
    const size = 80 * 1024 * 1024;
    const bomb = Buffer.concat([writeHeader({ name: "zeros", size }), Buffer.alloc(size), endOfArchive()]);
    const image = await imageOfTars([bomb], { packed: [zstdCompressSync(bomb)] });
    await assert.rejects(extract(image, join(folder, "x")), code("LIMIT_EXCEEDED", "1100 times"));
    assert.deepEqual(readdirSync(folder), []);
    await extract(image, join(folder, "x"), { limits: { ratio: 100_000 } });
    assert.equal(statSync(join(folder, "x", "zeros")).size, size);
  });

  test("for a layer that is cut, or not what the configuration says", async () => {
    const folder = temporaryFolder("extract");
    const tar = layerTar(["a=1", "d/b=2"]);
    await assert.rejects(extract(await imageOfTars([tar.slice(0, 1300)]), join(folder, "x")), code("ARCHIVE_INVALID"));
    const lying = await imageOfTars([tar], { diffIDs: [`sha256:${"0".repeat(64)}`] });
    await assert.rejects(extract(lying, join(folder, "x")), code("DIGEST_MISMATCH", "diff_ids"));
    assert.deepEqual(readdirSync(folder), []);
  });

  test("for a directory that is not empty, or none, or holds what was left by a kill", async () => {
    const folder = temporaryFolder("extract");
    const image = await imageOf(["a=1"]);
    writeFileSync(join(folder, "file"), "");
    await assert.rejects(extract(image, folder), code("EXISTS", "not empty"));
    await assert.rejects(extract(image, join(folder, "file")), code("EXISTS", "no directory"));
    mkdirSync(join(folder, "left/.dray.0123456789ab.partial"), { recursive: true });
    await assert.rejects(extract(image, join(folder, "left")), code("EXISTS", "killed", ".dray.0123456789ab.partial"));
    assert.deepEqual(readdirSync(folder).sort(), ["file", "left"]);
    await assert.rejects(extract(image, join(folder, "file/x")), code("DISK"));
    if (isRoot) return;
    mkdirSync(join(folder, "locked"));
    chmodSync(join(folder, "locked"), 0o500);
    await assert.rejects(extract(image, join(folder, "locked/x")), code("DISK", "permission"));
  });

  test("by a signal", async () => {
    const folder = temporaryFolder("extract");
    const control = new AbortController();
    control.abort();
    await assert.rejects(
      extract(await imageOf(["a=1"]), join(folder, "x"), { signal: control.signal }),
      code("ABORTED"),
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  test("by limits that mean nothing", async () => {
    const folder = temporaryFolder("extract");
    await assert.rejects(
      extract(await imageOf(["a=1"]), join(folder, "x"), { limits: { bytes: -1 } }),
      code("USAGE", "bytes"),
    );
  });
});
