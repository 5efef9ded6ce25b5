/** Writes what zot serves, an OCI layout for each repository, without zot. Nothing is synced. */
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "./distribution.ts";
import { type Entry, mediaTypes } from "./documents.ts";

export class ZotTree {
  readonly #data: string;

  constructor(data: string) {
    this.#data = data;
  }

  #blobs(repository: string): string {
    return join(this.#data, repository, "blobs/sha256");
  }

  blob(repository: string, bytes: string | Uint8Array): string {
    const digest = digestOf(bytes);
    mkdirSync(this.#blobs(repository), { recursive: true });
    writeFileSync(join(this.#blobs(repository), digest.slice("sha256:".length)), bytes);
    return digest;
  }

  blobFile(repository: string, file: string, digest: string): void {
    mkdirSync(this.#blobs(repository), { recursive: true });
    linkSync(file, join(this.#blobs(repository), digest.slice("sha256:".length)));
  }

  /** Ends a repository: what it has, by tag or without. */
  index(repository: string, manifests: readonly Entry[]): void {
    mkdirSync(this.#blobs(repository), { recursive: true });
    writeFileSync(join(this.#data, repository, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    const entries = manifests.map(({ tag, ...descriptor }) => ({
      ...descriptor,
      ...(tag === undefined ? {} : { annotations: { "org.opencontainers.image.ref.name": tag } }),
    }));
    writeFileSync(
      join(this.#data, repository, "index.json"),
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries }),
    );
  }
}
