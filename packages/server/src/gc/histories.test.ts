import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import fc from "fast-check";
import { expect } from "../../test/crash/client.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const day = 86_400_000;
const [grace, untagged] = [day, 10 * day];
const [repositories, tags] = [["one", "two"] as const, ["x", "y"] as const];

interface Image {
  readonly digest: Digest;
  readonly body: Uint8Array;
  readonly blobs: readonly Uint8Array[];
}

/** Images that share a layer and a configuration. */
const images: readonly Image[] = [0, 1].map((number) => {
  const blobs = ["{}", "shared", `layer ${number}`].map((words) => new TextEncoder().encode(words));
  const [config, ...layers] = blobs.map((bytes) => ({
    mediaType: mediaTypes.ociConfig,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }));
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers });
  return { digest: digestOf(body), body, blobs };
});

/** What must be there, on paper: since when each manifest counts for retention, what tags stand for, what was deleted when. */
class Paper {
  readonly since = new Map<Digest, number>();
  readonly tags = new Map<string, Digest>();
  readonly deleted = new Map<Digest, number>();

  left(tag: string, now: number): void {
    const before = this.tags.get(tag);
    if (before !== undefined && this.since.has(before)) this.since.set(before, now);
  }

  mustStay(digest: Digest, now: number): boolean {
    const since = this.since.get(digest);
    if (since === undefined) return false;
    return [...this.tags.values()].includes(digest) || now - since <= Math.max(grace, untagged);
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constantFrom("push", "push", "push by digest", "delete", "delete", "delete tag", "restore", "restore"),
    repository: fc.constantFrom(...repositories, "one"),
    tag: fc.constantFrom(...tags),
    image: fc.constantFrom(...images),
  }),
  fc.record({ wait: fc.constantFrom(1, 20, 30, 9 * 24, 11 * 24) }),
  fc.constantFrom("collect", "collect", "lose the index"),
);

const pushBlobs = async (registry: Registry, repository: string, { blobs }: Image): Promise<void> => {
  for (const body of blobs)
    await expect(registry, `POST /v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`, [201], { body });
};

const assertWhole = async (registry: Registry, repository: string, { digest, body, blobs }: Image): Promise<void> => {
  const { bytes } = await expect(registry, `GET /v2/${repository}/manifests/${digest}`, [200]);
  assert.deepEqual(bytes, body);
  for (const blob of blobs) await expect(registry, `GET /v2/${repository}/blobs/${digestOf(blob)}`, [200]);
};

describe("any history of pushes, moves of tags, deletions and the way back", () => {
  it("loses nothing that a tag names, that lost its tag lately or was deleted lately, whether the index is lost or not", async () => {
    let removed = 0;
    let undone = 0;
    const history = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), async (steps) => {
      const clock = { now: 10_000 * day };
      const now = (): number => clock.now;
      const driver = memoryDriver({ now });
      const gc = { grace, untagged, lease: 1000, share: 1 };
      const registry = createRegistry({ driver, now, recheckAfter: 0, gc });
      const papers = new Map(repositories.map((repository) => [repository as string, new Paper()]));
      for (const next of steps) {
        clock.now += 60_000;
        if (next === "lose the index") await registry.rebuild();
        else if (next === "collect") removed += (await registry.collect()).blobs;
        else if ("wait" in next) clock.now += next.wait * 3_600_000;
        else await act(registry, papers.get(next.repository) as Paper, next, clock.now);
        for (const [repository, paper] of papers)
          for (const image of images) {
            if (paper.mustStay(image.digest, clock.now)) await assertWhole(registry, repository, image);
            else if (paper.deleted.has(image.digest))
              await expect(registry, `GET /v2/${repository}/manifests/${image.digest}`, [404]);
          }
        for (const [repository, paper] of papers)
          for (const [tag, digest] of paper.tags) {
            const answer = await expect(registry, `HEAD /v2/${repository}/manifests/${tag}`, [200]);
            assert.equal(answer.header("Docker-Content-Digest"), digest);
          }
        // What those looks promised has ended.
        clock.now += 2000;
      }
      await registry.close();
    });
    await fc.assert(history, { numRuns: 20 });
    assert.ok(removed + undone > 0, `${removed} blobs were removed, ${undone} deletions undone`);

    type Deed = { do: string; repository: string; tag: string; image: Image };
    async function act(registry: Registry, paper: Paper, deed: Deed, now: number): Promise<void> {
      const { repository, tag, image } = deed;
      const { digest, body } = image;
      const type = mediaTypes.ociManifest;
      switch (deed.do) {
        case "push":
        case "push by digest": {
          await pushBlobs(registry, repository, image);
          const name = deed.do === "push" ? tag : digest;
          await expect(registry, `PUT /v2/${repository}/manifests/${name}`, [201], { body, type });
          if (deed.do === "push") {
            paper.left(tag, now);
            paper.tags.set(tag, digest);
          }
          paper.since.set(digest, now);
          paper.deleted.delete(digest);
          return;
        }
        case "delete": {
          const { status } = await expect(registry, `DELETE /v2/${repository}/manifests/${digest}`, [202, 404]);
          if (status === 404) return assert.equal(paper.mustStay(digest, now), false);
          for (const [name, named] of paper.tags) if (named === digest) paper.tags.delete(name);
          paper.since.delete(digest);
          paper.deleted.set(digest, now);
          return;
        }
        case "delete tag": {
          await expect(registry, `DELETE /v2/${repository}/manifests/${tag}`, [paper.tags.has(tag) ? 202 : 404]);
          paper.left(tag, now);
          paper.tags.delete(tag);
          return;
        }
        default: {
          const deletedAt = paper.deleted.get(digest);
          try {
            await registry.restore(repository, digest);
            if (deletedAt !== undefined) undone++;
            paper.since.set(digest, now);
            paper.deleted.delete(digest);
          } catch (error) {
            assert.ok(isDrayError(error, "NOT_FOUND"), String(error));
            assert.ok(deletedAt === undefined || now - deletedAt > grace, "it was deleted within the grace");
            assert.equal(paper.mustStay(digest, now), false);
          }
        }
      }
    }
  });
});
