import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { bytesContent, collect, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { connect } from "../registry/index.ts";
import type { Handler } from "./types.ts";

const image = sampleImage({ seed: "coded", layers: 1, layerSize: 100_000 });
const [layer] = image.layers;

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
  await using registry = connect(host, { ambient: false, retry: { attempts: 1 } });
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
        await using registry = connect(host, { ambient: false });
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
        await using registry = connect(host, { ambient: false });
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
});
