import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exchange } from "@dray/testkit";
import { connect, copy } from "dray";
import { DrayError } from "dray/errors";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobFolder, blobPath, currentLink, layerFolder, revisionFolder } from "../distribution-tree/index.ts";
import type { RegistryOptions } from "../options.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { type MemoryFiles, memoryDriver } from "../storage/index.ts";
import type { Finding, Verified } from "./types.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const [config, layer, other] = ["{}", "a layer", "another layer"].map(bytesOf) as [Uint8Array, Uint8Array, Uint8Array];
const missing = `sha256:${"0".repeat(64)}` as Digest;
const descriptor = (mediaType: string, bytes: Uint8Array): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
const imageOf = (...layers: Uint8Array[]): Uint8Array =>
  encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: layers.map((bytes) => descriptor(mediaTypes.ociLayer, bytes)),
  });
const image = imageOf(layer);
const index = encodeJson({
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [
    descriptor(mediaTypes.ociManifest, image),
    { mediaType: mediaTypes.ociManifest, digest: missing, size: 3 },
  ],
});

type Files = ReturnType<typeof memoryDriver> & MemoryFiles;

interface Place {
  readonly registry: Registry;
  readonly driver: Files;
  verify(options?: Parameters<Registry["verify"]>[0]): Promise<{ found: Finding[]; verified: Verified }>;
}

const push = async (registry: Registry, repository: string, bytes: Uint8Array): Promise<number> =>
  (await exchange(registry, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, { body: bytes }))
    .status;
const put = async (registry: Registry, name: string, type: string, body: Uint8Array): Promise<number> =>
  (await exchange(registry, "PUT", `/v2/app/manifests/${name}`, { headers: { "Content-Type": type }, body })).status;
const statusOf = async (registry: Registry, path: string): Promise<number> =>
  (await exchange(registry, "HEAD", `/v2/app/${path}`)).status;

/** A registry with an image and a sparse index, in memory. */
const place = async (options: Partial<RegistryOptions> = {}, driver = memoryDriver() as Files): Promise<Place> => {
  const registry = createRegistry({ driver, recheckAfter: 0, verify: { rate: 0 }, ...options });
  for (const bytes of [config, layer, other]) await push(registry, "app", bytes);
  assert.equal(await put(registry, "v1", mediaTypes.ociManifest, image), 201);
  if (options.completeIndexes === undefined) assert.equal(await put(registry, "list", mediaTypes.ociIndex, index), 201);
  return {
    registry,
    driver,
    verify: async (wanted = {}) => {
      const found: Finding[] = [];
      const verified = await registry.verify({ ...wanted, onFinding: (finding) => found.push(finding) });
      assert.equal(verified.findings, found.length);
      return { found, verified };
    },
  };
};

/** A byte of it is another one; its size stays. */
const flip = (driver: Files, bytes: Uint8Array): void =>
  driver.putSync(
    blobPath(digestOf(bytes)),
    Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte)),
  );

const words = (found: readonly Finding[]): string[] =>
  found.map(({ kind, repository = "", tag, digest, reason }) => `${kind} ${repository} ${tag ?? digest}: ${reason}`);

