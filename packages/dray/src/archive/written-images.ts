import { DrayError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  isConfigType,
  isEncryptedLayerType,
  isIndexType,
  isLayerType,
  isSchema1Type,
  type Manifest,
  parseManifest,
} from "../oci/index.ts";
import type { Catalogue } from "../tarball/index.ts";
import { likelyName } from "./entry-names.ts";
import { inFull } from "./repo-tags.ts";

/** An image that is being written: its manifest, and a name or none. */
export interface WrittenImage {
  readonly manifest: Manifest;
  readonly name: string;
}

/** What is known of the images of an archive while it is written. Manifests stay in memory: the archive does not hold them. */
export class WrittenImages implements Catalogue {
  readonly holdsManifests = false;
  readonly #manifests = new Map<Digest, { readonly descriptor: Descriptor; readonly manifest: Manifest }>();
  /** By what they mean, in the order in which they were given. */
  readonly #names = new Map<string, { readonly digest: Digest; readonly name: string }>();
  readonly #roots = new Set<Digest>();

  entryName(descriptor: Descriptor): string {
    if (isEncryptedLayerType(descriptor.mediaType)) throw unsupported(descriptor);
    return likelyName(descriptor);
  }

  /** An image that will come. @throws DrayError `UNSUPPORTED` for what no docker archive can hold */
  expect(root: Descriptor): void {
    refuseOthers(root);
    this.#roots.add(root.digest);
  }

  /** Whether there is nothing to make an archive of. */
  isEmpty(): boolean {
    return this.#names.size === 0 && ![...this.#roots].some((digest) => this.#manifests.has(digest));
  }

  has({ digest }: Descriptor): boolean {
    return this.#manifests.has(digest);
  }

  add(descriptor: Descriptor, bytes: Uint8Array): string | undefined {
    refuseOthers(descriptor);
    const parsed = parseManifest(bytes, descriptor.mediaType);
    if (parsed.kind !== "manifest") throw unsupported(descriptor);
    const encrypted = parsed.manifest.layers.find(({ mediaType }) => isEncryptedLayerType(mediaType));
    if (encrypted !== undefined) throw unsupported(encrypted);
    this.#manifests.set(descriptor.digest, { descriptor, manifest: parsed.manifest });
    const { config, layers } = parsed.manifest;
    const strange = !isConfigType(config.mediaType)
      ? `its configuration is of type "${config.mediaType}"`
      : layers
          .filter(({ mediaType }) => !isLayerType(mediaType))
          .map(({ mediaType }) => `it has a layer of type "${mediaType}"`)[0];
    if (strange === undefined) return undefined;
    return `${descriptor.digest} is no image: ${strange}; no program loads such an archive, an OCI archive keeps it as it is (oci-archive:FILE)`;
  }

  tag({ digest }: Descriptor, name: string): void {
    // The last one wins, as in a registry.
    const key = keyOf(name, digest);
    this.#names.delete(key);
    this.#names.set(key, { digest, name });
  }

  resolve(name: string): Descriptor | undefined {
    const digest = this.#names.get(inFull(name))?.digest;
    return digest === undefined ? undefined : this.#manifests.get(digest)?.descriptor;
  }

  /** Every image under each of its names; one that was announced and never named has none. */
  all(): WrittenImage[] {
    const named = new Set([...this.#names.values()].map(({ digest }) => digest));
    const unnamed = [...this.#roots].filter((digest) => !named.has(digest) && this.#manifests.has(digest));
    return [...this.#names.values(), ...unnamed.map((digest) => ({ digest, name: "" }))].map(({ digest, name }) => {
      const found = this.#manifests.get(digest);
      if (found === undefined)
        throw new DrayError("NOT_FOUND", `cannot name ${digest} "${name}": its manifest was not written`, {
          reference: digest,
        });
      return { manifest: found.manifest, name };
    });
  }
}

/** What has no name stands for itself. */
const keyOf = (name: string, digest: Digest): string => (name === "" ? digest : inFull(name));

const refuseOthers = (descriptor: Descriptor): void => {
  if (isIndexType(descriptor.mediaType) || isSchema1Type(descriptor.mediaType)) throw unsupported(descriptor);
};

const unsupported = ({ digest, mediaType }: Descriptor): DrayError =>
  new DrayError(
    "UNSUPPORTED",
    isIndexType(mediaType)
      ? `a docker archive holds images of one platform each, and ${digest} is an index; choose a platform, or write an OCI archive (oci-archive:FILE)`
      : isEncryptedLayerType(mediaType)
        ? `a docker archive cannot hold ${digest}, which is an encrypted layer: nobody who loads it could decrypt it; write an OCI archive (oci-archive:FILE)`
        : `a docker archive cannot hold ${digest}, which is of type "${mediaType}"; write an OCI layout (oci:DIR)`,
    { reference: digest },
  );
