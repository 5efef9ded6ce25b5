/** A running flux's cache is taken over, and what we keep there flux reads: by flux's own package, on a real memcached. */
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { after, before, describe, test } from "node:test";
import { startDnsServer } from "@dray/testkit";
import { type CacheServer, startMemcached } from "@dray/testkit/peers";
import {
  type Cache,
  cacheImages,
  encodeEntry,
  type ImageEntry,
  knownRegistry,
  type MemcacheClient,
  manifestKey,
  memcacheClient,
  memcachedCache,
  parseRepository,
  repositoryKey,
} from "@dray/watch";
import { isDrayError } from "dray/errors";
import { parseDigest } from "dray/oci";
import { missing } from "../dray.ts";
import { Flux, fluxProgram } from "./flux.ts";

const program = await fluxProgram();
const servers = [await startMemcached(), await startMemcached()];
const [one, two] = servers as [CacheServer, CacheServer];
after(async () => {
  for (const server of servers) await server?.close();
});
const skip = missing(["flux-cache", program], ["memcached", servers[0]]);

const digest = parseDigest(`sha256:${"ab".repeat(32)}`);
const created = "2026-11-30T08:15:30Z";
const deadline = Math.floor(Date.now() / 1000) + 3600;

describe("a cache of flux", { skip }, () => {
  let flux: Flux;
  let client: MemcacheClient;
  let cache: Cache;
  before(() => {
    flux = new Flux(program ?? "", "fixed", one.host);
    client = memcacheClient({ host: one.host, timeout: 60_000 });
    cache = memcachedCache(client);
  });
  after(() => {
    flux.close();
    client.stop();
  });
  const registry = () => knownRegistry(cacheImages(cache));

  for (const image of ["alpine:3.22", "quay.io/team/app:1.0", "localhost:5000/a/b/c:x_1"])
    test(`what flux wrote of ${image} is read here`, async () => {
      const written = await flux.ask({
        Do: "set-entry",
        Image: image,
        Deadline: deadline,
        Digest: digest,
        Created: created,
      });
      assert.equal(written.error, undefined);
      const found = await registry().getImage(image);
      assert.equal(found.id, image);
      assert.equal(found.digest, digest);
      assert.equal(found.imageID, digest);
      assert.equal(found.createdAt, created);
      const [name = "", tag = ""] = image.split(/:(?=[^:/]+$)/);
      assert.equal((await cache.get(manifestKey(parseRepository(name), tag)))?.deadline, deadline * 1000);
    });

  test("an image that flux left out is left out here, for the reason that it gave", async () => {
    await flux.ask({ Do: "set-excluded", Image: "alpine:odd", Deadline: deadline, Reason: "no amd64 in it" });
    await assert.rejects(
      registry().getImage("alpine:odd"),
      (error) => isDrayError(error) && error.message.includes("no amd64 in it"),
    );
  });

  test("a repository that flux has scanned is known here with every tag", async () => {
    const Tags = ["1.0", "1.1", "latest"];
    await flux.ask({
      Do: "set-repository",
      Image: "quay.io/team/app",
      Deadline: deadline,
      Digest: digest,
      Created: created,
      Tags,
    });
    const metadata = await registry().getRepositoryMetadata("quay.io/team/app");
    assert.deepEqual(metadata.tags, Tags);
    assert.deepEqual([...metadata.images.keys()].sort(), Tags);
    assert.equal(Date.parse(metadata.lastUpdate), Date.parse(created));
  });

  test("what we write flux reads, with its deadline: an image, one that is left out, a repository", async () => {
    const repository = parseRepository("fluxcd/flux");
    const entry: ImageEntry = {
      info: { id: "docker.io/fluxcd/flux:1.25.4", digest, imageID: digest, createdAt: created },
    };
    await cache.set(manifestKey(repository, "1.25.4"), encodeEntry(entry, { form: "v3" }), deadline * 1000);
    const image = await flux.ask({ Do: "get-image", Image: "fluxcd/flux:1.25.4" });
    assert.equal(image.error, undefined);
    const said = image.value as { ID: string; Digest: string; CreatedAt: string };
    assert.deepEqual([said.ID, said.Digest, said.CreatedAt], ["index.docker.io/fluxcd/flux:1.25.4", digest, created]);
    assert.equal((await flux.ask({ Do: "get-key-of-tag", Image: "fluxcd/flux:1.25.4" })).deadline, deadline);

    const excluded: ImageEntry = { excluded: { reason: "no-platform", message: "nothing for this platform" } };
    await cache.set(manifestKey(repository, "odd"), encodeEntry(excluded, { form: "v3" }), deadline * 1000);
    assert.match(
      (await flux.ask({ Do: "get-image", Image: "fluxcd/flux:odd" })).error ?? "",
      /nothing for this platform/,
    );

    const info = JSON.parse(Buffer.from(encodeEntry(entry, { form: "v3" })).toString()) as object;
    const record = { Tags: ["1.25.4"], Images: { "1.25.4": info }, LastUpdate: created, LastError: "" };
    await cache.set(repositoryKey(repository), Buffer.from(JSON.stringify(record)), deadline * 1000);
    const known = await flux.ask({ Do: "get-repository", Image: "fluxcd/flux" });
    assert.equal(known.error, undefined);
    assert.deepEqual((known.value as { Tags: string[] }).Tags, ["1.25.4"]);
  });

  test("of a record above the item limit flux finds nothing, and reads again what fits", async () => {
    const repository = parseRepository("quay.io/large/one");
    const record = (tags: number): Buffer =>
      Buffer.from(
        JSON.stringify({
          Tags: Array.from({ length: tags }, (_, at) => `build-${at}`),
          Images: {},
          LastUpdate: created,
          LastError: "",
        }),
      );
    await cache.set(repositoryKey(repository), record(200_000), deadline * 1000);
    assert.equal(
      (await knownRegistry(cacheImages(cache)).getRepositoryMetadata("quay.io/large/one")).tags.length,
      200_000,
    );
    assert.equal((await flux.ask({ Do: "get-repository", Image: "quay.io/large/one" })).error, "item not in cache");
    await cache.set(repositoryKey(repository), record(3), deadline * 1000);
    const known = await flux.ask({ Do: "get-repository", Image: "quay.io/large/one" });
    assert.equal((known.value as { Tags: string[] }).Tags.length, 3);
  });
});

