import type { ClientRequest } from "node:http";
import { detach } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { IdleTimer } from "./idle-timer.ts";

export interface SendOptions {
  /** Bytes it must have, by the `Content-Length` that was sent; `undefined` for chunked. */
  readonly length: number | undefined;
  /** Chunks may be let go of once they are written. */
  readonly handsOver: boolean;
  /** Milliseconds the other side may take nothing. */
  readonly idle: number;
  readonly timedOut: () => DrayError;
  /** The request in words, for messages. */
  readonly what: () => string;
}

/** The sending of a request's body. */
export interface Sending {
  /** When all is on its way; rejects if the bytes could not be had, were too few or too many, or were not taken in time. Never settles once stopped. */
  readonly done: Promise<void>;
  /** Whether all was handed over, if perhaps not yet written. */
  readonly ended: boolean;
  /** No more bytes: the answer is there already, or the request failed. */
  stop(): void;
}

/** Larger chunks are written in pieces, so that a slow connection is seen to move. */
const piece = 512 * 1024;

/**
 * Writes a body to a request and ends it. The last bytes go out only after the source has said that nothing follows: so a body of the wrong length, or
 * one whose digest turns out wrong at its end, is never complete on the other side.
 *
 * Waits for the callbacks of its writes and not for `drain`, which Bun 1.4.5 forgets where a socket has a buffer of its own size.
 */
export const sendBody = (
  request: ClientRequest,
  open: () => AsyncIterable<Uint8Array>,
  options: SendOptions,
): Sending => {
  let [stopped, ended, unwritten] = [false, false, 0];
  let wake: (() => void) | undefined;
  let giveUp: (error: DrayError) => void = () => {};
  const idleTimer = new IdleTimer(options.idle, () => giveUp(options.timedOut()));

  const written = () => {
    unwritten--;
    if (wake === undefined) return;
    if (unwritten === 0) wake();
    else idleTimer.begin();
  };
  const allWritten = (): Promise<void> => {
    idleTimer.begin();
    return new Promise((resolve) => {
      wake = () => {
        wake = undefined;
        idleTimer.end();
        resolve();
      };
    });
  };

  /** Whether there is room for more. */
  const write = (chunk: Uint8Array): boolean => {
    const done = options.handsOver ? () => (detach(chunk), written()) : written;
    for (let at = 0; at + piece < chunk.byteLength; at += piece) {
      unwritten++;
      request.write(chunk.subarray(at, at + piece), written);
    }
    unwritten++;
    const rest = chunk.byteLength % piece || piece;
    return request.write(rest < chunk.byteLength ? chunk.subarray(-rest) : chunk, done) || unwritten === 0;
  };

  const finish = async (last: Uint8Array | undefined): Promise<void> => {
    if (last !== undefined) write(last);
    request.end();
    ended = true;
    if (unwritten > 0) await allWritten();
    idleTimer.stop();
  };

  const send = async (): Promise<void> => {
    const chunks = open()[Symbol.asyncIterator]();
    let sent = 0;
    let kept: Uint8Array | undefined;
    for (;;) {
      const { value, done } = await chunks.next();
      if (stopped) break;
      if (done) {
        if (options.length !== undefined && sent < options.length) throw wrongSize(options, sent);
        return finish(kept);
      }
      if (value.byteLength === 0) continue;
      sent += value.byteLength;
      if (options.length !== undefined && sent > options.length) {
        await chunks.return?.();
        throw wrongSize(options, sent);
      }
      if (sent === options.length) kept = value;
      else if (!write(value)) await allWritten();
      if (stopped) break;
    }
    await chunks.return?.();
  };

  return {
    done: new Promise((resolve, reject) => {
      giveUp = reject;
      send().then(
        () => stopped || resolve(),
        (error: unknown) => stopped || reject(error as Error),
      );
    }),
    get ended() {
      return ended;
    },
    stop: () => {
      stopped = true;
      idleTimer.stop();
      wake?.();
    },
  };
};

const wrongSize = ({ length, what }: SendOptions, sent: number): DrayError =>
  new DrayError(
    "SIZE_MISMATCH",
    `${what()}: the content has ${sent < (length as number) ? `only ${sent}` : "more than its"} of ${length} bytes; it changed since it was announced`,
  );
