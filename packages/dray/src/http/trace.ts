import { defined, type Undefinable } from "../defined.ts";
import { type ErrorCode, isDrayError, reasonOf } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import { redactHeaders, redactSent, redactUrl } from "./redact.ts";
import { type HeaderPairs, header, isContent, type Middleware } from "./types.ts";

/** One request on the wire and the head of its answer: every hop of a redirect and every attempt has its own. No secret is in it. */
export interface TraceRecord {
  readonly method: string;
  /** Without signatures, sessions and tokens. */
  readonly url: string;
  /** Of headers that somebody has added the names alone. */
  readonly requestHeaders: HeaderPairs;
  /** Bytes of the request's body, where known beforehand. */
  readonly sent?: number;
  /** When it began, milliseconds since 1970. */
  readonly started: number;
  /** Milliseconds until the headers of the answer were there, or the failure. */
  readonly duration: number;
  /** Absent where there was no answer. */
  readonly status?: number;
  readonly responseHeaders?: HeaderPairs;
  /** Bytes of the answer's body by its `Content-Length`. */
  readonly received?: number;
  /** Why there was no answer. */
  readonly error?: { readonly code?: ErrorCode; readonly message: string };
}

/** Tells `record` of everything that goes over the wire. Bodies are never looked at: a token's answer is a secret. */
export const trace =
  (record: (entry: TraceRecord) => void, { clock = systemClock }: { clock?: Pick<Clock, "now"> } = {}): Middleware =>
  (next) =>
  async (request) => {
    const started = clock.now();
    const { method, origin, target, headers, body } = request;
    const sent = body === undefined ? 0 : isContent(body) ? body.size : body.length;
    const tell = (
      outcome: Pick<Undefinable<TraceRecord>, "status" | "responseHeaders" | "received" | "error">,
    ): void => {
      const [url, requestHeaders] = [redactUrl(origin + target), redactSent(headers)];
      record(
        defined<TraceRecord>({
          method,
          url,
          requestHeaders,
          sent,
          started,
          duration: clock.now() - started,
          ...outcome,
        }),
      );
    };
    try {
      const response = await next(request);
      const length = header(response.headers, "content-length");
      const received = length === undefined ? undefined : Number(length);
      tell({ status: response.status, responseHeaders: redactHeaders(response.headers), received });
      return response;
    } catch (error) {
      const message = reasonOf(error);
      tell({ error: isDrayError(error) ? { code: error.code, message } : { message } });
      throw error;
    }
  };
