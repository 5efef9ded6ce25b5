import { bind } from "@dray/service/http-server";
import { HealthChecks, type Log, openLog } from "@dray/service/observe";
import { CloseStack, every, readTls } from "@dray/service/program";
import { anonymous, type Keychain } from "dray/auth";
import { DrayError, reasonOf } from "dray/errors";
import { type Clock, type Handler, systemClock } from "dray/http";
import { defined } from "dray/internal/defined";
import type { ConnectOptions } from "dray/registry";
import { api } from "../api/index.ts";
import { Budgets, budgetTables } from "../budget/index.ts";
import { type Client, clientDurations, instrumentedClient } from "../client/index.ts";
import { selects, type WatchSettings } from "../config/index.ts";
import { type Attempt, Deliveries, EventLog, eventTables, prune } from "../events/index.ts";
import { openFile } from "../file/index.ts";
import { ledgerTables } from "../ledger/index.ts";
import { budgetedClients, createRefresh, type LookResult } from "../refresh/index.ts";
import { parseRepository, type Repository } from "../repository.ts";
import { allRepositories, stateTables } from "../state/index.ts";
import { type Push, webhooks } from "../webhooks/index.ts";
import { changedKeys } from "./changed.ts";
import { metricsPage, watchCounts } from "./metrics.ts";
import { policiesOf } from "./policies.ts";
import { PushLooks } from "./pushes.ts";
import { Readiness } from "./readiness.ts";
import { bySchedule, nextTime } from "./schedule.ts";
import { runSinks, subscriptionsOf } from "./sinks.ts";

/** A watch that runs. */
export interface WatchServing {
  /** `http://127.0.0.1:8085` */
  readonly origin: string;
  readonly log: Log;
  /** Takes no more requests, lets looks and deliveries end until `hurry` aborts, and gives the file back. */
  stop(hurry: AbortSignal): Promise<void>;
  /**
   * Reads the configuration again. What is wrong with it changes nothing.
   * @returns the keys that changed and wait for a restart
   */
  reload(by?: string): Promise<{ readonly restart: readonly string[] }>;
}

