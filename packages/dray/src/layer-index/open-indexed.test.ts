import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import { memoryIndexes } from "../../test/memory-indexes.ts";
import { gzip } from "../compression/index.ts";
import { bytesContent, collect, type Indexes, verified } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { type Ranges, rangesOf } from "../seekable/index.ts";
import { endOfArchive, type NewEntry, padding, writeHeader } from "../tar/index.ts";
import { IndexLost, indexedEntries, openIndexed } from "./index.ts";

type File = Omit<NewEntry, "size"> & { readonly bytes?: Uint8Array };

const data = (name: string, size: number): Uint8Array =>
  Buffer.from(Buffer.from(seededBytes(name, size / 2)).toString("hex"), "latin1");

const files: readonly File[] = [
  {
    name: "etc/",
    type: "directory",
    mode: 0o750,
    uid: 1,
    gid: 2,
    uname: "daemon",
    gname: "bin",
    mtime: 1_600_000_000.5,
  },
  { name: "etc/none" },
  ...Array.from({ length: 90 }, (_, i) => ({ name: `data/${i}`, bytes: data(`f${i}`, 10_240) })),
  { name: "big", bytes: data("big", 1_500_000), pax: { "SCHILY.xattr.user.any": "\0\xff" } },
  { name: "etc/soft", type: "symlink", linkName: "none" },
  { name: "etc/hard", type: "hardlink", linkName: "data/7" },
  { name: "dev/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
  { name: "n\udcff\n", bytes: new TextEncoder().encode("no UTF-8") },
  { name: "etc/none", bytes: new TextEncoder().encode("again") },
];

const tar = Buffer.concat([
  ...files.flatMap(({ bytes = new Uint8Array(0), ...entry }) => [
    writeHeader({ ...entry, size: bytes.byteLength }),
    bytes,
    padding(bytes.byteLength),
  ]),
  endOfArchive(),
]);

interface Layer {
  readonly blob: Uint8Array;
  readonly descriptor: Descriptor;
}
const layerOf = (given: Uint8Array): Layer => layerOfBytes(new Uint8Array(given));
const layerOfBytes = (blob: Uint8Array): Layer => ({
  blob,
  descriptor: {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: digestOf(blob),
    size: blob.byteLength,
  },
});
const plain = layerOf(gzipSync(tar));

async function* pieces(blob: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.byteLength; at += 50_000) yield blob.slice(at, at + 50_000);
}

/** Reads a layer whole, which makes its index. */
const readWhole = async (
  { blob, descriptor }: Layer,
  indexes: Indexes,
  chunks: AsyncIterable<Uint8Array> = verified(pieces(blob), descriptor),
) => {
  const told = [];
  for await (const entry of indexedEntries(descriptor, chunks, { indexes, what: "the layer" })) {
    const { body, data: _data, start: _start, stored: _stored, offset, pax, ...rest } = entry;
    told.push({ ...rest, pax: { ...pax }, place: offset, digest: digestOf(await collect(body, 1e9, entry.name)) });
  }
  return told;
};

/** A blob that tells what is read of it. */
const counted = (blob: Uint8Array): Ranges & { bytes: number; requests: number } => {
  const ranges = {
    bytes: 0,
    requests: 0,
    ...rangesOf(blob.byteLength, async function* ({ offset = 0, length = 0 }) {
      ranges.requests++;
      for await (const chunk of pieces(blob.slice(offset, offset + length))) {
        ranges.bytes += chunk.byteLength;
        yield chunk;
      }
    }),
  };
  return ranges;
};

const opened = async (layer: Layer, indexes: Indexes, ranges: Ranges = counted(layer.blob)) => {
  const found = await openIndexed(ranges, layer.descriptor, indexes);
  return found ?? assert.fail("there is an index");
};

const lost = (error: unknown): boolean => error instanceof IndexLost;

