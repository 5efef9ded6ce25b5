import { DrayError } from "dray/errors";
import type { HttpRequest } from "dray/http";
import { type DebugSettings, type ListenSettings, reloadable, type Settings } from "../config/index.ts";
import type { Listener, ListenOptions } from "../listen/index.ts";
import {
  type AuditLog,
  accessLog,
  auditLog,
  debugHandler,
  HealthChecks,
  handlerOf,
  type Lines,
  type Log,
  type Metrics,
  type Observer,
  observe,
  openLines,
  openLog,
  openMetrics,
  serveControl,
} from "../operation/index.ts";
import type { Notice } from "../options.ts";
import { routeOfRequest } from "../protocol/protocol.ts";
import type { Route } from "../protocol/route.ts";
import { actionsOf } from "./actions.ts";
import { bind } from "./bind.ts";
import { withHeaders } from "./headers.ts";
import { type OpenRegistry, openRegistry } from "./open-registry.ts";
import { every } from "./schedule.ts";
import { readTls } from "./tls.ts";

/** A registry that is being served. */
export interface Serving {
  /** `http://127.0.0.1:5000` */
  readonly origin: string;
  readonly log: Log;
  /** Takes no more connections and lets requests end, until `hurry` aborts; parks uploads, gives the volume back. */
  stop(hurry: AbortSignal): Promise<void>;
  /** Reads passwords, keys, certificates and the configuration again. */
  reload(): Promise<void>;
}

export interface ServeOptions {
  /** Reads the configuration again, for a reload. */
  readonly settings?: () => Promise<Settings>;
  readonly version: string;
}

/** Longer than anybody waits: the order to hurry comes by a signal. */
const forEver = 2 ** 31 - 1;

/**
 * Serves a registry by its settings: storage, sockets, logs, metrics, the operator's socket, and what is done in the background.
 * @throws DrayError naming what is wrong; nothing is left open then
 */
