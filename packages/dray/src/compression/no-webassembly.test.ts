import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bytesContent, collect, memoryStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { compressLayer } from "../image/index.ts";
import { mediaTypes } from "../oci/index.ts";
import { gzip } from "./gzip.ts";

const runtime = globalThis as { WebAssembly?: unknown };

const some = async function* (): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(10);
};

before(() => {
  delete runtime.WebAssembly;
});

test("without WebAssembly nothing is compressed by another encoder: the digest would be another", async () => {
  const refused = (error: unknown): boolean =>
    isDrayError(error, "UNSUPPORTED") && error.message.includes("there is no WebAssembly, as with node --jitless");
  await assert.rejects(collect(gzip(some()), 1000, "test"), refused);
  const store = memoryStore();
  const layer = await store.ingest(bytesContent(new Uint8Array(10)), { mediaType: mediaTypes.dockerLayer });
  await assert.rejects(compressLayer(store, memoryStore(), layer), refused);
});

test("where WebAssembly may not be compiled, the runtime's own word is passed on", async () => {
  runtime.WebAssembly = {
    Module: class {
      constructor() {
        throw new Error("code generation is disallowed by embedder");
      }
    },
  };
  await assert.rejects(
    collect(gzip(some()), 1000, "test"),
    (error) =>
      isDrayError(error, "UNSUPPORTED") &&
      error.message.includes("refused (code generation is disallowed by embedder)"),
  );
});
