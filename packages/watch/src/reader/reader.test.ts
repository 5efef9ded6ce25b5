import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { type Digest, digestOf, parseReference } from "dray/oci";
import { type Cache, type CachedValue, manifestKey, repositoryKey } from "../cache-interface.ts";
import type { ImageEntry, ImageInfo } from "../entry/index.ts";
import { parseRepository } from "../repository.ts";
import {
  cacheImages,
  instrumentedRegistry,
  type KnownImages,
  type KnownRepository,
  knownRegistry,
  registryDurations,
  scanDisabledRegistry,
  withLabelTimes,
} from "./index.ts";

const digest = (text: string): Digest => digestOf(new TextEncoder().encode(text));
const info = (tag: string, more: Partial<ImageInfo> = {}): ImageEntry => ({
  info: { id: `docker.io/library/alpine:${tag}`, digest: digest(tag), ...more },
});
const now = Date.UTC(2026, 5, 1);
const clock = fakeClock(now);

const known = (repository: KnownRepository | undefined, name = "alpine"): KnownImages => {
  const text = parseRepository(name).text;
  const at = (asked: { readonly text: string }): KnownRepository | undefined =>
    asked.text === text ? repository : undefined;
  return { repository: async (asked) => at(asked), tag: async (asked, tag) => at(asked)?.tags.get(tag) };
};
const registryOf = (repository: KnownRepository | undefined, name?: string) =>
  knownRegistry(known(repository, name), { clock });

const lastUpdate = now - 3_600_000;

test("what is known of a repository is told under the name that was asked for, however that is written", async () => {
  const tags = new Map([
    ["3.22", { entry: info("3.22") }],
    ["3.21", { entry: info("3.21") }],
  ]);
  const registry = registryOf({ tags, complete: true, lastUpdate });
  for (const name of ["alpine", "library/alpine", "docker.io/alpine", "index.docker.io/library/alpine"]) {
    const metadata = await registry.getRepositoryMetadata(name);
    assert.equal(metadata.name, name);
    assert.equal(metadata.repository.text, "docker.io/library/alpine");
    assert.deepEqual(metadata.tags, ["3.21", "3.22"]);
    assert.deepEqual(
      [...metadata.images.values()].map(({ id }) => id),
      [`${name}:3.22`, `${name}:3.21`],
    );
    assert.equal(metadata.complete, true);
    assert.equal(metadata.lastUpdate, "2026-05-31T23:00:00.000Z");
    assert.equal(metadata.stale, undefined);
    assert.equal((await registry.getImage(`${name}:3.22`)).id, `${name}:3.22`);
  }
  assert.equal((await registry.getRepositoryMetadata(parseRepository("alpine"))).name, "docker.io/library/alpine");
  assert.equal((await registry.getImage(parseReference("alpine:3.22"))).id, "docker.io/library/alpine:3.22");
});

test("one bad tag hides no other: those that are left out and those of which nothing is known are told apart, with why", async () => {
  const tags = new Map([
    ["good", { entry: info("good") }],
    [
      "arm",
      { entry: { excluded: { reason: "no-platform", message: "it has no image for linux/amd64" } } as ImageEntry },
    ],
    ["bad", { lastError: { message: "registry.example answered 500", code: "REGISTRY" } }],
    ["new", {}],
  ]);
  const registry = registryOf({ tags, complete: true, lastUpdate });
  const metadata = await registry.getRepositoryMetadata("alpine");
  assert.deepEqual([...metadata.images.keys()], ["good"]);
  assert.deepEqual([...metadata.excluded.keys()], ["arm"]);
  assert.deepEqual(
    [...metadata.missing],
    [
      ["bad", "registry.example answered 500"],
      ["new", "it has not been looked at yet"],
    ],
  );
  assert.equal(metadata.complete, false);
  await assert.rejects(
    registry.getImage("alpine:arm"),
    (error) => isDrayError(error, "NOT_FOUND") && error.message === "alpine:arm: it has no image for linux/amd64",
  );
  await assert.rejects(
    registry.getImage("alpine:bad"),
    (error) => isDrayError(error, "NO_IMAGE_DATA") && error.message.includes("answered 500"),
  );
});

test("each reason for leaving out has the code by which a caller knows what to do", async () => {
  for (const [reason, code] of [
    ["no-platform", "NOT_FOUND"],
    ["missing-manifest", "NOT_FOUND"],
    ["missing-configuration", "NOT_FOUND"],
    ["bad-manifest", "MANIFEST_INVALID"],
    ["bad-configuration", "MANIFEST_INVALID"],
    ["unknown-type", "UNSUPPORTED"],
    ["told", "UNSUPPORTED"],
  ] as const) {
    const tags = new Map([["x", { entry: { excluded: { reason, message: "why" } } }]]);
    const registry = registryOf({ tags, complete: true, lastUpdate });
    await assert.rejects(registry.getImage("alpine:x"), (error) => isDrayError(error, code), reason);
  }
});

