import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { tarOf } from "../../test/tar-of.ts";
import { collect } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { Members } from "./members.ts";
import { openSink } from "./open-sink.ts";
import { openTar, type TarFile } from "./tar-file.ts";

/** Where what is spooled lies, for this process alone: tests beside it spool as well. */
const unfinished = temporaryFolder("unfinished");
process.env["TMPDIR"] = unfinished;

async function* noInput(): AsyncGenerator<Uint8Array> {}

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("tarfile");
  await work(folder);
};

const withTar = async <T>(bytes: Uint8Array, work: (tar: TarFile) => Promise<T>): Promise<T> => {
  let found: T | undefined;
  await inFolder(async (folder) => {
    const path = join(folder, "x.tar");
    await writeFile(path, bytes);
    const tar = await openTar(path, { fs: nodeFiles, input: noInput() });
    try {
      found = await work(tar);
    } finally {
      await tar.close();
    }
  });
  return found as T;
};

const code =
  (wanted: ErrorCode, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isDrayError(error, wanted), `${String(error)} should be ${wanted}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" should name "${word}"`);
    return true;
  };

const body = Buffer.from(seededBytes("body", 3 * 1024 * 1024 + 17));

test("a body is read where it lies, from any byte on, plain or compressed as a whole or through a pipe", async () => {
  const bytes = tarOf([
    { name: "a", body },
    { name: "b", body: "bee" },
  ]);
  const check = async (tar: TarFile): Promise<void> => {
    const [a, b] = tar.entries;
    assert.ok(a && b);
    for (const offset of [0, 1, 1024 * 1024, body.byteLength - 1, body.byteLength])
      assert.ok(body.subarray(offset).equals(await collect(tar.read(a, { offset }), 1e9, "a")), `${offset}`);
    assert.deepEqual(Buffer.from(await collect(tar.read(a, { offset: 5, length: 7 }), 1e9, "a")), body.subarray(5, 12));
    assert.deepEqual(Buffer.from(await collect(tar.read(b, { length: 99 }), 1e9, "b")), Buffer.from("bee"));
    for await (const _ of tar.read(a)) break;
  };
  for (const packed of [bytes, gzipSync(bytes, { level: 1 }), zstdCompressSync(bytes)]) {
    await withTar(packed, check);
    const input = (async function* () {
      for (let at = 0; at < packed.byteLength; at += 70_001) yield packed.subarray(at, at + 70_001);
    })();
    const tar = await openTar("-", { fs: nodeFiles, input });
    await check(tar);
    await tar.close();
    await tar.close();
  }
  assert.deepEqual(
    (await readdir(unfinished)).filter((name) => /^dray-[0-9a-f]{16}$/.test(name)),
    [],
  );
});

test("a temporary file that cannot be written says that another folder can be named, and not that anything is kept", async () => {
  const input = (async function* () {
    yield tarOf([{ name: "a", body: "through" }]);
  })();
  const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  const fs = { ...nodeFiles, open: () => Promise.reject(full) };
  await assert.rejects(
    openTar("-", { fs, input }),
    /temporary file .*: the disk is full; free some space and run it again \(ENOSPC\); TMPDIR names another folder$/,
  );
});

test("a named pipe is read like standard input", async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, "pipe");
    try {
      execFileSync("mkfifo", [path]);
    } catch {
      t.diagnostic("mkfifo is not here: not tested");
      console.error("tar-file.test.ts: mkfifo is not here: not tested");
      return;
    }
    const opening = openTar(path, { fs: nodeFiles, input: noInput() });
    await writeFile(path, tarOf([{ name: "a", body: "through" }]));
    const tar = await opening;
    assert.equal(tar.entries[0]?.name, "a");
    await tar.close();
  });
});

test("a named pipe that nobody reads is not waited for after a cancel", async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, "pipe");
    try {
      execFileSync("mkfifo", [path]);
    } catch {
      t.diagnostic("mkfifo is not here: not tested");
      console.error("tar-file.test.ts: mkfifo is not here: not tested");
      return;
    }
    const cancel = new AbortController();
    const opening = openSink(path, { fs: nodeFiles, signal: cancel.signal });
    setTimeout(() => cancel.abort(), 20);
    await assert.rejects(opening, (error) => isDrayError(error, "ABORTED"));
    // What still waits to be opened would keep this process.
    await (await nodeFiles.open(path, "r")).close();
  });
});

test("a pipe that stays silent is not waited for after a cancel", async () => {
  const cancel = new AbortController();
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield tarOf([{ name: "a" }]).subarray(0, 100);
    await new Promise(() => {});
  };
  const opening = openTar("-", { fs: nodeFiles, input: silent(), signal: cancel.signal });
  setImmediate(() => cancel.abort());
  await assert.rejects(opening, code("ABORTED"));
});

