import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  type Fault,
  faults,
  type MemoryRegistry,
  type MemoryRegistryOptions,
  memoryRegistry,
  RequestLog,
  seededBytes,
} from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import { anonymous } from "../auth/index.ts";
import { bytesContent, memoryStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type HttpRequest } from "../http/index.ts";
import { type Descriptor, digestOf, mediaTypes } from "../oci/index.ts";
import { connect } from "./connect.ts";
import type { Registry } from "./registry.ts";

const bytes = seededBytes("mount", 100_000);
const blob: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(bytes), size: bytes.byteLength };

interface Setup {
  readonly registry: MemoryRegistry;
  readonly client: Registry;
  readonly seen: HttpRequest[];
  sent(): string[];
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = []): Setup => {
  const registry = memoryRegistry(options);
  registry.addBlob("source", bytes);
  const log = new RequestLog();
  const seen: HttpRequest[] = [];
  const misbehaving = log.middleware(faults(registry.handler, rules));
  return {
    registry,
    client: clientOf((request) => (seen.push(request), misbehaving(request))),
    seen,
    sent: () =>
      log.select({ target: "/blobs/" }).map(({ method, target }) => `${method} ${target.replace(/^.*uploads\//, "")}`),
  };
};

describe("mounts", () => {
  test("from another repository of the same registry, in one request with the scopes for both", async () => {
    const at = setup();
    const target = at.client.repository("target");
    assert.equal(await target.mountFrom(blob, at.client.repository("source")), true);
    assert.equal(at.registry.blob("target", blob.digest)?.size, blob.size);
    assert.deepEqual(at.sent(), [`POST ?mount=${blob.digest}&from=source`]);
    assert.deepEqual(at.seen.at(-1)?.context?.scopes, ["repository:target:pull,push", "repository:source:pull"]);
  });

  test("Docker Hub is one registry by all of its names", async () => {
    const registry = memoryRegistry();
    registry.addBlob("library/source", bytes);
    const hub = (name: string): Registry =>
      connect(name, { credentials: anonymous, connection: registry.handler, stateDir: false });
    const source = hub("index.docker.io").repository("library/source");
    assert.equal(await hub("registry-1.docker.io").repository("me/target").mountFrom(blob, source), true);
  });

  test("what cannot be mounted is not asked for", async () => {
    const at = setup();
    const target = at.client.repository("target");
    const elsewhere = connect("other.test", {
      credentials: anonymous,
      connection: at.registry.handler,
      stateDir: false,
    });
    const manifest = { ...blob, mediaType: mediaTypes.ociManifest };
    assert.equal(await target.mountFrom(blob, target), false);
    assert.equal(await target.mountFrom(blob, memoryStore()), false);
    assert.equal(await target.mountFrom(blob, elsewhere.repository("source")), false);
    assert.equal(await target.mountFrom(manifest, at.client.repository("source")), false);
    assert.equal(at.seen.length, 0);
  });

  test("what would be asked for can be told without asking", () => {
    const at = setup();
    const target = at.client.repository("target");
    const mayMount = (source: object, descriptor = blob) => target.mayMountFrom?.(descriptor, source);
    assert.deepEqual(
      [
        mayMount(at.client.repository("source")),
        mayMount(target),
        mayMount(memoryStore()),
        mayMount(at.client.repository("source"), { ...blob, mediaType: mediaTypes.ociManifest }),
      ],
      [true, false, false, false],
    );
    assert.equal(at.seen.length, 0);
  });

  test("a session that is opened instead is used for the upload", async () => {
    const at = setup({ mounts: false });
    const target = at.client.repository("target");
    assert.equal(await target.mountFrom(blob, at.client.repository("source")), false);
    await target.write(blob, bytesContent(bytes));
    assert.equal(at.registry.blob("target", blob.digest)?.size, blob.size);
    assert.deepEqual(
      at.sent().map((request) => request.split(" ")[0]),
      ["POST", "PUT"],
    );
    assert.deepEqual(await at.registry.uploads(), []);
  });

  for (const status of [400, 401, 403, 404, 405, 500, 503])
    test(`${status} is no failure: the long way is open`, async () => {
      const at = setup({}, [{ target: "&from=", effect: answerWith(status) }]);
      const target = at.client.repository("target");
      assert.equal(await target.mountFrom(blob, at.client.repository("source")), false);
      await target.write(blob, bytesContent(bytes));
      assert.ok(at.registry.blob("target", blob.digest));
    });

  test("a signal ends it", async () => {
    const stop = new AbortController();
    stop.abort();
    const { client } = setup();
    await assert.rejects(
      client.repository("target").mountFrom(blob, client.repository("source"), { signal: stop.signal }),
      (error) => isDrayError(error, "ABORTED"),
    );
  });
});
