/** The registry store over real connections: against docker-registry, and through a relay that cuts them. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { listen, memoryRegistry, sampleArtifact, sampleImage, seededBytes } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { cuttingProxy, type DockerRegistry, findPeer, startDockerRegistry } from "@dray/testkit/peers";
import { anonymous } from "dray/auth";
import { bytesContent, type Content, collect, type Located, memoryStore } from "dray/content";
import { copy } from "dray/copy";
import { isDrayError } from "dray/errors";
import { type Descriptor, digestOf, mediaTypes } from "dray/oci";
import { type ConnectOptions, connect, type Registry, type Repository } from "dray/registry";
import { missing } from "./dray.ts";

const docker = findPeer("docker-registry");
const mib = 1024 * 1024;

const blobOf = (bytes: Uint8Array): Descriptor => ({
  mediaType: mediaTypes.ociLayer,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
/** In chunks as a disk or a network delivers them. */
const chunked = (bytes: Uint8Array): Content => ({
  size: bytes.byteLength,
  open: async function* ({ offset = 0 } = {}) {
    for (let at = offset; at < bytes.byteLength; at += 65536) yield bytes.subarray(at, at + 65536);
  },
});
const client = (host: string, options: ConnectOptions = {}): Registry =>
  connect(host, { credentials: anonymous, stateDir: false, ...options });
const located = (store: Repository, name: string): Located => ({ store, name, location: `${store.name}:${name}` });

const imageIn = async (seed: string): Promise<Located> => {
  const store = memoryStore();
  const image = sampleImage({ seed, layers: 3, layerSize: 200_000 });
  for (const bytes of image.blobs.values()) await store.write(blobOf(bytes), bytesContent(bytes));
  for (const { mediaType, bytes } of image.manifests.values()) await store.ingest(bytesContent(bytes), { mediaType });
  await store.tag(image.root, seed);
  return { store, name: seed, location: `memory:${seed}` };
};

describe("docker-registry", { skip: missing(["docker-registry", docker]) }, () => {
  let server: DockerRegistry;
  let registry: Registry;
  before(async () => {
    server = (await startDockerRegistry()) as DockerRegistry;
    registry = client(server.host);
  });
  after(async () => {
    await registry.close();
    await server.close();
  });

  test("push, list, pull, mount, delete", async () => {
    const image = await imageIn("v1");
    const [one, two] = [registry.repository("one/app"), registry.repository("two/app")];
    const pushed = await copy(image, located(one, "v1"));
    assert.equal(pushed.copied, 5);
    assert.deepEqual(await Array.fromAsync(one.tags()), ["v1"]);
    assert.deepEqual(await Array.fromAsync(registry.catalog()), ["one/app"]);

    const mounted = await copy(located(one, "v1"), located(two, "v2"));
    assert.deepEqual([mounted.mounted, mounted.copied], [4, 1]);
    const back = memoryStore();
    await copy(located(two, "v2"), { store: back, name: "v3", location: "memory:v3" });
    assert.deepEqual(await back.resolve("v3"), pushed.root);

    await assert.rejects(two.remove("v2"), (error) => isDrayError(error, "UNSUPPORTED"));
    await two.remove(pushed.root.digest);
    await assert.rejects(two.resolve("v2"), (error) => isDrayError(error, "NOT_FOUND"));
    await assert.rejects(Array.fromAsync(registry.repository("no/such").tags()), (error) =>
      isDrayError(error, "NOT_FOUND"),
    );
  });

  test("a wrong digest is refused, and what was there is not lost", async () => {
    const repository = registry.repository("wrong");
    const bytes = seededBytes("wrong", 300_000);
    const other = seededBytes("other", 300_000);
    await assert.rejects(repository.upload(blobOf(bytes), chunked(other)), (error) =>
      isDrayError(error, "DIGEST_MISMATCH"),
    );
    await repository.upload(blobOf(bytes), chunked(bytes));
    assert.equal(await repository.has(blobOf(bytes)), true);
  });

  test("an empty blob, chunks, content whose digest is known at its end", async () => {
    const repository = registry.repository("ways");
    const bytes = seededBytes("ways", 3 * mib + 1);
    await repository.upload(blobOf(new Uint8Array(0)), chunked(new Uint8Array(0)));
    await client(server.host, { chunkSize: mib }).repository("ways").upload(blobOf(bytes), chunked(bytes));
    assert.equal(digestOf(await collect(repository.blob(blobOf(bytes).digest), 1e8, "")), digestOf(bytes));
    const made = bytes.slice(1);
    const descriptor = await repository.ingest(
      { open: (options) => chunked(made).open(options) },
      { mediaType: mediaTypes.ociLayer },
    );
    assert.deepEqual(descriptor, blobOf(made));
    assert.equal(await repository.has(descriptor), true);
  });

  test("referrers by the fallback tag", async () => {
    const repository = registry.repository("one/app");
    const subject = await repository.resolve("v1");
    for (const seed of ["a", "b"]) {
      const artifact = sampleArtifact({ seed, subject });
      for (const bytes of artifact.blobs.values()) await repository.upload(blobOf(bytes), bytesContent(bytes));
      for (const { bytes } of artifact.manifests.values()) await repository.write(artifact.root, bytesContent(bytes));
    }
    const found = await Array.fromAsync(repository.referrers(subject));
    assert.equal(found.length, 2);
    await repository.remove((found[0] as Descriptor).digest);
    assert.deepEqual(await Array.fromAsync(repository.referrers(subject)), [found[1]]);
  });

  test("connections that are cut after 20 MB: the blobs arrive, in chunks", async () => {
    const relay = await cuttingProxy(server.host, { limit: 20_000_000 });
    const cut = client(relay.host);
    try {
      const blobs = [50, 30, 10, 5].map((size) => seededBytes(`cut ${size}`, size * mib));
      const repository = cut.repository("cut");
      await Promise.all(blobs.map((bytes) => repository.upload(blobOf(bytes), chunked(bytes))));
      for (const bytes of blobs) assert.equal(await registry.repository("cut").has(blobOf(bytes)), true);
      const sum = blobs.reduce((total, { byteLength }) => total + byteLength, 0);
      console.log(
        `docker-registry, cut after 20 MB: ${(relay.sent() / sum).toFixed(2)} of the bytes, ${relay.cuts()} cuts`,
      );
    } finally {
      await cut.close();
      await relay.close();
    }
  });

  test("downloads that are cut after 20 MB go on at the byte where they stopped", async () => {
    const relay = await cuttingProxy(server.host, { limit: 20_000_000, pace: 20 });
    const cut = client(relay.host);
    try {
      const bytes = seededBytes("down", 70 * mib);
      await registry.repository("down").upload(blobOf(bytes), chunked(bytes));
      const got = await collect(cut.repository("down").read(blobOf(bytes)), 1e8, "blob");
      assert.equal(digestOf(got), digestOf(bytes));
      // The relay's resets throw away what lies in the system's buffers; only that is asked for again.
      console.log(`download, cut after 20 MB: ${(relay.received() / bytes.byteLength).toFixed(2)} of the bytes`);
      assert.ok(relay.received() < bytes.byteLength * 1.25);
      assert.ok(relay.cuts() >= 3);
    } finally {
      await cut.close();
      await relay.close();
    }
  });
});

