import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { seededBytes } from "@dray/testkit";
import fc from "fast-check";
import { entryOf, type Given, tarOf } from "../../test/tar-of.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Annotations, digestOf } from "../oci/index.ts";
import { endOfArchive, readEntries } from "../tar/index.ts";
import { estargz } from "./estargz.ts";
import { footerFor } from "./footer.ts";
import { gunzipped } from "./gunzip.ts";
import { jsonEntries } from "./json-entries.ts";
import { openSeekable } from "./open-seekable.ts";
import { type Ranges, rangesOf } from "./ranges.ts";
import { type TableEntry, TocTable } from "./toc-table.ts";

const text = (of: string): Uint8Array => new TextEncoder().encode(of);

/** A blob that counts what is read of it. */
const counted = (blob: Uint8Array): Ranges & { bytes: number; requests: number } => {
  const ranges = {
    bytes: 0,
    requests: 0,
    ...rangesOf(blob.byteLength, async function* ({ offset = 0, length = 0 }) {
      ranges.requests++;
      for (let at = offset; at < offset + length; at += 10_000) {
        const chunk = blob.subarray(at, Math.min(at + 10_000, offset + length));
        ranges.bytes += chunk.byteLength;
        yield chunk;
      }
    }),
  };
  return ranges;
};

