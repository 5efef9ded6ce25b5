import { formatBytes, plural } from "@dray/service/figures";
import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { RegistryError } from "../registry-error.ts";
import type { Meter } from "../uploads/index.ts";
import type { Quota } from "./quotas.ts";
import { Refusals } from "./refusals.ts";
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
  /** What it will be, where that is known: what the repository has of it already is no more than there was. */
  readonly digest?: Digest | undefined;
  /** Whether the repository may take it is asked when all of it is here: it may well have it, and nobody knows yet. Default `false`. */
  readonly unknown?: boolean;
}

/** Room for content while it comes. Who takes the bytes counts them here. */
export interface Reservation extends Meter {
  /**
   * All of it is here: it goes before what may never be whole. The caller holds its digest.
   * @throws RegistryError `DENIED` where it is more than the repository may take
   */
  complete(digest: Digest, bytes: number): Promise<void>;
  /** It is linked: from now on it is what the repository has. */
  keep(): void;
}

interface Coming extends Reservation {
  readonly repository: string;
  readonly quota: Quota | undefined;
  /** What the repository has, where it has a quota. */
  used: Used | undefined;
  readonly before: number;
  /** Of the same content, in the repository. */
  known: number | undefined;
  /** All of the content, once it is here. */
  whole: number | undefined;
  /** Bytes after which the disk is looked at again. */
  lookAt: number;
}

interface Used {
  bytes: number;
  readonly at: number;
}

/** Milliseconds for which what a repository takes is known: other programs may change it. */
const recount = 600_000;
/** Repositories of which that is remembered. */
const mostCounted = 10_000;
/** Milliseconds after which room that nobody fills is others' again: whoever announces much and sends nothing keeps nobody out. */
const patience = 10_000;
/** Bytes that come unannounced between two looks at the disk. */
const lookEvery = 4 * 1024 * 1024;

