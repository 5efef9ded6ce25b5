import { mediaTypes } from "dray/oci";
import { seededBytes } from "../files/index.ts";
import { describeBytes, type Sample, type SampleMembers, sampleOf } from "./sample.ts";

export interface SampleArtifactOptions extends SampleMembers {
  /** Default `application/vnd.example.sbom.v1`. */
  readonly artifactType?: string;
  /** Content of the one layer. Default: 200 bytes of the seed. */
  readonly bytes?: Uint8Array;
  /** Default `application/octet-stream`. */
  readonly mediaType?: string;
}

/** An artifact: one layer, the empty config, perhaps a subject that it says something about. */
export const sampleArtifact = (options: SampleArtifactOptions = {}): Sample => {
  const { seed = "sample", artifactType = "application/vnd.example.sbom.v1" } = options;
  const bytes = options.bytes ?? seededBytes(`${seed}/artifact`, 200);
  const empty = new TextEncoder().encode("{}");
  const config = describeBytes(mediaTypes.ociEmpty, empty);
  const layer = describeBytes(options.mediaType ?? "application/octet-stream", bytes);
  const blobs = new Map([
    [config.digest, empty],
    [layer.digest, bytes],
  ]);
  return sampleOf(mediaTypes.ociManifest, { artifactType, config, layers: [layer] }, options, { blobs });
};
