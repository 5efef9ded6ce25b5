import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  cutResponse,
  type Fault,
  type MemoryRegistryOptions,
  memoryRegistry,
  seededBytes,
  tokenServer,
} from "@dray/testkit";
import { type Against, against, clientOf, failsWith } from "../../test/registry-client.ts";
import { bytesContent, collect } from "../content/index.ts";
import { type Handler, systemClock } from "../http/index.ts";
import { type Descriptor, digestOf, mediaTypes } from "../oci/index.ts";

const contents = ["one", "two", "three"].map((seed) => seededBytes(seed, 200_000));
const blobs = contents.map(
  (bytes): Descriptor => ({ mediaType: mediaTypes.ociLayerGzip, digest: digestOf(bytes), size: bytes.byteLength }),
);
const instant = { ...systemClock, sleep: async () => {} };

const setup = (rules: readonly Fault[], options: MemoryRegistryOptions = {}): Against => {
  const registry = memoryRegistry(options);
  for (const bytes of contents) for (const repository of ["a/b", "source"]) registry.addBlob(repository, bytes);
  return against(registry, rules);
};

/** Three pieces of content at once, all of which fail. */
const allFail = async (work: (blob: Descriptor, nth: number) => Promise<unknown>): Promise<void> => {
  for (const { status } of await Promise.allSettled(blobs.map(work))) assert.equal(status, "rejected");
};
const always = { effect: answerWith(500) };

describe("one retry budget for a piece of content, whatever layers try again", () => {
  test("three blobs that always answer 500 cost fifteen requests", async () => {
    const { repository, log } = setup([{ ...always, target: "/blobs/" }]);
    await allFail((blob) => collect(repository.read(blob), 1e6, "blob"));
    assert.equal(log.entries.length, 15);
  });

  test("three uploads whose registry always answers 500 cost fifteen, wherever it begins to fail", async () => {
    for (const when of [{ target: "/blobs/uploads/" }, { method: "PUT" }, { method: "PATCH" }]) {
      const at = against(memoryRegistry(), [{ ...always, ...when }], "method" in when ? { chunkSize: 65_536 } : {});
      const send = (blob: Descriptor, nth: number): Promise<void> =>
        at.repository.upload(blob, bytesContent(contents[nth] as Uint8Array));
      await allFail(send);
      assert.ok(at.log.select(when).length <= 15, `${JSON.stringify(when)}: ${at.log.select(when).length}`);
    }
  });

  test("a mount that fails is a failure of the upload that follows", async () => {
    const { client, repository, log } = setup([{ ...always, method: "POST" }]);
    await allFail(async (blob, nth) => {
      assert.equal(await repository.mountFrom(blob, client.repository("source")), false);
      await repository.upload(blob, bytesContent(contents[nth] as Uint8Array));
    });
    assert.equal(log.select({ method: "POST" }).length, 15);
  });

  test("a manifest's HEAD and GET are one piece", async () => {
    const { repository, log } = setup([{ ...always, target: "/manifests/" }]);
    await assert.rejects(repository.resolve("1"), failsWith("REGISTRY"));
    assert.deepEqual(
      log.entries.map(({ method }) => method),
      ["HEAD", "GET", "GET", "GET", "GET"],
    );
  });

  test("token requests", async () => {
    const tokens = tokenServer();
    const access = { scheme: "bearer", tokens, realm: "https://tokens.test/token" } as const;
    const registry = memoryRegistry({ access });
    let asked = 0;
    const handler: Handler = (request) => {
      if (!request.origin.includes("tokens")) return registry.handler(request);
      asked++;
      return answerWith(500)(request, registry.handler);
    };
    const repository = clientOf(handler, { retry: { clock: instant } }).repository("a/b");
    await allFail((blob) => collect(repository.read(blob), 1e6, "blob"));
    assert.ok(asked <= 15, String(asked));
  });

  test("a body whose registry fails already when it is asked who we are", async () => {
    const { repository, log } = setup([always]);
    await assert.rejects(repository.upload(blobs[0] as Descriptor, bytesContent(contents[0] as Uint8Array)));
    assert.equal(log.entries.length, 5);
  });

  test("four failures, then success", async () => {
    const fresh = seededBytes("fresh", 100_000);
    const blob = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(fresh), size: fresh.byteLength };
    for (const method of ["GET", "POST", "PUT"]) {
      const { repository, registry, log } = setup([{ method, nth: [1, 4], effect: answerWith(503) }]);
      if (method === "GET") registry.addBlob("a/b", fresh);
      if (method === "GET") assert.deepEqual(await collect(repository.read(blob), 1e6, "blob"), fresh);
      else await repository.upload(blob, bytesContent(fresh));
      assert.equal(registry.blob("a/b", blob.digest)?.size, fresh.byteLength, method);
      assert.ok(log.select({ method }).length >= 5, method);
    }
  });

  test("questions how far an upload is are counted together, whatever failed before each", async () => {
    for (const rules of [
      [{ method: "PATCH" }, { method: "GET" }],
      [{ method: "PUT" }, { method: "GET" }],
    ]) {
      const failing = rules.map((rule) => ({ ...rule, effect: answerWith(503) }));
      const at = against(memoryRegistry(), failing, { chunkSize: 65_536 });
      await assert.rejects(at.repository.upload(blobs[0] as Descriptor, bytesContent(contents[0] as Uint8Array)));
      assert.ok(at.log.select({ method: "GET" }).length <= 8, String(at.log.entries.length));
    }
  });

  test("a cut that brought bytes is none of the attempts in vain, and is not taken up where nothing is repeated", async () => {
    const rules = [
      { method: "GET", nth: 1, effect: cutResponse(20_000) },
      { method: "GET", nth: [2, 5] as const, effect: answerWith(503) },
    ];
    const [blob, bytes] = [blobs[0] as Descriptor, contents[0] as Uint8Array];
    assert.deepEqual(await collect(setup(rules).repository.read(blob), 1e6, "blob"), bytes);

    const registry = memoryRegistry();
    registry.addBlob("a/b", bytes);
    const once = against(registry, rules, { retry: { attempts: 1, clock: instant } });
    await assert.rejects(collect(once.repository.read(blob), 1e6, "blob"), failsWith("NETWORK"));
    assert.equal(once.log.entries.length, 1);
  });

  test("bytes that get through fill it up", async () => {
    const { repository } = setup([{ method: "GET", nth: [1, 8], effect: cutResponse(20_000) }]);
    const [blob, bytes] = [blobs[0] as Descriptor, contents[0] as Uint8Array];
    assert.deepEqual(await collect(repository.read(blob), 1e6, "blob"), bytes);
  });
});
