import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type FileCall, faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, type MemoryStore, memoryStore, type ReadableStore, type ReadOptions } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { type Descriptor, digestOf, encodeJson, type Index, type Manifest, mediaTypes } from "../oci/index.ts";
import { layoutStore } from "./index.ts";

const MiB = 1024 * 1024;

/** A store that counts the bytes that are read of it. */
const counted = (store: MemoryStore): ReadableStore & { bytes: number } => {
  const self = {
    bytes: 0,
    resolve: (name: string) => store.resolve(name),
    async *read(descriptor: Descriptor, options: ReadOptions = {}) {
      for await (const all of store.read(descriptor, options))
        for (let at = 0; at < all.byteLength; at += 65536) {
          const chunk = all.subarray(at, at + 65536);
          self.bytes += chunk.byteLength;
          yield chunk;
        }
    },
  };
  return self;
};

describe("a layout whose writer fails", () => {
  let dir = "";
  let source: MemoryStore;
  let image: Descriptor;
  let signature: Descriptor;
  before(async () => {
    source = memoryStore();
    const put = (bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
      source.ingest(bytesContent(bytes), { mediaType });
    const config = await put(encodeJson({}), mediaTypes.ociConfig);
    const layers = [
      await put(seededBytes("layer", 100_000), mediaTypes.ociLayer),
      await put(seededBytes("layer", 10), mediaTypes.ociLayerGzip),
    ];
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
    image = await put(encodeJson(manifest), mediaTypes.ociManifest);
    signature = await put(encodeJson({ ...manifest, layers: [layers[1]], subject: image }), mediaTypes.ociManifest);
    await source.tag(image, "1");
  });
  beforeEach(() => {
    dir = join(temporaryFolder("recovery"), "layout");
  });

  const attempt = async (fs: FileSystem = nodeFiles): Promise<void> => {
    const target = { store: layoutStore(dir, { fs }), name: "1", location: `oci:${dir}` };
    await copy({ store: source, name: "1", location: "memory:" }, target, { referrers: true });
  };

  /** Whatever has a final name is what it says, and an index leads to all that it names. */
  const isValid = async (): Promise<void> => {
    const names = await readdir(join(dir, "blobs", "sha256")).catch((): string[] => []);
    for (const name of names)
      assert.equal(digestOf(await readFile(join(dir, "blobs", "sha256", name))), `sha256:${name}`);
    const text = await readFile(join(dir, "index.json"), "utf8").catch(() => undefined);
    if (text === undefined) return;
    assert.match(await readFile(join(dir, "oci-layout"), "utf8"), /"1.0.0"/);
    for (const { digest } of (JSON.parse(text) as Index).manifests) {
      const manifest = JSON.parse(await readFile(join(dir, "blobs", "sha256", digest.slice(7)), "utf8")) as Manifest;
      for (const below of [manifest.config, ...manifest.layers]) assert.ok(names.includes(below.digest.slice(7)));
    }
  };
  const isComplete = async (): Promise<void> => {
    await isValid();
    assert.deepEqual((await readdir(dir)).filter((name) => name !== ".dray").sort(), [
      "blobs",
      "index.json",
      "oci-layout",
    ]);
    // When only taking the lock away failed, the next attempt has nothing to do and does not lock.
    for (const name of await readdir(join(dir, ".dray")).catch((): string[] => []))
      assert.match(name, /^layout\.lock-/);
    const layout = layoutStore(dir);
    assert.equal((await layout.resolve("1")).digest, image.digest);
    assert.ok(await layout.has(image));
    assert.ok(await layout.has(signature));
    const { manifests } = JSON.parse(await readFile(join(dir, "index.json"), "utf8")) as Index;
    assert.deepEqual(manifests.map(({ digest }) => digest).sort(), [image.digest, signature.digest].sort());
  };

  it("at any one call is valid, and complete after the next attempt", async () => {
    const codes = ["EIO", "ENOSPC", "EACCES", "EMFILE", "EROFS"];
    const calls: FileCall[] = [];
    await attempt(faultyFiles(nodeFiles, (call) => void calls.push(call)));
    await isComplete();
    assert.ok(calls.length >= 40, `${calls.length} calls`);
    let failed = 0;
    for (let at = 1; at <= calls.length; at++) {
      await rm(dir, { recursive: true, force: true });
      try {
        await attempt(faultyFiles(nodeFiles, ({ count }) => (count === at ? codes[at % codes.length] : undefined)));
      } catch (error) {
        failed++;
        // Where only what refers to the image was met, that is told, with the reason.
        const reason = isDrayError(error, "PARTIAL") ? error.cause : error;
        assert.ok(isDrayError(reason, "DISK"), `${JSON.stringify(calls[at - 1])}: ${String(error)}`);
      }
      await isValid();
      await attempt();
      await isComplete();
    }
    assert.ok(failed > calls.length / 2, `${failed} of ${calls.length} attempts failed`);
  });

  it("at any call, with all after it, still holds what it held before, and is complete after the next attempt", async () => {
    const older = memoryStore();
    const config = await older.ingest(bytesContent(encodeJson({ old: 1 })), { mediaType: mediaTypes.ociConfig });
    const manifest = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });
    const old = await older.ingest(bytesContent(manifest), { mediaType: mediaTypes.ociManifest });
    const prepare = async (): Promise<void> => {
      const target = { store: layoutStore(dir), name: "old", location: dir };
      await copy({ store: older, name: old.digest, location: "memory:" }, target);
    };
    await prepare();
    let calls = 0;
    await attempt(faultyFiles(nodeFiles, ({ count }) => void (calls = count)));
    for (let at = 1; at <= calls; at++) {
      await rm(dir, { recursive: true, force: true });
      await prepare();
      await attempt(faultyFiles(nodeFiles, ({ count }) => (count >= at ? "EIO" : undefined))).catch(() => {});
      await isValid();
      assert.equal((await layoutStore(dir).resolve("old")).digest, old.digest);
      await attempt();
      await isValid();
      assert.equal((await layoutStore(dir).resolve("old")).digest, old.digest);
      assert.equal((await layoutStore(dir).resolve("1")).digest, image.digest);
    }
  });

  it("was killed in the middle of a blob: the lock goes to the next, who reads only what is missing", async () => {
    const folder = fileURLToPath(new URL("..", import.meta.url));
    const size = 8 * MiB;
    const big = await source.ingest(bytesContent(seededBytes("layer", size)), { mediaType: mediaTypes.ociLayer });
    const config = await source.ingest(bytesContent(encodeJson({})), { mediaType: mediaTypes.ociConfig });
    const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [big] });
    const top = await source.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociManifest });
    const script = `
      import { seededBytes } from ${JSON.stringify(import.meta.resolve("@dray/testkit/files"))};
      import { layoutStore } from ${JSON.stringify(join(folder, "layout/index.ts"))};
      const bytes = seededBytes("layer", ${size});
      const layout = layoutStore(${JSON.stringify(dir)});
      setInterval(() => {}, 1000);
      await layout.write(${JSON.stringify(config)}, { async *open() { yield new TextEncoder().encode("{}"); } });
      await layout.write(${JSON.stringify(big)}, { async *open() {
        for (let at = 0; at < ${size / 2 + MiB}; at += 65536) yield bytes.subarray(at, at + 65536);
        console.log("half");
        await new Promise(() => {});
      } });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(child.stdout, "data");
      await assert.rejects(
        layoutStore(dir).write(top, bytesContent(bytes)),
        (error) => isDrayError(error, "LOCKED") && error.message.includes(`process ${child.pid}`),
      );
    } finally {
      child.kill("SIGKILL");
    }
    await once(child, "exit");
    await isValid();
    assert.deepEqual((await readdir(dir)).sort(), [".dray", "blobs"]);
    const from = counted(source);
    const target = { store: layoutStore(dir), name: "big", location: dir };
    await copy({ store: from, name: top.digest, location: "memory:" }, target);
    assert.ok(from.bytes <= size / 2 + bytes.byteLength, `${from.bytes} bytes were read again`);
    assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
    assert.equal((await layoutStore(dir).resolve("big")).digest, top.digest);
    await isValid();
  });
});
