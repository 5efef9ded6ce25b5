import { printable } from "dray/errors";
import { type HttpRequest, header, redactUrl } from "dray/http";
import { type FinishedRequest, factsOf, type Observer, requestId } from "./observe.ts";

/** `text` is the combined format of web servers; `logstash` names what `json` says as the program's log in that format does. */
export type AccessFormat = "json" | "logstash" | "text";

/**
 * A line for each request, after the body of its answer. No credential is in it: of the headers it shows the client's name and the
 * page it came from, and of the query only what cannot be a secret. What a client wrote is cut to a length, and its control
 * characters are shown as escapes. Lines are made by `JSON.stringify`, because small answers are served faster than pino writes: an
 * object with a few members that may be missing takes it four times as long.
 * @param to whoever takes lines, with their ends
 */
export const accessLog = (
  format: AccessFormat,
  to: { write(line: string): unknown },
  { now = Date.now }: { now?: () => number } = {},
): Observer => {
  const lineOf = format === "text" ? combined : format === "logstash" ? logstash : entry;
  // Who asked is looked up at the beginning: of a client that went away the socket knows no address any more.
  return ({ peer }) =>
    (finished) =>
      to.write(lineOf(finished, peer, new Date(now())));
};

type Line = (finished: FinishedRequest, peer: string | undefined, now: Date) => string;

const entry: Line = (finished, peer, now) =>
  `${JSON.stringify({ time: now, level: "info", msg: "request", ...factsIn(finished, peer) })}\n`;

const logstash: Line = (finished, peer, now) =>
  `${JSON.stringify({ "@timestamp": now, "@version": "1", level: "info", message: "request", ...factsIn(finished, peer) })}\n`;

const factsIn = (
  { request, status, received, sent, duration, whole }: FinishedRequest,
  peer: string | undefined,
): object => {
  const { principal } = factsOf(request);
  const agent = header(request.headers, "user-agent");
  return {
    id: requestId(request),
    peer,
    principal: principal === undefined ? undefined : safe(principal, 256),
    method: safe(request.method, 32),
    target: targetOf(request),
    status,
    received,
    sent,
    // Milliseconds.
    duration: Math.round(duration * 1000) / 1000,
    whole: whole ? undefined : false,
    agent: agent === undefined ? undefined : safe(agent, 512),
  };
};

/** Path and query, without what may be a secret. */
export const targetOf = ({ target }: HttpRequest): string =>
  safe(/[?#@]/.test(target) ? redactUrl(target) : target, 2048);

/** What nearly every text of a client is: nothing in it has to be shown as an escape, and a test takes half the time of a replacement. */
const plain = /^[\x20-\x7e]*$/;

/** Text from a client, fit for a line. */
export const safe = (text: string, most: number): string => {
  const shown = plain.test(text) ? text : printable(text);
  return shown.length <= most ? shown : `${shown.slice(0, most)}…`;
};

const combined: Line = ({ request, status, sent }, peer, now) => {
  const { principal } = factsOf(request);
  const from = header(request.headers, "referer");
  const agent = header(request.headers, "user-agent");
  const line = quoted(`${safe(request.method, 32)} ${targetOf(request)} HTTP/1.1`);
  const words = [from === undefined ? undefined : redactUrl(from), agent].map((text) => quoted(safe(text ?? "-", 512)));
  return `${hostOf(peer)} - ${nameOf(principal)} [${dateOf(now)}] ${line} ${status} ${sent} ${words.join(" ")}\n`;
};

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
/** A name is one word there. */
const nameOf = (principal: string | undefined): string =>
  principal === undefined || principal === "" ? "-" : safe(principal, 256).replace(/[\s"\\[\]]/g, "_");
const hostOf = (peer: string | undefined): string => peer?.replace(/:\d+$/, "") ?? "-";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");
const dateOf = (now: Date): string =>
  `${two(now.getUTCDate())}/${months[now.getUTCMonth()]}/${now.getUTCFullYear()}` +
  `:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
