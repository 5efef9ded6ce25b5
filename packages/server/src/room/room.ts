import { formatSize } from "@dray/service/config";
import type { Tree } from "../distribution-tree/index.ts";
import { RegistryError } from "../registry-error.ts";
import type { Quota } from "./quotas.ts";
import { bytesIn } from "./usage.ts";

export interface RoomOptions {
  readonly tree: Tree;
  /** Bytes of the disk that stay free; 0: it is not looked at. */
  readonly freeSpace: number;
  readonly quotas: readonly Quota[];
  /** Bytes of sessions in a repository that are not blobs yet. */
  readonly uploading: (repository: string) => number;
  readonly now: () => number;
}

/** Room for bytes that are announced, while they come. */
export interface Reservation {
  /** So many came. @throws RegistryError `DENIED` where they are more than the repository may take */
  came(bytes: number): void;
  release(): void;
}

interface Coming {
  readonly repository: string;
  left: number;
  at: number;
}

interface Used {
  bytes: number;
  readonly at: number;
}

/** Milliseconds for which what a repository takes is known: other programs may change it. */
const recount = 600_000;
/** Milliseconds after which room that nobody fills is others' again: whoever announces much and sends nothing keeps nobody out. */
const patience = 10_000;

/** What may still be written: free space of the disk and quotas of repositories, each less what is on its way. */
export class Room {
  readonly #options: RoomOptions;
  readonly #coming = new Set<Coming>();
  readonly #used = new Map<string, Promise<Used>>();

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /**
   * Keeps room for so many bytes until they are there.
   * @throws RegistryError 503 where the disk has no room for them; 403 `DENIED` where the repository has none: clients say it as it is, and
   * do not try again what cannot succeed
   */
  async reserve(repository: string, bytes: number): Promise<Reservation> {
    const { now, uploading } = this.#options;
    // Before anything is looked at: of those who ask at once each counts those who came before.
    const coming: Coming = { repository, left: bytes, at: now() };
    this.#coming.add(coming);
    try {
      await this.#fitsDisk(coming);
      const quota = this.#quotaOf(repository);
      const used = quota && (await this.#usedBy(repository));
      const check = (more: number): void => {
        if (quota === undefined || used === undefined) return;
        const all = used.bytes + uploading(repository) + this.#onItsWay(coming, repository) + more;
        if (all > quota.bytes) throw beyond(repository, quota.bytes, used.bytes);
      };
      check(0);
      return {
        came: (some) => {
          coming.at = now();
          coming.left -= some;
          if (coming.left >= 0) return;
          coming.left = 0;
          check(some);
        },
        release: () => void this.#coming.delete(coming),
      };
    } catch (error) {
      this.#coming.delete(coming);
      throw error;
    }
  }

  /** @throws RegistryError 503, 403 `DENIED` where nothing more fits */
  async check(repository: string, bytes: number = 0): Promise<void> {
    (await this.reserve(repository, bytes)).release();
  }

  /** Whether anybody counts what a repository takes. */
  counts(repository: string): boolean {
    return this.#quotaOf(repository) !== undefined;
  }

  /** Content is linked there that was not. */
  added(repository: string, bytes: number): void {
    void this.#used.get(repository)?.then((used) => {
      used.bytes += bytes;
    });
  }

  /** Something was taken out of it. */
  forget(repository: string): void {
    this.#used.delete(repository);
  }

  #quotaOf(repository: string): Quota | undefined {
    return this.#options.quotas.find(({ matches }) => matches(repository));
  }

  async #fitsDisk(coming: Coming): Promise<void> {
    const { tree, freeSpace } = this.#options;
    if (freeSpace === 0) return;
    const space = await tree.space();
    if (space === undefined || space.free - this.#onItsWay(coming) >= freeSpace) return;
    const message =
      space.free < freeSpace
        ? "the registry's disk is nearly full; nothing can be pushed until there is room"
        : "the registry's disk has no room for this beside what is on its way";
    throw new RegistryError(503, "UNAVAILABLE", message, { headers: { "Retry-After": "60" } });
  }

  /** Bytes that are still to come to the one and to those before it. */
  #onItsWay(last: Coming, repository?: string): number {
    const since = this.#options.now() - patience;
    let bytes = 0;
    for (const coming of this.#coming) {
      if (coming.at > since && (repository === undefined || coming.repository === repository)) bytes += coming.left;
      if (coming === last) break;
    }
    return bytes;
  }

  async #usedBy(repository: string): Promise<Used> {
    const { tree, now } = this.#options;
    const known = await this.#used.get(repository);
    if (known !== undefined && now() - known.at < recount) return known;
    const counted = bytesIn(tree, repository).then((bytes) => ({ bytes, at: now() }));
    this.#used.set(repository, counted);
    try {
      return await counted;
    } catch (error) {
      this.#used.delete(repository);
      throw error;
    }
  }
}

const beyond = (repository: string, quota: number, used: number): RegistryError =>
  new RegistryError(
    403,
    "DENIED",
    `${repository} may take ${formatSize(quota)} and has ${formatSize(used)}, with which this would be more; delete something, or ask for more`,
    { detail: { quota, used } },
  );
