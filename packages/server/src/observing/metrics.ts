import {
  bucketsOf,
  counter,
  type Family,
  gauge,
  Histogram,
  HttpMetrics,
  MetricsPage,
  type Observer,
  type PromRegistry,
  promRegistry,
} from "@dray/service/observe";
import { header } from "dray/http";
import { defined } from "dray/internal/defined";
import type { Collected } from "../gc/index.ts";
import type { Driver } from "../storage/index.ts";

/** What is asked of the registry when somebody scrapes; what is missing is not told. */
export interface Readings {
  /** The index's own counts. */
  readonly index?: () => { readonly repositories: number; readonly tags: number; readonly manifests: number };
  /** Whether the index is whole. */
  readonly whole?: () => boolean;
  readonly uploads?: () => number;
  readonly memory?: () => number;
  readonly lockouts?: () => number;
  readonly readOnly?: () => boolean;
  readonly gcPaused?: () => Promise<boolean>;
  /** Whether nothing is written any more. */
  readonly stopped?: () => boolean;
  /** What verification found, by its kind. */
  readonly findings?: () => Readonly<Record<string, number>>;
  /** Blobs that are known to be damaged and wait for a push. */
  readonly damaged?: () => Promise<number>;
  /** When the certificate ends; milliseconds since 1970. */
  readonly certificateEnd?: () => number;
  readonly promised?: () => number;
  readonly space?: () => Promise<{ readonly free: number; readonly total: number }>;
}

/** Questions to the memory of manifests and lists. Whoever answers them counts here. */
export interface CacheCounts {
  requests: number;
  hits: number;
  errors: number;
}

/** Seconds; the bounds that the Prometheus client for Go has by default. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * How long a storage takes for what it is asked, as distribution's `registry_storage_action_seconds`. Its words for the actions it
 * times; `Reader` and `Writer` (opening a file, to read and to receive) and `Touch` are ours.
 */
class StorageMetrics {
  readonly #times = new Map<
    string,
    { readonly labels: { driver: string; action: string }; readonly histogram: Histogram }
  >();

  /** The same driver, with a clock. `name` is the driver's in the configuration: `filesystem`, `inmemory`. */
  timed(driver: Driver, name: string, { now = () => performance.now() }: { now?: () => number } = {}): Driver {
    const action = (word: string): (<T>(work: () => Promise<T>) => Promise<T>) => {
      const { histogram } = this.#of(name, word);
      return async (work) => {
        const started = now();
        try {
          return await work();
        } finally {
          histogram.observe((now() - started) / 1000);
        }
      };
    };
    const [get, put, stat, list] = [action("GetContent"), action("PutContent"), action("Stat"), action("List")];
    const [move, remove, touch] = [action("Move"), action("Delete"), action("Touch")];
    const [reader, writer] = [action("Reader"), action("Writer")];
    const [space, stopped] = [driver.space?.bind(driver), driver.stopped?.bind(driver)];
    const refuseBrokenLink = driver.refuseBrokenLink?.bind(driver);
    const refuseGone = driver.refuseGone?.bind(driver);
    return defined<Driver>({
      read: (path) => get(() => driver.read(path)),
      write: (path, bytes, options) => put(() => driver.write(path, bytes, options)),
      makeDirectory: (path) => put(() => driver.makeDirectory(path)),
      stat: (path) => stat(() => driver.stat(path)),
      list: (path) => list(() => driver.list(path)),
      move: (from, to, options) => move(() => driver.move(from, to, options)),
      remove: (path, options) => remove(() => driver.remove(path, options)),
      removeEmpty: (path) => remove(() => driver.removeEmpty(path)),
      open: (path) => reader(() => driver.open(path)),
      receive: (path, algorithm) => writer(() => driver.receive(path, algorithm)),
      touch: (path, options) => touch(() => driver.touch(path, options)),
      space,
      stopped,
      refuseBrokenLink,
      refuseGone,
      close: () => driver.close(),
    });
  }

  families(): Family[] {
    const name = "registry_storage_action_seconds";
    const times = this.#times;
    function* values(): Generator<{ value: number }> {
      for (const { labels, histogram } of times.values()) yield* bucketsOf(name, labels, histogram);
    }
    return [{ name, help: "The number of seconds that the storage action takes", type: "histogram", values }];
  }

  #of(driver: string, action: string): { histogram: Histogram } {
    const key = `${driver} ${action}`;
    let timed = this.#times.get(key);
    if (timed === undefined) {
      timed = { labels: { driver, action }, histogram: new Histogram(bounds) };
      this.#times.set(key, timed);
    }
    return timed;
  }
}

/** Everything that is counted, and the page that tells it, under distribution's names and ours. */
export class Metrics extends MetricsPage {
  readonly http: HttpMetrics = new HttpMetrics("registry_http");
  readonly storage: StorageMetrics = new StorageMetrics();
  readonly cache: CacheCounts = { requests: 0, hits: 0, errors: 0 };
  /** Counts credentials that were not taken, or not even tried. */
  readonly logins: Observer =
    (request) =>
    ({ status }) => {
      if (status === 429 || (status === 401 && header(request.headers, "authorization") !== undefined)) this.#refused++;
    };
  #refused = 0;
  readonly #collected = { runs: 0, bytes: 0, manifests: 0, layers: 0, blobs: 0, uploads: 0, seconds: 0, at: 0 };
  readonly #kept = { held: 0, unreadable: 0, troubles: 0 };

