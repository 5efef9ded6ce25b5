import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Exchange, exchange, seededBytes } from "@dray/testkit";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath, blobsRoot } from "../../src/distribution-tree/index.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import type { Driver } from "../../src/storage/index.ts";
import { filesOf, openFixture, places } from "./places.ts";
import { watched } from "./watched.ts";

const type = { "Content-Type": mediaTypes.ociManifest };
const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));
const locationOf = (answer: Exchange): string => answer.header("Location") ?? "";

for (const [where, open] of Object.entries(places))
  suite(where, () => {
    const layers = Array.from({ length: 4 }, (_, i) => seededBytes(`layer ${i}`, i === 0 ? 70_000 : 500));
    const imageOf = (seed: string, content: readonly Uint8Array[]): { config: Uint8Array; manifest: Uint8Array } => {
      const config = encodeJson({ seed });
      const describe = (mediaType: string, bytes: Uint8Array) => ({
        mediaType,
        digest: digestOf(bytes),
        size: bytes.byteLength,
      });
      const manifest = encodeJson({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: describe(mediaTypes.ociConfig, config),
        layers: content.map((bytes) => describe(mediaTypes.ociLayer, bytes)),
      });
      return { config, manifest };
    };

    /** As clients do it: what the registry says it has is not sent. Tells the answer to the manifest. */
    const pushImage = async (
      registry: Registry,
      repository: string,
      tag: string,
      seed: string,
      content: readonly Uint8Array[],
      beforeManifest: () => Promise<void>,
    ): Promise<{ status: number; code?: string; digest: Digest }> => {
      const { config, manifest } = imageOf(seed, content);
      for (const bytes of [...content, config]) {
        const digest = digestOf(bytes);
        const { status } = await exchange(registry, "HEAD", `/v2/${repository}/blobs/${digest}`);
        if (status === 200) continue;
        const mounted = await exchange(registry, "POST", `/v2/${repository}/blobs/uploads/?mount=${digest}`);
        if (mounted.status === 201) continue;
        const done = await exchange(registry, "PUT", `${locationOf(mounted)}?digest=${digest}`, { body: bytes });
        assert.equal(done.status, 201);
      }
      await beforeManifest();
      const answer = await exchange(registry, "PUT", `/v2/${repository}/manifests/${tag}`, {
        headers: type,
        body: manifest,
      });
      const { errors } = answer.status === 201 ? { errors: [] } : (answer.json() as { errors: { code: string }[] });
      return {
        status: answer.status,
        ...(errors[0] === undefined ? {} : { code: errors[0].code }),
        digest: digestOf(manifest),
      };
    };

    const pullsWhole = async (registry: Registry, repository: string, digest: Digest): Promise<void> => {
      const manifest = await exchange(registry, "GET", `/v2/${repository}/manifests/${digest}`);
      assert.equal(manifest.status, 200, "an acknowledged manifest is gone");
      const { config, layers: content } = manifest.json() as {
        config: { digest: Digest };
        layers: { digest: Digest }[];
      };
      for (const blob of [config, ...content]) {
        const got = await exchange(registry, "GET", `/v2/${repository}/blobs/${blob.digest}`);
        assert.equal(got.status, 200, `a blob of an acknowledged manifest is gone: ${blob.digest}`);
        assert.equal(digestOf(got.bytes), blob.digest);
      }
    };

    for (const [what, again] of [
      [
        "a commit",
        (registry: Registry, body: Uint8Array) =>
          exchange(registry, "POST", `/v2/new/blobs/uploads/?digest=${digestOf(body)}`, { body }),
      ],
      [
        "a mount",
        (registry: Registry, body: Uint8Array) =>
          exchange(registry, "POST", `/v2/new/blobs/uploads/?mount=${digestOf(body)}&from=old`),
      ],
    ] as const)
      test(`gc just when ${what} takes data into use that is there: it waits, and the data stays`, async () => {
        const begun = Date.now() + 3_600_000;
        let time = begun;
        const { driver, unfinished } = await open();
        const body = seededBytes("wanted again", 1000);
        let collecting: Promise<unknown> | undefined;
        const gated: Driver = {
          ...watched(driver, () => {}),
          touch: async (path) => {
            if (path === blobPath(digestOf(body))) await collect();
            await driver.touch(path);
          },
          write: async (path, bytes, options) => {
            if (path === blobPath(digestOf(body)) && time > begun) await collect();
            await driver.write(path, bytes, options);
          },
        };
        const collect = async (): Promise<void> => {
          collecting = registry.collect();
          // Long enough for gc to have done all it does, if it does not wait.
          await Promise.race([collecting, new Promise((resolve) => setTimeout(resolve, 200))]);
        };
        const registry = createRegistry({ driver: gated, gc: { grace: -1, lease: 1000 }, now: () => time });
        const old = `/v2/old/blobs/uploads/?digest=${digestOf(body)}`;
        assert.equal((await exchange(registry, "POST", old, { body })).status, 201);
        time += 10_000;
        assert.equal((await again(registry, body)).status, 201);
        assert.ok(collecting !== undefined, "nobody took the data into use");
        await collecting;
        const got = await exchange(registry, "GET", `/v2/new/blobs/${digestOf(body)}`);
        assert.equal(got.status, 200);
        assert.deepEqual(await unfinished(), []);
        await registry.close();
      });

    for (const [how, settings] of [
      ["without promises", { gc: { grace: -1, lease: 0 } }],
      ["by promises alone", { gc: { grace: -1, lease: 1000 } }],
    ] as const)
      test(`gc and deletes while images are pushed that share layers, ${how}: what was acknowledged pulls whole`, async () => {
        // A clock of its own: a lease ends between two rounds, and never inside one.
        let time = Date.now() + 3_600_000;
        const { registry, driver, end } = await openFixture(open, { ...settings, now: () => time });
        const counts = { pushed: 0, refused: 0, collected: 0 };
        for (let round = 0; round < 4; round++) {
          time += 10_000;
          let pushing = true;
          let runs = 0;
          const collect = async (): Promise<void> => {
            for (; pushing; runs++) {
              const { blobs, layers: links } = await registry.collect();
              counts.collected += blobs + links;
              await new Promise(setImmediate);
            }
          };
          const collecting = collect();
          await times(4, async (who) => {
            const repository = who % 2 === 0 ? "shared" : `own-${who}`;
            for (let n = 0; n < 2; n++) {
              const content = [layers[0], layers[(who + n + round) % 4], layers[(round + 1) % 4]] as Uint8Array[];
              const seed = `${round}/${who}/${n}`;
              /** The blobs are there and the manifest is not: the worst moment for a whole run, now and then. */
              const wait = async (): Promise<void> => {
                const enough = runs + 2;
                while (tries === 0 && who < 2 && runs < enough) await new Promise(setImmediate);
              };
              let tries = 0;
              let pushed = await pushImage(registry, repository, `t${who}`, seed, content, wait);
              for (; pushed.status !== 201 && tries < 200; tries++) {
                assert.deepEqual([pushed.status, pushed.code], [400, "MANIFEST_BLOB_UNKNOWN"]);
                assert.equal(settings.gc.lease, 0, "what was promised is there");
                counts.refused++;
                pushed = await pushImage(registry, repository, `t${who}`, seed, content, wait);
              }
              assert.equal(pushed.status, 201, `${tries} tries`);
              counts.pushed++;
              await pullsWhole(registry, repository, pushed.digest);
              const { status } = await exchange(registry, "DELETE", `/v2/${repository}/manifests/${pushed.digest}`);
              assert.equal(status, 202);
            }
          });
          pushing = false;
          await collecting;
        }
        assert.equal(counts.pushed, 32);
        assert.ok(counts.collected > 0, "gc met nothing");
        assert.equal(counts.refused > 0, settings.gc.lease === 0, `${counts.refused} refused`);
        // Nothing uses anything now.
        time += 10_000;
        await registry.collect();
        await registry.collect();
        assert.deepEqual(await filesOf(driver, blobsRoot), []);
        await end();
      });
  });
