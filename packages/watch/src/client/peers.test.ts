/** The CNCF's registry, of version 2.8 and of 3, looked at by a client. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryRegistry, put, sampleImage, sampleIndex } from "@dray/testkit";
import { startDockerRegistry } from "@dray/testkit/peers";
import { copy } from "dray/copy";
import { isDrayError } from "dray/errors";
import { connect } from "dray/registry";
import { parseRepository } from "../repository.ts";
import { remoteClientFactory } from "./factory.ts";

for (const peer of ["docker-registry", "registry"] as const)
  test(`${peer}: tags, digests, images and indexes are told as they were pushed`, async (t) => {
    const server = await startDockerRegistry({ peer });
    if (server === undefined) return t.skip(`there is no ${peer} here`);
    const factory = remoteClientFactory({
      rps: 1_000,
      burst: 1_000,
      platforms: ["linux/arm64"],
      connect: () => ({ ambient: false }),
    });
    const target = connect(server.host, { ambient: false });
    try {
      const source = memoryRegistry();
      const created = "2026-03-04T05:06:07.000000008Z";
      const image = sampleImage({
        docker: true,
        platform: { os: "linux", architecture: "arm64" },
        config: { created, config: { Labels: { a: "b" } } },
      });
      const index = sampleIndex({ attestations: true });
      const other = sampleImage({ seed: "other" });
      for (const [tag, sample] of [
        ["image", image],
        ["index", index],
        ["other", other],
      ] as const)
        put(source, "team/app", tag, sample);
      const from = connect("source.example", { connection: source.handler, ambient: false });
      const store = target.repository("team/app");
      const origin = from.repository("team/app");
      for (const tag of ["image", "index", "other"])
        await copy({ store: origin, name: tag, location: "source" }, { store, name: tag, location: peer });
      const client = await factory.clientFor(parseRepository(`${server.host}/team/app`));
      const { tags, complete, faults } = await client.tags();
      assert.deepEqual([[...tags].sort(), complete, faults], [["image", "index", "other"], true, []]);
      assert.equal(await client.digest("index"), index.root.digest);
      const ofImage = (await client.manifest("image")).info;
      assert.equal(ofImage?.digest, image.root.digest);
      assert.deepEqual(
        [ofImage.createdAt, ofImage.labels, ofImage.imageID],
        [created, { a: "b" }, image.config.digest],
      );
      const ofIndex = (await client.manifest("index")).info;
      assert.equal(ofIndex?.digest, index.root.digest);
      assert.equal(ofIndex.childDigest, index.images[1]?.root.digest);
      assert.equal((await client.manifest("other")).excluded?.reason, "no-platform");
      await store.remove(other.root.digest);
      await assert.rejects(client.manifest("other"), (error) => isDrayError(error, "NOT_FOUND"));
      const nothing = await factory.clientFor(parseRepository(`${server.host}/team/nothing`));
      await assert.rejects(nothing.tags(), (error) => isDrayError(error, "NOT_FOUND"));
    } finally {
      await Promise.all([factory.close(), target.close()]);
      await server.close();
    }
  });