const big = seededBytes("open-seekable", 700_000);
const files: readonly Given[] = [
  { name: "etc/", type: "directory", mode: 0o750, uid: 1, gid: 2, uname: "daemon", gname: "bin", mtime: 1_600_000_000 },
  { name: "etc/motd", body: text("hello\n"), mode: 0o4755, uname: "root" },
  { name: "etc/none" },
  { name: "etc/soft", type: "symlink", linkName: "motd" },
  { name: "etc/hard", type: "hardlink", linkName: "etc/motd" },
  { name: "dev/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
  { name: "big", body: big, pax: { "SCHILY.xattr.user.any": "\0\xff" } },
  { name: "n\udcff", body: text("no UTF-8") },
  { name: "last", body: text("last") },
];

const layerOf = async (
  list: readonly Given[] = files,
  chunkSize = 100_000,
): Promise<{ blob: Uint8Array; annotations: Annotations }> => {
  const layer = estargz(bytesContent(tarOf(list)), { chunkSize });
  const blob = await collect(layer.open(), 1e9, "layer");
  return { blob, annotations: layer.facts().annotations };
};

const opened = async (ranges: Ranges, annotations: Annotations) => {
  const layer = await openSeekable(ranges, annotations);
  assert.ok(layer !== undefined, "it can be read in parts");
  const entries: TableEntry[] = [];
  for await (const entry of layer.entries()) entries.push(entry);
  const read = async (name: string): Promise<Uint8Array> => {
    const { place } = entries.find((entry) => entry.name === name) ?? assert.fail(name);
    return new Uint8Array(await collect(layer.open({ place, path: name }), 1e9, name));
  };
  return { entries, read };
};

describe("an eStargz layer that is read in parts", () => {
  test("has the entries of its tar, and their bytes", async () => {
    const { blob, annotations } = await layerOf();
    const { entries, read } = await opened(counted(blob), annotations);
    const expected = [];
    for await (const { start: _1, offset: _2, stored: _3, body: _4, data: _5, ...entry } of readEntries(
      bytesContent(tarOf(files)).open(),
    ))
      expected.push({ ...entry, pax: { ...entry.pax } });
    const landmark = entries.shift();
    assert.equal(landmark?.name, ".no.prefetch.landmark");
    assert.deepEqual(
      entries.map(({ place: _place, ...entry }) => entry),
      // Without a name of its own an owner has the one that was said of the number before.
      expected.map(({ extents: _extents, pax: { path: _path, ...pax }, ...entry }) => ({
        ...entry,
        pax,
        ...(entry.uid === 0 && entry.name !== "etc/motd" ? { uname: "root" } : {}),
      })),
    );
    for (const { name, type = "file", body = "" } of files)
      if (type === "file") assert.equal(digestOf(await read(name)), digestOf(Buffer.from(body)), name);
  });

  test("costs the table and the chunks of a file, and no more", async () => {
    const many = Array.from({ length: 300 }, (_, i) => ({ name: `f${i}`, body: seededBytes(`f${i}`, 10_240) }));
    const { blob, annotations } = await layerOf(many);
    const ranges = counted(blob);
    const { read } = await opened(ranges, annotations);
    const table = ranges.bytes;
    assert.ok(table < 64 * 1024, `${table}`);
    await read("f150");
    assert.ok(ranges.bytes - table < 11_000, `${ranges.bytes - table}`);
    assert.equal(ranges.requests, 2, "the end with the table in it, and the file");
  });

  test("asks for no more than a file can take where a thousand other entries come before the next", async () => {
    const links = Array.from({ length: 3000 }, (_, i) => ({
      name: Buffer.from(seededBytes(i, 20)).toString("hex"),
      type: "symlink" as const,
      linkName: `${Math.sin(i)}`,
    }));
    const { blob, annotations } = await layerOf([
      { name: "a", body: text("a") },
      ...links,
      { name: "b", body: text("b") },
    ]);
    const ranges = counted(blob);
    const { read } = await opened(ranges, annotations);
    const before = ranges.bytes;
    assert.deepEqual(await read("a"), text("a"));
    assert.ok(ranges.bytes - before < 10_000, `${ranges.bytes - before}`);
    assert.deepEqual(await read("b"), text("b"));
  });

  test("of ten pieces of the table reads any file of any", async () => {
    const many = Array.from({ length: 6000 }, (_, i) => ({
      name: `${"d/".repeat(60)}${i}`,
      ...(i % 50 === 7 ? { body: text(`file ${i}`) } : {}),
    }));
    const { blob, annotations } = await layerOf(many);
    const { read } = await opened(counted(blob), annotations);
    for (const i of [5957, 7, 2007, 1957, 57])
      assert.deepEqual(await read(`${"d/".repeat(60)}${i}`), text(`file ${i}`));
  });

  test("with several files in one member", async () => {
    const [one, two] = [text("one".repeat(100)), text("two".repeat(200))];
    const [first, second] = [
      { name: "one", body: one },
      { name: "two", body: two },
    ].map(entryOf) as [Uint8Array, Uint8Array];
    const head = gzipSync(first.subarray(0, 512));
    const body = gzipSync(Buffer.concat([first.subarray(512), second]));
    const at = { offset: head.byteLength, chunkDigest: "" };
    const json = JSON.stringify(
      {
        version: 1,
        entries: [
          { name: "one", type: "reg", size: one.byteLength, ...at, chunkDigest: digestOf(one) },
          {
            name: "two",
            type: "reg",
            size: two.byteLength,
            ...at,
            innerOffset: first.byteLength,
            chunkDigest: digestOf(two),
          },
        ],
      },
      undefined,
      "\t",
    );
    const toc = gzipSync(Buffer.concat([entryOf({ name: "stargz.index.json", body: text(json) }), endOfArchive()]));
    const blob = Buffer.concat([head, body, toc, footerFor(head.byteLength + body.byteLength)]);
    const { read } = await opened(counted(blob), { "containerd.io/snapshot/stargz/toc.digest": digestOf(text(json)) });
    assert.deepEqual(await read("two"), two);
    assert.deepEqual(await read("one"), one);
  });
});

describe("what is not as it was written", () => {
  test("is read whole where the table is another, or none is there", async () => {
    const { blob, annotations } = await layerOf();
    const other = { ...annotations, "containerd.io/snapshot/stargz/toc.digest": digestOf(text("other")) };
    assert.equal(await openSeekable(counted(blob), other), undefined);
    assert.equal(await openSeekable(counted(blob), {}), undefined);
    for (const bytes of [
      gzipSync(tarOf(files)),
      blob.subarray(0, -1),
      Buffer.concat([blob, blob.subarray(-51, -50)]),
      new Uint8Array(0),
      blob.subarray(-51),
    ])
      assert.equal(await openSeekable(counted(bytes), annotations), undefined, `${bytes.byteLength} bytes`);
    const tocDamaged = blob.slice();
    tocDamaged[blob.byteLength - 200]! ^= 1;
    assert.equal(await openSeekable(counted(tocDamaged), annotations), undefined);
  });

  test("of a file is an error that names it", async () => {
    const { blob, annotations } = await layerOf();
    const { entries } = await opened(counted(blob), annotations);
    assert.ok(entries.length > 0);
    for (const [part, at] of [
      ["first", 0.2],
      ["middle", 0.5],
      ["last", 0.8],
    ] as const) {
      const damaged = blob.slice();
      damaged[Math.floor(blob.byteLength * at)]! ^= 1;
      const { read } = await opened(counted(damaged), annotations);
      await assert.rejects(
        read("big"),
        (error) => isDrayError(error, "DIGEST_MISMATCH", "MANIFEST_INVALID") && /big|gzip/.test(error.message),
        part,
      );
    }
  });

  const table = (...entries: readonly unknown[]): Promise<TocTable> =>
    TocTable.read(bytesContent(text(JSON.stringify({ version: 1, entries }))).open(), 1000);
  const reg = { name: "f", type: "reg", size: 10, offset: 1, chunkDigest: digestOf(text("f")) };
  const rows: readonly (readonly [string, RegExp, ...unknown[]])[] = [
    ["no digest", /no digest stands for/, { ...reg, chunkDigest: undefined }],
    ["a size that is no number", /"size" that counts nothing/, { ...reg, size: "10" }],
    ["a negative offset", /"offset" that counts nothing/, { ...reg, offset: -1 }],
    [
      "a part that is missing",
      /do not follow one another/,
      { ...reg, chunkSize: 4 },
      { type: "chunk", offset: 2, chunkOffset: 5, chunkDigest: reg.chunkDigest },
    ],
    ["parts that are too large", /more or less/, { ...reg, chunkSize: 14 }],
    ["an entry that is no object", /no object/, 5],
    ["a name that is no text", /"name" that is no text/, { ...reg, name: 7 }],
    ["an entry of no kind", /unknown kind/, { ...reg, type: "weird" }],
    ["a time that is none", /a time that is none/, { ...reg, modtime: "yesterday" }],
    ["attributes that are no text", /no text/, { ...reg, xattrs: [1] }],
    ["a file behind all data", /behind all data, at byte 1000/, reg, { ...reg, name: "g", offset: 1000 }],
    ["an entry that nests", /levels|valid/, { ...reg, x: JSON.parse(`${"[".repeat(2000)}${"]".repeat(2000)}`) }],
  ];
  for (const [what, says, ...entries] of rows)
    test(`a table with ${what} is none`, async () => {
      await assert.rejects(
        table(...entries),
        (error) => isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED") && says.test(error.message),
      );
    });

  test("a table of another version, or of none, is none", async () => {
    for (const of of [
      "{}",
      '{"version":2,"entries":[]}',
      '{"version":1}',
      '{"version":1,"entries":{}}',
      '{"version":1,"entries":[',
      "",
      "[]",
      '{"version":1,"entries":[]]',
    ])
      await assert.rejects(
        TocTable.read(bytesContent(text(of)).open(), 0),
        (error) => isDrayError(error, "MANIFEST_INVALID"),
        of,
      );
  });
});

test("a table with a file of more parts than memory has room for is refused before they are all there", async () => {
  let read = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield text('{"version":1,"entries":[{"name":"a","type":"reg","size":1}');
    for (; read < 200; read++) yield text(`,{"type":"chunk","x":"${"x".repeat(1_000_000)}"}`);
    yield text("]}");
  };
  await assert.rejects(TocTable.read(endless(), 1e9), (error) => isDrayError(error, "LIMIT_EXCEEDED"));
  assert.ok(read < 40, String(read));
});