describe("a layer that was read whole", () => {
  test("tells the same entries, and the same bytes of each file, by its index", async () => {
    const ours = layerOf(await collect(gzip(bytesContent(tar).open()), 1e9, "gzip"));
    const sizes: number[] = [];
    for (const layer of [plain, ours, layerOf(tar), layerOf(gzipSync(tar, { level: 0 }))]) {
      const indexes = memoryIndexes();
      const expected = await readWhole(layer, indexes);
      const found = await opened(layer, indexes);
      const told = [];
      for await (const entry of found.entries())
        told.push({
          ...entry,
          digest: digestOf(await collect(found.open({ place: entry.place, path: entry.name }), 1e9, entry.name)),
        });
      assert.deepEqual(told, expected);
      const [kept] = indexes.kept.values();
      sizes.push(kept?.byteLength ?? 0);
    }
    const [others = 0, own = 0] = sizes;
    assert.ok(own < 6000 && own < others / 4, sizes.join(" "));
  });

  test("is asked for one part, of the blocks that a file takes, and by one request", async () => {
    const indexes = memoryIndexes();
    await readWhole(plain, indexes);
    const ranges = counted(plain.blob);
    const found = await opened(plain, indexes, ranges);
    const place = (await Array.fromAsync(found.entries())).find(({ name }) => name === "data/60")?.place ?? 0;
    assert.equal(ranges.bytes, 0);
    await collect(found.open({ place, path: "data/60" }), 1e9, "file");
    assert.equal(ranges.requests, 1);
    assert.ok(ranges.bytes < plain.blob.byteLength / 3, `${ranges.bytes} of ${plain.blob.byteLength}`);
  });

  test("has no index where it was not read to its end, or was not what its digest says", async () => {
    const indexes = memoryIndexes();
    for await (const { name } of indexedEntries(plain.descriptor, pieces(plain.blob), { indexes, what: "it" }))
      if (name === "big") break;
    const { descriptor, blob } = plain;
    const other = { ...descriptor, digest: digestOf(new Uint8Array(1)) };
    await assert.rejects(readWhole(plain, indexes, verified(pieces(blob), other)), (error) =>
      isDrayError(error, "DIGEST_MISMATCH"),
    );
    await assert.rejects(readWhole(plain, indexes, pieces(blob.subarray(0, -20))), (error) =>
      isDrayError(error, "MANIFEST_INVALID"),
    );
    assert.equal(indexes.kept.size, 0);
    assert.equal(await openIndexed(counted(blob), descriptor, indexes), undefined);
  });

  test("has none where it is small, or is of zstd", async () => {
    const indexes = memoryIndexes();
    const small = Buffer.concat([writeHeader({ name: "a", size: 0 }), endOfArchive()]);
    await readWhole(layerOf(gzipSync(small)), indexes);
    if ((zstdCompressSync as unknown) !== undefined) await readWhole(layerOf(zstdCompressSync(tar)), indexes);
    assert.equal(indexes.kept.size, 0);
  });

  test("and is read whole again keeps its index as it is", async () => {
    const indexes = memoryIndexes();
    await readWhole(plain, indexes);
    const before = indexes.kept.get(plain.descriptor.digest);
    await readWhole(plain, indexes);
    assert.equal(indexes.kept.get(plain.descriptor.digest), before);
  });
});