export const serve = async (settings: Settings, { settings: again, version }: ServeOptions): Promise<Serving> => {
  const opened = new Opened();
  try {
    const lines = await opened.lines(2);
    const log = openLog(lines, settings.log);
    const notice = ({ level, message, ...fields }: Notice): void => log(level, message, fields);
    const metrics = settings.debug?.metrics === undefined ? undefined : await openMetrics();
    const open = await openRegistry(settings, {
      onNotice: notice,
      ...(metrics === undefined ? {} : { around: (driver) => metrics.storage.timed(driver, settings.storage.driver) }),
    });
    const { registry, driver, access } = open;
    opened.onClose(() => registry.close());
    metrics?.read(readingsOf(open));

    let stopping = false;
    const health = new HealthChecks({
      driver,
      name: settings.storage.driver,
      freeSpace: settings.registry.freeSpace ?? 0,
      whole: () => registry.parts.reconciler.isWhole,
      readOnly: () => registry.parts.settings.readOnly,
      stopping: () => stopping,
      onChange: (message) => log("warn", message),
    });
    const { prefix } = registry.parts.settings.locations;
    const routed = (request: HttpRequest): Route => routeOfRequest(request, prefix);
    const audit = await auditOf(settings, opened, log);
    const observers: Observer[] = [
      ...(metrics === undefined ? [] : [metrics.http.observer((request) => handlerOf(routed(request)))]),
      ...(await accessLogOf(settings, opened, log)),
      ...(audit === undefined ? [] : [audit.observer(routed)]),
    ];
    const handler = withHeaders(settings.listen.headers)(health.middleware(observe(observers)(registry)));
    const listener = await bind(handler, { ...(await socketOf(settings.listen)), onError: faultsTo(log) });
    opened.onClose(() => listener.close());
    const debug = await debugOf(settings.debug, health, metrics);
    if (debug !== undefined) opened.onClose(() => debug.close());

    let current = settings;
    const reload = async (): Promise<void> => {
      const next = (await again?.()) ?? current;
      await access.reload?.();
      if (next.listen.tls !== undefined && current.listen.tls !== undefined)
        await listener.reload(await readTls(next.listen.tls));
      await opened.reopen();
      registry.setReadOnly(next.registry.readOnly ?? false);
      const { restart } = reloadable(settings, next);
      if (restart.length > 0) log("warn", `these settings changed and wait for a restart: ${restart.join(", ")}`);
      current = next;
      log("info", "reloaded");
    };
    const begun = Date.now();
    const actions = actionsOf({
      registry,
      reload,
      status: () => ({
        version,
        pid: process.pid,
        origin: listener.origin,
        seconds: (Date.now() - begun) / 1000,
        whole: registry.parts.reconciler.isWhole,
        readOnly: registry.parts.settings.readOnly,
        uploads: registry.parts.uploads.open,
        memory: registry.parts.manifests.bytes + registry.parts.lists.bytes,
        ...registry.parts.index.counts(),
      }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(audit === undefined ? {} : { audit }),
    });
    if (settings.storage.driver === "filesystem") {
      const control = await serveControl(settings.storage.root, actions);
      opened.onClose(() => control.close());
    }
    registry.start();
    registry.parts.reconciler.whole().then(
      () => log("info", "the index is whole", { ...registry.parts.index.counts() }),
      () => {},
    );
    for (const job of jobsOf(settings, open, actions.gc, log)) opened.onClose(() => job.stop());

    return {
      origin: listener.origin,
      log,
      reload,
      stop: async (hurry) => {
        stopping = true;
        const cut = (): void => void listener.close();
        hurry.addEventListener("abort", cut, { once: true });
        if (hurry.aborted) cut();
        await listener.stop({ drain: forEver });
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/** What was opened so far, to be closed in the opposite order, and files of lines, which are moved away by others. */
class Opened {
  readonly #closes: (() => Promise<void>)[] = [];
  readonly #lines: Lines[] = [];

  async lines(to: string | number, options: Parameters<typeof openLines>[1] = {}): Promise<Lines> {
    const lines = await openLines(to, options);
    this.#lines.push(lines);
    this.onClose(() => lines.close());
    return lines;
  }

  onClose(close: () => Promise<void>): void {
    this.#closes.push(close);
  }

  async reopen(): Promise<void> {
    for (const lines of this.#lines) await lines.reopen();
  }

  async close(): Promise<void> {
    const failed: unknown[] = [];
    for (const close of this.#closes.splice(0).reverse()) await close().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }
}

const streamOf = (to: string): string | number => (to === "stdout" ? 1 : to === "stderr" ? 2 : to);

/** Lines of requests may wait a moment for each other; those of the audit do not. */
const accessLogOf = async ({ log: { access } }: Settings, opened: Opened, log: Log): Promise<Observer[]> => {
  if (access === undefined) return [];
  const onTrouble = (message: string): void => log("error", message);
  return [accessLog(access.format, await opened.lines(streamOf(access.to), { delay: 50, onTrouble }))];
};

const auditOf = async ({ log: { audit } }: Settings, opened: Opened, log: Log): Promise<AuditLog | undefined> => {
  if (audit === undefined) return undefined;
  return auditLog(await opened.lines(streamOf(audit.to), { onTrouble: (message) => log("error", message) }));
};

const socketOf = async ({ place, tls, limits, trustedProxies }: ListenSettings): Promise<ListenOptions> => ({
  ...place,
  limits,
  trustedProxies,
  ...(tls === undefined ? {} : { tls: await readTls(tls) }),
});

const debugOf = async (
  debug: DebugSettings | undefined,
  health: HealthChecks,
  metrics: Metrics | undefined,
): Promise<Listener | undefined> => {
  if (debug === undefined) return undefined;
  const { place, metrics: path } = debug;
  return bind(
    debugHandler(health, { ...(metrics === undefined ? {} : { metrics }), ...(path === undefined ? {} : { path }) }),
    place,
  );
};

const faultsTo =
  (log: Log) =>
  (error: unknown, { method, target }: HttpRequest): void => {
    const said = error instanceof Error ? error.message : String(error);
    log(error instanceof DrayError && error.code === "NETWORK" ? "debug" : "error", said, {
      method,
      path: target.split("?", 1)[0],
    });
  };

const readingsOf = ({ registry: { parts }, driver }: OpenRegistry): Parameters<Metrics["read"]>[0] => ({
  index: () => parts.index.counts(),
  whole: () => parts.reconciler.isWhole,
  uploads: () => parts.uploads.open,
  memory: () => parts.manifests.bytes + parts.lists.bytes,
  readOnly: () => parts.settings.readOnly,
  ...(driver.space === undefined
    ? {}
    : { space: async () => (await driver.space?.()) ?? { free: Number.NaN, total: Number.NaN } }),
});

type Gc = ReturnType<typeof actionsOf>["gc"];

/** What is done in the background: garbage collection where it is wanted, and the removal of uploads that nobody goes on with. */
const jobsOf = (settings: Settings, { registry }: OpenRegistry, gc: Gc, log: Log): { stop(): Promise<void> }[] => {
  const said = (what: string) => (error: unknown) =>
    log("error", `${what}: ${error instanceof Error ? error.message : String(error)}`);
  const { interval } = settings.registry.gc ?? {};
  const { age = Number.POSITIVE_INFINITY } = settings.registry.uploads ?? {};
  return [
    ...(interval === undefined || interval === 0
      ? []
      : [
          every(
            interval,
            async (signal) => {
              const { blobs, bytes, layers, manifests } = await gc({}, { tell: () => {}, signal });
              log("info", "garbage was collected", { manifests, layers, blobs, bytes });
            },
            said("garbage collection"),
          ),
        ]),
    ...(age === Number.POSITIVE_INFINITY
      ? []
      : [
          every(
            settings.purging.interval,
            async () => {
              const gone = await registry.parts.uploads.purge(Date.now() - age);
              if (gone > 0) log("info", "abandoned uploads were removed", { uploads: gone });
            },
            said("removing abandoned uploads"),
          ),
        ]),
  ];
};