describe("docker-registry with TLS and a client certificate", { skip: missing(["docker-registry", docker]) }, () => {
  test("lets in who has one", async () => {
    const server = (await startDockerRegistry({ clientCertificate: true })) as DockerRegistry;
    const [ca, cert, key] = await Promise.all(
      [server.ca, server.client?.cert, server.client?.key].map((file) => readFile(file as string, "utf8")),
    );
    const known = client(server.host, { ca: ca as string, cert: cert as string, key: key as string });
    const stranger = client(server.host, { ca: ca as string });
    try {
      await known.ping();
      await known.repository("tls").upload(blobOf(new Uint8Array(10)), bytesContent(new Uint8Array(10)));
      await assert.rejects(stranger.ping(), (error) => isDrayError(error));
    } finally {
      await known.close();
      await stranger.close();
      await server.close();
    }
  });
});

describe("a registry that keeps what a cut upload has brought", () => {
  let stateDir: string;
  before(() => {
    stateDir = temporaryFolder("e2e-state");
  });
  test("connections that are cut after 20 MB: each byte goes once", async () => {
    const memory = memoryRegistry();
    const server = await listen(memory.handler);
    // Whoever is cut off loses what it has not read yet: here that is little, as on a network slower than the registry.
    const relay = await cuttingProxy(server.host, { limit: 20_000_000, pace: 20 });
    const cut = client(relay.host, { stateDir });
    try {
      const blobs = [70, 50, 30].map((size) => seededBytes(`keeps ${size}`, size * mib));
      await Promise.all(blobs.map((bytes) => cut.repository("keeps").upload(blobOf(bytes), chunked(bytes))));
      for (const bytes of blobs) assert.equal(memory.blob("keeps", digestOf(bytes))?.size, bytes.byteLength);
      const sum = blobs.reduce((total, { byteLength }) => total + byteLength, 0);
      console.log(`testkit, cut after 20 MB: ${(relay.sent() / sum).toFixed(3)} of the bytes, ${relay.cuts()} cuts`);
      assert.ok(relay.sent() < sum * 1.05);
    } finally {
      await cut.close();
      await relay.close();
      await server.close();
    }
  });
});
