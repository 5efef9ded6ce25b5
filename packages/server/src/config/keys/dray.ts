import {
  choice,
  count,
  duration,
  type Key,
  type KeyFacts,
  listOf,
  path,
  positive,
  size,
  supported,
  text,
  truth,
} from "@dray/service/config";
import { proxiesOf } from "@dray/service/http-server";
import { repositoryPatterns } from "../../access/index.ts";
import { parseQuotas } from "../../room/index.ts";

const [second, hour, MiB] = [1000, 3_600_000, 1024 * 1024];

/** What another part of the server says of a value. */
const faultOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return `cannot be used: ${(error as Error).message}`;
  }
};
const some = (least: number, written: string): KeyFacts<number> => ({
  check: (value) => (value < least ? `is too small; at least ${written}` : undefined),
});

const between = (least: number, from: string, most: number, to: string): KeyFacts<number> => ({
  check: (value) =>
    value < least ? `is too small; at least ${from}` : value > most ? `is too large; at most ${to}` : undefined,
});

const urlFault = (said: string): string | undefined => {
  const { protocol, username, password } = URL.parse(said) ?? {};
  if (protocol !== "https:" && protocol !== "http:") return "is no URL; write it from its https:// on";
  return username === "" && password === ""
    ? undefined
    : "has a name or a password in it; write it without, since keys are no secret";
};