describe("verification", () => {
  it("finds nothing in what is whole, and counts what it looked at; what a sparse index leaves out is no finding", async () => {
    const it = await place();
    const { found, verified } = await it.verify();
    assert.deepEqual(found, []);
    const { bytes, begun, ...counts } = verified;
    assert.deepEqual(counts, {
      repositories: 1,
      tags: 2,
      manifests: 2,
      blobs: 5,
      findings: 0,
      absent: 1,
      quarantined: 0,
    });
    assert.ok(bytes > image.byteLength + index.byteLength && !Number.isNaN(Date.parse(begun)));
  });

  for (const [what, damage, expected] of [
    [
      "a layer's data",
      (driver) => driver.remove(blobFolder(digestOf(layer))),
      [`blob app ${digestOf(layer)}: its data is missing`],
    ],
    [
      "a layer's link",
      (driver) => driver.remove(layerFolder("app", digestOf(layer))),
      [`blob app ${digestOf(layer)}: ${digestOf(image)} needs it, and the repository has no link to it`],
    ],
    [
      "a tag's manifest",
      (driver) => driver.putSync(currentLink("app", "v3"), bytesOf(missing)),
      ["tag app v3: it stands for a manifest that is not here"],
    ],
    [
      "a tag's digest",
      (driver) => driver.putSync(currentLink("app", "v3"), bytesOf("x")),
      ["tag app v3: its link names no digest"],
    ],
    [
      "a manifest's data",
      (driver) => driver.remove(blobFolder(digestOf(image))),
      [`manifest app ${digestOf(image)}: its data is missing`],
    ],
    [
      "a manifest's link",
      (driver) => driver.remove(`${revisionFolder("app", digestOf(image))}/link`),
      ["tag app v1: it stands for a manifest that is not here"],
    ],
    [
      "the end of a layer",
      (driver) => driver.putSync(blobPath(digestOf(layer)), layer.subarray(0, 3)),
      [
        `blob app ${digestOf(layer)}: its data has 3 bytes, and a manifest says 7`,
        `data  ${digestOf(layer)}: its 3 bytes have the digest ${digestOf(layer.subarray(0, 3))}`,
      ],
    ],
  ] as readonly [string, (driver: Files) => unknown, readonly string[]][])
    it(`finds that ${what} is gone, names a remedy and goes on`, async () => {
      const it = await place();
      await damage(it.driver);
      const { found } = await it.verify();
      assert.deepEqual(words(found), expected);
      for (const { remedy } of found) assert.match(remedy, /push|restore/);
    });

  it("finds the missing manifest of an index where indexes have to be whole", async () => {
    const driver = memoryDriver() as Files;
    await place({}, driver);
    const it = await place({ completeIndexes: "all" }, driver);
    assert.match(words((await it.verify()).found).join(), new RegExp(`^blob app ${missing}: .* needs it`));
  });
});

