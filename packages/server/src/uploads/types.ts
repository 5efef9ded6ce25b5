import type { Digest, DigestAlgorithm } from "dray/oci";

/** Upload sessions: what was received of blobs that are not whole yet. They lie in the tree and outlive the process. */
export interface Uploads {
  /** A new session. `owner` is the principal's name: nobody else finds it. */
  begin(repository: string, options: { owner: string; algorithm?: DigestAlgorithm }): Promise<Upload>;
  /**
   * A session of this repository and owner, also one from before a restart (also of distribution's; then anybody who may push is
   * its owner). Its hash is rebuilt from byte 0 here, not at the end.
   */
  find(repository: string, id: string, owner: string): Promise<Upload | undefined>;
  /** Whether bytes came to any session of the repository within one lease. */
  isOpenIn(repository: string): boolean;
  /** How many are in use; those that were idle for long lie in the tree alone. */
  readonly open: number;
  /** Each with the time of the last bytes that came, or of its beginning; milliseconds since 1970. */
  list(): AsyncIterable<{ repository: string; id: string; size: number; addedAt: number }>;
  /** Removes sessions that nobody added to since then (milliseconds since 1970); tells how many. */
  purge(before: number): Promise<number>;
  /** Parks what is open, so that it goes on after a restart. */
  close(): Promise<void>;
}

export interface Upload {
  readonly id: string;
  readonly repository: string;
  /** Bytes that a client may be told of. Waits until everything that came is written; a connection that is silent for 5 seconds is cut off here. */
  offset(): Promise<number>;
  /**
   * Takes bytes at the end, one caller at a time. `at` is where the client means to go on; elsewhere than at the offset it
   * rejects with `OutOfOrder`, as it does for whom another writer got ahead of. What came before a failure is kept.
   * @param options.limit bytes that this call may bring; more reject with `LIMIT_EXCEEDED`
   * @param options.last `digest` and `finish` follow at once and nobody is told the offset: little content need not touch the disk
   * @param options.releases a chunk that fills its buffer is the session's own, memory and all
   * @returns the offset after it
   */
  append(
    chunks: AsyncIterable<Uint8Array>,
    options: {
      at?: number | undefined;
      signal?: AbortSignal | undefined;
      limit?: number;
      last?: boolean;
      releases?: boolean;
    },
  ): Promise<number>;
  /** What the whole session hashes to, with its size. */
  digest(algorithm: DigestAlgorithm): Promise<{ digest: Digest; size: number }>;
  /**
   * Ends the session: `take` gets the path of its data, closed and complete, and may move it away; then the rest of the session goes.
   * Where bytes came after `digest` was told it rejects with `OutOfOrder`. If `take` rejects, the session stays if its data does.
   * Where the data is `alone` in its folder, `take` may move that.
   * @param takeBytes gets the content instead, where it never touched the disk
   */
  finish<T>(
    take: (path: string, options: { readonly alone: boolean }) => Promise<T>,
    takeBytes?: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T>;
  /** Removes the session and what it holds. */
  cancel(): Promise<void>;
}

/** The client is not where the session is. */
export class OutOfOrder extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`the upload stands at ${offset}`);
    this.offset = offset;
  }
}