/** Our own keys, in a place that distribution passes over without a word (3.1.2 and 2.8.2 do). */
export const drayKeys: readonly Key[] = [
  supported(
    "dray.durability",
    choice("full", "relaxed"),
    "`full`: what was acknowledged survives a power cut; `relaxed`: a kill",
    { fallback: "full" },
  ),
  supported(
    "dray.index",
    path,
    "the file of the index, on a local file system; it is derived and may be deleted. What lies there and is no index is left alone: nothing starts",
    {
      fallbackText: "`dray/index.db` in the data folder",
    },
  ),
  supported(
    "dray.freespace",
    size,
    "space that stays free: below it pushes get 503, while pulls, deletes and gc go on",
    { fallback: 64 * MiB },
  ),
  supported(
    "dray.quotas",
    listOf(text, (entry) => faultOf(() => parseQuotas([entry]))),
    "how many bytes repositories may take, a list such as `['team/**=50GiB']`; the first that matches counts, and beyond it pushes get 403; what is deleted counts until garbage collection takes it",
  ),
  supported("dray.memory", size, "manifests and lists kept in memory", { fallback: 64 * MiB, ...some(MiB, "1MiB") }),
  supported(
    "dray.recheck",
    duration,
    "how long a tag is taken to be as it was before the tree is looked at again; without the key a registry that is started read-only looks each time",
    {
      fallback: 2 * second,
    },
  ),
  supported("dray.manifestsize", size, "the largest manifest; 413 beyond", {
    fallback: 4 * MiB,
    ...between(1024, "1KiB", 256 * MiB, "256MiB"),
  }),
  supported(
    "dray.validation.sparseimages",
    truth,
    "`true`: an image whose configuration or layers are not in its repository is taken; else 400 MANIFEST_BLOB_UNKNOWN names them, as in distribution",
    { fallback: false },
  ),
  supported("dray.referrers", positive, "referrers in a page at most", { fallback: 1000 }),
  supported("dray.gc.grace", duration, "what is younger is never collected", { fallback: 24 * hour, reloadable: true }),
  supported("dray.gc.lease", duration, "how long a blob that a client was told of is kept for it", { fallback: hour }),
  supported("dray.gc.interval", duration, "how often garbage is collected; `0`: only by `dray serve gc`", {
    fallback: 24 * hour,
    check: (value) => (value > 0 && value < 1 ? "is too often; at least 1ms, or 0 for never" : undefined),
  }),
  supported(
    "dray.verify.interval",
    duration,
    "how often tags, manifests, links and data are verified; `0`: only by `dray serve verify`",
    { fallback: 0 },
  ),
  supported(
    "dray.verify.rate",
    size,
    "bytes that verification reads in a second at most; `0`: no bound but half of the time",
    {
      fallback: 100 * MiB,
    },
  ),
  supported(
    "dray.retention.untagged",
    duration,
    "manifests without a tag go so long after their push, or after their last tag left, whichever is later; but for children and referrers of others",
    { fallbackText: "never", reloadable: true },
  ),
  supported(
    "dray.uploads.silence",
    duration,
    "how long a connection may be silent until another one takes its upload over",
    { fallback: 5 * second, ...some(1, "1ms") },
  ),
  supported(
    "dray.access.anonymouspull",
    listOf(text),
    "repositories that everybody may pull, by patterns such as `public/**`; with htpasswd docker with its old image store needs `dray.access.anonymousping` for that",
    { check: (patterns) => faultOf(() => repositoryPatterns(patterns)) },
  ),
  supported(
    "dray.access.anonymousping",
    truth,
    "`true`: `/v2/` answers everybody, for a registry that old dockers pull from and nobody pushes to by docker, podman or skopeo",
    { fallback: false },
  ),
  supported("dray.access.jwksurl", text, "where the keys that sign tokens are fetched, beside `auth.token.jwks`", {
    check: urlFault,
  }),
  supported(
    "dray.access.lockout.attempts",
    positive,
    "wrong passwords of a user from one place before nothing more is tried",
    { fallback: 10 },
  ),
  supported("dray.access.lockout.window", duration, "how long they are counted, and how long nothing is tried", {
    fallback: 60 * second,
    ...some(1, "1ms"),
  }),
  supported(
    "dray.trustedproxies",
    listOf(text, (entry) => faultOf(() => proxiesOf([entry]))),
    "addresses and CIDRs whose `X-Forwarded-*` count, and whose `X-Request-Id` is the request's name in the logs; `unix` for the socket",
  ),
  supported("dray.limits.headers", duration, "how long a client may take for its headers", {
    fallback: 10 * second,
    ...some(1, "1ms"),
  }),
  supported(
    "dray.limits.idle",
    duration,
    "how long a body may stand still: a proxy that fills a temporary file first reads nothing for many minutes. While memory or descriptors are short, connections that ask for nothing end first, then those of the address that holds most, the longest silent of them first, and the log says so",
    {
      fallback: hour,
      ...some(1, "1ms"),
    },
  ),
  supported(
    "dray.limits.keepalive",
    duration,
    "how long a connection may rest between requests: longer than proxies (60 s) and clients in Go (90 s) let it, so that nobody asks on one that is just being closed; for Cloudflare (900 s) or Google's balancers (600 s) in front say more",
    {
      fallback: 120 * second,
      ...some(1, "1ms"),
    },
  ),
  supported("dray.limits.headersize", size, "all headers of a request", {
    fallback: 64 * 1024,
    ...between(1024, "1KiB", 16 * MiB, "16MiB"),
  }),
  supported("dray.limits.target", positive, "characters of path and query; 414 beyond", {
    fallback: 32 * 1024,
    ...between(1, "1", MiB, "1048576"),
  }),
  supported("dray.limits.connections", count, "connections at once; `0`: as many as the system has", {
    fallback: 0,
    check: (value) => (value < 0 ? "is below zero" : undefined),
  }),
  supported(
    "dray.limits.memory",
    size,
    "bytes of bodies and answers in memory, of all clients together: what is more stays with the clients or goes to files, where short in pieces of 16 KiB, and clients that were silent for ten seconds lose their connections, with a warning. The system's buffers and `dray.memory` come on top",
    { fallback: 32 * MiB, ...some(MiB, "1MiB") },
  ),
  supported(
    "dray.log.access.format",
    choice("text", "json", "logstash"),
    "how the access log is written; `text` is the combined format of web servers",
    { fallbackText: "as `log.formatter`" },
  ),
  supported("dray.log.access.to", path, "where to: `stdout`, `stderr` or a file", { fallback: "stdout" }),
  supported("dray.log.audit.to", path, "where a line for each change goes: `stdout`, `stderr` or a file", {
    fallbackText: "nowhere",
  }),
];
