import { unlessAborted } from "../../async/index.ts";
import { DrayError } from "../../errors.ts";
import type { Clock, HttpResponse } from "../../http/index.ts";

/** Milliseconds in which a mirror has to have answered, with a small answer whole. */
const patience = 60_000;
/** Bytes that a large answer has to bring in each such time. */
const least = 64 * 1024;

export interface Patient {
  readonly clock: Clock;
  /** The mirror, as messages name it. */
  readonly host: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Time limit of a mirror's answer, however busy it looks: one that trickles is no better than one that is silent, and somebody else has the content.
 * @throws DrayError `TIMEOUT`; what `ask` throws
 */
export const inTime = async (
  { clock, host, signal }: Patient,
  ask: (signal: AbortSignal) => Promise<HttpResponse>,
): Promise<HttpResponse> => {
  const [late, done] = [new AbortController(), new AbortController()];
  clock.sleep(patience, done.signal).then(
    () => late.abort(),
    () => {},
  );
  try {
    const both = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    return await unlessAborted(ask(both), both);
  } catch (error) {
    if (!late.signal.aborted || signal?.aborted === true) throw error;
    throw new DrayError("TIMEOUT", `${host} has not answered within ${patience / 1000} s`, { cause: error, host });
  } finally {
    done.abort();
  }
};

/**
 * A large answer as it comes, as long as it comes: only the time in which the reader waits for the mirror counts, not what the reader takes itself.
 * @param onTooSlow is called before the reader hears of it
 * @throws DrayError `TIMEOUT`, after which whoever reads on asks elsewhere
 */
export async function* flowing(
  chunks: AsyncIterable<Uint8Array>,
  { clock, host }: Patient,
  onTooSlow: (why: string) => void,
): AsyncGenerator<Uint8Array> {
  let [waited, came] = [0, 0];
  let since = clock.now();
  for await (const chunk of chunks) {
    waited += clock.now() - since;
    came += chunk.byteLength;
    if (waited >= patience) {
      if (came < least) {
        const why = `${host} gives less than ${least / 1024} KiB in ${patience / 1000} s`;
        onTooSlow(why);
        throw new DrayError("TIMEOUT", why, { host, retryable: true });
      }
      [waited, came] = [0, 0];
    }
    yield chunk;
    since = clock.now();
  }
}
