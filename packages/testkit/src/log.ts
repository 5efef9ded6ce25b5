import { type Handler, type HeaderPairs, type HttpRequest, header, type Middleware } from "dray/http";
import { counting, mapRequestBody, mapResponseBody } from "./body.ts";

/** One request as it was seen. Numbers grow while its bodies pass. */
export interface LogEntry {
  /** Milliseconds since 1970, when it came. */
  readonly time: number;
  readonly method: string;
  readonly origin: string;
  /** Raw path and query. */
  readonly target: string;
  /** As they came, without `Authorization`. */
  readonly headers: HeaderPairs;
  /** `Basic` or `Bearer`; never the secret. */
  readonly authorization?: string | undefined;
  /** 0 until it is answered, and for ever where no answer came. */
  status: number;
  bytesIn: number;
  bytesOut: number;
}

/** Which requests are meant. What is left out may be anything. */
export interface RequestMatch {
  readonly method?: string;
  /** Tested against the raw target; text must be contained in it. */
  readonly target?: string | RegExp;
}

export const matches = (match: RequestMatch, { method, target }: { method: string; target: string }): boolean =>
  (match.method === undefined || match.method === method) &&
  (match.target === undefined ||
    (typeof match.target === "string" ? target.includes(match.target) : match.target.test(target)));

/** Writes down every request that passes, for assertions. */
export class RequestLog {
  readonly entries: LogEntry[] = [];
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Sees what passes here. */
  readonly middleware: Middleware =
    (next: Handler): Handler =>
    async (request) => {
      const entry = this.#open(request);
      const counted = mapRequestBody(request, (chunks) => counting(chunks, (bytes) => (entry.bytesIn += bytes)));
      const response = await next(counted);
      entry.status = response.status;
      return mapResponseBody(response, (chunks) => counting(chunks, (bytes) => (entry.bytesOut += bytes)));
    };

  #open({ method, origin, target, headers }: HttpRequest): LogEntry {
    const entry: LogEntry = {
      time: this.#now(),
      method,
      origin,
      target,
      headers: headers.filter(([name]) => !/^(proxy-)?authorization$/i.test(name)),
      authorization: header(headers, "Authorization")?.split(" ", 1)[0],
      status: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    this.entries.push(entry);
    return entry;
  }

  /** The requests that match, in order of arrival. */
  select(match: RequestMatch & { status?: number } = {}): LogEntry[] {
    return this.entries.filter(
      (entry) => matches(match, entry) && (match.status === undefined || match.status === entry.status),
    );
  }

  /** How many requests match. */
  count(match: RequestMatch & { status?: number } = {}): number {
    return this.select(match).length;
  }

  /** Bytes of bodies that went out, in all or in answers for one digest. */
  bytesOut(digest = ""): number {
    return this.select({ target: digest }).reduce((sum, entry) => sum + entry.bytesOut, 0);
  }

  /** Bytes of bodies that came in, in all or for targets that contain a text. */
  bytesIn(target = ""): number {
    return this.select({ target }).reduce((sum, entry) => sum + entry.bytesIn, 0);
  }

  /** Forgets what was seen. */
  clear(): void {
    this.entries.length = 0;
  }
}