  constructor(registry: PromRegistry) {
    super(registry);
    const refused = counter("dray_logins_refused_total", "Credentials that were not taken.", () => this.#refused);
    this.add([refused, ...this.http.families(), ...this.storage.families(), ...this.#caches(), ...this.#collections()]);
  }

  /** A run of garbage collection that came to its end. A dry run is not counted. */
  collected(
    { bytes, manifests, layers, blobs, uploads, seconds, dryRun, held, unreadable, troubles, notBefore }: Collected,
    at: number = Date.now(),
  ): void {
    if (dryRun) return;
    if (notBefore === undefined) {
      this.#kept.held = held.length;
      this.#kept.unreadable = unreadable.length;
      this.#kept.troubles = troubles;
    }
    const all = this.#collected;
    all.runs++;
    all.bytes += bytes;
    all.manifests += manifests;
    all.layers += layers;
    all.blobs += blobs;
    all.uploads += uploads;
    all.seconds += seconds;
    all.at = at;
  }

  /** When the last run ended that another process has done. */
  lastCollected(at: number): void {
    this.#collected.at = at;
  }

  /** Tells these, too. Once. */
  read(readings: Readings): void {
    this.add(familiesOf(readings));
  }

  #caches(): Family[] {
    return [
      counter(
        "registry_storage_cache_requests_total",
        "The number of cache request received",
        () => this.cache.requests,
      ),
      counter("registry_storage_cache_hits_total", "The number of cache request received", () => this.cache.hits),
      counter("registry_storage_cache_errors_total", "The number of cache request errors", () => this.cache.errors),
    ];
  }

  #collections(): Family[] {
    const all = this.#collected;
    return [
      counter("dray_gc_runs_total", "Runs of garbage collection that came to their end.", () => all.runs),
      counter("dray_gc_removed_bytes_total", "Bytes that garbage collection gave back.", () => all.bytes),
      counter("dray_gc_seconds_total", "Time spent in garbage collection.", () => all.seconds),
      {
        name: "dray_gc_removed_total",
        help: "What garbage collection removed: manifests, layer links, blobs, upload sessions.",
        type: "counter",
        values: () =>
          (["manifests", "layers", "blobs", "uploads"] as const).map((kind) => ({
            value: all[kind],
            labels: { kind },
          })),
      },
      gauge("dray_gc_held_repositories", "Repositories that the last run took nothing from.", () => this.#kept.held),
      gauge(
        "dray_gc_unreadable_manifests",
        "Manifests that the last run could not read whole.",
        () => this.#kept.unreadable,
      ),
      gauge("dray_gc_troubles", "Things that the last run could not read or remove.", () => this.#kept.troubles),
      gauge("dray_gc_last_run_timestamp_seconds", "When it last came to its end; 0: never yet.", () => all.at / 1000),
    ];
  }
}

/** `processes`: tell of this process, too; default `true`. */
export const openMetrics = async (options: { processes?: boolean } = {}): Promise<Metrics> =>
  new Metrics(await promRegistry(options));

const familiesOf = ({
  index,
  whole,
  uploads,
  memory,
  lockouts,
  readOnly,
  gcPaused,
  promised,
  stopped,
  findings,
  damaged,
  space,
  certificateEnd,
}: Readings): Family[] => [
  ...(index === undefined ? [] : [indexed(index)]),
  ...(whole === undefined
    ? []
    : [gauge("dray_index_whole", "1: the index says what the tree says.", () => Number(whole()))]),
  ...(uploads === undefined ? [] : [gauge("dray_uploads_open", "Upload sessions that are open.", uploads)]),
  ...(memory === undefined ? [] : [gauge("dray_memory_bytes", "Bytes of manifests and lists in memory.", memory)]),
  ...(lockouts === undefined
    ? []
    : [counter("dray_lockouts_total", "Names locked out for wrong passwords.", lockouts)]),
  ...(readOnly === undefined
    ? []
    : [gauge("dray_read_only", "1: nothing can be pushed or deleted.", () => Number(readOnly()))]),
  ...(gcPaused === undefined
    ? []
    : [gauge("dray_gc_paused", "1: no garbage is collected for a while.", async () => Number(await gcPaused()))]),
  ...(stopped === undefined
    ? []
    : [gauge("dray_storage_stopped", "1: nothing is written any more, since a sync failed.", () => Number(stopped()))]),
  ...(findings === undefined ? [] : [found(findings)]),
  ...(damaged === undefined
    ? []
    : [gauge("dray_blobs_damaged", "Blobs that are known to be damaged and wait for a push.", damaged)]),
  ...(certificateEnd === undefined
    ? []
    : [
        gauge(
          "dray_certificate_end_timestamp_seconds",
          "When the certificate that clients are shown ends.",
          () => certificateEnd() / 1000,
        ),
      ]),
  ...(promised === undefined
    ? []
    : [
        gauge(
          "dray_storage_promised_bytes",
          "Bytes that pushes on their way have announced and not brought yet.",
          promised,
        ),
      ]),
  ...(space === undefined
    ? []
    : [
        gauge("dray_storage_free_bytes", "Bytes that the storage has left.", async () => (await space()).free),
        gauge("dray_storage_size_bytes", "Bytes that the storage has in all.", async () => (await space()).total),
      ]),
];

const found = (findings: NonNullable<Readings["findings"]>): Family => ({
  name: "dray_verify_findings_total",
  help: "What verification found: tags, manifests, children of manifests (blob), data of the pool.",
  type: "counter",
  values: () => Object.entries(findings()).map(([kind, value]) => ({ value, labels: { kind } })),
});

/** One family, because counting costs a little with many tags. */
const indexed = (index: NonNullable<Readings["index"]>): Family => ({
  name: "dray_index_entries",
  help: "What the index knows: repositories, tags, manifests.",
  type: "gauge",
  values: () => Object.entries(index()).map(([kind, value]) => ({ value, labels: { kind } })),
});
