import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { seededBytes } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { tarOf } from "../../test/tar-of.ts";
import { bytesContent, type Content, collect } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { digestOf } from "../oci/index.ts";
import { endOfArchive, readEntries } from "../tar/index.ts";
import { type EstargzOptions, estargz } from "./estargz.ts";
import type { TocEntry } from "./toc.ts";

const text = (of: string): Uint8Array => new TextEncoder().encode(of);

interface Made {
  readonly blob: Uint8Array;
  readonly plain: Uint8Array;
  readonly toc: readonly TocEntry[];
  readonly facts: ReturnType<ReturnType<typeof estargz>["facts"]>;
}

/** Makes one and takes it apart by what the specification says, with zlib alone. */
const made = async (tar: Uint8Array | Content, options?: EstargzOptions): Promise<Made> => {
  const layer = estargz("open" in tar ? tar : bytesContent(tar), options);
  const blob = await collect(layer.open(), 1e9, "blob");
  const plain = gunzipSync(blob);
  const footer = blob.subarray(-51);
  assert.equal(gunzipSync(footer).byteLength, 0);
  const said = /^SG\x16\x00([0-9a-f]{16})STARGZ$/.exec(Buffer.from(footer.subarray(12, 38)).toString("latin1"));
  const tocOffset = Number.parseInt(said?.[1] ?? "", 16);
  const [entry, ...more] = await entriesOf(gunzipSync(blob.subarray(tocOffset, -51)));
  assert.deepEqual([entry?.name, more], ["stargz.index.json", []], "it is the last entry, in a member of its own");
  const facts = layer.facts();
  assert.equal(digestOf(entry?.bytes ?? new Uint8Array()), facts.tocDigest);
  assert.equal(digestOf(plain), facts.diffID);
  assert.equal(plain.byteLength, facts.uncompressedSize);
  const { version, entries } = JSON.parse(Buffer.from(entry?.bytes ?? []).toString()) as {
    version: number;
    entries: TocEntry[];
  };
  assert.equal(version, 1);
  // Each part lies alone in a member that begins where the table says.
  const offsets = [...new Set(entries.flatMap(({ offset }) => offset ?? [])), tocOffset];
  let file: TocEntry | undefined;
  for (const each of entries) {
    if (each.type !== "chunk") file = each;
    if (each.offset === undefined) continue;
    const member = gunzipSync(blob.subarray(each.offset, offsets[offsets.indexOf(each.offset) + 1]));
    const size = each.chunkSize ?? (file?.size ?? 0) - (each.chunkOffset ?? 0);
    assert.equal(digestOf(member.subarray(0, size)), each.chunkDigest, each.name);
  }
  return { blob, plain, toc: entries, facts };
};

const entriesOf = async (tar: Uint8Array): Promise<{ name: string; bytes: Uint8Array }[]> => {
  const found = [];
  for await (const { name, size, body } of readEntries(bytesContent(tar).open()))
    found.push({ name, bytes: await collect(body, size, name) });
  return found;
};

const namesIn = async (tar: Uint8Array): Promise<string[]> => (await entriesOf(tar)).map(({ name }) => name);

const refused = async (tar: Uint8Array, options: EstargzOptions, code: ErrorCode, says: RegExp): Promise<void> => {
  await assert.rejects(
    async () => made(tar, options),
    (error) => isDrayError(error, code) && says.test(error.message),
  );
};

