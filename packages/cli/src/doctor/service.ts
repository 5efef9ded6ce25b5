import { type Challenge, challengesOf } from "dray/auth";
import { type HttpResponse, header, redactUrl, retryAfter } from "dray/http";
import type { Finding } from "./finding.ts";

/** What `/v2/` answers to somebody whom it does not know. */
export interface BaseAnswer {
  readonly status: number;
  readonly headers: HttpResponse["headers"];
  readonly url: string;
  /** The beginning of its body. */
  readonly text: string;
  /** This machine's time when it came, milliseconds since 1970. */
  readonly now: number;
}

/** Whether a registry answers. */
export const apiFinding = ({ status, headers, url, text }: BaseAnswer): Finding => {
  const isHtml = /html/i.test(header(headers, "Content-Type") ?? "") || /^\s*<(?:!doctype|html)/i.test(text);
  const version = header(headers, "Docker-Distribution-Api-Version");
  // A refusal in HTML is perhaps that of a proxy before a registry: it says by status and challenge what it is.
  const isPage =
    isHtml && version === undefined && (status === 401 ? challengesOf(headers).length === 0 : pages.has(status));
  const said = `${new URL(url).origin}/v2/ answers ${status}${version === undefined ? "" : ` as ${version}`}`;
  if (isPage)
    return {
      check: "api",
      outcome: "failed",
      said: `${said} with a web page, which no registry does`,
      remedy: "log in to the network, if this is its page; else check the name, and the proxy before the registry",
    };
  if (status === 200 || status === 401) return { check: "api", outcome: "ok", said };
  if (status === 429) return { check: "limits", outcome: "failed", said, remedy: waiting(headers) };
  const remedy =
    status === 404
      ? "no registry is there, or a proxy before it passes /v2/ on to somebody else: check name and port"
      : status === 403
        ? "somebody before the registry refuses us: ask its operator"
        : "the registry has a fault: ask its operator, or try again later";
  return { check: "api", outcome: "failed", said, remedy };
};

/** What pages are shown with by a network that wants somebody to log in. */
const pages: ReadonlySet<number> = new Set([200, 511]);

const waiting = (headers: HttpResponse["headers"]): string => {
  const wait = retryAfter(headers, Date.now());
  return `${wait === undefined ? "wait" : `try again in ${Math.ceil(wait / 1000)} s`}, or log in for a higher limit`;
};

/** Milliseconds that clocks may differ by: what signs tokens forgives as much. */
const tolerated = 60_000;

/** Whether this machine and the registry have the same time, as far as one line of an answer tells. */
export const clockFinding = ({ headers, now }: BaseAnswer): Finding => {
  const theirs = Date.parse(header(headers, "Date") ?? "");
  if (Number.isNaN(theirs)) return { check: "clock", outcome: "skipped", said: "the registry does not tell its time" };
  const ahead = now - theirs;
  const off =
    Math.abs(ahead) < 2_000
      ? "the registry's time"
      : `${lengthInWords(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} the registry's`;
  const said = `this machine's clock is at ${off}`.replace(/ at (?=\d)/, " ");
  if (Math.abs(ahead) <= tolerated) return { check: "clock", outcome: "ok", said };
  const remedy = "set the clock that is wrong (timedatectl set-ntp true): tokens and certificates hold for a time";
  return { check: "clock", outcome: "failed", said, remedy };
};

const lengthInWords = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
};

/** How it wants to know who we are. */
export const challengeFinding = ({ status, headers }: BaseAnswer): Finding => {
  if (status === 200) return { check: "challenge", outcome: "ok", said: "it asks nobody who they are" };
  const challenges = challengesOf(headers);
  if (challenges.length === 0)
    return {
      check: "challenge",
      outcome: "failed",
      said: "it answers 401 and does not say how to log in (WWW-Authenticate)",
      remedy: "whoever runs it, or the proxy before it, has to pass that header on",
    };
  return { check: "challenge", outcome: "ok", said: challenges.map(challengeInWords).join("; ") };
};

const challengeInWords = ({ scheme, params }: Challenge): string => {
  const service = params.get("service");
  if (scheme === "bearer")
    return `tokens of ${redactUrl(params.get("realm") ?? "nobody")}${service === undefined ? "" : `, service ${service}`}`;
  return scheme === "basic" ? "user name and password with each request (Basic)" : scheme;
};

/** What it says of limits, where it does. */
export const limitsFinding = (headers: HttpResponse["headers"]): Finding | undefined => {
  const [limit, left] = ["RateLimit-Limit", "RateLimit-Remaining"].map((name) => header(headers, name));
  if (limit === undefined && left === undefined) return undefined;
  const [most, period] = /^(\d+)(?:;w=(\d+))?/.exec(limit ?? "")?.slice(1) ?? [];
  const remaining = Number.parseInt(left ?? "", 10);
  const said = `${Number.isNaN(remaining) ? "" : `${remaining} left of `}${most ?? "?"}${period === undefined ? "" : ` in ${Number(period) / 3600} h`}`;
  return remaining === 0
    ? { check: "limits", outcome: "failed", said, remedy: "log in for a higher limit, or wait" }
    : { check: "limits", outcome: "ok", said };
};
