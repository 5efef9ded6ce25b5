import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { collect as collectBytes } from "dray/content";
import type { Handler } from "dray/http";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import fc from "fast-check";
import { createRegistry } from "../registry.ts";
import { type Driver, memoryDriver } from "../storage/index.ts";

const repositories = ["one", "two"] as const;
const blobs = Array.from({ length: 3 }, (_, i) => new TextEncoder().encode(`blob ${i}`));

interface Manifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly layers: readonly Uint8Array[];
  readonly children: readonly Manifest[];
}

/** The same numbers make the same image. */
const imageOf = (numbers: readonly number[]): Manifest => {
  const layers = numbers.map((number) => blobs[number] as Uint8Array);
  const described = layers.map((bytes) => ({ mediaType: "a/layer", digest: digestOf(bytes), size: bytes.byteLength }));
  const [config] = described;
  const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: described });
  return { digest: digestOf(bytes), bytes, type: mediaTypes.ociManifest, layers, children: [] };
};

const indexOf = (children: readonly Manifest[]): Manifest => {
  const manifests = children.map(({ type, digest, bytes }) => ({ mediaType: type, digest, size: bytes.byteLength }));
  const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  return { digest: digestOf(bytes), bytes, type: mediaTypes.ociIndex, layers: [], children };
};

/** Every call takes some turns of the event loop, before and after it happens, in an order of its own. */
const slow = (driver: Driver, turns: () => number): Driver =>
  new Proxy(driver, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || name === "close") return method;
      return async (...given: unknown[]): Promise<unknown> => {
        for (let left = turns(); left > 0; left--) await turn();
        const result: unknown = await method.apply(target, given);
        for (let left = turns(); left > 0; left--) await turn();
        return result;
      };
    },
  });

const ask = async (
  registry: Handler,
  method: string,
  target: string,
  content?: Uint8Array,
  type = "application/octet-stream",
): Promise<{ status: number; bytes: Uint8Array }> => {
  const response = await registry({
    method,
    origin: "http://registry.test",
    target: `/v2/${target}`,
    headers: content === undefined ? [] : [["Content-Type", type]],
    ...(content === undefined
      ? {}
      : {
          body: {
            size: content.byteLength,
            open: async function* () {
              yield content;
            },
          },
        }),
  });
  return { status: response.status, bytes: await collectBytes(response.body.chunks, 1_000_000, "an answer") };
};

type Wanted = (status: number) => boolean;
const created: Wanted = (status) => status === 201;

/** As clients push: what is there is left out, what lies in the neighbourhood is mounted, the rest is sent. */
const push = async (registry: Handler, repository: string, manifest: Manifest, reference: string): Promise<void> => {
  for (const child of manifest.children) {
    if ((await ask(registry, "HEAD", `${repository}/manifests/${child.digest}`)).status === 200) continue;
    await push(registry, repository, child, child.digest);
  }
  for (const bytes of manifest.layers) {
    const digest = digestOf(bytes);
    if ((await ask(registry, "HEAD", `${repository}/blobs/${digest}`)).status === 200) continue;
    const from = repositories.find((name) => name !== repository) as string;
    const mounted = await ask(registry, "POST", `${repository}/blobs/uploads/?mount=${digest}&from=${from}`);
    if (created(mounted.status)) continue;
    const { status } = await ask(registry, "POST", `${repository}/blobs/uploads/?digest=${digest}`, bytes);
    assert.equal(status, 201);
  }
  const { status } = await ask(registry, "PUT", `${repository}/manifests/${reference}`, manifest.bytes, manifest.type);
  assert.equal(status, 201);
};

