import { bytesContent, collect } from "dray/content";
import { DrayError, reasonOf } from "dray/errors";
import { type Connection, type ConnectionOptions, connection, type HeaderPairs, header, retryAfter } from "dray/http";
import type { Refusal } from "../events/index.ts";

/** One request to the other side. */
export interface Post {
  /** Default `POST`. */
  readonly method?: "POST" | "PUT";
  readonly url: URL;
  readonly headers?: HeaderPairs;
  readonly body: string;
}

/** Sends requests of one sink. */
export interface Poster {
  send(post: Post, signal: AbortSignal): Promise<Refusal | undefined>;
  close(): Promise<void>;
}

export interface PosterOptions extends ConnectionOptions {
  /** Texts that are never said. */
  readonly secrets: readonly string[];
  /** A status of 2xx that means failure all the same, with what it says. */
  readonly failure?: (status: number) => string | undefined;
}

/** The same would be answered the same way: bad request, too large, not understood. */
const final: ReadonlySet<number> = new Set([400, 413, 422]);
const mostRead = 16 * 1024;
const mostSaid = 300;

/**
 * Posts to one host. Nothing is followed: a redirect would take the secret somewhere else. What goes wrong is said with the status and the words of the
 * other side, without the secrets.
 */
export const poster = ({ secrets, failure, ...options }: PosterOptions): Poster => {
  let wire: Connection | undefined;
  const hide = hiding(secrets);
  return {
    send: async ({ method = "POST", url, headers = [], body }, signal) => {
      wire ??= connection({ ...options, registry: url.host });
      try {
        const response = await wire({
          method,
          origin: url.origin,
          target: `${url.pathname}${url.search}`,
          headers: header(headers, "authorization") === undefined ? [...basicIn(url), ...headers] : headers,
          body: bytesContent(Buffer.from(body)),
          signal,
        });
        const { status } = response;
        const said = await read(response.body.chunks);
        const wrong = status >= 200 && status < 300 ? failure?.(status) : undefined;
        if (status >= 200 && status < 300 && wrong === undefined) return undefined;
        const where = header(response.headers, "location");
        const redirect = status >= 300 && status < 400 && where !== undefined;
        const words =
          wrong ??
          (redirect
            ? `it leads to ${hostOf(where, url)}, and is not followed with a secret; name that address`
            : wordsOf(said));
        const message = hide(`${url.host} answered ${status}${words === "" ? "" : `: ${words}`}`);
        if (final.has(status)) return { refused: message };
        const wait = retryAfter(response.headers, Date.now());
        const seconds = wait === undefined ? waitIn(said) : Math.ceil(wait / 1000);
        throw new DrayError(codeOf(status), message, { status, retryAfter: seconds, retryable: true });
      } catch (error) {
        if (error instanceof DrayError) throw withoutCause(error, hide);
        throw new DrayError("NETWORK", hide(reasonOf(error)), { retryable: true });
      }
    },
    close: async () => wire?.close(),
  };
};

/** What an address has before its host is said as curl says it. */
const basicIn = ({ username, password }: URL): HeaderPairs =>
  username === "" && password === "" ? [] : [["Authorization", `Basic ${basic(decoded(username), decoded(password))}`]];

const decoded = (word: string): string => {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
};

/** A name and a password as they are on the wire. */
export const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString("base64");

/** Parts of an address that let one in: its password, what is behind `?`, and long words, such as Slack's. */
export const secretsIn = (url: URL): string[] => {
  const password = decoded(url.password);
  return [
    password,
    ...(password === "" ? [] : [basic(decoded(url.username), password)]),
    ...url.pathname.split("/").filter((word) => word.length >= 16),
    ...[...url.searchParams.values()].filter((word) => word.length >= 6),
  ];
};

/** Puts stars in the place of secrets; also where they are written as in an address. */
export const hiding = (secrets: readonly string[]): ((text: string) => string) => {
  const all = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]).filter((secret) => secret.length > 0);
  const longestFirst = [...new Set(all)].toSorted((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((said, secret) => said.replaceAll(secret, "***"), text);
};

const withoutCause = (
  { code, message, status, retryAfter: seconds }: DrayError,
  hide: (text: string) => string,
): DrayError => new DrayError(code, hide(message), { status, retryAfter: seconds, retryable: true });

const codeOf = (status: number): "UNAUTHORIZED" | "DENIED" | "NOT_FOUND" | "RATE_LIMITED" | "SINK" => {
  if (status === 401) return "UNAUTHORIZED";
  if (status === 403) return "DENIED";
  if (status === 404 || status === 410) return "NOT_FOUND";
  return status === 429 ? "RATE_LIMITED" : "SINK";
};

const read = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  try {
    return new TextDecoder().decode(await collect(chunks, mostRead, "the answer"));
  } catch {
    // More than anybody reads, or cut: the status says enough.
    return "";
  }
};

/** One line, without what a terminal would obey. */
const wordsOf = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")
    .trim()
    .slice(0, mostSaid);

const hostOf = (location: string, base: URL): string => {
  try {
    return new URL(location, base).host;
  } catch {
    return "an address that is none";
  }
};

/** Seconds that an answer names in its body, as Discord, Telegram and Matrix do. */
const waitIn = (text: string): number | undefined => {
  try {
    const said = JSON.parse(text) as {
      retry_after?: unknown;
      retry_after_ms?: unknown;
      parameters?: { retry_after?: unknown };
    };
    const seconds = said.retry_after ?? said.parameters?.retry_after;
    if (typeof seconds === "number") return Math.ceil(seconds);
    return typeof said.retry_after_ms === "number" ? Math.ceil(said.retry_after_ms / 1000) : undefined;
  } catch {
    return undefined;
  }
};
