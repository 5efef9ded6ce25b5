import { formatSize } from "@dray/service/config";
import type { Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { RegistryError } from "../registry-error.ts";
import type { Quota } from "./quotas.ts";
import { bytesIn } from "./usage.ts";

export interface RoomOptions {
  readonly tree: Tree;
  /** Bytes of the disk that stay free; 0: it is not looked at. */
  readonly freeSpace: number;
  readonly quotas: readonly Quota[];
  readonly now: () => number;
  /** Hears why a push was refused. */
  readonly onNotice?: (notice: Notice) => void;
}

/** What a request is about to bring. */
export interface Announced {
  readonly bytes: number;
  /** Bytes that earlier requests brought of the same content. Default 0. */
  readonly before?: number;
  /** Bytes that the repository has of the very same content: so many are no more than there were. */
  readonly known?: number | undefined;
  /** `true`: all of it is here, and goes before what may never be whole. Default `false`. */
  readonly whole?: boolean;
}

/** Room for bytes that are announced, while they come. */
export interface Reservation {
  /**
   * So many came. Those that nobody announced are looked at as they come.
   * @throws RegistryError `DENIED` where they are more than the repository may take; 503 where the disk is short of room
   */
  came(bytes: number): Promise<void> | undefined;
  release(): void;
}

interface Coming {
  readonly repository: string;
  readonly known: number | undefined;
  readonly whole: boolean;
  /** All of the content, as far as it is known. */
  bytes: number;
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
/** Bytes that come unannounced between two looks at the disk. */
const lookEvery = 4 * 1024 * 1024;
/** Milliseconds between two words of the log on one key: a client that is refused tries again and again. */
const tellEvery = 60_000;

/**
 * What may still be written: free space of the disk and quotas of repositories, each less what is on its way. Room is held by requests, as
 * long as bytes come: an upload that nobody goes on with holds none, and is looked at again when it ends.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #coming = new Set<Coming>();
  readonly #used = new Map<string, Promise<Used>>();
  /** When a key was last spoken of. */
  readonly #told = new Map<string, number>();

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /**
   * Keeps room for so many bytes until they are there.
   * @throws RegistryError 503 where the disk has no room for them; 403 `DENIED` where the repository has none: clients say it as it is, and
   * do not try again what cannot succeed
   */
  async reserve(repository: string, { bytes, before = 0, known, whole = false }: Announced): Promise<Reservation> {
    const { now } = this.#options;
    // Before anything is looked at: of those who ask at once each counts those who came before.
    const coming: Coming = { repository, known, whole, bytes: before + bytes, left: whole ? 0 : bytes, at: now() };
    this.#coming.add(coming);
    try {
      await this.#fitsDisk(coming);
      const quota = this.#quotaOf(repository);
      const used = quota && (await this.#usedBy(repository));
      const check = (): void => {
        if (quota !== undefined && used !== undefined) this.#fitsQuota(coming, quota, used);
      };
      check();
      let unseen = 0;
      return {
        came: (some) => {
          coming.at = now();
          coming.left -= some;
          if (coming.left >= 0) return undefined;
          unseen -= coming.left;
          coming.bytes -= coming.left;
          coming.left = 0;
          check();
          if (unseen < lookEvery) return undefined;
          unseen = 0;
          return this.#fitsDisk(coming);
        },
        release: () => void this.#coming.delete(coming),
      };
    } catch (error) {
      this.#coming.delete(coming);
      throw error;
    }
  }

  /** @throws RegistryError 503, 403 `DENIED` where it does not fit */
  async check(repository: string, announced: Announced): Promise<void> {
    (await this.reserve(repository, announced)).release();
  }

  /** @throws RegistryError 503 where the disk has no room for so many */
  async checkDisk(bytes: number): Promise<void> {
    const coming: Coming = {
      repository: "",
      known: undefined,
      whole: false,
      bytes,
      left: bytes,
      at: this.#options.now(),
    };
    this.#coming.add(coming);
    await this.#fitsDisk(coming).finally(() => this.#coming.delete(coming));
  }

  /** Bytes that those on their way have announced and not brought yet. */
  get promised(): number {
    let bytes = 0;
    for (const { left } of this.#until()) bytes += Math.max(0, left);
    return bytes;
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
    if (space === undefined) return;
    let left = 0;
    for (const each of this.#until(coming)) left += each.left;
    if (space.free - left >= freeSpace) return;
    this.#tell(
      "dray.freespace",
      `dray.freespace keeps ${formatSize(freeSpace)} free: ${formatSize(space.free)} are free, of which ${formatSize(left)} are wanted by uploads on their way`,
    );
    const message =
      space.free < freeSpace
        ? "the registry's disk is nearly full; nothing can be pushed until there is room"
        : "the registry's disk has no room for this beside what is on its way";
    throw new RegistryError(503, "UNAVAILABLE", message, { headers: { "Retry-After": "60" } });
  }

  #fitsQuota(coming: Coming, quota: Quota, used: Used): void {
    if (moreIn(coming) === 0) return;
    const { repository, whole } = coming;
    const others = { uploads: 0, bytes: 0 };
    for (const each of this.#until(coming)) {
      if (each === coming || each.repository !== repository || moreIn(each) === 0 || (whole && !each.whole)) continue;
      others.uploads++;
      others.bytes += moreIn(each);
    }
    if (used.bytes + others.bytes + moreIn(coming) <= quota.bytes) return;
    this.#tell(
      "dray.quotas",
      `dray.quotas gives ${repository} ${formatSize(quota.bytes)}: it has ${formatSize(used.bytes)}, and ${formatSize(others.bytes + moreIn(coming))} are on their way`,
    );
    throw beyond(repository, quota.bytes, used.bytes, others);
  }

  /** Tells the operator why pushes are refused, once in a while. */
  #tell(key: string, why: string): void {
    const { now, onNotice } = this.#options;
    const at = now();
    if (at - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < tellEvery) return;
    this.#told.set(key, at);
    onNotice?.({ level: "warn", message: `a push is refused: ${why}` });
  }

  /** Those that move or are whole; where one is named, before it, and itself. */
  *#until(last?: Coming): Generator<Coming> {
    const since = this.#options.now() - patience;
    for (const coming of this.#coming) {
      if (coming.whole || coming.at > since) yield coming;
      if (coming === last) return;
    }
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

const moreIn = ({ bytes, known = 0 }: Coming): number => Math.max(0, bytes - known);

const beyond = (
  repository: string,
  quota: number,
  used: number,
  others: { readonly uploads: number; readonly bytes: number },
): RegistryError => {
  const { uploads, bytes } = others;
  const beside =
    uploads === 0 ? "" : ` and ${uploads} ${uploads === 1 ? "upload" : "uploads"} under way with ${formatSize(bytes)}`;
  const message =
    `${repository} may take ${formatSize(quota)} and has ${formatSize(used)}${beside}, with which this would be more; ` +
    `${uploads === 0 ? "" : "wait for their end, "}delete something, or ask for more; ` +
    "what was deleted gives its bytes back with garbage collection (dray serve gc)";
  return new RegistryError(403, "DENIED", message, { detail: { quota, used, uploading: bytes } });
};
