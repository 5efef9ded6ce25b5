import { bind, type Listener, type ListenOptions } from "@dray/service/http-server";
import { Memory } from "@dray/service/memory";
import { debugHandler, HealthChecks, type Log, observe, openLog } from "@dray/service/observe";
import { Certificates, CloseStack, descriptors, every, readTls, type TlsFiles, tooMany } from "@dray/service/program";
import { withHeaders } from "@dray/service/response";
import { DrayError, reasonOf } from "dray/errors";
import { defined } from "dray/internal/defined";
import { type DebugSettings, type ListenSettings, type Settings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import { type Metrics, openMetrics, registryHealth } from "../observing/index.ts";
import { actionsOf } from "./actions.ts";
import { answerHeaders } from "./answer-headers.ts";
import { openControl } from "./control-socket.ts";
import { failedHandshakes } from "./failed-handshakes.ts";
import { GcPause } from "./gc-pause.ts";
import { jobsOf } from "./jobs.ts";
import { keeping } from "./keeping.ts";
import { lastRun } from "./last-runs.ts";
import { type OpenRegistry, openRegistry } from "./open-registry.ts";
import { audited } from "./operations.ts";
import { ReadOnly } from "./read-only.ts";
import { Reloading } from "./reloading.ts";
import { watchersOf } from "./watch.ts";

/** A registry that is being served. */
export interface Serving {
  /** `http://127.0.0.1:5000` */
  readonly origin: string;
  readonly log: Log;
  /** Is not ready, takes no more connections and lets requests end, until `hurry` aborts; parks uploads, gives the volume back. */
  stop(hurry: AbortSignal): Promise<void>;
  /**
   * Reads passwords, keys, certificates and the configuration again; the log says by whom, what applies now, and what waits.
   * @throws what is wrong with them; then everything is as it was, and the log says so. Where another program took the address while a server
   * of Bun took it over, the new certificate is shown as soon as that is free
   */
  reload(by?: string): Promise<{ readonly restart: readonly string[] }>;
}

export interface ServeOptions {
  /** Reads the configuration again, for a reload. */
  readonly settings?: () => Promise<Settings>;
  readonly version: string;
  /** Milliseconds to wait for a process that has the volume and may be ending. Default 10 s. */
  readonly patience?: number;
  /** Ends the start: waiting for the volume. */
  readonly signal?: AbortSignal;
  /** The flag that says where it listens, for complaints. Default `--listen`. */
  readonly flag?: string;
}

/** Longer than anybody waits: the order to hurry comes by a signal. */
const forEver = 2 ** 31 - 1;

/** Milliseconds in which whoever looks sees that it is not ready, and is still answered. */
const notice = 250;

/**
 * Serves a registry by its settings: storage, sockets, logs, metrics, the operator's socket, and what is done in the background.
 * @throws DrayError naming what is wrong; nothing is left open then
 */
export const serve = async (
  settings: Settings,
  { settings: again, version, patience = 10_000, signal, flag = "--listen" }: ServeOptions,
): Promise<Serving> => {
  const opened = new CloseStack();
  try {
    const lines = await opened.lines("stderr");
    let logger = openLog(lines, settings.log);
    const log: Log = (level, message, fields) => logger(level, message, fields);
    const metrics = settings.debug?.metrics === undefined ? undefined : await openMetrics();
    const traffic = new Memory(settings.listen.memory);
    const open = await openRegistry(settings, {
      traffic,
      onNotice: ({ level, message, ...fields }: Notice) => log(level, message, fields),
      counts: metrics?.cache,
      around: metrics && ((driver) => metrics.storage.timed(driver, settings.storage.driver)),
      readOnly: settings.registry.readOnly,
      who: "`dray serve`",
      patience,
      signal,
    });
    const { registry, driver, volume, access } = open;
    opened.onClose(() => registry.close());
    metrics?.read(readingsOf(open));
    metrics?.lastCollected((await lastRun(driver, "gc")) ?? 0);

    let stopping = false;
    const onDown = (down: boolean): void => {
      const words = down
        ? "taken out of service at the debug address: every request gets 503 until POST /debug/health/up"
        : "back in service, by the debug address";
      log("warn", words);
      audit?.tell({ action: "operate", outcome: "done", reason: `health ${down ? "down" : "up"}` });
    };
    const health = new HealthChecks({
      onDown,
      ...registryHealth({
        driver,
        name: settings.storage.driver,
        freeSpace: settings.registry.freeSpace ?? 0,
        promised: () => registry.context.room.promised,
        whole: () => registry.context.reconciler.isComplete,
        readOnly: () => registry.context.settings.readOnly,
        stopping: () => stopping,
        onChange: (message) => log("warn", message),
      }),
    });
    const { observers, audit } = await watchersOf(settings, { opened, log, metrics });
    const readOnly = new ReadOnly({ registry, configured: settings.registry.readOnly ?? false, volume, log, audit });
    const headers = { wanted: answerHeaders(settings.listen.headers) };
    const handler = withHeaders(headers)(health.middleware(observe(observers)(registry)));
    const socket = await socketOf(settings.listen);
    const overflow = (): string | undefined => (volume?.writes === true ? volume.unfinished : undefined);
    const listener = await bind(handler, { ...socket, ...hearsOf(log), memory: traffic, overflow }, flag);
    opened.onClose(() => listener.close());
    const certificates = socket.tls === undefined ? undefined : new Certificates(listener, socket.tls);
    if (certificates !== undefined) metrics?.read({ certificateEnd: () => certificates.end });
    /** Which versions and ciphers are spoken is settled at the start. */
    const tlsOf = ({ listen: { tls } }: Settings): TlsFiles | undefined => {
      const { minVersion, ciphers } = settings.listen.tls ?? {};
      return tls && defined<TlsFiles>({ ...tls, minVersion: minVersion ?? tls.minVersion, ciphers });
    };
    const debug = await debugOf(settings.debug, health, metrics);
    if (debug !== undefined) opened.onClose(() => debug.close());

    const reloading = new Reloading(settings, {
      again,
      log,
      audit,
      renew: async (next) => {
        const tls = tlsOf(next);
        if (tls !== undefined) await certificates?.renew(tls);
        certificates?.tell(log);
        await access.reload?.();
        await opened.reopen();
      },
      apply: async (next, by) => {
        await readOnly.configure(next.registry.readOnly ?? false, by);
        registry.setRetention(next.registry.gc ?? {});
        logger = openLog(lines, { ...settings.log, level: next.log.level });
        headers.wanted = answerHeaders(next.listen.headers);
      },
    });
    const begun = performance.now();
    const gcPause = new GcPause(driver);
    const gcPaused = async (): Promise<{ readonly gcPausedUntil?: string }> => {
      const until = await gcPause.until();
      return until === undefined ? {} : { gcPausedUntil: new Date(until).toISOString() };
    };
    metrics?.read({ gcPaused: async () => (await gcPause.until()) !== undefined });
    const actions = actionsOf({
      registry,
      driver,
      gcPause,
      reload: () => reloading.reload("the control socket"),
      readOnly: (on) => readOnly.say(on, "the control socket"),
      status: async () => ({
        version,
        pid: process.pid,
        origin: listener.origin,
        seconds: (performance.now() - begun) / 1000,
        health: health.isDown ? "down" : "up",
        whole: registry.context.reconciler.isComplete,
        readOnly: readOnly.on,
        writes: volume?.writes ?? true,
        ...(await gcPaused()),
        uploads: registry.context.uploads.open,
        memory: registry.context.manifests.bytes + registry.context.lists.bytes,
        ...(await spaceOf(open)),
        ...registry.context.metadata.counts(),
      }),
      metrics,
      audit,
      log,
    });
    const operated = audit === undefined ? actions : audited(actions, audit);
    const control = volume && (await openControl(volume, operated, log));
    if (control !== undefined) opened.onClose(() => control.close());
    registry.start();
    registry.context.reconciler.reconciled().then(
      () => log("info", "the index is whole", { ...registry.context.metadata.counts() }),
      () => {},
    );
    const jobs = await jobsOf(settings, {
      registry,
      driver,
      actions,
      log,
      readOnly,
      pausedUntil: () => gcPause.until(),
    });
    if (volume !== undefined) jobs.push(keeping(volume, control, readOnly, log));
    if (certificates !== undefined) jobs.push(certificates.watch(() => tlsOf(reloading.current), log));
    jobs.push(makingRoom(listener, traffic, log));
    for (const job of jobs) opened.onClose(() => job.stop());

    return {
      origin: listener.origin,
      log,
      reload: (by) => reloading.reload(by),
      stop: async (hurry) => {
        stopping = true;
        const cut = (): void => void listener.close();
        hurry.addEventListener("abort", cut, { once: true });
        if (hurry.aborted) cut();
        await listener.stop(hurry.aborted ? {} : { drain: forEver, notice });
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/** Bytes that a client holds at least whose body stands still while memory is short. */
const heldBySilent = 16 * 1024;

/** Descriptors and memory that run short are taken from who asks for nothing or is silent, before others wait. */
const makingRoom = (listener: Listener, traffic: Memory, log: Log): { stop(): Promise<void> } =>
  every(
    1000,
    async () => {
      const found = await descriptors();
      const count = found === undefined ? 0 : tooMany(found);
      if (count > 0) listener.letGo({ count });
      const short = Math.max(traffic.used - traffic.most, traffic.waiting);
      if (short > 0) listener.letGo({ count: Math.ceil(short / heldBySilent), resting: false });
    },
    (error) => log("warn", `nobody can be let go: ${reasonOf(error)}`),
  );

const socketOf = async ({ address, tls, limits, trustedProxies }: ListenSettings): Promise<ListenOptions> =>
  defined<ListenOptions>({ ...address, limits, trustedProxies, tls: tls && (await readTls(tls)) });

const debugOf = async (
  debug: DebugSettings | undefined,
  health: HealthChecks,
  metrics: Metrics | undefined,
): Promise<Listener | undefined> => {
  if (debug === undefined) return undefined;
  const { address, metrics: path } = debug;
  return bind(debugHandler(health, defined({ metrics, path })), address, "--listen");
};

const hearsOf = (log: Log): Pick<ListenOptions, "onError" | "onStranger" | "onHandshake" | "onLetGo"> => ({
  onError: (error, { method, target }) => {
    const said = reasonOf(error);
    const ours = !(error instanceof DrayError && error.code === "NETWORK");
    log(ours ? "error" : "debug", said, { method, path: target.split("?", 1)[0] });
  },
  onStranger: (address) =>
    log(
      "warn",
      `${address} says whom it speaks for (X-Forwarded-For) and is not believed: whoever comes through it counts as one client, for wrong passwords, too; if it is your proxy, name it in dray.trustedproxies`,
    ),
  onLetGo: ({ count, request, peer, seconds, why }) => {
    const who = count === 1 ? "a client" : `${count} clients`;
    if (request === undefined)
      return log("warn", `${who} asked for nothing and lost the connection: descriptors are short`, { peer });
    const { method, target } = request;
    log(
      "warn",
      `${who} moved no byte of a body and lost the connection, the longest silent after ${seconds} s: ${
        why === "limit"
          ? "dray.limits.idle says how long a body may stand still"
          : "memory or descriptors are short: dray.limits.memory says how much there is for bodies and answers, and with a smaller dray.limits.idle such clients go before that"
      }`,
      { method, path: target.split("?", 1)[0], peer },
    );
  },
  onHandshake: failedHandshakes(log),
});

/** Bytes of the disk, where it has a limit and can be asked. */
const spaceOf = async ({ registry: { context }, driver }: OpenRegistry): Promise<Readonly<Record<string, number>>> => {
  const space = await driver.space?.().catch(() => undefined);
  if (space === undefined) return {};
  const { room, settings } = context;
  return { diskFree: space.free, diskSize: space.total, diskKept: settings.freeSpace, diskPromised: room.promised };
};

const readingsOf = ({ registry: { context }, driver, access }: OpenRegistry): Parameters<Metrics["read"]>[0] => ({
  index: () => context.metadata.counts(),
  whole: () => context.reconciler.isComplete,
  uploads: () => context.uploads.open,
  memory: () => context.manifests.bytes + context.lists.bytes,
  readOnly: () => context.settings.readOnly,
  ...(driver.stopped === undefined ? {} : { stopped: () => driver.stopped?.() ?? false }),
  findings: () => context.verifier.findings,
  damaged: () => context.blobs.damaged(),
  ...(access.lockouts === undefined ? {} : { lockouts: () => access.lockouts?.() ?? 0 }),
  ...(driver.space === undefined
    ? {}
    : {
        promised: () => context.room.promised,
        space: async () => (await driver.space?.()) ?? { free: Number.NaN, total: Number.NaN },
      }),
});
