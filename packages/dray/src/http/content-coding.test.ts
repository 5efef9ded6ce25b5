import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { faults, hosts, listen, memoryRegistry, put, redirectTo, sampleImage, tokenServer } from "@dray/testkit";
import { staticCredential } from "../auth/index.ts";
import { bytesContent, collect, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { type ConnectOptions, connect, type Registry } from "../registry/index.ts";
import type { Handler } from "./types.ts";

const image = sampleImage({ seed: "coded", layers: 1, layerSize: 100_000 });
const [layer] = image.layers;

const registries: Registry[] = [];
/** Closed after the last test: Node 22 reads no `await using`. */
const opened = (host: string, options: ConnectOptions): Registry => {
  const registry = connect(host, options);
  registries.push(registry);
  return registry;
};
after(() => Promise.all(registries.map((registry) => registry.close())));

/** A registry behind something that lays a coding around its answers. */
const behind = async (
  code: (bytes: Uint8Array, target: string) => Uint8Array | undefined,
  name: string,
  use: (host: string) => Promise<void>,
): Promise<void> => {
  const registry = memoryRegistry();
  put(registry, "team/app", "1", image);
  const coded: Handler = async (request) => {
    const response = await registry.handler(request);
    const plain = await collect(response.body.chunks, 1_000_000, "the answer");
    const bytes = code(plain, request.target);
    if (bytes === undefined) return { ...response, body: { length: plain.byteLength, ...bodyOf(plain) } };
    const headers = response.headers.filter(([each]) => !/^content-length$/i.test(each));
    const own = [
      ["Content-Encoding", name],
      ["Content-Length", `${bytes.byteLength}`],
    ] as const;
    return { ...response, headers: [...headers, ...own], body: { length: bytes.byteLength, ...bodyOf(bytes) } };
  };
  const server = await listen(coded);
  try {
    await use(server.host);
  } finally {
    await server.close();
  }
};

const bodyOf = (bytes: Uint8Array) => ({ chunks: bytesContent(bytes).open(), discard: async () => {} });

const copied = async (host: string): Promise<void> => {
  const registry = opened(host, { ambient: false, retry: { attempts: 1 } });
  const target = memoryStore();
  const source = { store: registry.repository("team/app"), name: "1", location: `${host}/team/app:1` };
  const { root } = await copy(source, { store: target, name: "1", location: "memory:1" });
  assert.equal(root.digest, image.root.digest);
  const bytes = await collect(target.read(layer ?? image.root), 1_000_000, "the layer");
  assert.deepEqual(Buffer.from(bytes), Buffer.from(image.blobs.get((layer ?? image.root).digest) ?? []));
};

describe("an answer that comes coded, although none asked for that", () => {
  test("is read without the coding, whatever it is: manifests, lists, layers that are gzip themselves, and errors", () =>
    behind(
      (bytes) => gzipSync(bytes),
      "gzip",
      async (host) => {
        await copied(host);
        const registry = opened(host, { ambient: false });
        const repository = registry.repository("team/app");
        const tags = [];
        for await (const tag of repository.tags()) tags.push(tag);
        assert.deepEqual(tags, ["1"]);
        assert.equal((await repository.resolve("1")).size, image.root.size);
        await assert.rejects(repository.manifest("2"), /MANIFEST_UNKNOWN/);
      },
    ));

  test("is left alone where it has the size that it should have: storage that calls a layer coded, which is gzip", () =>
    behind((bytes, target) => (target.includes("/blobs/") ? bytes : undefined), "gzip", copied));

  test("in a coding that nobody here reads is named for what it is", () =>
    behind(
      (bytes) => brotliCompressSync(bytes),
      "br",
      async (host) => {
        const registry = opened(host, { ambient: false });
        const repository = registry.repository("team/app");
        await assert.rejects(
          repository.manifest("1"),
          (error) =>
            isDrayError(error, "REGISTRY") &&
            /answered in the coding "br", although none was asked for/.test(error.message),
        );
        await assert.rejects(repository.manifest("2"), (error) => isDrayError(error, "NOT_FOUND"));
      },
    ));

  test("matters to nobody where only the head of an answer is read: challenges, redirects, what was written", async () => {
    for (const coding of ["gzip", "br"]) {
      const users = { ann: "secret" };
      const tokens = tokenServer({ users });
      const storage = memoryRegistry();
      const target = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
      const pack = coding === "gzip" ? gzipSync : brotliCompressSync;
      const packed =
        (handler: Handler): Handler =>
        async (request) => {
          const response = await handler(request);
          const bytes = pack(await collect(response.body.chunks, 1_000_000, "the answer"));
          const headers = response.headers.filter(([each]) => !/^content-length$/i.test(each));
          // What is read to its end comes as it is.
          const isRead = request.method === "GET" && response.status === 200;
          return isRead
            ? handler(request)
            : { ...response, headers: [...headers, ["Content-Encoding", coding]], body: bodyOf(bytes) };
        };
      for (const registry of [storage, target]) put(registry, "team/app", "1", image);
      const moved = faults(target.handler, [
        { method: "GET", target: `/blobs/${layer?.digest}`, effect: redirectTo("https://cdn.test") },
      ]);
      const connection = hosts({
        "https://r.test": packed(moved),
        "https://auth.test": packed(tokens.handler),
        "https://cdn.test": packed(storage.handler),
      });
      const credentials = staticCredential({ username: "ann", password: "secret", source: "the test" }, "r.test");
      const registry = opened("r.test", { connection, credentials, ambient: false, retry: { attempts: 1 } });
      const from = { store: registry.repository("team/app"), name: "1", location: "r.test/team/app:1" };
      const memory = memoryStore();
      assert.equal(
        (await copy(from, { store: memory, name: "1", location: "memory:1" })).root.digest,
        image.root.digest,
      );
      const to = { store: registry.repository("team/copy"), name: "1", location: "r.test/team/copy:1" };
      await copy({ store: memory, name: "1", location: "memory:1" }, to);
      assert.deepEqual(target.tags("team/copy"), ["1"]);
    }
  });
});
