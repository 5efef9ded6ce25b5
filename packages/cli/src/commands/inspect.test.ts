import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { answerWith, faults, listen, put, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { commands } from "../../test/commands.ts";
import { drawPage, type Inspected } from "../inspect/index.ts";

const image = sampleImage({
  seed: "inspected",
  annotations: { "org.opencontainers.image.source": "https://example.com/\u001b[31mred" },
});
const index = sampleIndex({ seed: "inspected", attestations: true, platforms: ["linux/amd64", "linux/arm64/v8"] });
const [amd64, arm64] = index.images;
const armOnly = sampleIndex({ seed: "arm", platforms: ["linux/arm64"] });
const sbom = sampleArtifact({ subject: index.root, artifactType: "application/spdx+json" });
const signature = sampleArtifact({
  seed: "sig",
  subject: arm64?.root ?? index.root,
  artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
});

const { registry, host, at, dray, printed } = await commands("inspect");
const app = `${host}/team/app`;

describe("inspect", () => {
  const inspected = async (...words: string[]): Promise<Inspected & { readonly schemaVersion: number }> =>
    JSON.parse(await printed("inspect", "-o", "json", ...words));

  before(async () => {
    put(registry, "team/app", "1.0", image);
    put(registry, "team/app", "multi", index);
    put(registry, "team/app", "arm", armOnly);
    put(registry, "team/app", "sbom", sbom);
    put(registry, "team/app", undefined, signature);
  });

  test("an image: names, digest, size, configuration, labels and layers", async () => {
    const document = await inspected(`${app}:1.0`);
    assert.equal(document.schemaVersion, 1);
    assert.deepEqual(document.names, [`${app}:1.0`, `${app}@${image.root.digest}`]);
    assert.equal(document.digest, image.root.digest);
    assert.equal(document.size, image.root.size);
    assert.equal(document.artifactType, undefined);
    assert.equal(document.platforms, undefined);
    assert.equal(document.image?.platform, "linux/amd64");
    assert.deepEqual(
      document.image?.layers.map(({ digest, size }) => ({ digest, size })),
      image.layers.map(({ digest, size }) => ({ digest, size })),
    );
    assert.equal(
      document.image?.contentSize,
      [image.config, ...image.layers].reduce((sum, { size }) => sum + size, 0),
    );
    assert.match(document.image?.layers[0]?.diffID ?? "", /^sha256:/);
    assert.ok(document.image?.layers[0]?.createdBy);
    assert.ok(Object.keys(document.image?.labels ?? {}).length > 0);
    assert.ok(document.image?.config?.["Env"]);
    assert.equal(document.image?.config?.["Labels"], undefined, "labels are told once");
    assert.deepEqual(document.referrers, []);
  });

  test("an index: its platforms, one of its images, and what refers to any of it", async () => {
    const document = await inspected(`${app}:multi`);
    assert.deepEqual(
      document.platforms?.map(({ platform, digest }) => [platform, digest]),
      [
        ["linux/amd64", amd64?.root.digest],
        ["linux/arm64/v8", arm64?.root.digest],
      ],
    );
    assert.equal(document.image?.digest, amd64?.root.digest, "linux/amd64, as with config");
    const found = document.referrers.map(({ kind, about }) => [kind, about]);
    assert.deepEqual(
      found.filter(([kind]) => kind !== "attestation"),
      [
        ["artifact", undefined],
        ["signature", arm64?.root.digest],
      ],
    );
    assert.equal(found.filter(([kind]) => kind === "attestation").length, 2);
    const other = await inspected("--platform", "linux/arm64", `${app}:multi`);
    assert.equal(other.image?.digest, arm64?.root.digest);
    assert.equal(other.digest, index.root.digest);
    assert.equal((await inspected(`${app}:arm`)).image?.platform, "linux/arm64", "the first, where that is not there");
    const { exitCode, stderr } = await dray("inspect", "--platform", "linux/s390x", `${app}:multi`);
    assert.equal(exitCode, 5);
    assert.match(stderr, /linux\/s390x.*linux\/amd64/);
  });

  test("from every kind of location, the same", async () => {
    const wanted = (await inspected(`${app}:1.0`)).image;
    const rows = [
      [`docker://${app}:1.0`, undefined],
      [`oci:${at("layout")}:one`, undefined],
      [`oci-archive:${at("oci.tar")}:one`, undefined],
      [`docker-archive:${at("docker.tar")}:r.test/app:one`, "uncompressed layers"],
    ] as const;
    for (const [location, differs] of rows) {
      if (!location.startsWith("docker://")) await printed("cp", `${app}:1.0`, location);
      const { names, image: found } = await inspected(location);
      assert.equal(names[0], location.replace("docker://", ""));
      assert.deepEqual(found?.labels, wanted?.labels, location);
      assert.equal(found?.layers.length, wanted?.layers.length, location);
      if (differs === undefined) assert.deepEqual(found, wanted, location);
    }
    await printed("tag", `oci:${at("layout")}:one`, "two");
    assert.deepEqual((await inspected(`oci:${at("layout")}:one`)).names.slice(1), ["two"]);
  });

  test("an artifact is told as what it is", async () => {
    const document = await inspected(`${app}:sbom`);
    assert.equal(document.artifactType, "application/spdx+json");
    assert.equal(document.image?.config, undefined);
    assert.equal(document.image?.layers.length, 1);
    assert.match(await printed("inspect", `${app}:sbom`), /^Artifact: +application\/spdx\+json$/m);
  });

  test("the page is for people, whatever is in an image", async () => {
    const page = await printed("inspect", `${app}:multi`);
    for (const says of [
      /^Name: +\S+\/team\/app:multi$/m,
      /^Platforms:\n {2}linux\/amd64 {2}sha256:/m,
      /^Image: +linux\/amd64 {2}sha256:/m,
      /^Labels:\n {2}\S+: /m,
      /^Layers:\n {2}sha256:\w+ +\S+ kB|B {2}/m,
      /^Referrers:\n/m,
      /signature .* {2}about linux\/arm64\/v8$/m,
    ])
      assert.match(page, says);
    assert.doesNotMatch(await printed("inspect", `${app}:1.0`), /\u001b/);
  });

  test("on a terminal no line of a list is longer than it, and what tells one from another stays", async () => {
    const document = await inspected(`${app}:multi`);
    for (const columns of [40, 80, 200]) {
      const lines = drawPage(document, { isTTY: true, columns });
      for (const heading of ["Platforms:", "Layers:", "Referrers:"]) {
        const start = lines.indexOf(heading) + 1;
        const ends = lines.findIndex((line, i) => i > start && !line.startsWith("  "));
        const list = lines.slice(start, ends < 0 ? undefined : ends);
        assert.ok(list.length > 0, heading);
        for (const line of list) assert.ok(Array.from(line).length <= columns, `${columns}: ${line}`);
      }
      const digest = lines.slice(lines.findIndex((line) => line.startsWith("Digest:"))).join("\n");
      const below = columns < 83 ? "\n  " : "     ";
      assert.ok(digest.startsWith(`Digest:${below}${index.root.digest}\n`), "what is said once is whole");
      assert.ok(lines.some((line) => line.includes(arm64?.root.digest.slice(7, 19) ?? "-")));
    }
    assert.ok(
      drawPage(document, { columns: 40 }).some((line) => line.includes(amd64?.root.digest ?? "-")),
      "a program gets it whole",
    );
  });

  test("what cannot be read hides nothing else, and is told", async () => {
    const broken = await listen(faults(registry.handler, [{ target: "/referrers/", effect: answerWith(403) }]));
    const { exitCode, stdout, stderr } = await dray("inspect", `${broken.host}/team/app:multi`);
    await broken.close();
    assert.equal(exitCode, 3, stderr);
    assert.match(stdout, /^Layers:/m);
    assert.match(stderr, /not all of .*team\/app:multi could be read/);
  });
});
