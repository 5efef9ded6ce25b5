import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "dray/oci";
import * as fc from "fast-check";
import { decodeEntry, encodeEntry, type ImageEntry, isTime, labelTimes } from "./index.ts";
import { inUtc } from "./times.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const json = (encoded: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(encoded));
const [index, child] = ["index", "child"].map((text) => digestOf(new TextEncoder().encode(text))) as [Digest, Digest];

/** As flux 1.25.4 writes it under registryhistoryv3|index.docker.io/library/alpine|3.5. */
const written = {
  ID: "index.docker.io/library/alpine:3.5",
  Digest: child,
  ImageID: index,
  Labels: { "org.opencontainers.image.created": "2018-01-02T03:04:05.6Z" },
  CreatedAt: "2018-01-02T03:04:05.123456789Z",
  LastFetched: "2020-10-18T10:00:00Z",
};

test("the bare members of an image are read: Docker Hub by its name of today, times and labels as they are", () => {
  assert.deepEqual(decodeEntry(bytes(written)), {
    info: {
      id: "docker.io/library/alpine:3.5",
      digest: child,
      imageID: index,
      labels: { "org.opencontainers.image.created": "2018-01-02T03:04:05.6Z" },
      createdAt: "2018-01-02T03:04:05.123456789Z",
      lastFetched: "2020-10-18T10:00:00Z",
    },
  });
});

test("what was read of flux's form is written in it again, member by member", () => {
  const entry = decodeEntry(bytes(written)) as ImageEntry;
  assert.deepEqual(json(encodeEntry(entry, { form: "v3" })), written);
  const bare = { ID: "quay.io/team/app:1", Digest: child, Labels: {} };
  assert.deepEqual(json(encodeEntry(decodeEntry(bytes(bare)) as ImageEntry, { form: "v3" })), bare);
});

test("a reason alone is read and written", () => {
  const excluded = { ExcludedReason: "no suitable manifest (linux amd64) in manifestlist" };
  const entry = decodeEntry(bytes(excluded)) as ImageEntry;
  assert.deepEqual(entry, { excluded: { reason: "told", message: excluded.ExcludedReason } });
  assert.deepEqual(json(encodeEntry(entry, { form: "v3" })), excluded);
});

test("in flux's form an index is known by the image in it, times are in UTC, and labels that are no times are left out", () => {
  const info = {
    id: "docker.io/library/alpine:3.22",
    digest: index,
    childDigest: child,
    mediaType: "application/vnd.oci.image.index.v1+json",
    labels: { maintainer: "ann", "org.label-schema.build-date": "yesterday" },
    annotations: { "org.opencontainers.image.created": "2026-01-02T05:04:05.50+02:00" },
    createdAt: "2026-01-02T03:04:05-01:00",
    platforms: [{ platform: "linux/arm64", digest: child }],
  };
  assert.deepEqual(json(encodeEntry({ info }, { form: "v3" })), {
    ID: "index.docker.io/library/alpine:3.22",
    Digest: child,
    Labels: { "org.opencontainers.image.created": "2026-01-02T03:04:05.5Z" },
    CreatedAt: "2026-01-02T04:04:05Z",
  });
});

test("zero times, as Go writes them, are no times", () => {
  const zero = { ...written, CreatedAt: "0001-01-01T00:00:00Z", LastFetched: "0001-01-01T00:00:00Z" };
  const info = (decodeEntry(bytes(zero)) as ImageEntry).info;
  assert.equal(info?.createdAt, undefined);
  assert.equal(info?.lastFetched, undefined);
});

test("a label that is no time is named, and hides neither the other label nor the image", () => {
  const labels = {
    "org.label-schema.build-date": "2018-09-28 15:04",
    "org.opencontainers.image.created": "2018-09-28T15:04:05Z",
  };
  assert.deepEqual(labelTimes({ labels }), { created: "2018-09-28T15:04:05Z", wrong: ["org.label-schema.build-date"] });
  const entry = decodeEntry(bytes({ ...written, Labels: labels })) as ImageEntry;
  assert.deepEqual(entry.info?.labels, labels);
  assert.deepEqual(labelTimes({ annotations: { "org.opencontainers.image.created": "2020-02-29T00:00:00Z" } }), {
    created: "2020-02-29T00:00:00Z",
    wrong: [],
  });
});

