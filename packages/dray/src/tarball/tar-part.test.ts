import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, type Content, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type FileSystem, nodeFiles, type OpenFile } from "../files/index.ts";
import { type Descriptor, type Digest, digestOf, hexOf } from "../oci/index.ts";
import { readEntries } from "../tar/index.ts";
import type { NamedContent } from "./sink.ts";
import { TarPart } from "./tar-part.ts";
import { type Outlet, TarStream } from "./tar-stream.ts";

const MiB = 1024 * 1024;

interface Blob extends NamedContent {
  readonly bytes: Uint8Array;
  readonly content: Content;
  /** Bytes that were asked for, over all openings. */
  readonly read: () => number;
}

const blobOf = (bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Blob => {
  const digest = digestOf(bytes, algorithm);
  let read = 0;
  return {
    descriptor: { mediaType: "x", digest, size: bytes.byteLength },
    name: `${hexOf(digest)}.tar`,
    bytes,
    content: {
      size: bytes.byteLength,
      open: async function* ({ offset = 0 } = {}) {
        for (let at = offset; at < bytes.byteLength; at += 100_000) {
          const chunk = bytes.subarray(at, at + 100_000);
          read += chunk.byteLength;
          yield chunk;
        }
      },
    },
    read: () => read,
  };
};
/** Without zeros: how far content came is told by its last byte that is none. */
const filled = (size: number): Uint8Array => seededBytes(++made, size).map((byte) => byte || 1);
let made = 0;
const random = (size: number): Blob => blobOf(filled(size));

/** The content up to a byte, and then an error. */
const cut = (blob: Blob, at: number): Content => ({
  open: async function* ({ offset = 0 } = {}) {
    if (offset < at) yield blob.bytes.subarray(offset, at);
    throw new Error("cut");
  },
});

const named = (...blobs: Blob[]): Map<Digest, string[]> =>
  new Map(blobs.map(({ descriptor, name }) => [descriptor.digest, [name]]));
const last = [{ name: "last.json", bytes: Buffer.from("[]") }];

const entriesOf = async (file: string): Promise<[string, string][]> => {
  const found: [string, string][] = [];
  const chunks = (async function* () {
    yield await readFile(file);
  })();
  for await (const { name, type, linkName, body } of readEntries(chunks)) {
    const hash = createHash("sha256")
      .update(await collect(body, 1e9, name))
      .digest("hex");
    found.push([name, type === "hardlink" ? `-> ${linkName}` : hash]);
  }
  return found;
};
const wanted = (...blobs: Blob[]): [string, string][] => [
  ...blobs.map(({ name, bytes }): [string, string] => [name, createHash("sha256").update(bytes).digest("hex")]),
  ["last.json", createHash("sha256").update("[]").digest("hex")],
];

const inFolder = async (work: (folder: string, file: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("part");
  await work(folder, join(folder, "x.tar"));
};

test("bodies arrive side by side and lie in the order of the plan; nothing else stays", () =>
  inFolder(async (folder, file) => {
    const blobs = [random(3 * MiB + 5), random(0), random(511), random(512), blobOf(seededBytes("few", 700), "sha512")];
    const part = await TarPart.open(nodeFiles, file);
    await part.plan(blobs);
    await Promise.all([...blobs].reverse().map((blob) => part.write(blob, blob.content)));
    for (const { descriptor } of blobs) assert.ok(await part.has(descriptor));
    await part.finish(named(...blobs), last);
    assert.deepEqual(await entriesOf(file), wanted(...blobs));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));

test("what was not announced finds its place as well", () =>
  inFolder(async (_folder, file) => {
    const blobs = Array.from({ length: 40 }, (_, i) => random(1000 + i * 777));
    const part = await TarPart.open(nodeFiles, file);
    await Promise.all(blobs.map((blob) => part.write(blob, blob.content)));
    await part.finish(named(...blobs), last);
    assert.deepEqual(await entriesOf(file), wanted(...blobs));
  }));

test("the same content gives the same bytes, in whatever order it comes", () =>
  inFolder(async (_folder, file) => {
    const blobs = [random(5000), random(70_000), random(1)];
    const made: Buffer[] = [];
    for (const order of [blobs, [...blobs].reverse()]) {
      const part = await TarPart.open(nodeFiles, file);
      await part.plan(blobs);
      for (const blob of order) await part.write(blob, blob.content);
      await part.finish(named(...blobs), last);
      made.push(await readFile(file));
    }
    assert.ok(made[0]?.equals(made[1] as Buffer));
  }));

test("a later attempt asks for nothing but what is missing", () =>
  inFolder(async (_folder, file) => {
    const blobs = [random(4 * MiB), random(3 * MiB), random(2 * MiB)];
    const [whole, half, none] = blobs as [Blob, Blob, Blob];
    const first = await TarPart.open(nodeFiles, file);
    await first.plan(blobs);
    await first.write(whole, whole.content);
    await assert.rejects(first.write(half, cut(half, 2_500_000)), /cut/);
    await first.abandon();

    const before = blobs.reduce((sum, { read }) => sum + read(), 0);
    const second = await TarPart.open(nodeFiles, file);
    await second.plan(blobs);
    assert.deepEqual(await Promise.all(blobs.map(({ descriptor }) => second.has(descriptor))), [true, false, false]);
    await Promise.all(blobs.map((blob) => second.write(blob, blob.content)));
    await second.finish(named(...blobs), last);
    assert.deepEqual(await entriesOf(file), wanted(...blobs));
    const asked = blobs.reduce((sum, { read }) => sum + read(), 0) - before;
    assert.equal(asked, none.bytes.byteLength + half.bytes.byteLength - 2_500_000);
  }));

test("the same attempt goes on where the content broke off", () =>
  inFolder(async (_folder, file) => {
    const blob = random(3 * MiB);
    const part = await TarPart.open(nodeFiles, file);
    await assert.rejects(part.write(blob, cut(blob, 2_000_000)), /cut/);
    assert.equal(await part.has(blob.descriptor), false);
    await part.write(blob, blob.content);
    assert.equal(blob.read(), 3 * MiB - 2_000_000);
    await part.finish(named(blob), last);
    assert.deepEqual(await entriesOf(file), wanted(blob));
  }));

test("content that ends in zeros is known for whole, and content of zeros alone", () =>
  inFolder(async (_folder, file) => {
    const blobs = [
      blobOf(Buffer.concat([seededBytes("zeros behind", 2 * MiB), Buffer.alloc(1024)])),
      blobOf(new Uint8Array(5000)),
      blobOf(Buffer.concat([seededBytes("zeros behind", 100), Buffer.alloc(5 * MiB)])),
    ];
    const first = await TarPart.open(nodeFiles, file);
    for (const blob of blobs) await first.write(blob, blob.content);
    await first.abandon();
    const second = await TarPart.open(nodeFiles, file);
    // More than a block of zeros at the end cannot be told from nothing: it is asked for again.
    assert.deepEqual(await Promise.all(blobs.map(({ descriptor }) => second.has(descriptor))), [true, true, false]);
    for (const blob of blobs) await second.write(blob, blob.content);
    await second.finish(named(...blobs), last);
    assert.deepEqual(await entriesOf(file), wanted(...blobs));
  }));

test("wrong bytes of an earlier attempt are found out and replaced", () =>
  inFolder(async (_folder, file) => {
    const blob = random(2 * MiB);
    for (const damage of [10, 1_999_000]) {
      const first = await TarPart.open(nodeFiles, file);
      await first.plan([blob]);
      await assert.rejects(first.write(blob, cut(blob, 2_000_000)), /cut/);
      await first.abandon();
      const bytes = await readFile(`${file}.dray-part`);
      bytes[512 + damage] = (bytes[512 + damage] as number) ^ 1;
      await writeFile(`${file}.dray-part`, bytes);
      const second = await TarPart.open(nodeFiles, file);
      await second.write(blob, blob.content);
      await second.finish(named(blob), last);
      assert.deepEqual(await entriesOf(file), wanted(blob));
    }
  }));

test("a wrong digest, or too many or too few bytes, never come to stand under the final name", () =>
  inFolder(async (folder, file) => {
    await writeFile(file, "old");
    const blob = random(MiB + 7);
    const other = seededBytes("other", MiB + 7);
    for (const [content, code] of [
      [bytesContent(other), "DIGEST_MISMATCH"],
      [bytesContent(Buffer.concat([blob.bytes, blob.bytes])), "SIZE_MISMATCH"],
      [bytesContent(blob.bytes.subarray(0, 5)), "SIZE_MISMATCH"],
    ] as const) {
      const part = await TarPart.open(nodeFiles, file);
      await part.plan([blob]);
      await assert.rejects(part.write(blob, content), (error) => isDrayError(error, code));
      assert.equal(await part.has(blob.descriptor), false);
      await assert.rejects(part.finish(named(blob), last), (error) => isDrayError(error, "NOT_FOUND"));
      await part.abandon();
      assert.equal(await readFile(file, "utf8"), "old");
    }
    const part = await TarPart.open(nodeFiles, file);
    await part.write(blob, blob.content);
    await part.finish(named(blob), last);
    assert.deepEqual(await entriesOf(file), wanted(blob));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));

test("what an earlier attempt brought and this one does not want leaves no gap", () =>
  inFolder(async (_folder, file) => {
    const stale = [random(3 * MiB), random(700)];
    const kept = [random(2 * MiB + 1), random(10)];
    const [a, b] = stale as [Blob, Blob];
    const [c, d] = kept as [Blob, Blob];
    const first = await TarPart.open(nodeFiles, file);
    await first.plan([a, c, b, d]);
    for (const blob of [a, c, b]) await first.write(blob, blob.content);
    await first.abandon();
    const second = await TarPart.open(nodeFiles, file);
    const added = random(5000);
    await second.plan([c, added, d]);
    for (const blob of [c, added, d]) await second.write(blob, blob.content);
    await second.finish(named(c, d, added), last);
    assert.equal(c.read(), c.bytes.byteLength);
    assert.deepEqual(await entriesOf(file), wanted(c, d, added));
  }));

test("a part that makes no sense is begun anew; one that is cut is used as far as it goes", () =>
  inFolder(async (_folder, file) => {
    const blobs = [random(MiB), random(MiB)];
    const first = await TarPart.open(nodeFiles, file);
    await first.plan(blobs);
    for (const blob of blobs) await first.write(blob, blob.content);
    await first.abandon();
    const good = await readFile(`${file}.dray-part`);
    const cases: [Buffer, boolean[]][] = [
      [Buffer.from("this is no tar"), [false, false]],
      [Buffer.from(seededBytes("no tar", 4096)), [false, false]],
      [Buffer.alloc(10_000), [false, false]],
      [good.subarray(0, good.length - 600), [true, false]],
      [good.subarray(0, MiB + 512 + 100), [true, false]],
      [good, [true, true]],
    ];
    for (const [bytes, there] of cases) {
      await writeFile(`${file}.dray-part`, bytes);
      const part = await TarPart.open(nodeFiles, file);
      assert.deepEqual(await Promise.all(blobs.map(({ descriptor }) => part.has(descriptor))), there);
      for (const blob of blobs) await part.write(blob, blob.content);
      await part.finish(named(...blobs), last);
      assert.deepEqual(await entriesOf(file), wanted(...blobs));
    }
  }));

test("names may change at the end, and one body may have several", () =>
  inFolder(async (_folder, file) => {
    const [a, b] = [random(1000), random(2000)];
    const part = await TarPart.open(nodeFiles, file);
    await part.plan([a, b]);
    for (const blob of [a, b]) await part.write(blob, blob.content);
    const names = new Map([
      [a.descriptor.digest, ["config", "layer"]],
      [b.descriptor.digest, [b.name]],
    ]);
    await part.finish(names, last);
    const [first, second] = wanted(a, b) as [[string, string], [string, string]];
    assert.deepEqual((await entriesOf(file)).slice(0, 3), [["config", first[1]], second, ["layer", "-> config"]]);
  }));

test("nothing that is worth keeping leaves nothing behind; two writers exclude each other", () =>
  inFolder(async (folder, file) => {
    const part = await TarPart.open(nodeFiles, file);
    await part.plan([random(5)]);
    await assert.rejects(
      TarPart.open(nodeFiles, file),
      (error) => isDrayError(error, "LOCKED") && error.message.includes(file),
    );
    await part.abandon();
    assert.deepEqual(await readdir(folder), []);
    await (await TarPart.open(nodeFiles, file)).abandon();
  }));

test("two who write the same content write it once", () =>
  inFolder(async (_folder, file) => {
    const blob = random(MiB);
    const part = await TarPart.open(nodeFiles, file);
    await Promise.all([part.write(blob, blob.content), part.write(blob, blob.content)]);
    assert.equal(blob.read(), MiB);
    await part.finish(named(blob), last);
  }));

test("a symbolic link stays, and what it leads to is replaced", () =>
  inFolder(async (folder, file) => {
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real/y.tar"), "old");
    await symlink("real/y.tar", file);
    const blob = random(10);
    const part = await TarPart.open(nodeFiles, file);
    await part.write(blob, blob.content);
    await part.finish(named(blob), last);
    assert.deepEqual(await entriesOf(join(folder, "real/y.tar")), wanted(blob));
    assert.ok((await stat(file)).isFile());
    assert.deepEqual(await readdir(join(folder, "real")), ["y.tar"]);
  }));

test("a disk that is full is said so; what arrived is kept and gone on with", () =>
  inFolder(async (_folder, file) => {
    const blob = random(4 * MiB);
    let room = 2 * MiB + 2048;
    const full: FileSystem = {
      ...nodeFiles,
      open: async (path, flags, mode) => {
        const opened = await nodeFiles.open(path, flags, mode);
        if (!path.endsWith(".dray-part")) return opened;
        const limited: OpenFile = {
          read: (...args) => opened.read(...args),
          write: async (...args) => {
            room -= args[2];
            if (room < 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
            return opened.write(...args);
          },
          stat: () => opened.stat(),
          truncate: (length) => opened.truncate(length),
          sync: () => opened.sync(),
          close: () => opened.close(),
        };
        return limited;
      },
    };
    const part = await TarPart.open(full, file);
    await part.plan([blob]);
    await assert.rejects(
      part.write(blob, blob.content),
      (error) => isDrayError(error, "DISK") && /disk is full/.test(error.message),
    );
    await part.abandon();
    const again = await TarPart.open(nodeFiles, file);
    const before = blob.read();
    await again.write(blob, blob.content);
    const asked = blob.read() - before;
    assert.ok(asked >= 2 * MiB && asked < 2.2 * MiB, `${asked} bytes were asked for again`);
    await again.finish(named(blob), last);
    assert.deepEqual(await entriesOf(file), wanted(blob));
  }));

test("a cancelled write keeps what arrived", () =>
  inFolder(async (_folder, file) => {
    const blob = random(3 * MiB);
    const cancel = new AbortController();
    const part = await TarPart.open(nodeFiles, file);
    const content: Content = {
      open: async function* ({ offset = 0 } = {}) {
        for (let at = offset; at < blob.bytes.byteLength; at += 100_000) {
          if (at === 2_000_000) cancel.abort();
          yield blob.bytes.subarray(at, at + 100_000);
        }
      },
    };
    await assert.rejects(part.write(blob, content, { signal: cancel.signal }), (error) =>
      isDrayError(error, "ABORTED"),
    );
    await part.abandon();
    const again = await TarPart.open(nodeFiles, file);
    await again.write(blob, blob.content);
    assert.equal(blob.read(), 3 * MiB - 2_000_000);
    await again.abandon();
  }));

const outletTo = (sent: Uint8Array[]): Outlet & { ended: number } => ({
  ended: 0,
  put: async (bytes) => void sent.push(Uint8Array.from(bytes)),
  async end() {
    this.ended++;
  },
});

test("a stream holds the same entries, one after the other", () =>
  inFolder(async (_folder, file) => {
    const blobs = [random(200_000), random(0), random(5)];
    const [first, second] = blobs as [Blob, Blob];
    const sent: Uint8Array[] = [];
    const outlet = outletTo(sent);
    const stream = new TarStream(outlet, "standard output");
    await stream.plan();
    await Promise.all([...blobs, ...blobs].map((blob) => stream.write(blob, blob.content)));
    assert.ok(await stream.has(first.descriptor));
    assert.equal(await stream.has(random(1).descriptor), false);
    const names = named(...blobs);
    names.set(second.descriptor.digest, [second.name, "again"]);
    await stream.finish(names, last);
    await writeFile(file, Buffer.concat(sent));
    const [a, b, c, end] = wanted(...blobs);
    assert.deepEqual(await entriesOf(file), [a, b, c, ["again", `-> ${second.name}`], end]);
    assert.equal(outlet.ended, 1);
  }));

test("a stream that went wrong takes nothing more", async () => {
  const [good, bad] = [random(10), random(10)];
  const wrong: Descriptor = { ...bad.descriptor, size: 11 };
  for (const [descriptor, content, code] of [
    [bad.descriptor, good.content, "DIGEST_MISMATCH"],
    [wrong, bad.content, "SIZE_MISMATCH"],
  ] as const) {
    const outlet = outletTo([]);
    const stream = new TarStream(outlet, "standard output");
    await assert.rejects(stream.write({ descriptor, name: bad.name }, content), (error) => isDrayError(error, code));
    await assert.rejects(stream.write(good, good.content), (error) => isDrayError(error, "DISK"));
    await assert.rejects(stream.finish(named(good), last), (error) => isDrayError(error, "NOT_FOUND"));
    await stream.abandon();
    assert.equal(outlet.ended, 1);
  }
});

test("a reader that stops reading does not hold up a cancel", async () => {
  const cancel = new AbortController();
  const outlet: Outlet = {
    put: (bytes) => (bytes.byteLength === 512 ? Promise.resolve() : new Promise(() => {})),
    end: async () => {},
  };
  const stream = new TarStream(outlet, "standard output");
  const blob = random(5000);
  const writing = assert.rejects(stream.write(blob, blob.content, { signal: cancel.signal }), (error) =>
    isDrayError(error, "ABORTED"),
  );
  setImmediate(() => cancel.abort());
  await writing;
});

test("what somebody put in the place of the part is not written through, and taken away", async () => {
  const folder = temporaryFolder("planted");
  const [file, victim] = [join(folder, "a.tar"), join(folder, "victim")];
  await writeFile(victim, "precious");
  await symlink(victim, `${file}.dray-part`);
  const blob = random(1000);
  const part = await TarPart.open(nodeFiles, file);
  await part.write(blob, blob.content, {});
  await part.finish(named(blob), last);
  assert.equal(await readFile(victim, "utf8"), "precious");
  assert.ok((await lstat(file)).isFile());
  // A file of another user, as far as can be told: it is not gone on with.
  const foreign: FileSystem = {
    ...nodeFiles,
    lstat: async (path) => Object.assign(await nodeFiles.lstat(path), { uid: 12345 }),
  };
  await writeFile(`${file}.dray-part`, "theirs");
  const other = await TarPart.open(foreign, file);
  assert.equal((await stat(`${file}.dray-part`)).size, 0);
  await other.abandon();
});

test("a part without a name is for this user alone and gone when the process is", async () => {
  const opened: [path: string, flags: string | number, mode: number | undefined][] = [];
  const watching: FileSystem = {
    ...nodeFiles,
    open: (path, flags, mode) => (opened.push([path, flags, mode]), nodeFiles.open(path, flags, mode)),
  };
  const blob = random(1000);
  const part = await TarPart.openUnnamed(watching);
  const [[path, flags, mode] = []] = opened;
  assert.ok(path !== undefined);
  assert.deepEqual([flags, mode], ["wx+", 0o600]);
  await assert.rejects(stat(path), { code: "ENOENT" });
  await part.write(blob, blob.content, {});
  assert.deepEqual(await collect(part.read(blob.descriptor), 1000, "blob"), blob.bytes);
  await part.discard();
});
