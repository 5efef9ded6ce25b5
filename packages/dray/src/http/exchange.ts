import type { ClientRequest, IncomingMessage } from "node:http";
import { type Body, bytesBody, type Content, isTransferring } from "../content/index.ts";
import { aborted, DrayError, isDrayError } from "../errors.ts";
import { IdleTimer } from "./idle-timer.ts";
import { giveBackWhatIsRead } from "./read-buffers.ts";
import { redactUrl } from "./redact.ts";
import { type Sending, sendBody } from "./request-body.ts";
import { ResponseBody } from "./response-body.ts";
import { breaksRules, type Circumstances, type TimeoutClass, timeoutError, transportError } from "./transport-error.ts";
import { type HeaderPairs, type HttpRequest, type HttpResponse, isContent } from "./types.ts";

/** Milliseconds for each kind of wait. */
export type Timeouts = Readonly<Record<TimeoutClass, number>>;

export interface ExchangeOptions {
  readonly circumstances: Circumstances;
  readonly timeouts: Timeouts;
  /** Ends everything: the connection is closed. */
  readonly closing: AbortSignal;
  /** The server is asked whether it wants the body, before the body is sent: milliseconds it may take to say so. */
  readonly asking: number | undefined;
  /** Hears that it did not say so in time. */
  readonly unanswered: () => void;
  /** Hears that the body is being sent. */
  readonly sending: () => void;
  /** Hears of an answer that breaks the rules of HTTP. */
  readonly unruly: () => void;
}

/** How long an answer may take that was on its way when our upload was cut off. */
const lateAnswer = 250;
/** Bytes of a body, where known. */
export const bodySize = (body: Body | Content): number | undefined => (isContent(body) ? body.size : body.length);

/**
 * One request and its answer on the wire. Every end is covered: the caller's signal, four kinds of waits, a connection that breaks while we send or
 * read, an answer that comes while we still send.
 */
export const exchange = (
  wire: ClientRequest,
  request: HttpRequest,
  { circumstances, timeouts, closing, asking, ...hears }: ExchangeOptions,
): Promise<HttpResponse> =>
  new Promise((resolve, reject) => {
    const { signal, body } = request;
    const cancelSource = new AbortController();
    let sending: Sending | undefined;
    let sent = body === undefined;
    let answered: ResponseBody | true | undefined;
    let failed = false;
    let timer: IdleTimer | undefined;
    let breach: DrayError | undefined;

    const timedOut = (wait: TimeoutClass) =>
      timeoutError(wait, timeouts[wait], circumstances.host, circumstances.proxy);
    const arm = (ms: number, expired: () => void) => {
      timer?.stop();
      timer = new IdleTimer(ms, expired);
      timer.begin();
    };
    const stopSending = () => {
      if (sent) return;
      sent = true;
      sending?.stop();
      cancelSource.abort();
      if (body !== undefined && !isContent(body)) body.discard().catch(() => {});
    };
    const release = () => {
      timer?.stop();
      signal?.removeEventListener("abort", cancel);
      closing.removeEventListener("abort", shutDown);
    };

    const fail = (error: Error) => {
      if (failed) return;
      if (answered !== undefined) {
        if (answered !== true) answered.fail(error);
        return;
      }
      failed = true;
      release();
      stopSending();
      wire.destroy();
      reject(error);
    };
    const cancel = () => fail(aborted(signal as AbortSignal));
    const shutDown = () => fail(aborted(closing));

    const awaitAnswer = () => {
      const wait = request.context?.timeoutClass ?? "headers";
      arm(timeouts[wait], () => fail(timedOut(wait)));
    };

    const send = () => {
      if (body === undefined || sending !== undefined || failed || answered !== undefined) return;
      timer?.stop();
      hears.sending();
      sending = sendBody(wire, () => (isContent(body) ? body.open({ signal: cancelSource.signal }) : body.chunks), {
        length: bodySize(body),
        handsOver: isContent(body) && isTransferring(body),
        idle: timeouts.idle,
        timedOut: () => timedOut("idle"),
        what: () => `${request.method} ${redactUrl(request.origin + request.target)}`,
      });
      sending.done.then(
        () => {
          sent = true;
          if (answered === undefined && !failed) awaitAnswer();
        },
        // The source's own error, or ours about its size or pace: the transport has no part in it.
        (error: Error) => fail(error),
      );
    };

    const connected = () => {
      timer?.stop();
      if (body === undefined) awaitAnswer();
      else if (asking !== undefined)
        arm(asking, () => {
          hears.unanswered();
          send();
        });
      else send();
    };

    const answer = (message: IncomingMessage) => {
      if (failed) {
        message.destroy();
        return;
      }
      timer?.stop();
      const early = !sent && sending?.ended !== true;
      stopSending();
      const finished = () => {
        release();
        // What was promised to follow never will: nobody may use this connection again.
        if (early) wire.destroy();
      };
      const headers = pairs(message.rawHeaders);
      const status = message.statusCode ?? 0;
      const result = { status, headers, url: request.origin + request.target };
      if (request.method === "HEAD" || status === 204 || status === 304) {
        answered = true;
        message.on("error", () => {});
        message.once("end", finished);
        message.once("close", finished);
        message.resume();
        resolve({ ...result, body: bytesBody(new Uint8Array(0)) });
        return;
      }
      answered = new ResponseBody(message, {
        length: contentLength(message),
        idle: timeouts.idle,
        timedOut: () => timedOut("idle"),
        cut: (received, cause) => cutOff(received, contentLength(message), circumstances.host, cause),
        finished,
      });
      resolve({ ...result, body: answered });
    };

    /** While we send, a server that has answered and closed is seen as a broken pipe first. */
    const broken = (cause: unknown) => {
      if (breaksRules(cause)) hears.unruly();
      // The answer's own events say what happened to it, but for what could not be read.
      else if (answered !== undefined) return;
      if (answered !== undefined) return fail(transportError(cause, circumstances));
      if (!sent && sending !== undefined) {
        if (breach !== undefined) return;
        breach = transportError(cause, circumstances);
        sending.stop();
        arm(lateAnswer, () => fail(breach as DrayError));
      } else fail(transportError(cause, circumstances));
    };
    wire.on("error", broken);
    wire.once("close", () => broken({ code: "ECONNRESET" }));
    wire.once("response", answer);
    wire.once("continue", send);
    wire.once("socket", (socket) => {
      giveBackWhatIsRead(socket);
      const handshake = socket as typeof socket & { secureConnecting?: boolean };
      if (handshake.secureConnecting) socket.once("secureConnect", connected);
      else if (socket.connecting) socket.once("connect", connected);
      else connected();
    });
    arm(timeouts.connect, () => fail(timedOut("connect")));
    signal?.addEventListener("abort", cancel, { once: true });
    closing.addEventListener("abort", shutDown, { once: true });
    if (body === undefined) wire.end();
    else if (asking !== undefined) wire.flushHeaders();
  });

const contentLength = (message: IncomingMessage): number | undefined => {
  const text = message.headers["content-length"];
  return text === undefined || message.headers["transfer-encoding"] !== undefined ? undefined : Number(text);
};

const cutOff = (received: number, length: number | undefined, host: string, cause: unknown): DrayError =>
  isDrayError(cause)
    ? cause
    : new DrayError(
        "NETWORK",
        `${host} cut the answer off after ${received}${length === undefined ? "" : ` of ${length}`} bytes; try again`,
        { registry: host, retryable: true, cause },
      );

const pairs = (raw: readonly string[]): HeaderPairs => {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) headers.push([raw[at] as string, raw[at + 1] as string]);
  return headers;
};
