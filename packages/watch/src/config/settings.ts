import { isIP } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  type ConfigContext,
  type ConfigSources,
  type Effective,
  type Environment,
  type Remark,
  readConfig,
} from "@dray/service/config";
import { addressFault, type ListenAddress, parseAddress, proxiesOf } from "@dray/service/http-server";
import type { Level } from "@dray/service/observe";
import type { TlsFiles } from "@dray/service/program";
import { reasonOf } from "dray/errors";
import { defined } from "dray/internal/defined";
import picomatch from "picomatch";
import { type QuietHours, quietUntil, type Retention, type WatchEvent } from "../events/index.ts";
import { parseRepository } from "../repository.ts";
import type { SinkSettings } from "../sinks/index.ts";
import type { WebhookInSettings } from "../webhooks/index.ts";
import { table } from "./keys.ts";
import { resolveSecret, type SecretSource } from "./secret.ts";

/** Globs, of which those that leave out win. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A sink with what it wants to hear of. */
export interface SinkEntry {
  readonly sink: SinkSettings;
  readonly wants: (event: WatchEvent) => boolean;
  readonly quiet?: QuietHours;
}

/** What a service is made of. */
export interface WatchSettings {
  readonly db: string;
  readonly repositories: readonly string[];
  readonly names: Selection;
  readonly tags: Selection;
  /** Tags of a repository whose manifest and configuration are read. */
  readonly details: number;
  /** The first whose globs fit a repository holds for it. */
  readonly policies: readonly {
    readonly name: string;
    readonly repositories: readonly string[];
    readonly policy: unknown;
  }[];
  readonly schedule: { readonly cron: readonly string[]; readonly timezone?: string; readonly jitter: number };
  readonly interval: { readonly least: number; readonly most: number };
  readonly listen: {
    readonly address: ListenAddress;
    readonly tls?: TlsFiles;
    readonly trustedProxies: readonly string[];
  };
  readonly token?: string;
  readonly webhooks: readonly WebhookInSettings[];
  readonly sinks: readonly SinkEntry[];
  readonly delivery: { readonly timeout: number; readonly giveUp: number };
  readonly retention: Required<Retention>;
  readonly source: string;
  readonly log: { readonly level: Level; readonly format: "text" | "json" };
  readonly concurrency: number;
  /** Share of a registry's limit that is left to others. */
  readonly reserve: number;
  readonly effective: readonly Effective[];
}

/**
 * Settings of the service: what flags say, else variables (`DRAY_WATCH_HTTP_ADDR`), else the file, else defaults.
 * @throws SettingsInvalid with all that is wrong and where
 * @throws DrayError `CONFIG_INVALID` for a file that cannot be read
 */
export const loadWatchSettings = (
  sources: ConfigSources = {},
): { readonly settings: WatchSettings; readonly warnings: readonly Remark[] } =>
  readConfig(table, (context) => build(context, sources.env ?? {}), sources);

/** Whether something is selected: it fits a glob of `include` where there are any, and none of `exclude`. */
export const selects = ({ include, exclude }: Selection): ((name: string) => boolean) => {
  // An empty list of globs fits nothing.
  const [wanted, unwanted] = [picomatch([...include]), picomatch([...exclude])];
  return (name) => (include.length === 0 || wanted(name)) && !(exclude.length > 0 && unwanted(name));
};

/** Where the file of the watch lies where nobody says. */
export const defaultDatabase = (env: Environment): string =>
  join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "dray", "watch.db");

