import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import {
  cutRequest,
  dropSession,
  type Fault,
  loseAnswer,
  type MemoryRegistry,
  type MemoryRegistryOptions,
  memoryRegistry,
  seededBytes,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Against, against } from "../../test/registry-client.ts";
import { bytesContent, type Content } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { hashedContent } from "./ingest.ts";
import type { Repository } from "./repository.ts";

const mib = 1024 * 1024;
const bytes = seededBytes("ingest", 3 * mib + 17);
const mediaType = mediaTypes.ociLayerGzip;
const expected = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };

/** Content whose size nobody knows beforehand, as a compressor makes it. */
const stream = (content: Uint8Array = bytes): Content & { opened: number[] } => {
  const opened: number[] = [];
  return {
    opened,
    open: async function* ({ offset = 0 } = {}) {
      opened.push(offset);
      for (let at = offset; at < content.byteLength; at += 65536) yield content.subarray(at, at + 65536);
    },
  };
};

interface Setup extends Against {
  readonly sent: () => string[];
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = [], more: ConnectOptions = {}): Setup =>
  on(memoryRegistry(options), rules, more);

const on = (registry: MemoryRegistry, rules: readonly Fault[] = [], more: ConnectOptions = {}): Setup => {
  const at = against(registry, rules, more);
  return {
    ...at,
    sent: () => at.log.select({ target: "/blobs/" }).map(({ method, bytesIn }) => `${method} ${bytesIn}`),
  };
};

describe("content whose digest is known at its end", () => {
  test("goes in one piece", async () => {
    const at = setup();
    assert.deepEqual(await at.repository.ingest(stream(), { mediaType }), expected);
    assert.equal(at.registry.blob("a/b", expected.digest)?.size, expected.size);
    assert.deepEqual(at.sent(), ["POST 0", `PATCH ${expected.size}`, "PUT 0"]);
  });

  test("goes in pieces where that is wanted, and is read once", async () => {
    const at = setup({}, [], { chunkSize: mib });
    const content = stream();
    assert.deepEqual(await at.repository.ingest(content, { mediaType }), expected);
    assert.deepEqual(at.sent(), ["POST 0", `PATCH ${mib}`, `PATCH ${mib}`, `PATCH ${mib}`, "PATCH 17", "PUT 0"]);
    assert.deepEqual(content.opened, [0]);
  });

  test("nothing at all", async () => {
    const at = setup();
    const descriptor = await at.repository.ingest(stream(new Uint8Array(0)), { mediaType });
    assert.deepEqual([descriptor.size, descriptor.digest], [0, digestOf(new Uint8Array(0))]);
    assert.deepEqual(at.sent(), ["POST 0", "PUT 0"]);
  });

  test("sha512", async () => {
    const at = setup({ sink: true });
    const descriptor = await at.repository.ingest(stream(), { mediaType, algorithm: "sha512" });
    assert.equal(descriptor.digest, digestOf(bytes, "sha512"));
    assert.ok(at.registry.blob("a/b", descriptor.digest));
  });

  test("a manifest", async () => {
    const at = setup();
    const index = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
    const descriptor = await at.repository.ingest(bytesContent(index), { mediaType: mediaTypes.ociIndex });
    assert.deepEqual(at.registry.manifest("a/b", descriptor.digest)?.bytes, index);
  });

  test("a connection that is cut goes on where the registry stands", async () => {
    const at = setup({}, [{ method: "PATCH", effect: cutRequest(mib) }]);
    const content = stream();
    assert.deepEqual(await at.repository.ingest(content, { mediaType }), expected);
    assert.deepEqual(content.opened, [0, mib, 2 * mib, 3 * mib]);
    assert.equal(at.registry.log.bytesIn(), expected.size);
  });

  const misfortunes: readonly Fault[] = [
    { method: "PATCH", nth: 1, effect: dropSession() },
    { method: "PATCH", nth: 1, effect: loseAnswer() },
    { method: "PUT", nth: 1, effect: loseAnswer() },
  ];
  for (const fault of misfortunes)
    test(`survives what may happen to a ${fault.method}`, async () => {
      const at = setup({}, [fault]);
      assert.deepEqual(await at.repository.ingest(stream(), { mediaType }), expected);
      assert.equal(at.registry.blob("a/b", expected.digest)?.size, expected.size);
    });

  test("a registry that gives up cut uploads gets all of it again", async () => {
    const at = setup({ keepsCutUploads: false }, [{ method: "PATCH", nth: 1, effect: cutRequest(2 * mib) }]);
    assert.deepEqual(await at.repository.ingest(stream(), { mediaType }), expected);
  });
});