test("what cannot be opened says why", async () => {
  const good = tarOf([{ name: "a", body }]);
  const cases: [string, Uint8Array, ErrorCode, string[]][] = [
    [
      "empty gzip",
      gzipSync("not a tar, but long enough to be taken for one").subarray(0, 25),
      "ARCHIVE_INVALID",
      ["gzip"],
    ],
    ["cut gzip", gzipSync(good, { level: 1 }).subarray(0, 1_000_000), "ARCHIVE_INVALID", ["x.tar", "gzip"]],
    ["cut zstd", zstdCompressSync(good).subarray(0, 1_000_000), "ARCHIVE_INVALID", ["x.tar", "zstd"]],
    ["gzip of something else", gzipSync(seededBytes("no tar", 5000)), "ARCHIVE_INVALID", ["is no tar"]],
    ["cut tar", good.subarray(0, 100_000), "ARCHIVE_INVALID", ["x.tar", '"a"', "truncated"]],
    ["xz", Buffer.from("fd377a585a000004e6d6b446", "hex"), "UNSUPPORTED", ["xz", "decompress"]],
    ["bzip2", Buffer.from("BZh91AY&SY"), "UNSUPPORTED", ["bzip2"]],
  ];
  for (const [what, bytes, wanted, words] of cases)
    await assert.rejects(
      withTar(bytes, async () => undefined),
      code(wanted, ...words),
      what,
    );
  await inFolder(async (folder) => {
    const options = { fs: nodeFiles, input: noInput() };
    await assert.rejects(openTar(join(folder, "none"), options), code("NOT_FOUND", "none"));
    await assert.rejects(openTar(folder, options), code("LOCATION_INVALID", "oci:"));
  });
  assert.deepEqual(
    (await readdir(unfinished)).filter((name) => /^dray-[0-9a-f]{16}$/.test(name)),
    [],
  );
});

test("a file that is replaced while it is read is noticed", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.tar");
    await writeFile(path, tarOf([{ name: "a", body: "one" }]));
    const tar = await openTar(path, { fs: nodeFiles, input: noInput() });
    await writeFile(path, tarOf([{ name: "a", body: "two" }, { name: "b" }]));
    const [a] = tar.entries;
    assert.ok(a);
    await assert.rejects(collect(tar.read(a), 100, "a"), code("ARCHIVE_INVALID", "changed"));
  }));

const contentOf = (bytes: Uint8Array, path: string): Promise<string | undefined> =>
  withTar(bytes, async (tar) => {
    const entry = await new Members(tar).find(path);
    return entry && Buffer.from(await collect(tar.read(entry), 1e9, path)).toString();
  });

test("files are found by their path, through links", async () => {
  const bytes = tarOf([
    { name: "./manifest.json", body: "m" },
    { name: "id1/", type: "directory" },
    { name: "id1/layer.tar", body: "layer" },
    { name: "id2/layer.tar", type: "symlink", linkName: "../id1/layer.tar" },
    { name: "id3/layer.tar", type: "symlink", linkName: "./../id2/layer.tar" },
    { name: "id4/layer.tar", type: "hardlink", linkName: "./id3/layer.tar" },
    { name: "twice", body: "same" },
    { name: "./twice", body: "same" },
  ]);
  for (const [path, wanted] of [
    ["manifest.json", "m"],
    ["./manifest.json", "m"],
    ["id1/layer.tar", "layer"],
    ["id2/layer.tar", "layer"],
    ["id3/layer.tar", "layer"],
    ["id4/layer.tar", "layer"],
    ["twice", "same"],
    ["none", undefined],
  ] as const)
    assert.equal(await contentOf(bytes, path), wanted, path);
});

test("links and names that cannot be trusted are refused, by name", async () => {
  const cases: [string, Buffer, string[]][] = [
    [
      "a circle",
      tarOf([
        { name: "f", type: "symlink", linkName: "g" },
        { name: "g", type: "symlink", linkName: "f" },
      ]),
      ["circle", '"f"'],
    ],
    ["a link to itself", tarOf([{ name: "f", type: "symlink", linkName: "f" }]), ["circle"]],
    ["a hard link to itself", tarOf([{ name: "f", type: "hardlink", linkName: "f" }]), ["circle"]],
    ["a link to nowhere", tarOf([{ name: "f", type: "symlink", linkName: "g" }]), ['"g"', "not in it"]],
    ["a link outside", tarOf([{ name: "f", type: "symlink", linkName: "../../etc/passwd" }]), ["leads out", '"f"']],
    ["an absolute link", tarOf([{ name: "f", type: "symlink", linkName: "/etc/passwd" }]), ["leads out"]],
    ["a folder", tarOf([{ name: "f", type: "directory" }]), ["directory", '"f"']],
    ["a device", tarOf([{ name: "f", type: "character-device" }]), ["character-device"]],
    [
      "two that differ",
      tarOf([
        { name: "f", body: "1" },
        { name: "./f", body: "2" },
      ]),
      ["two entries", "differ"],
    ],
    [
      "a file and a link",
      tarOf([
        { name: "f", body: "1" },
        { name: "f", type: "symlink", linkName: "g" },
      ]),
      ["two entries"],
    ],
    ["a name outside", tarOf([{ name: "f", body: "1" }, { name: "../g" }]), ['"../g"', "leads out"]],
    ["an absolute name", tarOf([{ name: "f", body: "1" }, { name: "/g" }]), ['"/g"', "leads out"]],
  ];
  for (const [what, bytes, words] of cases)
    await assert.rejects(contentOf(bytes, "f"), code("ARCHIVE_INVALID", "x.tar", ...words), what);
  await assert.rejects(contentOf(tarOf([{ name: "f" }]), "../f"), code("ARCHIVE_INVALID", "leads out"));
});