test("where nothing is known yet the last error is told with its age, and nothing but that nobody has looked where there is none", async () => {
  const never = registryOf(undefined);
  for (const ask of [never.getRepositoryMetadata("alpine"), never.getImage("alpine:1"), never.images("alpine")])
    await assert.rejects(
      ask,
      (error) =>
        isDrayError(error, "NO_IMAGE_DATA") &&
        /^nothing is known of alpine(:1)? yet: it has not been looked at/.test(error.message),
    );
  const lastError = {
    message: "docker.io answered 429",
    code: "RATE_LIMITED",
    since: now - 7_200_000,
    seen: now - 90_000,
  };
  const failing = registryOf({ tags: new Map(), complete: false, lastError });
  for (const ask of [failing.getRepositoryMetadata("alpine"), failing.getImage("alpine:1"), failing.images("alpine")])
    await assert.rejects(
      ask,
      (error) =>
        isDrayError(error, "NO_IMAGE_DATA") &&
        error.message.endsWith("yet: the last look failed 1 min 30 s ago, as for 2 h now: docker.io answered 429"),
    );
  const once = registryOf({ tags: new Map(), complete: false, lastError: { message: "broken" } });
  await assert.rejects(once.images("alpine"), /the last look failed: broken$/);
});

test("what was true before the last failure is told as stale, with what has gone wrong since", async () => {
  const lastError = { message: "docker.io answered 503", code: "REGISTRY", since: now - 60_000, seen: now };
  const tags = new Map([["1", { entry: info("1"), lastError }]]);
  const registry = registryOf({ tags, complete: true, lastUpdate, lastError });
  const stale = { message: "docker.io answered 503", code: "REGISTRY", since: "2026-05-31T23:59:00.000Z" };
  const metadata = await registry.getRepositoryMetadata("alpine");
  assert.deepEqual(metadata.stale, stale);
  assert.deepEqual(metadata.images.get("1")?.stale, stale);
  assert.deepEqual((await registry.getImage("alpine:1")).stale, stale);
});

test("images are sorted by creation, those without a believable time last; by version; by tag", async () => {
  const tags = new Map([
    ["1.9", { entry: info("1.9", { createdAt: "2026-01-09T00:00:00Z" }) }],
    ["1.10", { entry: info("1.10", { createdAt: "2026-01-01T00:00:00+02:00" }) }],
    ["1.10-rc1", { entry: info("1.10-rc1", { createdAt: "2026-02-01T00:00:00Z" }) }],
    ["main", { entry: info("main") }],
    ["epoch", { entry: info("epoch", { createdAt: "1970-01-01T00:00:00Z" }) }],
  ]);
  const registry = registryOf({ tags, complete: true, lastUpdate });
  const sorted = async (sort?: "created" | "semver" | "tag") =>
    (await registry.images("alpine", sort === undefined ? {} : { sort })).map(({ id }) => id.slice("alpine:".length));
  assert.deepEqual(await sorted(), ["1.10-rc1", "1.9", "1.10", "main", "epoch"]);
  assert.deepEqual(await sorted("created"), await sorted());
  assert.deepEqual(await sorted("semver"), ["1.10", "1.10-rc1", "1.9", "main", "epoch"]);
  assert.deepEqual(await sorted("tag"), ["1.10", "1.10-rc1", "1.9", "epoch", "main"]);
});

test("names that are none are refused, and images are known by their tags alone", async () => {
  const registry = registryOf({ tags: new Map([["latest", { entry: info("latest") }]]), complete: true, lastUpdate });
  assert.equal((await registry.getImage("alpine")).id, "alpine:latest");
  for (const ask of [
    registry.getRepositoryMetadata("alpine:3"),
    registry.getImage("https://alpine"),
    registry.getImage(`alpine@${digest("x")}`),
    registry.getImage(`alpine:1@${digest("x")}`),
  ])
    await assert.rejects(ask, (error) => isDrayError(error, "REFERENCE_INVALID"));
});

test("where scanning is switched off every question says so", async () => {
  for (const ask of [
    scanDisabledRegistry.getRepositoryMetadata("alpine"),
    scanDisabledRegistry.getImage("alpine:1"),
    scanDisabledRegistry.images("alpine"),
  ])
    await assert.rejects(
      ask,
      (error) => isDrayError(error, "SCAN_DISABLED") && /scanning is switched off/.test(error.message),
    );
});

test("answers are counted by whether they succeeded, under flux's name", async () => {
  const durations = registryDurations({ clock });
  const registry = instrumentedRegistry(
    registryOf({ tags: new Map([["1", { entry: info("1") }]]), complete: true, lastUpdate }),
    durations,
  );
  await registry.getRepositoryMetadata("alpine");
  await registry.getImage("alpine:1");
  await registry.images("alpine", { sort: "tag" });
  await assert.rejects(registry.getImage("other:1"));
  const family = durations.family();
  assert.equal(family.name, "flux_registry_fetch_duration_seconds");
  const counts = [...(await family.values())].filter(({ metricName }) => metricName?.endsWith("_count"));
  assert.deepEqual(
    counts.map(({ labels, value }) => [labels, value]),
    [
      [{ success: "true" }, 3],
      [{ success: "false" }, 1],
    ],
  );
});

