/** Killed half-way and started again: what is there already is not moved twice. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Listener,
  listen,
  type MemoryRegistry,
  memoryRegistry,
  put,
  type SampleImage,
  sampleImage,
} from "@dray/testkit";
import { type CuttingProxy, cuttingProxy, startDockerRegistry } from "@dray/testkit/peers";
import { collect } from "dray/content";
import { type Digest, digestOf } from "dray/oci";
import { type Sandbox, workshop } from "./dray.ts";

const MiB = 1024 * 1024;

const sizeOf = (image: SampleImage): number =>
  [...image.blobs.values()].reduce((sum, bytes) => sum + bytes.byteLength, image.root.size);

describe("a pull that was killed", () => {
  let shop: Sandbox;
  let server: Listener;
  const image = sampleImage({ seed: "resume", layers: 3, layerSize: 24 * MiB });
  before(async () => {
    shop = await workshop();
    const registry = memoryRegistry();
    put(registry, "demo/big", "v1", image);
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  for (const [format, args] of [
    ["layout", ["--format", "oci"]],
    ["tarball", []],
  ] as const)
    test(`to a ${format} transfers less than 1.1 times its bytes in all`, async () => {
      const proxy = await cuttingProxy(server.host, { pace: 40 });
      const out = shop.path(`out-${format}`);
      const command = ["pull", ...args, `${proxy.host}/demo/big:v1`, out];
      const child = shop.start(command);
      const exited = once(child, "exit");
      while (proxy.received() < sizeOf(image) / 2 && child.exitCode === null) await sleep(5);
      child.kill("SIGKILL");
      await exited;
      const before = proxy.received();
      assert.ok(before < sizeOf(image) * 0.98, "it was killed before its end");
      if (format === "tarball") await assert.rejects(stat(out), "nothing stands under the final name");
      await shop.ok(command);
      const ratio = proxy.received() / sizeOf(image);
      assert.ok(ratio < 1.1, `${ratio.toFixed(3)} times (${before} before the kill)`);
      await proxy.close();
      assert.deepEqual(
        (await readdir(shop.dir)).filter((name) => name.includes("dray-part")),
        [],
      );
      assert.match(await shop.ok(["validate", format === "layout" ? `oci:${out}` : `docker-archive:${out}`]), /^PASS/);
    });
});

describe("a push", () => {
  let shop: Sandbox;
  const image = sampleImage({ seed: "push", layers: 2, layerSize: 80 * MiB });
  before(async () => {
    shop = await workshop();
    const registry = memoryRegistry();
    put(registry, "demo/big", "v1", image);
    const server = await listen(registry.handler);
    await shop.ok(["pull", "--format", "oci", `${server.host}/demo/big:v1`, shop.path("layout")]);
    await server.close();
  });
  after(() => shop.close());

  const whole = async (registry: MemoryRegistry): Promise<void> => {
    const { digest } = registry.manifest("demo/big", "v1") as { digest: Digest };
    assert.equal(digest, image.root.digest);
    for (const layer of image.layers) {
      const content = registry.blob("demo/big", layer.digest)?.content;
      assert.ok(content !== undefined);
      assert.equal(digestOf(await collect(content.open(), 1e9, "layer")), layer.digest);
    }
  };

  const push = (host: string): Promise<{ code: number | null; stderr: string }> =>
    shop.dray(["push", shop.path("layout"), `${host}/demo/big:v1`]);

  test("through a proxy that cuts every connection after 50 MB goes on where it was cut", async () => {
    const registry = memoryRegistry();
    const server = await listen(registry.handler);
    const proxy: CuttingProxy = await cuttingProxy(server.host, { limit: 50_000_000, pace: 20 });
    const { code, stderr } = await push(proxy.host);
    assert.equal(code, 0, stderr);
    const ratio = proxy.sent() / sizeOf(image);
    assert.ok(proxy.cuts() >= 2, `${proxy.cuts()} cuts`);
    assert.ok(ratio < 1.1, `${ratio.toFixed(3)} times`);
    await whole(registry);
    await proxy.close();
    await server.close();
  });

  test("to docker-registry, which gives up what was cut, ends well by fresh sessions", async (t) => {
    const server = await startDockerRegistry();
    if (server === undefined) return t.skip("missing: docker-registry");
    const proxy = await cuttingProxy(server.host, { limit: 50_000_000 });
    const { code, stderr } = await push(proxy.host);
    assert.equal(code, 0, stderr);
    t.diagnostic(`${(proxy.sent() / sizeOf(image)).toFixed(3)} times the image's bytes, ${proxy.cuts()} cuts`);
    await proxy.close();
    assert.equal((await shop.ok(["digest", `${server.host}/demo/big:v1`])).trim(), image.root.digest);
    await server.close();
  });

  test("that was killed goes on in the session that it left", async () => {
    const registry = memoryRegistry();
    const server = await listen(registry.handler);
    const proxy = await cuttingProxy(server.host);
    const child = shop.start(["push", shop.path("layout"), `${proxy.host}/demo/big:v1`]);
    const exited = once(child, "exit");
    while (proxy.sent() < sizeOf(image) / 2 && child.exitCode === null) await sleep(2);
    child.kill("SIGKILL");
    await exited;
    assert.equal(registry.manifest("demo/big", "v1"), undefined, "it was killed before its end");
    const { code, stderr } = await push(proxy.host);
    assert.equal(code, 0, stderr);
    const ratio = proxy.sent() / sizeOf(image);
    assert.ok(ratio < 1.1, `${ratio.toFixed(3)} times`);
    await whole(registry);
    await proxy.close();
    await server.close();
  });
});
