import assert from "node:assert/strict";
import { test } from "node:test";
import { put, sampleImage } from "@dray/testkit";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

const { registry, host, dray } = await commands("attached");

type Annotations = Readonly<Record<string, string>>;

/** Puts an artifact with one layer into a repository. */
const attach = (
  repository: string,
  {
    tag,
    layer,
    ...members
  }: { tag?: string; layer?: Annotations; artifactType?: string; subject?: Descriptor; annotations?: Annotations },
): Descriptor => {
  const content = encodeJson({ of: repository });
  registry.addBlob(repository, content);
  const described = { mediaType: "application/vnd.in-toto+json", digest: digestOf(content), size: content.byteLength };
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: described,
    layers: [{ ...described, annotations: layer }],
    ...members,
  });
  registry.addManifest(repository, { mediaType: mediaTypes.ociManifest, bytes }, tag);
  return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength };
};

/** An index of an image and its attestation, as BuildKit writes it. */
const indexed = (repository: string, image: Descriptor, predicate: string): void => {
  const attestation = attach(repository, { layer: { "in-toto.io/predicate-type": predicate } });
  const about = { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.digest };
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [
      { ...image, platform: { os: "linux", architecture: "amd64" } },
      { ...attestation, platform: { os: "unknown", architecture: "unknown" }, annotations: about },
    ],
  });
  registry.addManifest(repository, { mediaType: mediaTypes.ociIndex, bytes }, "1.0.0");
};

const bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
const predicateType = "dev.sigstore.bundle.predicateType";

test("where signatures and SBOMs are kept, and what is none", async () => {
  const rows: readonly [what: string, put: (repository: string, image: Descriptor) => unknown, found: string][] = [
    ["nothing", () => {}, ""],
    [
      "notation",
      (repository, subject) => attach(repository, { subject, artifactType: "application/vnd.cncf.notary.signature" }),
      "signature",
    ],
    ["bundle", (repository, subject) => attach(repository, { subject, artifactType: bundle }), "signature"],
    [
      "signing",
      (repository, subject) =>
        attach(repository, {
          subject,
          artifactType: bundle,
          annotations: { [predicateType]: "https://sigstore.dev/cosign/sign/v1" },
        }),
      "signature",
    ],
    [
      "attested",
      (repository, subject) =>
        attach(repository, {
          subject,
          artifactType: bundle,
          annotations: { [predicateType]: "https://spdx.dev/Document" },
        }),
      "sbom",
    ],
    [
      "provenance",
      (repository, subject) =>
        attach(repository, {
          subject,
          artifactType: bundle,
          annotations: { [predicateType]: "https://slsa.dev/provenance/v1" },
        }),
      "",
    ],
    ["cosign", (repository, { digest }) => attach(repository, { tag: `${digest.replace(":", "-")}.sig` }), "signature"],
    ["sbom", (repository, { digest }) => attach(repository, { tag: `${digest.replace(":", "-")}.sbom` }), "sbom"],
    [
      "att",
      (repository, { digest }) =>
        attach(repository, {
          tag: `${digest.replace(":", "-")}.att`,
          layer: { predicateType: "https://cyclonedx.org/bom" },
        }),
      "sbom",
    ],
    [
      "slsa",
      (repository, { digest }) =>
        attach(repository, {
          tag: `${digest.replace(":", "-")}.att`,
          layer: { predicateType: "https://slsa.dev/provenance/v1" },
        }),
      "",
    ],
    ["spdx", (repository, subject) => attach(repository, { subject, artifactType: "application/spdx+json" }), "sbom"],
    ["buildkit", (repository, image) => indexed(repository, image, "https://spdx.dev/Document"), "sbom"],
    ["built", (repository, image) => indexed(repository, image, "https://slsa.dev/provenance/v1"), ""],
  ];
  for (const [what, add, found] of rows) {
    const repository = `kept/${what}`;
    add(repository, put(registry, repository, "1.0.0", sampleImage({ seed: what })));
    for (const wanted of ["signature", "sbom"]) {
      const { exitCode, stderr } = await dray("latest", "--require", wanted, `${host}/${repository}`);
      assert.equal(exitCode, found === wanted ? 0 : 5, `${what} ${wanted}: ${stderr}`);
    }
  }
});