test("times are those of RFC 3339 on days that there are", () => {
  for (const good of ["2020-02-29T23:59:59Z", "2020-01-01T00:00:00.123456789+14:00", "0099-01-01T00:00:00Z"])
    assert.ok(isTime(good), good);
  for (const bad of ["2019-02-29T00:00:00Z", "2020-01-01", "2020-01-01T24:00:00Z", "2020-01-01T00:00:00", "", 5, null])
    assert.ok(!isTime(bad), String(bad));
  assert.equal(inUtc("2020-01-01T00:30:00.120+01:00"), "2019-12-31T23:30:00.12Z");
});

const digests = fc.uint8Array({ maxLength: 8 }).map((seed) => digestOf(seed));
const times = fc
  .date({ min: new Date("1970-01-01"), max: new Date("2999-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());
const maps = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
  fc.string(),
  { minKeys: 1, noNullPrototype: true },
);
const infos = fc.record(
  {
    id: fc.constantFrom("docker.io/library/alpine:3.22", "quay.io/team/app:1", "localhost:5000/a/b/c:x_y"),
    digest: digests,
    mediaType: fc.string({ minLength: 1 }),
    childDigest: digests,
    imageID: fc.string({ minLength: 1 }),
    artifactType: fc.string({ minLength: 1 }),
    labels: maps,
    annotations: maps,
    createdAt: times,
    lastFetched: times,
    platforms: fc.array(
      fc.record(
        { platform: fc.constantFrom("linux/amd64", "linux/arm/v7"), digest: digests },
        { noNullPrototype: true },
      ),
      {
        minLength: 1,
      },
    ),
  },
  { requiredKeys: ["id", "digest"], noNullPrototype: true },
);
const reasons = fc.record(
  {
    reason: fc.constantFrom(
      "no-platform",
      "unknown-type",
      "bad-manifest",
      "bad-configuration",
      "missing-manifest",
      "told",
    ),
    message: fc.string({ minLength: 1 }),
    digest: digests,
    lastFetched: times,
  },
  { requiredKeys: ["reason", "message"], noNullPrototype: true },
);
const entries = fc.oneof(
  infos.map((info) => ({ info })),
  reasons.map((excluded) => ({ excluded })),
) as fc.Arbitrary<ImageEntry>;

test("every entry is read as it was written", () => {
  fc.assert(fc.property(entries, (entry) => assert.deepEqual(decodeEntry(encodeEntry(entry)), entry)));
});

test("flux's form keeps what flux knows: written, read and written again it is the same", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const once = encodeEntry(entry, { form: "v3" });
      const read = decodeEntry(once) as ImageEntry;
      assert.equal(read.info?.id, entry.info?.id);
      assert.equal(read.info?.digest, entry.info?.childDigest ?? entry.info?.digest);
      assert.equal(read.info?.imageID, entry.info?.imageID);
      assert.equal(read.excluded?.message, entry.excluded?.message);
      assert.deepEqual(encodeEntry(read, { form: "v3" }), once);
    }),
  );
});

test("whatever lies in a cache, reading it throws nothing, and gives an entry or nothing", () => {
  const look = (given: Uint8Array): void => {
    const entry = decodeEntry(given);
    assert.ok(entry === undefined || (entry.info === undefined) !== (entry.excluded === undefined));
  };
  fc.assert(fc.property(fc.uint8Array(), look));
  fc.assert(fc.property(fc.json(), (text) => look(new TextEncoder().encode(text))));
  const member = fc.constantFrom("ID", "Digest", "Labels", "CreatedAt", "ExcludedReason", "info", "excluded");
  fc.assert(fc.property(fc.dictionary(member, fc.jsonValue()), (value) => look(bytes(value))));
  for (const cut of [0, 1, 20, 60]) assert.equal(decodeEntry(bytes(written).subarray(0, cut)), undefined);
});
