/** Images that Dray moved, in the eyes of the tools that people have: between real registries, into layouts and archives. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, sampleIndex } from "@dray/testkit";
import { type DockerRegistry, findPeer, startDockerRegistry, succeed } from "@dray/testkit/peers";
import { digestOf } from "dray/oci";
import { missing, type Sandbox, workshop } from "./dray.ts";

const [docker, skopeo, crane, umoci] = ["docker-registry", "skopeo", "crane", "umoci"].map(findPeer);

describe("between two docker-registry servers", { skip: missing(["docker-registry", docker]) }, () => {
  let shop: Sandbox;
  let origin: Listener;
  let [a, b]: (DockerRegistry | undefined)[] = [];
  const index = sampleIndex({
    seed: "peers",
    platforms: ["linux/amd64", "linux/arm64"],
    image: { layers: 4, layerSize: 200_000 },
  });
  const dockerImage = sampleImage({ seed: "docker", docker: true, layers: 3 });

  before(async () => {
    shop = await workshop();
    const registry = memoryRegistry();
    put(registry, "demo/index", "v1", index);
    put(registry, "demo/image", "v1", dockerImage);
    origin = await listen(registry.handler);
    [a, b] = [await startDockerRegistry(), await startDockerRegistry()];
    for (const name of ["index", "image"])
      await shop.ok(["cp", `${origin.host}/demo/${name}:v1`, `${a?.host}/demo/${name}:v1`]);
  });
  after(async () => {
    await Promise.all([origin.close(), a?.close(), b?.close()]);
    await shop.close();
  });

  for (const [name, sample] of [
    ["index", index],
    ["image", dockerImage],
  ] as const) {
    test(`cp keeps the digest of an ${name}, and crane validates it`, async () => {
      await shop.ok(["cp", `${a?.host}/demo/${name}:v1`, `${b?.host}/other/${name}:v2`]);
      const digest = (await shop.ok(["digest", `${b?.host}/other/${name}:v2`])).trim();
      assert.equal(digest, sample.root.digest);
      if (crane !== undefined)
        assert.match(
          await succeed([crane, "validate", "--insecure", "--remote", `${b?.host}/other/${name}:v2`]),
          /^PASS/,
        );
    });
  }

  test("mounts within one registry, and deletes", async () => {
    const before = await b?.bytes();
    await shop.ok(["cp", `${b?.host}/other/image:v2`, `${b?.host}/third/image:v3`]);
    assert.equal(await b?.bytes(), before);
    await shop.ok(["delete", `${b?.host}/third/image@${dockerImage.root.digest}`]);
    assert.equal((await shop.dray(["digest", `${b?.host}/third/image:v3`])).code, 5);
  });

  test("skopeo inspects what was copied", { skip: missing(["skopeo", skopeo]) }, async () => {
    const out = await succeed([skopeo as string, "inspect", "--tls-verify=false", `docker://${a?.host}/demo/image:v1`]);
    assert.equal((JSON.parse(out) as { Digest: string }).Digest, dockerImage.root.digest);
  });

  test("umoci and skopeo read the layout", { skip: missing(["umoci", umoci], ["skopeo", skopeo]) }, async () => {
    const layout = shop.path("layout");
    await shop.ok(["cp", "--platform", "linux/amd64", `${a?.host}/demo/index:v1`, `oci:${layout}:v1`]);
    await succeed([umoci as string, "unpack", "--rootless", "--image", `${layout}:v1`, shop.path("bundle")]);
    const raw = await succeed([skopeo as string, "inspect", "--raw", `oci:${layout}:v1`]);
    assert.equal(
      digestOf(new TextEncoder().encode(raw)),
      (await shop.ok(["digest", "--platform", "linux/amd64", `${a?.host}/demo/index:v1`])).trim(),
    );
  });

  test("skopeo and crane read the archive, and what they write comes back whole", {
    skip: missing(["skopeo", skopeo], ["crane", crane]),
  }, async () => {
    const archive = shop.path("image.tar");
    await shop.ok(["pull", `${a?.host}/demo/image:v1`, archive]);
    await succeed([
      skopeo as string,
      "copy",
      "--dest-tls-verify=false",
      `docker-archive:${archive}`,
      `docker://${b?.host}/from/skopeo:v1`,
    ]);
    assert.match(
      await succeed([crane as string, "validate", "--insecure", "--remote", `${b?.host}/from/skopeo:v1`]),
      /^PASS/,
    );
    assert.match(await succeed([crane as string, "validate", "--tarball", archive]), /^PASS/);
    const theirs = shop.path("theirs.tar");
    await succeed([
      skopeo as string,
      "copy",
      "--src-tls-verify=false",
      `docker://${a?.host}/demo/image:v1`,
      `docker-archive:${theirs}:demo/image:v1`,
    ]);
    await shop.ok(["push", theirs, `${b?.host}/from/archive:v1`]);
    assert.match(
      await succeed([crane as string, "validate", "--insecure", "--remote", `${b?.host}/from/archive:v1`]),
      /^PASS/,
    );
    const ids = async (name: string): Promise<unknown> =>
      (JSON.parse(await shop.ok(["config", name])) as { rootfs: unknown }).rootfs;
    assert.deepEqual(await ids(`${b?.host}/from/archive:v1`), await ids(`${a?.host}/demo/image:v1`));
  });
});
