import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { cutRequest, memoryRegistry, seededBytes, tar } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { against, failsWith } from "../../../test/registry-client.ts";
import { bytesContent, type Content, collect, memoryStore } from "../../content/index.ts";
import { digestOf, mediaTypes } from "../../oci/index.ts";
import { encodeText, readEntries } from "../../tar/index.ts";
import { directoryTar, filesTar, ingestLayer } from "./index.ts";

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const all = (content: Content, options?: { offset?: number }): Promise<Uint8Array> =>
  collect(content.open(options), 64 * 1024 * 1024, "content");

/** What GNU tar says of an archive, without the clock of whoever reads it. */
const listed = (bytes: Uint8Array): string[] =>
  execFileSync("tar", ["-tvf", "-", "--numeric-owner", "--quoting-style=literal", "--warning=no-unknown-keyword"], {
    input: bytes,
    env: { ...process.env, TZ: "UTC" },
  })
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));

const sample = tar([
  { path: "srv/", kind: "directory" },
  { path: "srv/data", kind: "file", bytes: seededBytes("new-layers", 700_000) },
]);

describe("a folder as a tar", () => {
  const folder = async (): Promise<string> => {
    const dir = join(temporaryFolder("directory-tar"), "site");
    await mkdir(join(dir, "a.d"), { recursive: true });
    await writeFile(join(dir, "a.d", "deep"), "deep\n", { mode: 0o600 });
    await writeFile(join(dir, "run"), "#!/bin/sh\n");
    await chmod(join(dir, "run"), 0o4755);
    await link(join(dir, "run"), join(dir, "run-too"));
    await symlink("../elsewhere", join(dir, "way"));
    await writeFile(join(dir, `ümläut-${"n".repeat(120)}`), "long");
    for (const name of ["run", "a.d"]) await chmod(join(dir, name), name === "run" ? 0o4755 : 0o750);
    return dir;
  };

  test("has everything sorted, with one time and one owner, as GNU tar reads it", async () => {
    const bytes = await all(
      directoryTar(await folder(), { owner: { uid: 1000, gid: 70_000_000 }, mtime: 86_400, prefix: "/srv/www/" }),
    );
    assert.deepEqual(listed(bytes), [
      "drwxr-x--- 1000/70000000 0 1970-01-02 00:00 srv/www/a.d/",
      "-rw------- 1000/70000000 5 1970-01-02 00:00 srv/www/a.d/deep",
      "-rwsr-xr-x 1000/70000000 10 1970-01-02 00:00 srv/www/run",
      "hrwsr-xr-x 1000/70000000 0 1970-01-02 00:00 srv/www/run-too link to srv/www/run",
      "lrwxrwxrwx 1000/70000000 0 1970-01-02 00:00 srv/www/way -> ../elsewhere",
      `-rw-r--r-- 1000/70000000 4 1970-01-02 00:00 srv/www/ümläut-${"n".repeat(120)}`,
    ]);
  });

  test("is the same bytes for the same files, whenever and in whatever order they were made, and from any place on", async () => {
    const [one, other] = [await folder(), await folder()];
    await utimes(join(other, "run"), 1, 1);
    const bytes = await all(directoryTar(one));
    assert.equal(digestOf(await all(directoryTar(other))), digestOf(bytes));
    assert.equal(digestOf(await all(directoryTar(one), { offset: 777 })), digestOf(bytes.subarray(777)));
  });

  test("has names and links of any bytes as they are", async (t) => {
    const dir = temporaryFolder("directory-tar");
    const [file, folder] = ["a\udce9", "\udcffd"];
    const at = (...names: string[]): Buffer => Buffer.from(encodeText([dir, ...names].join("/")));
    try {
      await mkdir(at(folder));
      await writeFile(at(folder, file), "x");
      await symlink(Buffer.from(encodeText(file)), at("l"));
    } catch (error) {
      console.error(`new-layers.test.ts: this file system takes no such names: ${String(error)}`);
      return t.diagnostic("this file system takes no such names");
    }
    const found: string[] = [];
    for await (const { name, linkName, body } of readEntries(once(await all(directoryTar(dir)))))
      found.push(`${name} ${linkName}${Buffer.from(await collect(body, 10, name)).toString()}`);
    assert.deepEqual(found, [`l ${file}`, `${folder}/ `, `${folder}/${file} x`]);
  });

  test("refuses what no image can hold, and what is not there", async () => {
    const dir = temporaryFolder("directory-tar");
    const server = createServer().listen(join(dir, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    await assert.rejects(all(directoryTar(dir)), failsWith("UNSUPPORTED"));
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(all(directoryTar(join(dir, "nope"))), failsWith("NOT_FOUND", "DISK"));
    await assert.rejects(all(directoryTar(dir, { prefix: "a/../.." })), failsWith("USAGE"));
  });
});

describe("a list of files as a tar", () => {
  test("has modes, owners and kinds as they are given", async () => {
    const bytes = await all(
      filesTar([
        { name: "etc/", type: "directory", mode: 0o700 },
        { name: "etc/motd", content: new TextEncoder().encode("hello\n"), mtime: 60 },
        { name: "etc/link", type: "symlink", linkName: "motd" },
        { name: "etc/hard", type: "hardlink", linkName: "etc/motd", uid: 7, gid: 8 },
        { name: "etc/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
      ]),
    );
    assert.deepEqual(listed(bytes), [
      "drwx------ 0/0 0 1970-01-01 00:00 etc/",
      "-rw-r--r-- 0/0 6 1970-01-01 00:01 etc/motd",
      "lrw-r--r-- 0/0 0 1970-01-01 00:00 etc/link -> motd",
      "hrw-r--r-- 7/8 0 1970-01-01 00:00 etc/hard link to etc/motd",
      "crw-r--r-- 0/0 1,3 1970-01-01 00:00 etc/null",
    ]);
  });

  test("refuses names that leave the root, and content that is not as long as it says", async () => {
    for (const name of ["../x", "/etc/passwd", "a/../../b"])
      await assert.rejects(all(filesTar([{ name }])), failsWith("USAGE"), name);
    const short: Content = { ...bytesContent(new Uint8Array(3)), size: 4 };
    const long: Content = { ...bytesContent(new Uint8Array(3)), size: 2 };
    for (const content of [short, long])
      await assert.rejects(all(filesTar([{ name: "a", content }])), failsWith("SIZE_MISMATCH"));
    const endless: Content = { open: () => halves(new Uint8Array(4)) };
    await assert.rejects(all(filesTar([{ name: "a", content: endless }])), failsWith("USAGE"));
  });
});

describe("a layer that goes into a store", () => {
  const diffID = digestOf(sample);
  /** Somebody else's decompressor. */
  const plain = { none: (bytes: Uint8Array) => bytes, gzip: gunzipSync, zstd: zstdDecompressSync };

  for (const compression of ["gzip", "zstd", "none"] as const)
    test(`is compressed (${compression}) and hashed on the way, the same each time`, async () => {
      const store = memoryStore();
      const made = await ingestLayer(store, bytesContent(sample), { compression });
      const bytes = await collect(store.read(made.descriptor), 2_000_000, "layer");
      assert.equal(made.diffID, diffID);
      assert.equal(made.compression, compression);
      assert.equal(made.descriptor.digest, digestOf(bytes));
      assert.equal(
        made.descriptor.mediaType,
        { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd }[compression],
      );
      assert.equal(digestOf(plain[compression](bytes)), diffID);
      assert.deepEqual(await ingestLayer(store, halves(sample), { compression }), made);
    });

  test("stays as it is where it was compressed, unless a level or another compression is asked for", async () => {
    const packed = gzipSync(sample, { level: 9 });
    const store = memoryStore();
    const kept = await ingestLayer(store, bytesContent(packed));
    assert.equal(kept.descriptor.digest, digestOf(packed));
    assert.equal(kept.diffID, diffID);
    for (const options of [{ level: 1 }, { compression: "zstd" }, { compression: "none" }] as const) {
      const again = await ingestLayer(store, bytesContent(packed), options);
      assert.equal(again.diffID, diffID);
      assert.notEqual(again.descriptor.digest, kept.descriptor.digest);
    }
  });

  test("of a file goes to a registry by its name", async () => {
    const path = join(temporaryFolder("ingest-layer"), "layer.tar.gz");
    await writeFile(path, gzipSync(sample));
    const { registry, repository } = against(memoryRegistry());
    const made = await ingestLayer(repository, path);
    assert.equal(made.diffID, diffID);
    assert.equal(registry.blob("a/b", made.descriptor.digest)?.size, made.descriptor.size);
  });

  test("of a stream whose upload has to begin again says so", async () => {
    const { repository } = against(memoryRegistry({ keepsCutUploads: false }), [
      { method: "PATCH", nth: 1, effect: cutRequest(200_000) },
    ]);
    const made = ingestLayer(repository, halves(sample), { what: "standard input" });
    await assert.rejects(made, (error: Error) => {
      assert.match(error.message, /standard input comes once/);
      return failsWith("CONSUMED")(error);
    });
  });

  test("what is no tar, or damaged, or of a wrong level, is refused, and nothing is put there", async () => {
    const { repository, log } = against(memoryRegistry());
    const packed = gzipSync(sample);
    const cases: readonly (readonly [string, Uint8Array, "ARCHIVE_INVALID" | "MANIFEST_INVALID"])[] = [
      ["text", new TextEncoder().encode("no tar at all".repeat(100)), "ARCHIVE_INVALID"],
      ["nothing", new Uint8Array(0), "ARCHIVE_INVALID"],
      ["compressed text", gzipSync("no tar".repeat(1000)), "ARCHIVE_INVALID"],
      ["cut gzip", packed.subarray(0, packed.byteLength - 100), "MANIFEST_INVALID"],
    ];
    for (const [name, bytes, code] of cases)
      await assert.rejects(ingestLayer(repository, bytesContent(bytes), { what: name }), (error: Error) => {
        assert.match(error.message, new RegExp(`^${name}: `));
        return failsWith(code)(error);
      });
    for (const level of [0, 10, 1.5])
      await assert.rejects(ingestLayer(repository, bytesContent(sample), { level }), failsWith("USAGE"));
    assert.deepEqual(log.select({ method: "PUT" }), []);
  });
});

describe("a layer for Windows", () => {
  test("lies below Files, with the descriptor that lets it run, and its links follow", async () => {
    const store = memoryStore();
    const content = filesTar([
      { name: "app/", type: "directory" },
      { name: "app/run.exe", content: new Uint8Array(5) },
      { name: "app/too.exe", type: "hardlink", linkName: "app/run.exe" },
    ]);
    const { descriptor } = await ingestLayer(store, content, { windows: true, compression: "none" });
    const bytes = await collect(store.read(descriptor), 100_000, "layer");
    assert.deepEqual(
      listed(bytes).map((line) => line.replace(/ 0\/0 .* 1970-01-01 00:00/, "")),
      [
        "dr-xr-xr-x Files/",
        "dr-xr-xr-x Hives/",
        "drw-r--r-- Files/app/",
        "-rw-r--r-- Files/app/run.exe",
        "hrw-r--r-- Files/app/too.exe link to Files/app/run.exe",
      ],
    );
    assert.equal(Buffer.from(bytes).toString("latin1").split("MSWINDOWS.rawsd=AQAAgBQAAAAk").length, 4);
    const again = ingestLayer(store, bytesContent(bytes), { windows: true });
    await assert.rejects(again, failsWith("UNSUPPORTED"));
  });
});

async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.slice(0, 3);
  yield bytes.slice(3);
}