test("times of creation come from labels where a glob says so, each image by its own", async () => {
  const created = "org.opencontainers.image.created";
  const build = "org.label-schema.build-date";
  const tags = new Map([
    [
      "both",
      {
        entry: info("both", {
          createdAt: "2020-01-01T00:00:00Z",
          labels: { [created]: "2026-01-03T00:00:00Z", [build]: "2026-01-01T00:00:00Z" },
        }),
      },
    ],
    [
      "build",
      {
        entry: info("build", {
          createdAt: "2021-01-01T00:00:00Z",
          labels: { [build]: "2026-01-02T00:00:00Z", [created]: "soon" },
        }),
      },
    ],
    ["none", { entry: info("none", { createdAt: "2022-01-01T00:00:00Z" }) }],
  ]);
  const plain = registryOf({ tags, complete: true, lastUpdate }, "fluxcd/flux");
  const times = async (globs: readonly string[], name = "fluxcd/flux") => {
    const registry = withLabelTimes(plain, globs, { clock });
    const metadata = await registry.getRepositoryMetadata(name);
    const order = (await registry.images(name)).map(({ id }) => id.split(":").at(-1));
    assert.equal((await registry.getImage(`${name}:both`)).createdAt, metadata.images.get("both")?.createdAt);
    return [["both", "build", "none"].map((tag) => metadata.images.get(tag)?.createdAt?.slice(0, 10)), order.join(" ")];
  };
  const byLabels = [["2026-01-03", "2026-01-02", "2022-01-01"], "both build none"];
  const byConfiguration = [["2020-01-01", "2021-01-01", "2022-01-01"], "none build both"];
  assert.deepEqual(await times(["index.docker.io/weaveworks/*", "index.docker.io/fluxcd/*"]), byLabels);
  assert.deepEqual(await times(["docker.io/fluxcd/*"], "docker.io/fluxcd/flux"), byLabels);
  assert.deepEqual(await times(["quay.io/*"]), byConfiguration);
  assert.deepEqual(await times([]), byConfiguration);
  assert.throws(
    () => withLabelTimes(plain, [""]),
    (error) => isDrayError(error, "USAGE"),
  );
});

const encode = (value: unknown): CachedValue => ({
  value: new TextEncoder().encode(JSON.stringify(value)),
  deadline: now,
});
const cacheOf = (values: Readonly<Record<string, CachedValue>>): Cache => ({
  get: async (key) => values[key],
  set: () => assert.fail("it is read alone"),
  delete: () => assert.fail("it is read alone"),
});

test("the records of a running flux are read as they lie in its cache", async () => {
  const alpine = parseRepository("alpine");
  const image = {
    ID: "index.docker.io/library/alpine:3.5",
    Digest: digest("3.5"),
    ImageID: "sha256:abc",
    Labels: {},
    CreatedAt: "2018-01-02T03:04:05Z",
    LastFetched: "2020-10-18T10:00:00Z",
  };
  const record = {
    Tags: ["3.5", "3.6", ""],
    Images: { "3.5": image },
    LastError: "",
    LastUpdate: "2020-10-18T10:00:05.123456789Z",
  };
  const registry = knownRegistry(
    cacheImages(
      cacheOf({
        [repositoryKey(alpine)]: encode(record),
        [manifestKey(alpine, "3.5")]: encode(image),
        [manifestKey(alpine, "arm")]: encode({ ExcludedReason: "no suitable manifest (linux amd64) in manifestlist" }),
        [repositoryKey(parseRepository("failing"))]: encode({
          Tags: null,
          Images: null,
          LastError: "no route to host",
          LastUpdate: "0001-01-01T00:00:00Z",
        }),
        [repositoryKey(parseRepository("late"))]: encode({ ...record, LastError: "429" }),
        [repositoryKey(parseRepository("damaged"))]: { value: new TextEncoder().encode('{"Tags":'), deadline: now },
      }),
    ),
    { clock },
  );
  const metadata = await registry.getRepositoryMetadata("alpine");
  assert.deepEqual(metadata.tags, ["3.5", "3.6"]);
  assert.equal(metadata.images.get("3.5")?.id, "alpine:3.5");
  assert.equal(metadata.images.get("3.5")?.createdAt, "2018-01-02T03:04:05Z");
  assert.deepEqual([...metadata.missing.keys()], ["3.6"]);
  assert.equal(metadata.lastUpdate, "2020-10-18T10:00:05.123Z");
  assert.equal((await registry.getImage("alpine:3.5")).imageID, "sha256:abc");
  await assert.rejects(
    registry.getImage("alpine:arm"),
    (error) => isDrayError(error, "UNSUPPORTED") && /no suitable manifest/.test(error.message),
  );
  await assert.rejects(
    registry.images("failing"),
    (error) => isDrayError(error, "NO_IMAGE_DATA") && error.message.endsWith("failed: no route to host"),
  );
  assert.deepEqual((await registry.getRepositoryMetadata("late")).stale, { message: "429" });
  for (const name of ["damaged", "never"])
    await assert.rejects(registry.images(name), (error) => isDrayError(error, "NO_IMAGE_DATA"));
});