const big = seededBytes("estargz", 2_500_000);
const sample = tarOf([
  { name: "./", type: "directory", mode: 0o755 },
  {
    name: "./etc/",
    type: "directory",
    mode: 0o750,
    uid: 1,
    gid: 2,
    uname: "daemon",
    gname: "bin",
    mtime: 1_600_000_000.6,
  },
  { name: "./etc/passwd", body: text("root:x:0:0\n"), mode: 0o4644, mtime: -1 },
  { name: "./etc/empty" },
  { name: "./etc/link", type: "symlink", linkName: "passwd" },
  { name: "./etc/hard", type: "hardlink", linkName: "./etc/passwd" },
  { name: "./dev/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
  { name: "./dev/sda", type: "block-device", deviceMajor: 8 },
  { name: "./run/pipe", type: "fifo" },
  { name: "./big", body: big, pax: { "SCHILY.xattr.security.capability": "\x01\0\xff", comment: "kept" } },
  { name: `./${"n".repeat(150)}`, body: text("long") },
]);

describe("an eStargz layer", () => {
  test("tells each member of an entry as the specification has it", async () => {
    const { toc } = await made(sample, { chunkSize: 1_000_000 });
    const plain = { mode: 0o644, uid: 0, gid: 0 };
    const [landmark, ...rest] = toc;
    assert.deepEqual([landmark?.name, landmark?.size, landmark?.type], [".no.prefetch.landmark", 1, "reg"]);
    const shown = rest.map(({ offset, ...entry }) => ({ ...entry, ...(offset === undefined ? {} : { offset: true }) }));
    const part = (from: number, to: number) => digestOf(big.subarray(from, to));
    assert.deepEqual(shown, [
      { name: "./", type: "dir", mode: 0o755, uid: 0, gid: 0 },
      {
        name: "./etc/",
        type: "dir",
        modtime: "2020-09-13T12:26:41Z",
        mode: 0o750,
        uid: 1,
        gid: 2,
        userName: "daemon",
        groupName: "bin",
      },
      {
        name: "./etc/passwd",
        type: "reg",
        modtime: "1969-12-31T23:59:59Z",
        ...plain,
        mode: 0o4644,
        size: 11,
        digest: digestOf(text("root:x:0:0\n")),
        offset: true,
        chunkDigest: digestOf(text("root:x:0:0\n")),
      },
      { name: "./etc/empty", type: "reg", ...plain, digest: digestOf(new Uint8Array()) },
      { name: "./etc/link", type: "symlink", linkName: "passwd", ...plain },
      { name: "./etc/hard", type: "hardlink", linkName: "./etc/passwd", ...plain },
      { name: "./dev/null", type: "char", ...plain, devMajor: 1, devMinor: 3 },
      { name: "./dev/sda", type: "block", ...plain, devMajor: 8, devMinor: 0 },
      { name: "./run/pipe", type: "fifo", ...plain },
      {
        name: "./big",
        type: "reg",
        ...plain,
        xattrs: { "security.capability": "AQD/" },
        size: big.byteLength,
        digest: digestOf(big),
        offset: true,
        chunkSize: 1_000_000,
        chunkDigest: part(0, 1_000_000),
      },
      {
        name: "./big",
        type: "chunk",
        offset: true,
        chunkOffset: 1_000_000,
        chunkSize: 1_000_000,
        chunkDigest: part(1_000_000, 2_000_000),
      },
      { name: "./big", type: "chunk", offset: true, chunkOffset: 2_000_000, chunkDigest: part(2_000_000, 2_500_000) },
      {
        name: `./${"n".repeat(150)}`,
        type: "reg",
        ...plain,
        size: 4,
        digest: digestOf(text("long")),
        offset: true,
        chunkDigest: digestOf(text("long")),
      },
    ]);
  });

  test("is gzip and tar to everybody else", async () => {
    const { blob, plain, facts } = await made(sample);
    const names = await namesIn(plain);
    assert.deepEqual(names, [".no.prefetch.landmark", ...(await namesIn(sample)), "stargz.index.json"]);
    assert.deepEqual(facts.annotations, {
      "containerd.io/snapshot/stargz/toc.digest": facts.tocDigest,
      "io.containers.estargz.uncompressed-size": String(plain.byteLength),
    });
    const listed = execFileSync("tar", ["-tzf", "-"], { input: blob }).toString().trim().split("\n");
    assert.deepEqual(listed, names);
    // What the original had in pax records is there, too.
    for await (const { name, pax } of readEntries(bytesContent(plain).open()))
      if (name === "./big")
        assert.deepEqual({ ...pax }, { "SCHILY.xattr.security.capability": "\x01\0\xff", comment: "kept" });
  });

  test("has one digest on every runtime and machine", async () => {
    // Another one is a breaking change: of the encoder's format, or of what is written into the layer.
    assert.equal(
      digestOf((await made(sample, { chunkSize: 1_000_000 })).blob),
      "sha256:a0f9dc49c91ce3b15d36185eb6cfd11136abeb21fe01285c1d93f2a7d728dd70",
    );
    assert.equal(
      digestOf((await made(sample, { level: 6, prioritized: ["etc/hard"] })).blob),
      "sha256:51e8b6e478c07fa1a3b526e01ca49cfe867a904784b572012c23afd47ead111f",
    );
  });

  test("is the same from a tar, a compressed one, one in pieces, one of eStargz, and from any offset", async () => {
    const { blob } = await made(sample);
    const pieces: Content = {
      open: async function* () {
        for (let at = 0; at < sample.byteLength; at += 70_001) yield sample.slice(at, at + 70_001);
      },
    };
    for (const other of [gzipSync(sample), pieces, blob])
      assert.equal(digestOf((await made(other)).blob), digestOf(blob));
    const later = await collect(estargz(bytesContent(sample)).open({ offset: 1234 }), 1e9, "rest");
    assert.equal(digestOf(later), digestOf(blob.subarray(1234)));
  });

  test("has chunks of the given size, the last one without", async () => {
    for (const size of [999, 1000, 1001, 2000]) {
      const { toc } = await made(tarOf([{ name: "f", body: big.subarray(0, size) }]), { chunkSize: 1000 });
      const sizes = toc.slice(1).map(({ chunkOffset, chunkSize }) => [chunkOffset, chunkSize]);
      const expected = {
        999: [[undefined, undefined]],
        1000: [[undefined, undefined]],
        1001: [
          [undefined, 1000],
          [1000, undefined],
        ],
        2000: [
          [undefined, 1000],
          [1000, undefined],
        ],
      };
      assert.deepEqual(sizes, expected[size as keyof typeof expected], `${size} bytes`);
    }
  });

  test("of nothing holds a landmark and a table", async () => {
    const { plain } = await made(endOfArchive());
    assert.deepEqual(await namesIn(plain), [".no.prefetch.landmark", "stargz.index.json"]);
  });

  test("of a thousand small entries has each at its place", async () => {
    const entries = Array.from({ length: 200 }, (_, i) => [
      { name: `d${i}/`, type: "directory" as const },
      { name: `d${i}/f`, body: text(`file ${i}`.repeat(i % 9)) },
      ...Array.from({ length: 3 }, (_, j) => ({ name: `d${i}/l${j}`, type: "symlink" as const, linkName: "f" })),
    ]);
    const { toc } = await made(tarOf(entries.flat()));
    assert.equal(toc.length, 1001);
  });

  test("whose members are large comes as a stream", async () => {
    const many = Array.from({ length: 2100 }, (_, i) => ({ name: `empty${i}` }));
    const { toc } = await made(
      tarOf([{ name: "a", body: big }, ...many, { name: "b", body: big }, { name: "c", body: text("c") }]),
    );
    assert.equal(toc.length, 2104);
  });
});

describe("files that are wanted first", () => {
  const tar = tarOf([
    { name: "usr/", type: "directory" },
    { name: "usr/bin/", type: "directory" },
    { name: "usr/bin/tool", body: text("old") },
    { name: "usr/bin/other", body: text("other") },
    { name: "usr/bin/tool", body: text("tool") },
    { name: "usr/bin/alias", type: "hardlink", linkName: "usr/bin/tool" },
    { name: "etc/conf", body: text("conf") },
  ]);

  test("come in their order, with folders and what hard links stand for, before the landmark", async () => {
    const { plain, toc } = await made(tar, { prioritized: ["/etc/conf", "./usr/bin/alias"] });
    const names = [
      "etc/conf",
      "usr/",
      "usr/bin/",
      "usr/bin/tool",
      "usr/bin/alias",
      ".prefetch.landmark",
      "usr/bin/other",
    ];
    assert.deepEqual(await namesIn(plain), [...names, "stargz.index.json"]);
    assert.deepEqual(
      toc.map(({ name }) => name),
      names,
    );
    assert.equal(toc[3]?.digest, digestOf(text("tool")), "the last of a name counts");
  });

  test("are refused where a name comes again behind a hard link to it, which is another file", async () => {
    const again = tarOf([
      { name: "a", body: text("1") },
      { name: "h", type: "hardlink", linkName: "./a" },
      { name: "a", body: text("2") },
    ]);
    for (const prioritized of [[], ["h"]]) await refused(again, { prioritized }, "UNSUPPORTED", /"a".*"h"/);
    const { toc } = await made(
      tarOf([
        { name: "a", body: text("1") },
        { name: "h", type: "hardlink", linkName: "a" },
        { name: "a", type: "hardlink", linkName: "a" },
      ]),
    );
    assert.ok(toc.some(({ name }) => name === "h"));
  });

  test("that are too large to be held are read again", async () => {
    const huge = new Uint8Array(33 * 1024 * 1024).fill(7);
    const { toc } = await made(
      tarOf([
        { name: "x", body: huge },
        { name: "y", body: text("y") },
        { name: "z", body: huge.subarray(1) },
      ]),
      { prioritized: ["z", "y", "x"] },
    );
    assert.deepEqual(
      toc.filter(({ type }) => type === "reg").map(({ name, digest }) => [name, digest]),
      [
        ["z", digestOf(huge.subarray(1))],
        ["y", digestOf(text("y"))],
        ["x", digestOf(huge)],
        [".prefetch.landmark", digestOf(Uint8Array.of(15))],
      ],
    );
  });

  test("that are not there are named", async () => {
    await refused(tar, { prioritized: ["etc/conf", "etc/nothing"] }, "NOT_FOUND", /no file etc\/nothing/);
  });

  test("may be links in a circle", async () => {
    const round = tarOf([
      { name: "a", type: "hardlink", linkName: "b" },
      { name: "b", type: "hardlink", linkName: "a" },
    ]);
    assert.equal((await made(round, { prioritized: ["a"] })).toc.length, 3);
  });
});

describe("what is refused", () => {
  test("is told by its name", async () => {
    await refused(sample.subarray(0, 3000), {}, "ARCHIVE_INVALID", /truncated/);
    await refused(gzipSync(sample).subarray(0, 100_000), {}, "MANIFEST_INVALID", /damaged or ends early/);
    assert.throws(() => estargz(bytesContent(sample), { level: 10 }), /level/);
    assert.throws(() => estargz(bytesContent(sample), { chunkSize: 0 }), /chunkSize/);
    assert.throws(() => estargz(bytesContent(sample)).facts(), /read it first/);
  });

  test("an entry of a vendor's own kind", async () => {
    const bytes = tarOf([{ name: "dump" }]).slice();
    bytes[156] = "D".charCodeAt(0);
    bytes.set(text("        "), 148);
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.set(text(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    await refused(bytes, {}, "UNSUPPORTED", /entry "dump" of a vendor's own kind/);
  });

  test("nothing is left open when nobody wants more", async () => {
    let ended = false;
    const content: Content = {
      open: async function* () {
        try {
          for (;;) yield sample.slice(0, -1024);
        } finally {
          ended = true;
        }
      },
    };
    for await (const _ of estargz(content).open()) break;
    assert.ok(ended);
  });
});

test("a sparse file is written whole", async () => {
  const folder = mkdtempSync(join(temporaryFolder("estargz"), "sparse-"));
  execFileSync("sh", ["-c", "truncate -s 3M hole && printf end >>hole && tar -S -cf sparse.tar hole"], { cwd: folder });
  const tar = execFileSync("cat", [join(folder, "sparse.tar")], { maxBuffer: 1e8 });
  assert.ok(tar.byteLength < 100_000);
  const { toc } = await made(tar, { chunkSize: 1024 * 1024 });
  assert.deepEqual(
    toc.slice(1).map(({ size }) => size),
    [3 * 1024 * 1024 + 3, undefined, undefined, undefined],
  );
});