const build = (context: ConfigContext, env: Environment): WatchSettings | undefined => {
  const { values, complain } = context;
  const addr = values.text("http.addr");
  const address = parseAddress(addr) ?? complain("http.addr", `${JSON.stringify(addr)} ${addressFault(addr, 8085)}`);
  const token = attempt(context, "http.token", () => {
    const said = values.maybe<SecretSource>("http.token");
    return said === undefined ? undefined : resolveSecret(said, env);
  });
  if (address !== undefined && !isLoopback(address) && token === undefined && !values.has("http.token"))
    complain("http.token", `is missing, and others than this machine reach ${addr}; set one, or listen on 127.0.0.1`);
  const [certificate, key] = [values.maybe<string>("http.tls.certificate"), values.maybe<string>("http.tls.key")];
  if ((certificate === undefined) !== (key === undefined))
    complain(certificate === undefined ? "http.tls.certificate" : "http.tls.key", "is missing; TLS needs both");
  attempt(context, "http.trustedproxies", () => proxiesOf(values.list("http.trustedproxies")));
  const [least, most] = [values.number("interval.least"), values.number("interval.most")];
  if (least > most) complain("interval.most", "is less than interval.least");
  const repositories = values.list("repositories").flatMap((name) => {
    const read = attempt(context, "repositories", () => parseRepository(name).text, name);
    return read === undefined ? [] : [read];
  });
  const timezone = values.maybe<string>("schedule.timezone");
  attempt(context, "schedule.timezone", () =>
    quietUntil({ from: "00:00", to: "00:00", ...(timezone === undefined ? {} : { timeZone: timezone }) }, 0),
  );
  if (!(values.number("registry.reserve") <= 0.95))
    complain("registry.reserve", "is no share; write one from 0% to 95%");
  const sinks = sinksOf(context, env);
  const webhooks = webhooksOf(context, env);
  if (address === undefined) return undefined;
  return defined<WatchSettings>({
    db: values.maybe<string>("db") ?? defaultDatabase(env),
    repositories,
    names: { include: values.list("include"), exclude: values.list("exclude") },
    tags: { include: values.list("tags.include"), exclude: values.list("tags.exclude") },
    details: values.number("tags.details"),
    policies: [...(values.maybe<ReadonlyMap<string, Said>>("policies") ?? [])].map(
      ([name, { repositories: globs, policy }]) => ({ name, repositories: globs as readonly string[], policy }),
    ),
    schedule: defined({ cron: values.list("schedule.cron"), timezone, jitter: values.number("schedule.jitter") }),
    interval: { least, most },
    listen: defined({
      address,
      tls:
        certificate !== undefined && key !== undefined
          ? { certificate, key, clientCas: [], minVersion: "TLSv1.2" }
          : undefined,
      trustedProxies: values.list("http.trustedproxies"),
    }),
    token,
    webhooks,
    sinks,
    delivery: { timeout: values.number("delivery.timeout"), giveUp: values.number("delivery.giveup") },
    retention: { keep: values.number("retention.keep"), most: values.number("retention.events") },
    source: values.text("source"),
    log: { level: values.text("log.level") as Level, format: values.text("log.format") as "text" | "json" },
    concurrency: values.number("registry.concurrency"),
    reserve: values.number("registry.reserve"),
    effective: values.effective({ db: defaultDatabase(env) }, () => false),
  });
};

/** Whether only this machine can reach it. */
const isLoopback = (address: ListenAddress): boolean =>
  "unix" in address ||
  address.host === "localhost" ||
  address.host === "::1" ||
  (isIP(address.host) === 4 && address.host.startsWith("127."));

/** Does what may refuse a value, and complains where it does. */
const attempt = <T>({ complain }: ConfigContext, key: string, work: () => T, about?: string): T | undefined => {
  try {
    return work();
  } catch (error) {
    return complain(key, `${about === undefined ? "" : `${about}: `}${reasonOf(error)}`);
  }
};

type Said = Readonly<Record<string, unknown>>;

/** Members that may lie elsewhere are what they are there. */
const resolved = (said: Said, names: readonly string[], env: Environment): Said =>
  Object.fromEntries(
    Object.entries(said).map(([name, value]) => [
      name,
      names.includes(name) ? resolveSecret(value as SecretSource, env) : value,
    ]),
  );

const addresses: Readonly<Record<string, readonly string[]>> = {
  mqtt: ["mqtt:", "mqtts:", "ws:", "wss:"],
  email: ["smtp:", "smtps:"],
};

const sinksOf = (context: ConfigContext, env: Environment): SinkEntry[] => {
  const found: SinkEntry[] = [];
  for (const [name, said] of context.values.maybe<ReadonlyMap<string, Said>>("sinks") ?? new Map<string, Said>())
    attempt(
      context,
      "sinks",
      () => {
        const { events, include, exclude, quiet, ...own } = resolved(
          said,
          ["url", "token", "password", "secret", "key", ...(said["type"] === "pushover" ? ["user"] : [])],
          env,
        );
        const sink = { ...own, name } as unknown as SinkSettings;
        if (sink.type === "webhook") Object.assign(sink, { source: context.values.text("source") });
        const url = own["url"] as string | undefined;
        const schemes = addresses[sink.type] ?? ["https:", "http:"];
        if (url !== undefined && !(URL.canParse(url) && schemes.includes(new URL(url).protocol)))
          throw new Error(`its url begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`);
        const types = events as readonly string[] | undefined;
        const named = selects({ include: (include ?? []) as string[], exclude: (exclude ?? []) as string[] });
        const { timezone, ...of } = (quiet ?? {}) as { timezone?: string };
        const hours =
          quiet === undefined ? undefined : (defined({ ...of, timeZone: timezone }) as unknown as QuietHours);
        if (hours !== undefined) quietUntil(hours, 0);
        const wants = ({ type, repository }: WatchEvent): boolean =>
          (types === undefined || types.includes(type)) && named(repository);
        found.push({ sink, wants, ...(hours === undefined ? {} : { quiet: hours }) });
      },
      name,
    );
  return found;
};

const webhooksOf = (context: ConfigContext, env: Environment): WebhookInSettings[] => {
  const found: WebhookInSettings[] = [];
  for (const [name, said] of context.values.maybe<ReadonlyMap<string, Said>>("webhooks") ?? new Map<string, Said>())
    attempt(
      context,
      "webhooks",
      () => {
        const { account, audience, ...own } = resolved(said, ["secret"], env);
        const google = account === undefined ? {} : { google: { account, audience } };
        found.push({ ...own, ...google, name } as unknown as WebhookInSettings);
      },
      name,
    );
  return found;
};