test("entries of a table are found however its text is cut and indented", async () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string(), value), { maxLength: 5 }),
      value,
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(undefined, "\t"),
      async (entries, other, size, indent) => {
        const bytes = text(
          JSON.stringify(
            { other, version: 1, 'x"entries': [{ not: 1 }], entries, more: { entries: [{ not: 2 }] } },
            undefined,
            indent,
          ),
        );
        const cut = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
        };
        const found = [];
        for await (const entry of jsonEntries(cut())) found.push(entry);
        assert.deepEqual(found, JSON.parse(JSON.stringify(entries)));
      },
    ),
    { numRuns: 60 },
  );
});

test("gzip is read no further than is asked for, member after member, however it is cut", async () => {
  const plain = seededBytes("members", 300_000);
  const blob = Buffer.concat([
    gzipSync(plain.subarray(0, 100)),
    gzipSync(plain.subarray(100, 200_000)),
    gzipSync(plain.subarray(200_000)),
  ]);
  for (const size of [1, 7, 123, 10_000, blob.byteLength]) {
    let asked = 0;
    const cut = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < (size < 100 ? 2000 : blob.byteLength); at += size) {
        asked += size;
        yield blob.subarray(at, at + size);
      }
    };
    const parts: Uint8Array[] = [];
    for await (const chunk of gunzipped(cut())) parts.push(chunk);
    const got = Buffer.concat(parts);
    assert.ok(got.equals(plain.subarray(0, got.byteLength)) && got.byteLength > 100, `pieces of ${size}`);
    if (size >= 100) assert.equal(got.byteLength, plain.byteLength);
    asked = 0;
    for await (const chunk of gunzipped(cut())) if (chunk.byteLength > 0) break;
    assert.ok(asked <= 1000 || asked === size, `${asked} bytes asked for in pieces of ${size}`);
  }
});
