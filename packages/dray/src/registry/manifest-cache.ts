import type { Digest } from "../oci/index.ts";

/** A manifest with its type, as a registry has it. */
export interface HeldManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Bytes that are kept at most. A manifest has some kilobytes; a larger one than this is read again. */
const room = 4 * 1024 * 1024;

/**
 * Manifests of one repository that were just read or written, by digest, so that what follows needs no other request:
 * to read what was resolved by reading it, to tag what was written. What was used last stays longest.
 */
export class ManifestCache {
  readonly #held = new Map<Digest, HeldManifest>();
  #size = 0;

  get(digest: Digest): HeldManifest | undefined {
    const found = this.#held.get(digest);
    if (found === undefined) return undefined;
    this.#held.delete(digest);
    this.#held.set(digest, found);
    return found;
  }

  set(digest: Digest, manifest: HeldManifest): void {
    this.delete(digest);
    if (manifest.bytes.byteLength > room) return;
    this.#held.set(digest, manifest);
    this.#size += manifest.bytes.byteLength;
    for (const oldest of this.#held.keys()) {
      if (this.#size <= room) break;
      this.delete(oldest);
    }
  }

  delete(digest: Digest): void {
    this.#size -= this.#held.get(digest)?.bytes.byteLength ?? 0;
    this.#held.delete(digest);
  }

  clear(): void {
    this.#held.clear();
    this.#size = 0;
  }
}
