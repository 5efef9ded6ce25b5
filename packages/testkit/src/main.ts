/** `npm run sample`: an image to look at and to copy, as an OCI layout. */

import { copy, open } from "dray";
import { reasonOf } from "dray/errors";
import { type Descriptor, encodeJson } from "dray/oci";
import { connect } from "dray/registry";
import { put, type Sample, sampleArtifact, sampleIndex } from "./images/index.ts";
import { type MemoryRegistry, memoryRegistry } from "./registry/index.ts";

const usage = "usage: npm run sample [-- FOLDER]";

/** `demo/hello`: an index of two platforms, an SBOM of it, and one of an image in it. */
const fill = (registry: MemoryRegistry): void => {
  const index = sampleIndex({
    seed: "hello",
    platforms: ["linux/amd64", "linux/arm64"],
    image: { layers: 3, layerSize: 1_000_000 },
    annotations: { "org.opencontainers.image.description": "A sample to look at and to copy" },
  });
  put(registry, "demo/hello", "1.0", index);
  put(registry, "demo/hello", undefined, sbomOf(index.root, "hello"));
  for (const { root } of index.images.slice(0, 1))
    put(registry, "demo/hello", undefined, sbomOf(root, "hello for linux/amd64"));
};

const sbomOf = (subject: Descriptor, name: string): Sample =>
  sampleArtifact({
    subject,
    artifactType: "application/spdx+json",
    mediaType: "application/spdx+json",
    bytes: encodeJson({ spdxVersion: "SPDX-2.3", name, packages: [] }),
    annotations: { "org.opencontainers.image.title": `SBOM of ${name}` },
  });

const main = async ([folder = "sample", ...rest]: readonly string[]): Promise<number> => {
  if (folder.startsWith("-") || rest.length > 0) {
    console.error(usage);
    return 2;
  }
  const registry = memoryRegistry();
  fill(registry);
  const client = connect("registry.test", { connection: registry.handler });
  const source = await open("registry.test/demo/hello:1.0", { connect: () => client });
  try {
    const { root } = await copy(source, await open(`oci:${folder}:hello`), { referrers: true });
    console.log(`${folder}: an OCI layout with the image "hello", ${root.digest}: two platforms, SBOMs attached. Try:

  npx dray tree oci:${folder}:hello
  npx dray cp --referrers oci:${folder}:hello localhost:5000/demo/hello:1.0`);
    return 0;
  } catch (error) {
    console.error(reasonOf(error));
    return 1;
  } finally {
    await client.close();
  }
};

process.exitCode = await main(process.argv.slice(2));