const assertWhole = async (registry: Handler, repository: string, manifest: Manifest): Promise<void> => {
  const found = await ask(registry, "GET", `${repository}/manifests/${manifest.digest}`);
  assert.deepEqual([found.status, digestOf(found.bytes)], [200, manifest.digest]);
  for (const bytes of manifest.layers) {
    const layer = await ask(registry, "GET", `${repository}/blobs/${digestOf(bytes)}`);
    assert.deepEqual([layer.status, layer.bytes], [200, bytes]);
  }
  for (const child of manifest.children) await assertWhole(registry, repository, child);
};

const repositoryOf = fc.constantFrom(...repositories);
const someBlobs = fc.uniqueArray(fc.nat({ max: blobs.length - 1 }), { minLength: 1, maxLength: 3 });
const image = someBlobs.map(imageOf);
const anything = fc.oneof(
  image,
  fc.uniqueArray(image, { minLength: 1, maxLength: 2, selector: ({ digest }) => digest }).map(indexOf),
);
const pushes = fc.array(fc.record({ repository: repositoryOf, manifest: anything }), { minLength: 1, maxLength: 3 });
const run = fc.record({
  /** What was there long before, some of it by a tag. */
  old: fc.array(fc.record({ repository: repositoryOf, manifest: anything, tagged: fc.boolean() }), { maxLength: 4 }),
  clients: fc.array(pushes, { minLength: 1, maxLength: 3 }),
  /** Turns of calls, in order, and again from the beginning. */
  turns: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 50 }),
  /** The same of clients, before each of their requests. */
  pauses: fc.array(fc.nat({ max: 80 }), { minLength: 1, maxLength: 20 }),
});

describe("garbage collection while clients push", () => {
  it("never takes away what belongs to a manifest that was acknowledged", async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ old, clients, turns, pauses }) => {
        const clock = { now: 1_000_000 };
        let calls = 0;
        let hurry = true;
        const now = (): number => clock.now++;
        const memory = memoryDriver({ now });
        const driver = slow(memory, () => (hurry ? 0 : (turns[calls++ % turns.length] as number)));
        const lease = 100_000_000;
        const options = { driver, now, gc: { grace: 0, lease, untagged: 0 } };
        const before = createRegistry({ ...options, driver: memory });
        for (const [i, { repository, manifest, tagged }] of old.entries())
          await push(before, repository, manifest, tagged ? `old${i}` : manifest.digest);
        await before.close();
        const registry = createRegistry(options);
        clock.now += 2 * lease;
        await registry.context.reconciler.reconciled();
        hurry = false;
        let asked = 0;
        const unhurried: Handler = async (request) => {
          for (let left = pauses[asked++ % pauses.length] as number; left > 0; left--) await turn();
          return registry(request);
        };
        const acknowledged: { repository: string; manifest: Manifest }[] = [];
        const client = async (list: (typeof clients)[number], number: number): Promise<void> => {
          for (const [i, { repository, manifest }] of list.entries()) {
            await push(unhurried, repository, manifest, `new${number}-${i}`);
            acknowledged.push({ repository, manifest });
          }
        };
        const untag = async (): Promise<void> => {
          for (const [i, { repository, tagged }] of old.entries())
            if (tagged) assert.equal((await ask(unhurried, "DELETE", `${repository}/manifests/old${i}`)).status, 202);
        };
        let pushing = true;
        const collecting = async (): Promise<void> => {
          while (pushing) await registry.collect();
        };
        const work = Promise.all([...clients.map(client), untag()]).finally(() => {
          pushing = false;
        });
        await Promise.all([collecting(), work]);
        hurry = true;
        for (const { repository, manifest } of acknowledged) await assertWhole(registry, repository, manifest);
        // When no promise holds any more, what is left is what tags lead to: and that is whole as well.
        clock.now += 2 * lease;
        await registry.collect();
        for (const { repository, manifest } of acknowledged) await assertWhole(registry, repository, manifest);
        await registry.close();
        const after = createRegistry({ ...options, driver: memory });
        for (const { repository, manifest } of acknowledged) await assertWhole(after, repository, manifest);
        await after.close();
      }),
      { numRuns: 50 },
    );
  });
});