/**
 * What may still be written: free space of the disk and quotas of repositories, each less what is on its way. Room is held by requests, as
 * long as bytes come: an upload that nobody goes on with holds none, and is looked at again when it ends.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #coming = new Set<Coming>();
  readonly #used = new Map<string, Promise<Used>>();
  readonly #refusals: Refusals;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.now, options.onNotice);
  }

  /**
   * Keeps room for what is announced while it comes and is put where it belongs. Bytes beyond that are looked at as they come.
   * @throws RegistryError 503 where the disk has none; 403 `DENIED` where the repository has none: clients say it as it is, and do not try
   * again what cannot succeed
   */
  async hold<T>(repository: string, announced: Announced, work: (room: Reservation) => Promise<T>): Promise<T> {
    const { bytes, before = 0, digest, unknown = false } = announced;
    const quota = this.#options.quotas.find(({ matches }) => matches(repository));
    const known = digest && quota && (await this.#bytesOf(repository, digest));
    const coming: Coming = {
      repository,
      quota,
      used: undefined,
      before,
      known: unknown ? Number.POSITIVE_INFINITY : known,
      whole: undefined,
      announced: bytes,
      came: 0,
      at: this.#options.now(),
      lookAt: bytes + lookEvery,
      more: () => this.#more(coming),
      complete: (named, size) => this.#complete(coming, named, size),
      keep: () => this.#keep(coming),
    };
    // Before anything is looked at: of those who ask at once each counts those who came before.
    this.#coming.add(coming);
    try {
      await this.#fitsDisk(coming);
      coming.used = quota && (await this.#usedBy(repository));
      this.#fitsQuota(coming);
      return await work(coming);
    } finally {
      this.#coming.delete(coming);
    }
  }

  #more(coming: Coming): Promise<void> | undefined {
    this.#fitsQuota(coming);
    if (coming.came < coming.lookAt) return undefined;
    coming.lookAt = coming.came + lookEvery;
    return this.#fitsDisk(coming);
  }

  async #complete(coming: Coming, digest: Digest, bytes: number): Promise<void> {
    const { repository, quota } = coming;
    coming.known = quota && (await this.#bytesOf(repository, digest));
    coming.whole = bytes;
    // Behind those that were complete before.
    this.#coming.delete(coming);
    this.#coming.add(coming);
    coming.used = quota && (await this.#usedBy(repository));
    this.#fitsQuota(coming);
  }

  /** Bytes that those on their way have announced and not brought yet. */
  get promised(): number {
    let bytes = 0;
    for (const each of this.#until()) bytes += leftOf(each);
    return bytes;
  }

  #keep({ repository, known, whole = 0 }: Coming): void {
    if (known !== undefined) return;
    const add = (used: Used): void => {
      used.bytes += whole;
    };
    // A count that fails is told to whoever asked for it, and made anew.
    this.#used.get(repository)?.then(add, () => {});
  }

  /** Bytes that a repository has of the very same content: brought again they are no more. */
  async #bytesOf(repository: string, digest: Digest): Promise<number | undefined> {
    const { tree } = this.#options;
    const target = (await tree.layer(repository, digest)) ?? (await tree.revisionTarget(repository, digest));
    return target && (await tree.blobSize(target));
  }

  /** Something was taken out of it. */
  forget(repository: string): void {
    this.#used.delete(repository);
  }

  async #fitsDisk(coming: Coming): Promise<void> {
    const { tree, freeSpace } = this.#options;
    if (freeSpace === 0) return;
    const space = await tree.space();
    if (space === undefined) return;
    let left = 0;
    for (const each of this.#until(coming)) left += leftOf(each);
    if (space.free - left >= freeSpace) return;
    this.#refusals.tell(
      `dray.freespace keeps ${formatBytes(freeSpace)} free: ${formatBytes(space.free)} are free, of which ${formatBytes(left)} are wanted by uploads on their way`,
    );
    const message =
      space.free < freeSpace
        ? "the registry's disk is nearly full; nothing can be pushed until there is room"
        : "the registry's disk has no room for this beside what is on its way";
    throw new RegistryError(503, "UNAVAILABLE", message, { headers: { "Retry-After": "60" } });
  }

  #fitsQuota(coming: Coming): void {
    const { repository, quota, used, whole } = coming;
    if (quota === undefined || used === undefined || moreIn(coming) === 0) return;
    const others = { uploads: 0, bytes: 0 };
    for (const each of this.#until(coming)) {
      if (each === coming || each.repository !== repository || moreIn(each) === 0) continue;
      if (whole !== undefined && each.whole === undefined) continue;
      others.uploads++;
      others.bytes += moreIn(each);
    }
    if (used.bytes + others.bytes + moreIn(coming) <= quota.bytes) return;
    this.#refusals.tell(
      `dray.quotas gives ${repository} ${formatBytes(quota.bytes)}: it has ${formatBytes(used.bytes)}, and ${formatBytes(others.bytes + moreIn(coming))} are on their way`,
      repository,
    );
    throw beyond(repository, quota.bytes, used.bytes, others);
  }

  /** Those that move or are whole; where one is named, before it, and itself. */
  *#until(last?: Coming): Generator<Coming> {
    const since = this.#options.now() - patience;
    for (const coming of this.#coming) {
      if (coming.whole !== undefined || coming.at > since) yield coming;
      if (coming === last) return;
    }
  }

  async #usedBy(repository: string): Promise<Used> {
    const { tree, now } = this.#options;
    const before = this.#used.get(repository);
    const known = await before;
    if (known !== undefined && now() - known.at < recount) return known;
    // Whoever waited for the same has begun to count perhaps.
    const counting = this.#used.get(repository);
    if (counting !== undefined && counting !== before) return this.#usedBy(repository);
    // Clients choose names, also of what will never be.
    if (this.#used.size >= mostCounted) this.#used.clear();
    const counted = bytesIn(tree, repository).then((bytes) => ({ bytes, at: now() }));
    this.#used.set(repository, counted);
    try {
      return await counted;
    } catch (error) {
      if (this.#used.get(repository) === counted) this.#used.delete(repository);
      throw error;
    }
  }
}

/** Bytes that are announced and not there yet. */
const leftOf = ({ announced, came, whole }: Coming): number =>
  whole === undefined ? Math.max(0, announced - came) : 0;

/** Bytes by which the repository grows, as far as it is known. */
const moreIn = ({ before, announced, came, whole, known = 0 }: Coming): number =>
  Math.max(0, (whole ?? before + Math.max(announced, came)) - known);

const beyond = (
  repository: string,
  quota: number,
  used: number,
  others: { readonly uploads: number; readonly bytes: number },
): RegistryError => {
  const { uploads, bytes } = others;
  const beside = uploads === 0 ? "" : ` and ${plural(uploads, "upload")} under way with ${formatBytes(bytes)}`;
  const message =
    `${repository} may take ${formatBytes(quota)} and has ${formatBytes(used)}${beside}, with which this would be more; ` +
    `${uploads === 0 ? "" : "wait for their end, "}delete something, or ask for more; ` +
    "what was deleted gives its bytes back with garbage collection (dray serve gc)";
  return new RegistryError(403, "DENIED", message, { detail: { quota, used, uploading: bytes } });
};
