/** Writes distribution's tree without a server: 100,000 manifests in half a minute. Nothing is synced. */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const digestOf = (bytes: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Below what ext4 allows to one file. */
const mostNames = 60_000;

export class DistributionTree {
  readonly #root: string;
  /** A link file of each digest, which other places are given as a second name. */
  readonly #links = new Map<string, { path: string; names: number }>();
  readonly #made = new Set<string>();

  constructor(data: string) {
    this.#root = join(data, "docker/registry/v2");
  }

  #folder(path: string): void {
    if (this.#made.has(path)) return;
    mkdirSync(path, { recursive: true });
    this.#made.add(path);
  }

  dataPath(digest: string): string {
    const hex = digest.slice("sha256:".length);
    return join(this.#root, "blobs/sha256", hex.slice(0, 2), hex, "data");
  }

  /** A blob of the pool, which no repository has yet. */
  blob(bytes: string | Uint8Array): string {
    const digest = digestOf(bytes);
    const path = this.dataPath(digest);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return digest;
  }

  /** A blob that shares its bytes with a file, so that all servers read one page cache. */
  blobFile(file: string, digest: string): { digest: string; size: number } {
    const path = this.dataPath(digest);
    mkdirSync(dirname(path), { recursive: true });
    linkSync(file, path);
    return { digest, size: statSync(file).size };
  }

  #link(folder: string, digest: string): void {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "link");
    const known = this.#links.get(digest);
    if (known !== undefined && known.names < mostNames) {
      linkSync(known.path, path);
      known.names++;
      return;
    }
    writeFileSync(path, digest);
    this.#links.set(digest, { path, names: 1 });
  }

  #of(repository: string): string {
    return join(this.#root, "repositories", repository);
  }

  layer(repository: string, digest: string): void {
    this.#link(join(this.#of(repository), "_layers/sha256", digest.slice("sha256:".length)), digest);
  }

  revision(repository: string, digest: string): void {
    this.#folder(join(this.#of(repository), "_manifests/tags"));
    this.#link(join(this.#of(repository), "_manifests/revisions/sha256", digest.slice("sha256:".length)), digest);
  }

  /** @param history also writes what distribution keeps of a tag's past */
  tag(repository: string, tag: string, digest: string, history = true): void {
    const folder = join(this.#of(repository), "_manifests/tags", tag);
    if (history) this.#link(join(folder, "index/sha256", digest.slice("sha256:".length)), digest);
    this.#link(join(folder, "current"), digest);
  }
}
