import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "@dray/testkit/files";
import { type Extent, endOfArchive, padding } from "./entry.ts";
import { indexTar, readEntries } from "./read.ts";
import { storedSize } from "./sparse.ts";
import { decodeText, encodeText } from "./text.ts";
import { headerSize, type NewEntry, writeHeader } from "./write.ts";

const run = promisify(execFile);

const gnuTar = ((): boolean => {
  try {
    return execFileSync("tar", ["--version"]).toString().includes("GNU tar");
  } catch {
    return false;
  }
})();

/** Forty extents, more than a header and one block after it hold, and a hole at the end. */
const extents: readonly Extent[] = Array.from({ length: 40 }, (_, i) => ({ offset: i * 65_536, size: 4096 }));
const size = 40 * 65_536 + 12_345;
const piece = (i: number): Buffer => Buffer.alloc(4096, `extent ${i} `);

const whole = (): Buffer => {
  const bytes = Buffer.alloc(size);
  for (const [i, { offset }] of extents.entries()) bytes.set(piece(i), offset);
  return bytes;
};

async function* pieces(bytes: Uint8Array, length = 7777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length);
}

const sum = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const sumOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
};

const forms: readonly (readonly [form: string, flags: readonly string[]])[] = [
  ["the old form", ["--format=gnu"]],
  ["0.0", ["--format=posix", "--sparse-version=0.0"]],
  ["0.1", ["--format=posix", "--sparse-version=0.1"]],
  ["1.0", ["--format=posix", "--sparse-version=1.0"]],
];

test("sparse files are read as GNU tar writes them in each of its forms, and GNU tar reads what we write", async (t) => {
  if (!gnuTar) {
    t.diagnostic("GNU tar is not here: not compared");
    console.error("sparse.test.ts: GNU tar is not here: not compared");
    return;
  }
  const folder = temporaryFolder("sparse");
  const name = `${"long/".repeat(25)}holes`;
  await mkdir(join(folder, "long/".repeat(25)), { recursive: true });
  const handle = await open(join(folder, name), "w");
  for (const [i, { offset }] of extents.entries()) await handle.write(piece(i), 0, 4096, offset);
  await handle.truncate(size);
  await handle.close();
  await writeFile(join(folder, "after"), "after");
  for (const [form, flags] of forms) {
    const archive = join(folder, "by-tar.tar");
    await run("tar", ["-S", "--hole-detection=raw", ...flags, "-cf", archive, name, "after"], { cwd: folder });
    const bytes = await readFile(archive);
    const written: Uint8Array[] = [];
    const found: string[] = [];
    for await (const entry of readEntries(pieces(bytes))) {
      found.push(entry.name);
      assert.deepEqual(
        Object.keys(entry.pax).filter((key) => key.startsWith("GNU.")),
        [],
      );
      if (entry.name === name) {
        assert.equal(entry.size, size, form);
        assert.deepEqual(entry.extents, extents, form);
        assert.equal(entry.stored, storedSize(extents), form);
      }
      written.push(writeHeader(entry as NewEntry));
      assert.equal(written.at(-1)?.byteLength, headerSize(entry as NewEntry));
      for await (const chunk of entry.data) written.push(Uint8Array.from(chunk));
      written.push(padding(entry.stored));
    }
    assert.deepEqual(found, [name, "after"], form);
    for await (const entry of readEntries(pieces(bytes, 100_000)))
      if (entry.name === name) assert.equal(await sumOf(entry.body), sum(whole()), form);
    await assert.rejects(
      indexTar(async (at, length) => bytes.subarray(at, at + length), bytes.byteLength),
      /sparse/,
    );
    const [ours, out] = [join(folder, "ours.tar"), join(folder, `out-${form}`)];
    await writeFile(ours, Buffer.concat([...written, endOfArchive()]));
    await mkdir(out);
    assert.equal((await run("tar", ["-xf", ours, "-C", out])).stderr, "", form);
    assert.equal(sum(await readFile(join(out, name))), sum(whole()), form);
    assert.equal(await readFile(join(out, "after"), "utf8"), "after", form);
    const { blocks } = await stat(join(out, name));
    assert.ok(blocks * 512 < size / 2, `${form}: ${blocks} blocks are no sparse file`);
  }
});

test("a sparse file may be all hole, or none of it", async () => {
  for (const [all, parts] of [
    [100_000, []],
    [5, [{ offset: 0, size: 5 }]],
    [10, [{ offset: 5, size: 5 }]],
  ] as const) {
    const stored = storedSize(parts);
    const bytes = Buffer.concat([
      writeHeader({ name: "a", size: all, extents: parts }),
      Buffer.alloc(stored, "x"),
      padding(stored),
      endOfArchive(),
    ]);
    for await (const entry of readEntries(pieces(bytes))) {
      assert.deepEqual(entry.extents, parts);
      const wanted = Buffer.alloc(all);
      for (const { offset, size: length } of parts) wanted.fill("x", offset, offset + length);
      assert.equal(await sumOf(entry.body), sum(wanted));
    }
  }
});

test("a name of any bytes is text, and those bytes again", () => {
  const names: readonly (readonly [hex: string, text: string])[] = [
    ["616263", "abc"],
    ["c3bc", "ü"],
    ["f09f9880", "😀"],
    ["efbbbf61", "\ufeffa"],
    ["e9", "\udce9"],
    ["61e962", "a\udce9b"],
    ["c3", "\udcc3"],
    ["c3bcc3", "ü\udcc3"],
    ["eda080", "\udced\udca0\udc80"],
    ["f09f98", "\udcf0\udc9f\udc98"],
    ["c080", "\udcc0\udc80"],
    ["f4908080", "\udcf4\udc90\udc80\udc80"],
    ["ff80f09f9880e9", "\udcff\udc80😀\udce9"],
  ];
  for (const [hex, text] of names) {
    assert.equal(decodeText(Buffer.from(hex, "hex")), text, hex);
    assert.equal(Buffer.from(encodeText(text)).toString("hex"), hex, hex);
  }
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(Array.from({ length: 5 }, (_, at) => (i * 7919 * (at + 3) + at * i) % 256));
    assert.deepEqual(Buffer.from(encodeText(decodeText(bytes))), bytes);
  }
});

test("names of any bytes are read and written in every field, and GNU tar sees the same", async (t) => {
  const names = ["a\udce9", `${"d/".repeat(60)}\udcff`, "ok ü", "\ufeffbom"];
  const bytes = Buffer.concat([
    ...names.map((name) => writeHeader({ name, type: "symlink", linkName: `${name}!`, uname: "\udcfe" })),
    endOfArchive(),
  ]);
  const found: string[][] = [];
  for await (const { name, linkName, uname } of readEntries(pieces(bytes))) found.push([name, linkName, uname]);
  assert.deepEqual(
    found,
    names.map((name) => [name, `${name}!`, "\udcfe"]),
  );
  if (!gnuTar) return t.diagnostic("GNU tar is not here: not compared");
  const archive = join(temporaryFolder("bytes"), "a.tar");
  await writeFile(archive, bytes);
  const { stdout } = await run("tar", ["--quoting-style=literal", "-tf", archive], { encoding: "buffer" });
  assert.deepEqual(stdout, Buffer.concat(names.map((name) => Buffer.concat([encodeText(name), Buffer.from("\n")]))));
});