describe("uploads that outlive a process", () => {
  let root: string;
  before(() => {
    root = temporaryFolder("ingest");
  });
  let count = 0;
  const large = seededBytes("large", 12 * mib);
  const blob = { mediaType, digest: digestOf(large), size: large.byteLength };

  /** A push that ends in the midst, as a kill would: by a signal, and with a file that names a process that is gone. */
  const killed = async (
    registry: MemoryRegistry,
    stateDir: string,
    push: (repository: Repository, signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> => {
    const kill = new AbortController();
    const cut: Fault = {
      method: (await registry.uploads()).length === 0 ? "PUT" : "PATCH",
      effect: async (request, next) => {
        try {
          return await cutRequest(5 * mib)(request, next);
        } finally {
          kill.abort();
        }
      },
    };
    const rules = [cut, { ...cut, method: "PATCH" }];
    await assert.rejects(push(on(registry, rules, { stateDir }).repository, kill.signal), (error) =>
      isDrayError(error, "ABORTED"),
    );
    for (const name of await readdir(join(stateDir, "uploads"))) {
      const file = join(stateDir, "uploads", name);
      const record = JSON.parse(await readFile(file, "utf8")) as { process: { started: string } };
      record.process.started = "1";
      await writeFile(file, JSON.stringify(record));
    }
  };

  test("a blob goes on where it stopped, and leaves no file", async () => {
    const registry = memoryRegistry();
    const stateDir = join(root, String(count++));
    await killed(registry, stateDir, (repository, signal) => repository.upload(blob, stream(large), { signal }));
    const content = stream(large);
    const { repository, sent } = on(registry, [], { stateDir });
    await repository.upload(blob, content);
    assert.equal(registry.blob("a/b", blob.digest)?.size, blob.size);
    assert.deepEqual([content.opened, sent()], [[5 * mib], ["GET 0", `PATCH ${7 * mib}`, "PUT 0"]]);
    assert.equal(registry.log.bytesIn(), blob.size);
    assert.deepEqual(await readdir(join(stateDir, "uploads")), []);
  });

  test("a session that the registry has forgotten: from the beginning", async () => {
    const registry = memoryRegistry();
    const stateDir = join(root, String(count++));
    await killed(registry, stateDir, (repository, signal) => repository.upload(blob, stream(large), { signal }));
    await registry.dropUploads();
    const { repository } = on(registry, [], { stateDir });
    await repository.upload(blob, stream(large));
    assert.equal(registry.blob("a/b", blob.digest)?.size, blob.size);
  });

  test("content that is made goes on by its key: what is there is hashed, not sent", async () => {
    const registry = memoryRegistry();
    const stateDir = join(root, String(count++));
    const options = { mediaType, key: "gzip 6 of sha256:x" };
    await killed(registry, stateDir, (repository, signal) => repository.ingest(stream(large), { ...options, signal }));
    const content = stream(large);
    const { repository, sent } = on(registry, [], { stateDir });
    assert.deepEqual(await repository.ingest(content, options), blob);
    assert.deepEqual([content.opened, sent()], [[0], ["GET 0", `PATCH ${7 * mib}`, "PUT 0"]]);
  });

  test("made content that comes out differently begins again", async () => {
    const registry = memoryRegistry();
    const stateDir = join(root, String(count++));
    const options = { mediaType, key: "gzip 6 of sha256:x" };
    await killed(registry, stateDir, (repository, signal) => repository.ingest(stream(large), { ...options, signal }));
    const other = seededBytes("other", 12 * mib);
    const { repository } = on(registry, [], { stateDir });
    assert.equal((await repository.ingest(stream(other), options)).digest, digestOf(other));
    assert.equal(registry.blob("a/b", digestOf(other))?.size, other.byteLength);
  });

  test("small blobs and other places leave no file", async () => {
    const registry = memoryRegistry();
    const stateDir = join(root, String(count++));
    const { repository } = on(registry, [], { stateDir });
    await repository.upload({ ...expected }, stream());
    await assert.rejects(readdir(stateDir));
  });
});

describe("hashed content", () => {
  const small = seededBytes("hashed", 1000);
  const readFrom = async (content: Content, offset: number, most = Number.POSITIVE_INFINITY): Promise<number> => {
    let read = 0;
    for await (const chunk of content.open({ offset })) {
      read += chunk.byteLength;
      if (read >= most) break;
    }
    return read;
  };
  const tens: Content = {
    open: async function* ({ offset = 0 } = {}) {
      for (let at = offset; at < 1000; at += 10) yield small.subarray(at, Math.min(1000, at + 10));
    },
  };

  test("each byte once, wherever it is opened", async () => {
    const content = hashedContent(tens, "sha256");
    assert.equal(await readFrom(content, 0, 300), 300);
    assert.equal(await readFrom(content, 95, 400), 400);
    assert.equal(await readFrom(content, 700), 300);
    assert.equal(await readFrom(content, 5), 995);
    assert.deepEqual(await content.result(), { digest: digestOf(small), size: 1000 });
  });
});
