import { randomUUID } from "node:crypto";
import { Memory, type Share } from "@dray/service/memory";
import { DrayError, reasonOf } from "dray/errors";
import type { DigestAlgorithm } from "dray/oci";
import { uploadFolder } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import type { Driver } from "../storage/index.ts";
import { Session, type Upload, type UploadContext } from "./session.ts";
import { findSession, isSessionId, lastAddedTo, type StoredSession, storedSessions } from "./stored.ts";

export interface UploadsOptions {
  readonly driver: Driver;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that go on evenly. Default: `now`. */
  readonly elapsed?: () => number;
  /** Milliseconds for which a session counts as open after the last that happened to it. */
  readonly lease: number;
  /** Milliseconds of silence after which another writer takes over. */
  readonly silence: number;
  /** Memory of beginnings that have no file yet. Default: one of its own. */
  readonly beginnings?: Share;
  readonly onNotice?: (notice: Notice) => void;
}

/** Milliseconds after which an idle session holds neither memory nor an open file; asked for again, it is hashed again. */
const idleTime = 600_000;
/** Sessions in memory beyond which the least used are put away, if they have been idle for as long as a slow client needs. */
const mostOpen = 512;
const shortIdleTime = 10_000;
/** Sessions that are put away at once: each has files open meanwhile. */
const mostMoving = 16;
/**
 * A session whose client vanished lets go of its file at once. Of those from this size on a few keep it, since to hash them again takes
 * long and clients that are cut come back.
 */
const large = 64 * 1024 * 1024;
const mostLeft = 16;

/**
 * Upload sessions: what was received of blobs that are not whole yet. They lie in the tree and outlive the process; those that are used
 * are in memory as well.
 */
export class Uploads {
  readonly #driver: Driver;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #onNotice: (notice: Notice) => void;
  readonly #activity: Activity;
  readonly #around: UploadContext;
  /** In memory, the least lately used first. */
  readonly #sessions = new Map<string, Session>();
  /** Between memory and tree: nobody else may look at them. */
  readonly #moving = new Map<string, Promise<unknown>>();
  /** Large ones whose clients vanished, longest ago first. */
  readonly #left = new Set<Session>();
  #closed = false;