describe("data that is not what its name says", () => {
  it("is marked: it is not there, also for the next process, until a push replaces it", async () => {
    const it = await place();
    flip(it.driver, layer);
    const path = `blobs/${digestOf(layer)}`;
    assert.equal(await statusOf(it.registry, path), 200);
    const { found } = await it.verify();
    assert.equal(found.length, 1);
    assert.match(found[0]?.remedy ?? "", /push an image with it again \(app@sha256:[0-9a-f]{64} needs it\)/);
    const again = createRegistry({ driver: it.driver });
    for (const registry of [it.registry, again]) assert.equal(await statusOf(registry, path), 404);
    assert.equal(await push(again, "app", layer), 201);
    assert.equal(await statusOf(again, path), 200);
    assert.deepEqual((await it.verify()).found, []);
  });

  it("is put aside if wanted: it is not there, can be looked at, and the next push brings it", async () => {
    const it = await place();
    flip(it.driver, layer);
    const { found, verified } = await it.verify({ quarantine: true });
    const aside = `dray/quarantine/sha256/${digestOf(layer).slice(7)}`;
    assert.deepEqual([found[0]?.putAside, verified.quarantined], [aside, 1]);
    assert.equal(it.driver.getSync(aside)?.byteLength, layer.byteLength);
    assert.equal(it.driver.getSync(blobPath(digestOf(layer))), undefined);
    assert.equal(await statusOf(it.registry, `blobs/${digestOf(layer)}`), 404);
    assert.equal(await push(it.registry, "app", layer), 201);
    assert.equal(await statusOf(it.registry, `blobs/${digestOf(layer)}`), 200);
    assert.deepEqual((await it.verify()).found, []);
  });

  for (const quarantine of [false, true])
    it(`hides its image from HEAD until it is whole, so that a push brings it${quarantine ? ", also put aside" : ""}`, async () => {
      const it = await place();
      flip(it.driver, layer);
      await it.verify({ quarantine });
      const again = createRegistry({ driver: it.driver });
      const names = ["manifests/v1", `manifests/${digestOf(image)}`];
      for (const registry of [it.registry, again])
        for (const name of names) {
          assert.equal(await statusOf(registry, name), 404);
          assert.equal((await exchange(registry, "GET", `/v2/app/${name}`)).status, 200);
        }
      assert.equal(await statusOf(again, "manifests/list"), 200, "an index may have whole images");
      // Another registry has it; the library copies it as `dray cp` does.
      const source = (await place()).registry;
      const located = (connection: Registry) => ({
        store: connect("registry.test", { connection }).repository("app"),
        name: "v1",
        location: "registry.test/app:v1",
      });
      assert.equal((await copy(located(source), located(again))).root.digest, digestOf(image));
      assert.equal(await statusOf(again, names[0] ?? ""), 200);
    });

  it("is counted by what lies there: not after it was removed, nor after it came back otherwise, nor once nobody needs it", async () => {
    const it = await place();
    flip(it.driver, layer);
    await it.verify();
    const damaged = (): Promise<number> => createRegistry({ driver: it.driver }).context.blobs.damaged();
    assert.equal(await damaged(), 1, "a restart knows of it");
    const bad = it.driver.getSync(blobPath(digestOf(layer))) ?? assert.fail();
    await it.driver.remove(blobFolder(digestOf(layer)));
    assert.equal(await damaged(), 0);
    const later = createRegistry({ driver: it.driver });
    assert.equal(await statusOf(later, "manifests/v1"), 404, "it is needed still");
    it.driver.putSync(blobPath(digestOf(layer)), bad);
    await later.verify();
    assert.equal(await damaged(), 1);
    it.driver.putSync(blobPath(digestOf(layer)), layer);
    await later.verify();
    assert.equal(await damaged(), 0, "verification says that it is whole");
    assert.equal(await statusOf(later, "manifests/v1"), 200);
  });

  it("of a manifest has a remedy that names it, and none that speaks against that", async () => {
    const it = await place();
    flip(it.driver, image);
    const remedies = (await it.verify()).found.map(({ remedy }) => remedy);
    assert.deepEqual(remedies, Array(2).fill(`push app@${digestOf(image)} again, or delete it`));
  });

  it("is not put aside while the registry is read-only", async () => {
    const it = await place();
    it.registry.setReadOnly(true);
    await assert.rejects(it.verify({ quarantine: true }), { code: "DENIED" });
  });

  it("is told of and not marked where it cannot be read, since it may be read tomorrow", async () => {
    const inner = memoryDriver() as Files;
    const cause = Object.assign(new Error(), { code: "EACCES", path: "/the/file" });
    const driver = new Proxy(inner, {
      get: (target, name) => {
        if (name === "open")
          return async (path: string) => {
            if (path === blobPath(digestOf(other))) throw new DrayError("DISK", "cannot read it", { cause });
            return target.open(path);
          };
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const it = await place({}, driver);
    const { found } = await it.verify();
    assert.deepEqual(words(found), [`data  ${digestOf(other)}: cannot read it`]);
    assert.match(found[0]?.remedy ?? "", /chown -R \d+:\d+ \/the\/file$/);
    assert.equal(await it.registry.context.blobs.damaged(), 0);
  });
});

describe("a run that was cut off", () => {
  it("is gone on with, sums and all; without being asked to it begins anew", async () => {
    const it = await place();
    flip(it.driver, layer);
    const cut = new AbortController();
    let seen = 0;
    const run = it.registry.verify({ signal: cut.signal, onFinding: () => (seen++, cut.abort()) });
    await assert.rejects(run, { code: "ABORTED" });
    assert.equal(seen, 1);
    const found: Finding[] = [];
    const resumed = await it.registry.verify({ resume: true, onFinding: (finding) => found.push(finding) });
    assert.deepEqual([resumed.findings, resumed.manifests, resumed.blobs], [1, 2, 5]);
    assert.equal(
      (await it.registry.verify({ resume: true })).repositories,
      1,
      "what came to its end is not gone on with",
    );
  });

  it("is one at a time", async () => {
    const it = await place();
    const first = it.registry.verify();
    await assert.rejects(it.registry.verify(), { code: "LOCKED" });
    await first;
  });
});
