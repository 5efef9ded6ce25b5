import { reasonOf } from "dray/errors";
import { type Clock, type HttpRequest, type HttpResponse, type Middleware, systemClock } from "dray/http";
import { HttpError, withError, withJson } from "../response/index.ts";

/** What a program finds when it looks after itself. */
export interface Findings {
  /** Told by `/readyz`, whoever asks: words, without reasons. */
  readonly told: Readonly<Record<string, string>>;
  /** Checks that fail, with the reason. One alone, and the program is not ready. */
  readonly failing: Readonly<Record<string, string>>;
}

/** What a program's health is told from. */
export interface HealthSources {
  look(): Promise<Findings>;
  /** `true` once the end has begun: whoever sends requests here should look elsewhere. */
  readonly stopping?: (() => boolean) | undefined;
  /** Hears when an operator takes it out of service, and back. */
  readonly onDown?: (down: boolean) => void;
}

/**
 * Whether a program lives (`/livez`: it answers) and whether it is ready (`/readyz`: it can do its work). Unready is one where a check
 * fails, one that is about to end, and one that an operator took out of service by `/debug/health/down`; in that last case everything
 * else is answered 503.
 */
export class HealthChecks {
  readonly #sources: HealthSources;
  #down = false;

  constructor(sources: HealthSources) {
    this.#sources = sources;
  }

  /** What an operator says: `true` takes the program out of service until `false`. */
  setDown(down: boolean): void {
    if (down !== this.#down) this.#sources.onDown?.(down);
    this.#down = down;
  }

  get isDown(): boolean {
    return this.#down;
  }

  /** Checks that fail, with the reason: what `/debug/health` answers. */
  async failing(): Promise<Readonly<Record<string, string>>> {
    const { failing } = await this.#sources.look();
    return { ...(this.#down ? { manual_http_status: "manual Check" } : {}), ...failing };
  }

  /** Answers `/livez` and `/readyz`, whoever asks; the rest goes on. */
  get middleware(): Middleware {
    return (next) => (request) => {
      const { target, method } = request;
      if ((target === "/livez" || target === "/readyz") && (method === "GET" || method === "HEAD"))
        return this.#answer(request);
      return this.#down ? Promise.resolve(withError(request, outOfService)) : next(request);
    };
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    if (request.target === "/livez") return withJson(request, { status: "alive" });
    const { told, failing } = await this.#sources.look();
    const lifecycle = this.#down ? "down" : this.#sources.stopping?.() ? "stopping" : "up";
    const ready = lifecycle === "up" && Object.keys(failing).length === 0;
    const answer = withJson(request, { status: ready ? "ready" : "unready", ...told, lifecycle });
    return ready ? answer : { ...answer, status: 503 };
  }
}

const outOfService = new HttpError(503, "UNAVAILABLE", "service unavailable", {
  detail: "health check failed: please see /debug/health",
});

interface ProbeOptions {
  /** Milliseconds that an answer holds for. Default 10 s. */
  readonly fresh?: number;
  readonly clock?: Clock;
}

/** Asks at most once in a while: who comes meanwhile gets the answer there is, or waits for the one that is under way. */
export const atMostOnceIn = <T>(
  ask: () => Promise<T>,
  { fresh = 10_000, clock = systemClock }: ProbeOptions = {},
): (() => Promise<T>) => {
  let asked: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = clock.now();
    // A clock that was set back must not end the looks.
    if (asked === undefined || now - asked.at >= fresh || now < asked.at) asked = { at: now, answer: ask() };
    return asked.answer;
  };
};

/** Why something did not work, in words; `undefined` where it did. What does not answer for 5 seconds does not work. */
export const faultOf = async (
  work: () => Promise<unknown>,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<string | undefined> => {
  const late = new AbortController();
  try {
    return await Promise.race([
      work().then(() => undefined),
      clock.sleep(timeout, late.signal).then(() => `no answer within ${timeout / 1000} s`),
    ]);
  } catch (error) {
    return reasonOf(error);
  } finally {
    late.abort();
  }
};

/** Milliseconds that an answer may take. */
const timeout = 5_000;
