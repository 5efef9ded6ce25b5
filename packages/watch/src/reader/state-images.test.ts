import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { type Digest, digestOf } from "dray/oci";
import { eventTables } from "../events/index.ts";
import { openFile } from "../file/index.ts";
import {
  addRepository,
  keepEntry,
  type RepositoryState,
  recordDigests,
  recordList,
  recordOutcome,
  repositoryNamed,
  stateTables,
} from "../state/index.ts";
import { knownRegistry, stateImages } from "./index.ts";

const digest = (text: string): Digest => digestOf(new TextEncoder().encode(text));
const noon = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;
const intervals = { first: 60 * minute, least: 5 * minute, most: 7 * 24 * 60 * minute };

test("what a watch has found out is told out of its file: images, what is left out, what is missing, what nobody wants, and what went wrong since", async () => {
  const file = await openFile(":memory:", { rooms: [stateTables, eventTables] });
  const name = "docker.io/library/alpine";
  const registry = knownRegistry(stateImages(file.statements), { clock: { now: () => noon + 10 * minute } });
  await assert.rejects(registry.images("alpine"), (error) => isDrayError(error, "NO_IMAGE_DATA"));

  const { id } = await file.write((on) => addRepository(on, name, noon));
  const problem = { code: "RATE_LIMITED", message: "docker.io answered 429" };
  await file.write((on) => recordOutcome(on, id, { now: noon, missing: [{ what: "list", ...problem }], problem }));
  await assert.rejects(
    registry.getRepositoryMetadata("alpine"),
    (error) =>
      isDrayError(error, "NO_IMAGE_DATA") &&
      error.message.endsWith("the last look failed 10 min ago: docker.io answered 429"),
  );

  await file.write((on) => {
    const known = repositoryNamed(on, name) as RepositoryState;
    const wants = (tag: string): boolean => tag !== "nightly";
    recordList(
      on,
      known,
      { tags: ["1", "2", "arm", "bad", "nightly", "plain"], complete: true, at: noon },
      { text: "x", wants },
    );
    const looked = ["1", "2", "arm", "plain"].map((tag) => ({ tag, digest: digest(tag === "2" ? "1" : tag) }));
    recordDigests(on, known, [...looked, { tag: "bad", code: "REGISTRY", message: "it answered 500" }], {
      at: noon,
      intervals,
      chance: () => 0,
    });
    // Another repository has met the same manifest first.
    keepEntry(on, digest("1"), {
      info: { id: "quay.io/mirror/alpine:one", digest: digest("1"), createdAt: "2025-12-01T00:00:00Z" },
    });
    keepEntry(on, digest("arm"), { excluded: { reason: "no-platform", message: "it has no image for linux/amd64" } });
    recordOutcome(on, id, { now: noon, missing: [], problem: undefined });
  });
  const metadata = await registry.getRepositoryMetadata("alpine");
  assert.deepEqual(metadata.tags, ["1", "2", "arm", "bad", "nightly", "plain"]);
  assert.deepEqual(
    [...metadata.images.values()].map((image) => [image.id, image.digest]),
    [
      ["alpine:1", digest("1")],
      ["alpine:2", digest("1")],
      // Nobody has read its manifest.
      ["alpine:plain", digest("plain")],
    ],
  );
  assert.deepEqual([...metadata.excluded.keys()], ["arm"]);
  assert.deepEqual([...metadata.missing], [["bad", "it answered 500"]]);
  assert.equal(metadata.complete, false);
  assert.equal(metadata.stale, undefined);
  assert.equal(metadata.lastUpdate, "2026-01-01T12:00:00.000Z");
  assert.equal((await registry.getImage("alpine:2")).stale, undefined);
  await assert.rejects(registry.getImage("alpine:nightly"), /nothing is known of alpine:nightly: no policy wants it/);
  await assert.rejects(registry.getImage("alpine:gone"), (error) => isDrayError(error, "NO_IMAGE_DATA"));

  await file.write((on) =>
    recordOutcome(on, id, { now: noon + minute, missing: [{ what: "list", ...problem }], problem }),
  );
  const stale = { ...problem, since: "2026-01-01T12:01:00.000Z" };
  assert.deepEqual((await registry.getRepositoryMetadata("alpine")).stale, stale);
  assert.deepEqual((await registry.getImage("alpine:1")).stale, stale);

  await file.write((on) => {
    const known = repositoryNamed(on, name) as RepositoryState;
    recordList(on, known, { tags: ["1"], complete: true, at: noon + 2 * minute }, { text: "x", wants: () => true });
    recordOutcome(on, id, { now: noon + 2 * minute, missing: [], problem: undefined });
  });
  assert.deepEqual((await registry.getRepositoryMetadata("alpine")).tags, ["1"]);
  assert.equal((await registry.getRepositoryMetadata("alpine")).complete, true);
  await assert.rejects(registry.getImage("alpine:2"), (error) => isDrayError(error, "NO_IMAGE_DATA"));
  file.close();
});