  constructor({ driver, now, elapsed = now, lease, silence, ...rest }: UploadsOptions) {
    const { onNotice = () => {}, beginnings = new Memory().share(0) } = rest;
    this.#driver = driver;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#onNotice = onNotice;
    this.#activity = new Activity(lease, elapsed);
    this.#around = {
      driver,
      now,
      elapsed,
      silence,
      touched: (session) => this.#touched(session),
      ended: (session) => this.#ended(session),
      left: (session) => this.#leave(session),
      beginnings,
      onRemains: (session, error) => this.#notice(session, "its remains cannot be removed", error),
    };
  }

  /** How many are in use; those that were idle for long lie in the tree alone. */
  get open(): number {
    return this.#sessions.size;
  }

  /** A new session. `owner` is the principal's name: nobody else finds it. */
  async begin(
    repository: string,
    { owner, algorithm = "sha256" }: { owner: string; algorithm?: DigestAlgorithm },
  ): Promise<Upload> {
    this.#refuseIfClosed();
    this.#tidy();
    const id = randomUUID();
    const session = new Session({ repository, id }, { owner, algorithm, startedAt: this.#now() }, this.#around);
    this.#sessions.set(id, session);
    this.#touched(session);
    return session;
  }

  /**
   * A session of this repository and owner, also one from before a restart (also of distribution's; then anybody who may push is
   * its owner). Its hash is rebuilt from byte 0 here, not at the end.
   */
  async find(repository: string, id: string, owner: string): Promise<Upload | undefined> {
    for (let other = this.#moving.get(id); other !== undefined; other = this.#moving.get(id)) await other;
    this.#refuseIfClosed();
    this.#tidy();
    const session =
      this.#sessions.get(id) ??
      (isSessionId(id) ? await this.#move(id, () => this.#load({ repository, id })) : undefined);
    if (session === undefined || session.repository !== repository) return undefined;
    if (session.facts.owner !== "" && session.facts.owner !== owner) return undefined;
    session.touch();
    return session;
  }

  /**
   * Whether anything happened to a session of the repository within one lease.
   * @param lease a shorter one, in milliseconds; then a session counts as well to which bytes are on their way
   */
  isOpenIn(repository: string, lease?: number): boolean {
    if (this.#activity.isLively(repository, lease)) return true;
    if (lease === undefined) return false;
    for (const session of this.#sessions.values()) if (session.repository === repository && session.isBusy) return true;
    return false;
  }

  /** The client was refused before a byte came: its session is there, and keeps nothing from garbage collection. */
  refused({ repository, id }: Pick<Upload, "repository" | "id">): void {
    const session = this.#sessions.get(id);
    if (session !== undefined && session.size === 0 && !session.isBusy) this.#activity.forget(repository, id);
  }

  /** Each with the time of the last bytes that came, or of its beginning; milliseconds since 1970. */
  async *list(): AsyncGenerator<{ repository: string; id: string; size: number; addedAt: number }> {
    const inMemory = [...this.#sessions.values()];
    for (const { repository, id, size, addedAt, isStored } of inMemory)
      if (!isStored) yield { repository, id, size, addedAt };
    for await (const { repository, id } of this.#stored()) {
      const known = this.#sessions.get(id);
      const found = await findSession(this.#driver, { repository, id }).catch(() => undefined);
      if (found !== undefined)
        yield {
          repository,
          id,
          size: known?.size ?? found.size ?? 0,
          addedAt: Math.max(found.startedAt, found.addedAt),
        };
    }
  }

  /** Removes sessions that nobody added to since then (milliseconds since 1970); tells how many. */
  async purge(before: number): Promise<number> {
    await this.#driver.refuseGone?.();
    await Promise.all(this.#moving.values());
    let purged = 0;
    const attempt = async (session: StoredSession, remove: () => Promise<boolean>): Promise<void> => {
      try {
        if (await remove()) purged++;
      } catch (error) {
        this.#notice(session, "it cannot be purged", error);
      }
    };
    const inMemory = [...this.#sessions.values()];
    for (const session of inMemory)
      await attempt(session, async () => {
        if (session.addedAt >= before || session.isBusy) return false;
        await session.cancel();
        return true;
      });
    for await (const found of this.#stored())
      await attempt(found, async () => {
        const isOld = async (): Promise<boolean> =>
          ((await lastAddedTo(this.#driver, found)) ?? Number.POSITIVE_INFINITY) < before;
        if (this.#isKnown(found.id) || !(await isOld()) || this.#isKnown(found.id)) return false;
        await this.#move(found.id, () => this.#driver.remove(uploadFolder(found.repository, found.id)));
        this.#activity.forget(found.repository, found.id);
        return true;
      });
    return purged;
  }

  /** Parks what is open, so that it goes on after a restart. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#moving.values());
    const left = this.#sessions.values();
    const parkAll = async (): Promise<void> => {
      for (const session of left) await this.#park(session);
    };
    await Promise.all(Array.from({ length: mostMoving }, parkAll));
  }

  #isKnown(id: string): boolean {
    return this.#sessions.has(id) || this.#moving.has(id);
  }

  async #load(name: StoredSession): Promise<Session | undefined> {
    const found = await findSession(this.#driver, name);
    if (found === undefined) return undefined;
    const session = new Session(name, found, this.#around, found);
    await session.wake();
    this.#sessions.set(name.id, session);
    this.#touched(session);
    return session;
  }

  /** Whoever asks for the session meanwhile waits, whatever comes of this. */
  async #move<T>(id: string, work: () => Promise<T>): Promise<T> {
    const moving = work();
    const settled = moving.then(
      () => {},
      () => {},
    );
    this.#moving.set(id, settled);
    try {
      return await moving;
    } finally {
      this.#moving.delete(id);
    }
  }

  /** Puts away what nobody has used for long. Needs no timer: who begins or goes on with an upload looks after the others. */
  #tidy(): void {
    if (this.#closed) return;
    const now = this.#elapsed();
    for (const session of this.#sessions.values()) {
      const idle = now - session.usedAt;
      if (idle < shortIdleTime || (idle < idleTime && this.#sessions.size <= mostOpen)) return;
      if (this.#moving.size >= mostMoving) return;
      if (!session.isBusy) void this.#park(session).then(() => this.#tidy());
    }
  }

  /** Nobody may ever come back for it: what it holds is for others. */
  #leave(session: Session): void {
    this.#left.delete(session);
    this.#left.add(session);
    for (const one of this.#left)
      if (one.size < large || this.#left.size > mostLeft) {
        this.#left.delete(one);
        if (!this.#closed) void one.rest().catch((error: unknown) => this.#notice(one, "it cannot be put away", error));
      }
  }

  async #park(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    await this.#move(session.id, () => session.park()).catch((error: unknown) =>
      this.#notice(session, "it cannot be put away", error),
    );
  }

  #touched(session: Session): void {
    this.#left.delete(session);
    this.#activity.touch(session.repository, session.id);
    if (this.#sessions.delete(session.id)) this.#sessions.set(session.id, session);
  }

  #ended(session: Session): void {
    this.#left.delete(session);
    this.#activity.forget(session.repository, session.id);
    this.#sessions.delete(session.id);
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new DrayError("ABORTED", "the registry is shutting down", { retryable: true });
  }

  #stored(): AsyncGenerator<StoredSession> {
    return storedSessions(this.#driver, (path, error) =>
      this.#onNotice({ level: "warn", message: `uploads in ${path} cannot be listed: ${reasonOf(error)}` }),
    );
  }

  #notice({ repository, id }: StoredSession, what: string, error: unknown): void {
    this.#onNotice({ level: "warn", message: `upload ${id}: ${what}: ${reasonOf(error)}`, repository });
  }
}

/** When something last happened to each session of each repository, for as long as anybody cares. */
class Activity {
  /** By repository and session, longest ago first. */
  readonly #times = new Map<string, Map<string, number>>();
  readonly #lease: number;
  readonly #now: () => number;

  constructor(lease: number, now: () => number) {
    this.#lease = lease;
    this.#now = now;
  }

  touch(repository: string, id: string): void {
    let times = this.#times.get(repository);
    if (times === undefined) {
      times = new Map();
      this.#times.set(repository, times);
    }
    times.delete(id);
    times.set(id, this.#now());
  }

  forget(repository: string, id: string): void {
    const times = this.#times.get(repository);
    times?.delete(id);
    if (times?.size === 0) this.#times.delete(repository);
  }

  /** Whether anything happened within one lease, or a shorter one. */
  isLively(repository: string, lease = this.#lease): boolean {
    const times = this.#times.get(repository);
    if (times === undefined) return false;
    const since = this.#now() - this.#lease;
    for (const [id, time] of times) {
      // They stand in the order of their times.
      if (time > since) return ([...times.values()].at(-1) ?? time) > this.#now() - lease;
      times.delete(id);
    }
    this.#times.delete(repository);
    return false;
  }
}
