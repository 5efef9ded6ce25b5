import type { HttpRequest } from "dray/http";
import type { Observer } from "../observe.ts";
import { bucketsOf, type Family } from "./families.ts";
import { Histogram } from "./histogram.ts";

/** Seconds; the bounds of Docker's go-metrics. */
const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
/** Bytes, 1 KiB to 2 GiB; its bounds, too. */
const sizes = Array.from({ length: 22 }, (_, power) => 1024 * 2 ** power);

/** Methods go by their names in small letters; whatever else a client makes up is one label and not many. */
const methods = new Map(
  ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "NOTIFY"].map((method) => [
    method,
    method.toLowerCase(),
  ]),
);

interface Handled {
  inFlight: number;
  readonly requests: Histogram;
  readonly responses: Histogram;
  readonly methods: Map<string, Asked>;
}

interface Asked {
  readonly durations: Histogram;
  readonly codes: Map<number, number>;
}

/**
 * Requests by handler, method and status, with the labels and bounds of Docker's go-metrics, so that dashboards for it go on working.
 * A request whose label is `undefined` is not counted.
 */
export class HttpMetrics {
  readonly #prefix: string;
  readonly #handlers = new Map<string, Handled>();

  /** @param prefix what the names begin with: `http` for `http_requests_total` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  observer(labelOf: (request: HttpRequest) => string | undefined): Observer {
    return (request) => {
      const label = labelOf(request);
      if (label === undefined) return nothing;
      const handled = this.#handled(label);
      handled.inFlight++;
      return ({ status, received, sent, duration }) => {
        handled.inFlight--;
        handled.requests.observe(headSize(request) + received);
        handled.responses.observe(sent);
        const asked = askedOf(handled, request.method);
        asked.durations.observe(duration / 1000);
        asked.codes.set(status, (asked.codes.get(status) ?? 0) + 1);
      };
    };
  }

  families(): Family[] {
    const prefix = this.#prefix;
    return [
      {
        name: `${prefix}_in_flight_requests`,
        help: "The in-flight HTTP requests",
        type: "gauge",
        values: () =>
          Array.from(this.#handlers, ([handler, { inFlight }]) => ({ value: inFlight, labels: { handler } })),
      },
      {
        name: `${prefix}_requests_total`,
        help: "Total number of HTTP requests made.",
        type: "counter",
        values: () => this.#requests(),
      },
      this.#histogram(`${prefix}_request_duration_seconds`, "The HTTP request latencies in seconds.", (handled) =>
        Array.from(handled.methods, ([method, asked]) => [{ method }, asked.durations] as const),
      ),
      this.#histogram(`${prefix}_request_size_bytes`, "The HTTP request sizes in bytes.", (handled) => [
        [{}, handled.requests],
      ]),
      this.#histogram(`${prefix}_response_size_bytes`, "The HTTP response sizes in bytes.", (handled) => [
        [{}, handled.responses],
      ]),
    ];
  }

  #handled(label: string): Handled {
    let handled = this.#handlers.get(label);
    if (handled === undefined) {
      handled = { inFlight: 0, requests: new Histogram(sizes), responses: new Histogram(sizes), methods: new Map() };
      this.#handlers.set(label, handled);
    }
    return handled;
  }

  *#requests(): Generator<{ value: number; labels: Record<string, string> }> {
    for (const [handler, handled] of this.#handlers)
      for (const [method, { codes }] of handled.methods)
        for (const [code, value] of codes) yield { value, labels: { code: String(code), handler, method } };
  }

  #histogram(
    name: string,
    help: string,
    pick: (handled: Handled) => readonly (readonly [labels: Record<string, string>, histogram: Histogram])[],
  ): Family {
    const handlers = this.#handlers;
    function* values(): Generator<{ value: number }> {
      for (const [handler, handled] of handlers)
        for (const [labels, histogram] of pick(handled)) yield* bucketsOf(name, { handler, ...labels }, histogram);
    }
    return { name, help, type: "histogram", values };
  }
}

const nothing = (): void => {};

const askedOf = (handled: Handled, method: string): Asked => {
  const name = methods.get(method) ?? "unknown";
  let asked = handled.methods.get(name);
  if (asked === undefined) {
    asked = { durations: new Histogram(durations), codes: new Map() };
    handled.methods.set(name, asked);
  }
  return asked;
};

/** Bytes of a request's head, as the Prometheus client for Go estimates them. */
const headSize = ({ target, method, headers }: HttpRequest): number => {
  let size = target.length + method.length + "HTTP/1.1".length;
  for (const [name, value] of headers) size += name.length + value.length;
  return size;
};
