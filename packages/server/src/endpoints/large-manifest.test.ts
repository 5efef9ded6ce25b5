import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Memory } from "@dray/service/memory";
import { exchange } from "@dray/testkit";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath } from "../distribution-tree/index.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const headers = { "Content-Type": mediaTypes.ociIndex };
const indexOf = (padding: number): Uint8Array =>
  encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], padding: "x".repeat(padding) });
const large = indexOf(3_000_000);

/** A PUT whose client sends so many bytes of it and then nothing, until it is let go on. */
const stalling = (registry: Registry, bytes: Uint8Array, first: number) => {
  const gate = Promise.withResolvers<void>();
  let came = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (; came < first; came += 50_000) yield bytes.slice(came, Math.min(first, came + 50_000));
    came = first;
    await gate.promise;
    yield bytes.slice(first);
  }
  const [method, origin, target] = ["PUT", "http://registry", "/v2/a/manifests/latest"];
  const answer = registry({
    method,
    origin,
    target,
    headers: [...Object.entries(headers), ["Content-Length", String(bytes.byteLength)]],
    body: { length: bytes.byteLength, chunks: chunks(), discard: async () => {} },
  });
  return { answer, go: gate.resolve, fail: gate.reject, stands: () => came === first };
};
const turns = async (until: () => boolean): Promise<void> => {
  while (!until()) await new Promise(setImmediate);
};

describe("a large manifest", () => {
  it("lies in a file while it comes, so that many who stop in the middle hold no memory and keep nobody waiting", async () => {
    const registry = createRegistry({ driver: memoryDriver() });
    const { uploads } = registry.context;
    const stalled = Array.from({ length: 200 }, () => stalling(registry, large, 300_000));
    await turns(() => stalled.every(({ stands }) => stands()));
    assert.equal(uploads.open, 200);
    const others = [large, indexOf(3), indexOf(600_000)];
    for (const body of others)
      assert.equal((await exchange(registry, "PUT", "/v2/a/manifests/other", { headers, body })).status, 201);
    assert.equal(uploads.open, 200);
    const [first, second, ...rest] = stalled;
    first?.go();
    assert.equal((await first?.answer)?.status, 201);
    second?.fail(new Error("the client went away"));
    await assert.rejects(async () => second?.answer, /went away/);
    for (const { go } of rest) go();
    for (const { answer } of rest) assert.equal((await answer).status, 201);
    assert.equal(uploads.open, 0);
    await registry.close();
  });

  it("is sent from its file, and only what is said of it is remembered", async () => {
    const driver = memoryDriver();
    const registry = createRegistry({ driver });
    const { manifests } = registry.context;
    const put = await exchange(registry, "PUT", "/v2/a/manifests/latest", { headers, body: large });
    assert.equal(put.status, 201);
    for (let time = 0; time < 2; time++) {
      const got = await exchange(registry, "GET", "/v2/a/manifests/latest");
      assert.equal(Buffer.compare(got.bytes, large), 0);
      assert.equal(got.header("Content-Type"), mediaTypes.ociIndex);
      assert.equal(got.header("Docker-Content-Digest"), digestOf(large));
    }
    assert.ok(manifests.bytes < 10_000, `${manifests.bytes} bytes`);
    const head = await exchange(registry, "HEAD", "/v2/a/manifests/latest");
    assert.equal(head.header("Content-Length"), String(large.byteLength));
    driver.removeSync(blobPath(digestOf(large)));
    assert.equal((await exchange(registry, "GET", "/v2/a/manifests/latest")).status, 404);
    await registry.close();
  });

  it("is asked for while it is pushed by so many that memory is short, and nobody waits for ever", async () => {
    const registry = createRegistry({ driver: memoryDriver(), traffic: new Memory(0) });
    const put = async (tag: string, body: Uint8Array): Promise<number> =>
      (await exchange(registry, "PUT", `/v2/a/manifests/${tag}`, { headers, body })).status;
    assert.equal(await put("latest", large), 201);
    const pushed: Promise<number>[] = [];
    const asked: Promise<number>[] = [];
    for (let i = 0; i < 6; i++) {
      pushed.push(put(`tag-${i}`, large));
      for (const name of ["latest", digestOf(large)])
        asked.push(exchange(registry, "HEAD", `/v2/a/manifests/${name}`).then(({ status }) => status));
      await new Promise(setImmediate);
    }
    assert.deepEqual(new Set(await Promise.all(pushed)), new Set([201]));
    assert.deepEqual(new Set(await Promise.all(asked)), new Set([200]));
    assert.equal(await put("other", indexOf(3)), 201);
    await registry.close();
  });

  it("holds memory, and no blob that is asked for as one does", async () => {
    const memory = new Memory();
    const registry = createRegistry({ driver: memoryDriver(), traffic: memory, largestServed: 1_000_000 });
    const layer = new Uint8Array(2 * 1024 * 1024);
    const digest = digestOf(layer);
    const push = await exchange(registry, "POST", `/v2/a/blobs/uploads/?digest=${digest}`, { body: layer });
    assert.equal(push.status, 201);
    let most = 0;
    const answer = exchange(registry, "GET", `/v2/a/manifests/${digest}`);
    let isOver = false;
    void answer.finally(() => {
      isOver = true;
    });
    for (; !isOver; await new Promise(setImmediate)) most = Math.max(most, memory.used);
    assert.deepEqual([(await answer).status, most], [404, 0]);
    await registry.close();
  });

  it("is refused as a small one is: too large, of another length, of another digest", async () => {
    const registry = createRegistry({ driver: memoryDriver(), largestManifest: 1_000_000 });
    const put = async (name: string, body: Uint8Array, length: number): Promise<number> => {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < body.byteLength; at += 50_000) yield body.slice(at, at + 50_000);
      }
      const pairs = [...Object.entries(headers), ...(length < 0 ? [] : [["Content-Length", String(length)] as const])];
      const { status } = await registry({
        method: "PUT",
        origin: "http://registry",
        target: `/v2/a/manifests/${name}`,
        headers: pairs,
        body: { length: length < 0 ? undefined : length, chunks: chunks(), discard: async () => {} },
      });
      return status;
    };
    const fits = indexOf(900_000);
    assert.equal(await put("v1", large, large.byteLength), 413);
    assert.equal(await put("v1", large, -1), 413);
    assert.equal(await put("v1", fits, fits.byteLength - 1), 400);
    assert.equal(await put(digestOf(large), fits, fits.byteLength), 400);
    assert.equal(await put("v1", fits, -1), 201);
    assert.equal(registry.context.uploads.open, 0);
    await registry.close();
  });
});
