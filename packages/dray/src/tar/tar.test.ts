import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { link, mkdir, open, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "@dray/testkit/files";
import fc from "fast-check";
import { collect } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import {
  endOfArchive,
  entryPath,
  headerSize,
  indexTar,
  linkPath,
  type NewEntry,
  padding,
  type ReadAt,
  readEntries,
  type TarEntry,
  writeHeader,
} from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const tarOf = (entries: readonly (NewEntry & { body?: Uint8Array })[]): Uint8Array =>
  concat(
    ...entries.flatMap(({ body = new Uint8Array(0), ...entry }) => [
      writeHeader({ ...entry, size: entry.size ?? body.byteLength }),
      body,
      padding(body.byteLength),
    ]),
    endOfArchive(),
  );

/** In pieces of `size`, so that headers and bodies are cut at every place. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const readAtOf =
  (bytes: Uint8Array): ReadAt =>
  async (offset, length) =>
    bytes.subarray(offset, offset + length);

type Read = TarEntry & { body: string };

const readAll = async (bytes: Uint8Array, size = 1000): Promise<Read[]> => {
  const found: Read[] = [];
  for await (const { body, ...entry } of readEntries(pieces(bytes, size), { what: "x.tar" }))
    found.push({ ...entry, body: Buffer.from(await collect(body, 1e9, entry.name)).toString("latin1") });
  return found;
};

const code =
  (wanted: ErrorCode, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isDrayError(error, wanted), `${String(error)} should be ${wanted}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" should name "${word}"`);
    return true;
  };

/** A header whose fields are changed by hand, with its checksum put right. */
const forged = (entry: NewEntry, change: (block: Buffer) => void): Uint8Array => {
  const block = Buffer.from(writeHeader(entry));
  change(block);
  block.fill(" ", 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return block;
};

const special = (flag: string, body: Uint8Array): Uint8Array =>
  concat(
    forged({ name: "ext", size: body.byteLength }, (block) => block.write(flag, 156)),
    body,
    padding(body.byteLength),
  );
const pax = (records: Record<string, string>): Uint8Array =>
  special("x", concat(...Object.entries(records).map(([key, value]) => paxRecord(key, value))));
const paxRecord = (key: string, value: string): Uint8Array => {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return text(`${length}${rest}`);
};
const file = (name: string, body: string): Uint8Array =>
  concat(writeHeader({ name, size: body.length }), text(body), padding(body.length));

test("a file, a folder and links come back as they were written", async () => {
  const bytes = tarOf([
    { name: "a/", type: "directory", mode: 0o755 },
    { name: "a/b.txt", body: text("hello"), uid: 1000, gid: 100, uname: "u", gname: "g", mtime: 1_700_000_000 },
    { name: "a/c", type: "hardlink", linkName: "a/b.txt" },
    { name: "a/d", type: "symlink", linkName: "b.txt" },
    { name: "null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
  ]);
  assert.deepEqual(
    (await readAll(bytes)).map(({ name, type, body, linkName }) => [name, type, body, linkName]),
    [
      ["a/", "directory", "", ""],
      ["a/b.txt", "file", "hello", ""],
      ["a/c", "hardlink", "", "a/b.txt"],
      ["a/d", "symlink", "", "b.txt"],
      ["null", "character-device", "", ""],
    ],
  );
  const [, found] = await readAll(bytes);
  assert.deepEqual(
    {
      mode: found?.mode,
      uid: found?.uid,
      gid: found?.gid,
      uname: found?.uname,
      gname: found?.gname,
      mtime: found?.mtime,
    },
    { mode: 0o644, uid: 1000, gid: 100, uname: "u", gname: "g", mtime: 1_700_000_000 },
  );
});

test("any entry survives a round trip, however the stream is cut, and the index finds the same places", async () => {
  const name = fc
    .array(fc.stringMatching(/^[a-zA-Z0-9é漢 _.-]{1,70}$/), { minLength: 1, maxLength: 5 })
    .map((parts) => `n${parts.join("/")}`);
  const entry = fc.record({
    name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.integer({ min: 0, max: 3_000_000 }), fc.constant(2 ** 40)),
    gid: fc.integer({ min: 0, max: 3_000_000 }),
    uname: fc.stringMatching(/^[a-zé]{0,40}$/),
    gname: fc.constant("staff"),
    mtime: fc.oneof(fc.integer({ min: -1000, max: 2 ** 34 }), fc.constant(1_700_000_000.5)),
    pax: fc.constantFrom({}, { "SCHILY.xattr.user.x": "\u0001\u00ff=\n" }, { comment: "c" }),
    body: fc.uint8Array({ maxLength: 2000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), async (entries, cut) => {
      const bytes = tarOf(entries);
      const found = await readAll(bytes, cut);
      const index = await indexTar(readAtOf(bytes), bytes.byteLength);
      assert.equal(found.length, entries.length);
      entries.forEach((wanted, i) => {
        const { body, pax: records, ...got } = found[i] as Read;
        assert.equal(body, Buffer.from(wanted.body).toString("latin1"));
        for (const [key, value] of Object.entries(wanted))
          if (key !== "body" && key !== "pax") assert.deepEqual(got[key as keyof typeof got], value, key);
        for (const [key, value] of Object.entries(wanted.pax)) assert.equal(records[key], value);
        const placed = index[i];
        assert.ok(placed);
        assert.deepEqual(bytes.subarray(placed.offset, placed.offset + placed.size), wanted.body);
        assert.equal(placed.offset - placed.start, headerSize({ ...wanted, size: wanted.body.byteLength }));
      });
    }),
    { numRuns: 100 },
  );
});

test("what was read can be written again: the same bytes", async () => {
  const bytes = tarOf([
    { name: `${"long/".repeat(60)}é`, body: text("x"), mtime: 1.25, pax: { "SCHILY.xattr.a": "b" } },
    { name: "y", type: "symlink", linkName: "t".repeat(150) },
  ]);
  const again = (await readAll(bytes)).map(({ type, body, ...entry }) => {
    assert.ok(type !== "other");
    return { ...entry, type, body: Buffer.from(body, "latin1") };
  });
  assert.deepEqual(tarOf(again), bytes);
});

test("numbers of a device of any size survive being read and written", async () => {
  for (const [deviceMajor, deviceMinor] of [
    [0, 0],
    [2_097_151, 2_097_152],
    [Number.MAX_SAFE_INTEGER, 16_777_215],
  ] as const) {
    const [found] = await readAll(tarOf([{ name: "d", type: "character-device", deviceMajor, deviceMinor }]));
    assert.deepEqual([found?.deviceMajor, found?.deviceMinor], [deviceMajor, deviceMinor]);
  }
});

test("nanoseconds survive being read and written", async () => {
  const bytes = concat(pax({ mtime: "1700000000.123456789" }), file("a", "x"), endOfArchive());
  const [entry] = await readAll(bytes);
  assert.ok(entry !== undefined && entry.type === "file");
  assert.match(
    Buffer.from(writeHeader({ ...entry, type: "file" })).toString("latin1"),
    /mtime=1700000000\.123456789\n/,
  );
});

test("GNU long names and links, base-256 sizes and the old forms are understood", async () => {
  const long = `${"d/".repeat(100)}name`;
  const cases: [string, Uint8Array, Partial<Read>][] = [
    ["GNU L", concat(special("L", text(`${long}\0`)), file("short", "abc")), { name: long, body: "abc" }],
    [
      "GNU K",
      concat(special("K", text(`${long}\0`)), writeHeader({ name: "l", type: "symlink", linkName: "s" })),
      { name: "l", linkName: long },
    ],
    [
      "base-256",
      concat(
        forged({ name: "b" }, (b) => b.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], 124)),
        text("abc"),
        padding(3),
      ),
      { name: "b", body: "abc" },
    ],
    ["negative base-256 time", forged({ name: "t" }, (b) => b.fill(0xff, 136, 148)), { name: "t", mtime: -1 }],
    [
      "spaces around octal digits",
      concat(
        forged({ name: "s" }, (b) => b.write("         3 \0", 124)),
        text("abc"),
        padding(3),
      ),
      { name: "s", body: "abc" },
    ],
    [
      "a V7 header, without magic, is a file",
      concat(
        forged({ name: "v", size: 1 }, (b) => {
          b.fill(0, 257);
          b[156] = 0;
        }),
        text("z"),
        padding(1),
      ),
      { name: "v", type: "file", body: "z" },
    ],
    [
      "a V7 folder has a slash at its end",
      forged({ name: "v/" }, (b) => {
        b.fill(0, 257);
        b[156] = 0;
      }),
      { name: "v/", type: "directory" },
    ],
    ["a prefix makes a name", forged({ name: "n" }, (b) => b.write("pre/fix", 345)), { name: "pre/fix/n" }],
    [
      "GNU has other things where the prefix would be",
      forged({ name: "n" }, (b) => {
        b.write("ustar  \0", 257, "latin1");
        b.write("14700000000", 345);
      }),
      { name: "n" },
    ],
    [
      "a checksum of signed bytes",
      ((): Uint8Array => {
        const block = Buffer.from(writeHeader({ name: "a" }));
        block[0] = 0xe9;
        block.fill(" ", 148, 156);
        const sum = block.reduce((all, byte) => all + (byte > 127 ? byte - 256 : byte), 0);
        block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
        return block;
      })(),
      { type: "file" },
    ],
    ["a contiguous file is a file", forged({ name: "c" }, (b) => b.write("7", 156)), { type: "file" }],
    [
      "a folder has no body, whatever its size says",
      concat(
        forged({ name: "d/", type: "directory" }, (b) => b.write("00000001000", 124)),
        file("after", "x"),
      ),
      { name: "d/", size: 0 },
    ],
  ];
  for (const [what, bytes, wanted] of cases) {
    const [found] = await readAll(concat(bytes, endOfArchive()));
    assert.ok(found, what);
    for (const [key, value] of Object.entries(wanted))
      assert.deepEqual(found[key as keyof Read], value, `${what}: ${key}`);
  }
});

test("a pax header applies to the next entry alone, and never to a header in between", async () => {
  const long = "n".repeat(120);
  const smuggled = concat(
    pax({ size: "1024" }),
    // Read with the pax size, the long name would swallow the next header and its file would not be seen.
    special("L", text(`${long}\0`)),
    writeHeader({ name: "x", size: 0 }),
    new Uint8Array(1024).fill(65),
    file("second", "two"),
    endOfArchive(),
  );
  const found = await readAll(smuggled);
  assert.deepEqual(
    found.map(({ name, size }) => [name, size]),
    [
      [long, 1024],
      ["second", 3],
    ],
  );

  const names = await readAll(concat(pax({ path: "one" }), file("a", ""), file("b", ""), endOfArchive()));
  assert.deepEqual(
    names.map(({ name }) => name),
    ["one", "b"],
  );
});

test("what a header says of every entry is kept once, and nothing of it in an index", async () => {
  const records = Array.from({ length: 1000 }, (_, i) => paxRecord(`key${i}`, "x".repeat(500)));
  const many = concat(...Array.from({ length: 2000 }, (_, i) => writeHeader({ name: `f${i}` })));
  const bytes = concat(special("g", concat(...records)), many, endOfArchive());
  const seen = new Set<unknown>();
  for await (const { pax: all } of readEntries(pieces(bytes, bytes.byteLength))) seen.add(all);
  assert.equal(seen.size, 1);
  const index = await indexTar(readAtOf(bytes), bytes.byteLength);
  assert.equal(index.length, 2000);
  assert.ok(index.every((entry) => !("pax" in entry)));
  const again = concat(special("g", paxRecord("one more", "x")), bytes);
  await assert.rejects(indexTar(readAtOf(again), again.byteLength), code("ARCHIVE_INVALID", "1001", "1000"));
});

test("a global pax header applies until an entry says otherwise", async () => {
  const found = await readAll(
    concat(
      special("g", concat(paxRecord("mtime", "5"), paxRecord("comment", "c"))),
      file("a", ""),
      pax({ mtime: "7", comment: "" }),
      file("b", ""),
      file("c", ""),
      endOfArchive(),
    ),
  );
  assert.deepEqual(
    found.map(({ mtime, pax: records }) => [mtime, records["comment"]]),
    [
      [5, "c"],
      [7, undefined],
      [5, "c"],
    ],
  );
});

/** Lists of extents that cannot be, of a file of nine bytes with five in the archive. */
const sparseFaults: readonly (readonly [what: string, map: string, words: string])[] = [
  ["extents beyond the end", "6,5", "beyond"],
  ["extents that overlap", "0,3,2,2", "overlap"],
  ["extents with more data than there is", "0,6", "fit"],
  ["extents with less data than there is", "0,4", "fit"],
  ["an extent without a length", "0,5,7", "no list"],
  ["an extent that is no number", "0,x", "no list"],
];

test("damaged and hostile archives are refused, by the name of the archive and of the entry", async () => {
  const good = tarOf([
    { name: "first", body: text("x".repeat(600)) },
    { name: "second", body: text("y") },
  ]);
  const flip = (at: number): Uint8Array => {
    const copy = Uint8Array.from(good);
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  const cases: [string, Uint8Array, ErrorCode, string[]][] = [
    ["no tar", text("x".repeat(512)), "ARCHIVE_INVALID", ["x.tar is no tar archive"]],
    ["shorter than a header", text("hello"), "ARCHIVE_INVALID", ["x.tar", "truncated"]],
    ["cut in a body", good.subarray(0, 900), "ARCHIVE_INVALID", ["x.tar", "truncated", '"first"', "212 bytes"]],
    ["cut in a header", good.subarray(0, 1600), "ARCHIVE_INVALID", ["truncated", '"first"']],
    ["cut after an extension", pax({ path: "p" }), "ARCHIVE_INVALID", ["truncated"]],
    ["ended after an extension", concat(pax({ path: "p" }), endOfArchive()), "ARCHIVE_INVALID", ["ends after"]],
    ["damaged header", flip(1536 + 3), "ARCHIVE_INVALID", ["byte 1536", 'after entry "first"', "checksum"]],
    [
      "goes on after its end",
      concat(good.subarray(0, 1536), new Uint8Array(512), good),
      "ARCHIVE_INVALID",
      ["goes on"],
    ],
    [
      "sparse without a size",
      concat(pax({ "GNU.sparse.major": "1" }), file("h", "")),
      "ARCHIVE_INVALID",
      ['"h"', "size"],
    ],
    [
      "a sparse form of tomorrow",
      concat(pax({ "GNU.sparse.major": "2", "GNU.sparse.realsize": "9" }), file("h", "")),
      "ARCHIVE_INVALID",
      ['"h"', "2.0"],
    ],
    ...sparseFaults.map(([what, map, words]): [string, Uint8Array, ErrorCode, string[]] => [
      what,
      concat(pax({ "GNU.sparse.size": "9", "GNU.sparse.map": map }), file("h", "12345")),
      "ARCHIVE_INVALID",
      ['"h"', words],
    ]),
    [
      "a list of extents that does not end",
      concat(
        pax({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" }),
        file("h", "1".repeat(1024)),
      ),
      "ARCHIVE_INVALID",
      ['"h"', "no list"],
    ],
    [
      "a sparse folder",
      concat(pax({ "GNU.sparse.size": "9", "GNU.sparse.map": "0,5" }), writeHeader({ name: "h", type: "directory" })),
      "ARCHIVE_INVALID",
      ['"h"', "fit"],
    ],
    [
      "a sparse file for every entry",
      concat(special("g", paxRecord("GNU.sparse.size", "9")), file("h", "")),
      "ARCHIVE_INVALID",
      ["global"],
    ],
    ["a size that is no number", forged({ name: "n" }, (b) => b.write("12x", 124)), "ARCHIVE_INVALID", ["size"]],
    ["a negative size", forged({ name: "n" }, (b) => b.fill(0xff, 124, 136)), "ARCHIVE_INVALID", ["negative"]],
    [
      "a size beyond what a number holds",
      forged({ name: "n" }, (b) => b.set([0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255], 124)),
      "ARCHIVE_INVALID",
      ["size"],
    ],
    [
      "a pax size beyond",
      concat(pax({ size: "99999999999999999999" }), file("n", "")),
      "ARCHIVE_INVALID",
      ['"n"', "size"],
    ],
    ["a pax size below zero", concat(pax({ size: "-1" }), file("n", "")), "ARCHIVE_INVALID", ["size"]],
    ["malformed pax", concat(special("x", text("99 path=x\n")), file("n", "")), "ARCHIVE_INVALID", ["malformed"]],
    ["pax without a line end", concat(special("x", text("8 path=x")), file("n", "")), "ARCHIVE_INVALID", ["malformed"]],
    ["a zero in a name", concat(pax({ path: "a\0b" }), file("n", "")), "ARCHIVE_INVALID", ["malformed"]],
    ["a global name", concat(special("g", paxRecord("path", "all")), file("n", "")), "ARCHIVE_INVALID", ["global"]],
    [
      "two long names",
      concat(special("L", text("one\0")), pax({ path: "two" }), file("n", "")),
      "ARCHIVE_INVALID",
      ['"one"', '"two"'],
    ],
    [
      "an extension of a gigabyte",
      forged({ name: "e", size: 2 ** 30 }, (b) => b.write("x", 156)),
      "ARCHIVE_INVALID",
      ["1073741824", "allowed"],
    ],
    [
      "a body that is not there",
      writeHeader({ name: "big", size: 2 ** 50 }),
      "ARCHIVE_INVALID",
      ['"big"', "truncated"],
    ],
  ];
  for (const [what, bytes, wanted, words] of cases) {
    await assert.rejects(readAll(bytes), code(wanted, ...words), what);
    await assert.rejects(indexTar(readAtOf(bytes), bytes.byteLength, { what: "x.tar" }), code(wanted, ...words), what);
  }
});

test("what other readers let pass, passes: no end, half an end, no padding at the end, an empty file", async () => {
  const one = file("a", "x");
  for (const bytes of [one, concat(one, new Uint8Array(512)), one.subarray(0, 513)])
    assert.deepEqual(
      (await readAll(bytes)).map(({ name, body }) => [name, body]),
      [["a", "x"]],
    );
  assert.deepEqual(await readAll(new Uint8Array(0)), []);
});

test("an index is limited; a stream that is left early is let go", async () => {
  const many = tarOf(Array.from({ length: 20 }, (_, i) => ({ name: `f${i}` })));
  await assert.rejects(indexTar(readAtOf(many), many.byteLength, { limit: 19 }), code("LIMIT_EXCEEDED", "19"));
  assert.equal((await indexTar(readAtOf(many), many.byteLength, { limit: 20 })).length, 20);

  let ended = false;
  const chunks = (async function* () {
    try {
      yield* pieces(many, 512);
    } finally {
      ended = true;
    }
  })();
  for await (const { name } of readEntries(chunks)) if (name === "f1") break;
  assert.ok(ended);
});

test("an index does not read bodies", async () => {
  const bytes = tarOf([{ name: "big", body: new Uint8Array(1_000_000) }, { name: "last" }]);
  let read = 0;
  const entries = await indexTar(async (offset, length) => {
    read += length;
    return bytes.subarray(offset, offset + length);
  }, bytes.byteLength);
  assert.deepEqual(
    entries.map(({ name }) => name),
    ["big", "last"],
  );
  assert.ok(read < 100_000, `${read} bytes were read`);
});

test("names and links are kept inside the archive", () => {
  const names: [string, string | undefined][] = [
    ["a/b", "a/b"],
    ["./a//b/", "a/b"],
    [".", ""],
    ["a/../b", undefined],
    ["../a", undefined],
    ["a/..", undefined],
    ["/etc/passwd", undefined],
    ["C:\\x", undefined],
    ["c:/x", undefined],
    ["a\\..\\b", undefined],
    ["a..b", "a..b"],
    ["", undefined],
    ["a\0b", undefined],
  ];
  for (const [name, wanted] of names) assert.equal(entryPath(name), wanted, JSON.stringify(name));
  const links: [string, string, "symlink" | "hardlink", string | undefined][] = [
    ["id/layer.tar", "../other/layer.tar", "symlink", "other/layer.tar"],
    ["id/layer.tar", "other/layer.tar", "hardlink", "other/layer.tar"],
    ["id/layer.tar", "x", "symlink", "id/x"],
    ["id/layer.tar", "../../x", "symlink", undefined],
    ["id/layer.tar", "/x", "symlink", undefined],
    ["id/layer.tar", "../x", "hardlink", undefined],
    ["a", "..", "symlink", undefined],
  ];
  for (const [from, target, type, wanted] of links)
    assert.equal(linkPath(from, target, type), wanted, `${from} -> ${target}`);
});

const gnuTar = ((): boolean => {
  try {
    return execFileSync("tar", ["--version"]).toString().includes("GNU tar");
  } catch {
    return false;
  }
})();
const run = promisify(execFile);

test("GNU tar and we understand each other, in every format", async (t) => {
  if (!gnuTar) {
    t.diagnostic("GNU tar is not here: not compared");
    console.error("tar.test.ts: GNU tar is not here: not compared");
    return;
  }
  const folder = temporaryFolder("tar");
  const deep = join("tree", "d".repeat(90), "e".repeat(90));
  await mkdir(join(folder, deep), { recursive: true });
  const longFile = join(deep, "f".repeat(80));
  await writeFile(join(folder, longFile), "long");
  await writeFile(join(folder, "tree/grüße"), "x".repeat(70_000));
  await writeFile(join(folder, "tree/empty"), "");
  await link(join(folder, "tree/grüße"), join(folder, "tree/hard"));
  await symlink("t".repeat(120), join(folder, "tree/soft"));
  for (const format of ["v7", "oldgnu", "gnu", "ustar", "posix"]) {
    const archive = join(folder, `${format}.tar`);
    // v7 and ustar cannot hold the long ones, and say so.
    await run("tar", ["--format", format, "--sort=name", "-cf", archive, "tree"], { cwd: folder }).catch(
      () => undefined,
    );
    const { stdout } = await run("tar", ["--quoting-style=literal", "-tf", archive], {
      cwd: folder,
      env: { LC_ALL: "C.UTF-8" },
    });
    const wanted = stdout.split("\n").filter((line) => line !== "");
    const handle = await open(archive);
    try {
      const { size } = await handle.stat();
      const entries = await indexTar(
        async (offset, length) => {
          const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
          return buffer.subarray(0, bytesRead);
        },
        size,
        { what: format },
      );
      assert.deepEqual(
        entries.map(({ name }) => name),
        wanted,
        format,
      );
      assert.ok(wanted.length >= 4, format);
    } finally {
      await handle.close();
    }
    const bodies = await readAll(await readFile(archive));
    assert.ok(
      bodies.some(({ body }) => body === "x".repeat(70_000)),
      format,
    );
    if (format !== "v7" && format !== "ustar")
      assert.ok(
        bodies.some(({ name, body }) => name === longFile && body === "long"),
        format,
      );
  }
  const ours = join(folder, "ours.tar");
  await writeFile(
    ours,
    tarOf([
      { name: `${"p/".repeat(140)}q`, body: text("deep") },
      { name: "ü", body: text("umlaut"), mtime: 1_600_000_000.5, uid: 5_000_000 },
      { name: "l", type: "symlink", linkName: "k".repeat(130) },
      { name: "d", type: "block-device", deviceMajor: 65_536, deviceMinor: 16_777_215 },
    ]),
  );
  const listed = await run(
    "tar",
    ["--quoting-style=literal", "--utc", "--numeric-owner", "--full-time", "-tvf", ours],
    {
      env: { LC_ALL: "C.UTF-8" },
    },
  );
  const lines = listed.stdout.trim().split("\n");
  assert.equal(listed.stderr, "");
  assert.match(lines[0] ?? "", /^-rw-r--r-- 0\/0 +4 1970-01-01 00:00:00 (p\/){140}q$/);
  assert.match(lines[1] ?? "", /^-rw-r--r-- 5000000\/0 +6 2020-09-13 12:26:40\.5 ü$/);
  assert.match(lines[2] ?? "", /l -> k{130}$/);
  assert.match(lines[3] ?? "", /^brw-r--r-- 0\/0 +65536,16777215 /);
  const { stdout: body } = await run("tar", ["-xOf", ours, "ü"], { env: { LC_ALL: "C.UTF-8" } });
  assert.equal(body, "umlaut");
});