export interface ServeWatchOptions {
  readonly version: string;
  /** Reads the configuration again, for a reload. */
  readonly settings?: (() => Promise<WatchSettings>) | undefined;
  /** Credentials for a registry, asked for before each look: a limit counts for whoever asks. Default: nobody's. */
  readonly keychain?: ((host: string) => Keychain) | undefined;
  /** How a registry is reached: certificates, proxies. */
  readonly connect?: ((host: string) => ConnectOptions) | undefined;
  readonly clock?: Clock | undefined;
  /** What commands of sinks are started with. Default: the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
}

const hour = 3_600_000;
const [notice, forEver] = [250, 2 ** 31 - 1];

/**
 * Serves a watch by its settings: looks at repositories when they are due, takes notices of pushes, tells sinks, answers the API.
 * @throws DrayError naming what is wrong; nothing is left open then
 */
export const serveWatch = async (settings: WatchSettings, options: ServeWatchOptions): Promise<WatchServing> => {
  const { version, clock = systemClock, environment = process.env, settings: again } = options;
  const opened = new CloseStack();
  try {
    let [policies, next, subscriptions] = [
      await policiesOf(settings),
      await nextTime(settings.schedule),
      await subscriptionsOf(settings, clock, environment),
    ];
    let current = settings;
    const lines = await opened.lines("stderr");
    let logger = openLog(lines, settings.log);
    const log: Log = (level, message, fields) => logger(level, message, fields);
    const file = await openFile(
      settings.db,
      defined({
        rooms: [stateTables, eventTables, budgetTables, ledgerTables],
        onNotice: (message: string) => log("warn", message),
        clock,
        signal: options.signal,
      }),
    );
    opened.onClose(async () => file.close());
    const events = new EventLog(file.statements);
    const deliveries = new Deliveries(file);
    const counts = watchCounts();
    const ended = new AbortController();

    const budgets = new Budgets(file.statements, { reserve: settings.reserve });
    const keepBudgets = (): Promise<void> => file.write((on) => budgets.save(on));
    const { keychain = () => anonymous, connect = () => ({}) } = options;
    const clients = budgetedClients({ file, budgets, keychain, connect, clock });
    opened.onClose(() => clients.close());
    const durations = clientDurations({ clock });
    let isWatched = selects(settings.names);
    const clientFor = async (repository: Repository): Promise<Client> => {
      if (!isWatched(repository.text))
        throw new DrayError("SCAN_DISABLED", `${repository.text} is left out by include or exclude`);
      return instrumentedClient(await clients.clientFor(repository), durations);
    };
    const longest = Math.min(settings.interval.most, 6 * hour);
    const watchedNames = (): string[] =>
      allRepositories(file.statements)
        .map(({ name }) => name)
        .filter((name) => isWatched(name));
    const readiness = new Readiness({ file, watched: () => watchedNames().length, longest, clock });
    const onLook = (result: LookResult): void => {
      readiness.ended(result);
      counts.looks.add({ complete: String(result.complete) });
      for (const { code, count = 1 } of result.missing) counts.errors.add({ code }, count);
      if (result.complete) clients.succeed(parseRepository(result.repository));
      for (const { code, message } of result.missing) log("warn", `${result.repository}: ${message}`, { code });
      for (const { type, tag, id } of result.events) log("info", `${result.repository}:${tag} ${type}`, { event: id });
      if (result.events.length > 0) sinks.wake();
      keepBudgets().catch((error: unknown) => log("warn", `budgets are not kept: ${reasonOf(error)}`));
    };
    const refresh = createRefresh({
      file,
      clientFor,
      wanted: ({ text }) => policies.wanted(text),
      tagIntervals: settings.interval,
      listIntervals: { least: settings.interval.least, most: longest },
      repositoriesAtOnce: settings.concurrency,
      onLook,
      onError: (error, repository) => {
        readiness.failed(error);
        log("error", `${repository}: ${reasonOf(error)}`);
      },
      clock,
    });
    const onAttempt = ({ sink, events: told, outcome, error, due }: Attempt): void => {
      counts.attempts.add({ sink, outcome });
      const fields = defined<Record<string, unknown>>({
        sink,
        events: told.length,
        due: due === undefined ? undefined : new Date(due).toISOString(),
      });
      if (outcome === "delivered") log("debug", `told ${sink}`, fields);
      else
        log(
          "warn",
          outcome === "dead" ? `${sink} will not be told: ${error}` : `${sink} is told later: ${error}`,
          fields,
        );
    };
    const running = { clock, delivery: settings.delivery, onAttempt };
    let sinks = runSinks(subscriptions, deliveries, running);
    opened.onClose(() => sinks.stop(AbortSignal.abort()));

    const addAll = async ({ repositories }: WatchSettings): Promise<void> => {
      for (const name of repositories) if (isWatched(name)) await refresh.add(parseRepository(name));
    };
    await addAll(settings);
    const pushLooks = new PushLooks((name, tags) =>
      refresh
        .look(parseRepository(name), { now: "list", tags, signal: ended.signal })
        .catch((error: unknown) => ended.signal.aborted || log("error", `${name}: ${reasonOf(error)}`)),
    );
    const onPush = ({ repository, below, tag }: Push): void => {
      const fits = (name: string): boolean =>
        name === repository || (below === true && name.startsWith(`${repository}/`));
      const known = allRepositories(file.statements).filter(({ name }) => fits(name) && isWatched(name));
      for (const { name } of known) pushLooks.want(name, tag);
    };
    const hooksOf = ({ webhooks: hooks }: WatchSettings): Handler =>
      webhooks({
        hooks,
        onPush,
        clock,
        onOutcome: ({ hook, outcome }) => {
          counts.webhooks.add({ hook, outcome });
          log(outcome === "forged" ? "warn" : "debug", `a notice at ${hook}: ${outcome}`);
        },
      });
    let hooks = hooksOf(settings);

    const metrics = await metricsPage({
      file,
      log: events,
      deliveries,
      counts,
      lag: () => refresh.lag(),
      limits: () => budgets.limits(clock.now()),
      now: () => clock.now(),
      families: [durations.family()],
    });
    const health = new HealthChecks({
      look: () => readiness.look(),
      stopping: () => ended.signal.aborted,
    });
    const handler = health.middleware(
      api({
        file,
        log: events,
        deliveries,
        look: async (repository, tags, signal) => {
          if (!isWatched(repository.text)) return refused(repository);
          return refresh.look(
            repository,
            defined({ now: tags.length === 0 ? ("all" as const) : ("list" as const), tags, signal }),
          );
        },
        webhooks: () => hooks,
        token: () => current.token,
        policyOf: (name) => policies.of(name),
        onReplay: () => sinks.wake(),
        metrics,
        limits: () => budgets.limits(clock.now()),
        source: () => current.source,
        clock,
        version,
        ended: ended.signal,
      }),
    );
    const { address, tls, trustedProxies } = settings.listen;
    const socket = defined({ ...address, trustedProxies, tls: tls && (await readTls(tls)) });
    const onError = (error: unknown): void => log("error", reasonOf(error));
    const listener = await bind(handler, { ...socket, onError }, "--listen");
    opened.onClose(() => listener.close());

    const run = refresh.run(ended.signal).catch((error: unknown) => log("error", reasonOf(error)));
    const scheduled = ({ schedule }: WatchSettings): { stop(): Promise<void> } => {
      const over = new AbortController();
      const works = bySchedule(next, {
        jitter: schedule.jitter,
        names: watchedNames,
        work: async (name) => pushLooks.want(name, undefined),
        clock,
        signal: AbortSignal.any([over.signal, ended.signal]),
      });
      return {
        stop: () => {
          over.abort();
          return works;
        },
      };
    };
    let schedule = scheduled(settings);
    const pruning = every(
      hour,
      async () => {
        const { unsent } = await file.write((on) => prune(on, clock.now(), current.retention));
        if (unsent > 0)
          log(
            "warn",
            `${unsent} deliveries were let go of, which a sink has not taken in time: retention.events says how many events are kept`,
          );
      },
      (error) => log("error", `old events cannot be let go of: ${reasonOf(error)}`),
      { first: 60_000 },
    );
    opened.onClose(() => pruning.stop());

    const reload = async (by: string): Promise<{ readonly restart: readonly string[] }> => {
      const said = (await again?.()) ?? current;
      [policies, next, subscriptions] = [
        await policiesOf(said),
        await nextTime(said.schedule),
        await subscriptionsOf(said, clock, environment),
      ];
      const { applies, restart } = changedKeys(current, said);
      current = { ...said, db: settings.db, listen: settings.listen };
      isWatched = selects(said.names);
      logger = openLog(lines, { ...settings.log, level: said.log.level });
      hooks = hooksOf(said);
      await schedule.stop();
      schedule = scheduled(said);
      await sinks.stop();
      sinks = runSinks(subscriptions, deliveries, running);
      await addAll(said);
      log("info", "reloaded", { by, ...(applies.length === 0 ? {} : { applies: applies.join(", ") }) });
      if (restart.length > 0) log("warn", `these settings changed and wait for a restart: ${restart.join(", ")}`);
      return { restart };
    };
    let last: Promise<unknown> = Promise.resolve();
    return {
      origin: listener.origin,
      log,
      reload: (by = "the program") => {
        const done = last
          .then(() => reload(by))
          .catch((error: unknown) => {
            log("warn", `not reloaded: ${reasonOf(error)}`, { by });
            throw error;
          });
        last = done.catch(() => {});
        return done;
      },
      stop: async (hurry) => {
        ended.abort(new DrayError("ABORTED", "the service ends"));
        const cut = (): void => void listener.close();
        hurry.addEventListener("abort", cut, { once: true });
        if (hurry.aborted) cut();
        await listener.stop(hurry.aborted ? {} : { drain: forEver, notice });
        await Promise.all([run, schedule.stop(), pushLooks.settled()]);
        await keepBudgets();
        await sinks.stop(hurry);
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

const refused = ({ text }: Repository): object => ({
  repository: text,
  complete: false,
  missing: [{ what: "list", code: "SCAN_DISABLED", message: `${text} is left out by include or exclude` }],
  events: [],
});
