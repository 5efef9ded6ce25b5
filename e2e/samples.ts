/** The images that clients move in these tests, as layouts, an archive, and facts about them. */
import { type Sample, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { open } from "dray";
import { bytesContent, memoryStore } from "dray/content";
import { copy } from "dray/copy";
import { digestOf, mediaTypes } from "dray/oci";
import type { Sandbox } from "./dray.ts";

const platforms = ["linux/amd64", "linux/arm64"];

const layerSize = 20_000;
const docker = true;

export type SampleName = "index" | "image" | "zstd" | "docker" | "list";

/** What there is to move. */
export const samples: Readonly<Record<SampleName, Sample>> = {
  index: sampleIndex({ seed: "clients/index", platforms, image: { layerSize } }),
  image: sampleImage({ seed: "clients/image", layers: 3, layerSize }),
  zstd: sampleImage({ seed: "clients/zstd", compression: "zstd", layerSize }),
  docker: sampleImage({ seed: "clients/docker", docker, layerSize }),
  list: sampleIndex({ seed: "clients/list", platforms, image: { docker, layerSize } }),
};

/** Those of several platforms. */
export const indexes: ReadonlySet<SampleName> = new Set(["index", "list"]);

/** Says something about the image. */
export const artifact: Sample = sampleArtifact({ seed: "clients/sbom", subject: samples.image.root });

/** Puts a sample under a name at a location, such as `oci:DIR:v1`. */
export const putAt = async (sample: Sample, location: string): Promise<void> => {
  const store = memoryStore();
  for (const bytes of sample.blobs.values())
    await store.write(
      { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength },
      bytesContent(bytes),
    );
  for (const { mediaType, bytes } of sample.manifests.values()) await store.ingest(bytesContent(bytes), { mediaType });
  await store.tag(sample.root, "v1");
  await copy({ store, name: "v1", location: "memory:v1" }, await open(location));
};

export const layoutOf = (shop: Sandbox, name: string): string => shop.path("layouts", name);

/** A layout for each sample, its name in it `v1`, and an archive of the image. */
export const writeSamples = async (shop: Sandbox): Promise<void> => {
  for (const [name, sample] of Object.entries(samples)) await putAt(sample, `oci:${layoutOf(shop, name)}:v1`);
  await putAt(samples.image, `docker-archive:${shop.path("image.tar")}:demo/image:v1`);
};