test("of servers that are found by DNS, flux and we have each key on the same one", { skip }, async () => {
  const records = [two, one].map(({ port }) => ({ name: "localhost.", port }));
  const dns = await startDnsServer({ "_memcached._tcp.flux.test": records });
  const resolver = new Resolver();
  resolver.setServers([dns.host]);
  const flux = new Flux(program ?? "", "srv", "memcached", "flux.test.", dns.host);
  const client = memcacheClient({ host: "flux.test.", service: "memcached", timeout: 60_000, resolver });
  const cache = memcachedCache(client);
  for (let at = 0; at < 40; at++) {
    const image = `quay.io/team/app-${at}:1`;
    assert.equal(
      (await flux.ask({ Do: "set-entry", Image: image, Deadline: deadline, Digest: digest, Created: created })).error,
      undefined,
    );
    assert.equal((await knownRegistry(cacheImages(cache)).getImage(image)).digest, digest, image);
  }
  const keys = Array.from({ length: 40 }, (_, at) => manifestKey(parseRepository(`quay.io/team/app-${at}`), "1"));
  for (const server of [one, two]) {
    const alone = memcacheClient({ host: server.host, timeout: 60_000 });
    const { size } = await alone.getMulti(keys);
    assert.ok(size > 0 && size < keys.length, `${size} of them on one of the servers`);
    alone.stop();
  }
  flux.close();
  client.stop();
  await dns.close();
});