describe("what is not as it was", () => {
  test("of a layer is refused, and none of it given out", async () => {
    const indexes = memoryIndexes();
    await readWhole(plain, indexes);
    const entries = await Array.fromAsync((await opened(plain, indexes)).entries());
    const { place } = entries.find(({ name }) => name === "big") ?? assert.fail();
    const right = files.find(({ name }) => name === "big")?.bytes ?? new Uint8Array(0);
    for (const at of [0.6, 0.7, 0.9]) {
      const wrong = plain.blob.slice();
      wrong[Math.floor(wrong.byteLength * at)]! ^= 1;
      const found = await opened(plain, indexes, counted(wrong));
      let given = 0;
      await assert.rejects(
        async () => {
          for await (const chunk of found.open({ place, path: "big" })) {
            assert.equal(Buffer.compare(chunk, right.subarray(given, given + chunk.byteLength)), 0);
            given += chunk.byteLength;
          }
        },
        (error) => isDrayError(error, "DIGEST_MISMATCH") && error.message.includes(plain.descriptor.digest),
      );
      assert.ok(given < right.byteLength);
    }
    const short = await opened(plain, indexes, {
      ...counted(plain.blob.subarray(0, -5000)),
      size: plain.blob.byteLength,
    });
    await assert.rejects(collect(short.open({ place: entries.at(-1)?.place ?? 0, path: "x" }), 1e9, "x"), (error) =>
      isDrayError(error, "SIZE_MISMATCH"),
    );
    assert.deepEqual(indexes.removed, [], "that was not the index");
  });

  test("where the blob was kept and was damaged, comes from its source", async () => {
    const indexes = memoryIndexes();
    const expected = await readWhole(plain, indexes);
    const { place, digest } = expected.find(({ name }) => name === "big") ?? assert.fail();
    const wrong = plain.blob.slice();
    wrong[Math.floor(wrong.byteLength * 0.8)]! ^= 1;
    let from: Uint8Array = wrong;
    let mended = 0;
    const ranges = rangesOf(wrong.byteLength, ({ offset = 0, length = 0 }) =>
      pieces(from.slice(offset, offset + length)),
    );
    const mending: Indexes = {
      ...indexes,
      mend: async () => {
        mended++;
        from = plain.blob;
        return true;
      },
    };
    const found = await opened(plain, mending, ranges);
    assert.equal(digestOf(await collect(found.open({ place, path: "big" }), 1e9, "big")), digest);
    assert.equal(mended, 1);
  });

  test("of an index is never used: wherever a bit of it is another, the bytes are right or it is lost", async () => {
    const indexes = memoryIndexes();
    const expected = await readWhole(plain, indexes);
    const [kept = new Uint8Array(0)] = indexes.kept.values();
    const { place, digest } = expected.find(({ name }) => name === "data/60") ?? assert.fail();
    const { digest: key } = plain.descriptor;
    let [unread, gone, fine] = [0, 0, 0];
    for (let i = 0; i < 60; i++) {
      const wrong = kept.slice();
      wrong[Math.floor((i * (kept.byteLength - 1)) / 59)]! ^= 4;
      indexes.kept.set(key, wrong);
      const found = await openIndexed(counted(plain.blob), plain.descriptor, indexes);
      if (found === undefined) unread++;
      else
        try {
          const told = [];
          for await (const { place: _place, ...entry } of found.entries()) told.push(entry.name);
          assert.deepEqual(
            told,
            expected.map(({ name }) => name),
          );
          assert.equal(digestOf(await collect(found.open({ place, path: "data/60" }), 1e9, "file")), digest);
          fine++;
        } catch (error) {
          assert.ok(lost(error), String(error));
          assert.ok(!indexes.kept.has(key), "it is taken away");
          gone++;
        }
    }
    // Windows of other points are not looked at.
    assert.ok(unread > 0 && gone > 0 && fine > 0, `${unread}, ${gone}, ${fine}`);
    for (const other of [
      kept.subarray(0, -1),
      kept.subarray(10),
      kept.subarray(-200),
      new Uint8Array(0),
      new Uint8Array(500),
    ]) {
      indexes.kept.set(key, other);
      assert.equal(await openIndexed(counted(plain.blob), plain.descriptor, indexes), undefined);
    }
    indexes.kept.set(digestOf(tar), kept);
    const another = { ...layerOf(tar).descriptor };
    assert.equal(await openIndexed(counted(tar), another, indexes), undefined, "it is another layer's");
  });

  test("of another version is made again", async () => {
    const indexes = memoryIndexes();
    await readWhole(plain, indexes);
    const { digest } = plain.descriptor;
    const kept = indexes.kept.get(digest) ?? assert.fail("it was kept");
    const foot = kept.slice();
    new DataView(foot.buffer).setUint32(foot.byteLength - 60 + 16, 2, true);
    indexes.kept.set(digest, foot);
    assert.equal(await openIndexed(counted(plain.blob), plain.descriptor, indexes), undefined);
    await readWhole(plain, indexes);
    assert.deepEqual(indexes.kept.get(digest), kept);
  });
});
