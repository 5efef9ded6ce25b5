import { type Clock, type HttpRequest, type HttpResponse, type Middleware, systemClock } from "dray/http";
import { RegistryError, refused, withJson } from "../answer/index.ts";
import type { Driver } from "../storage/driver.ts";

/** What a registry's health is told from. */
export interface HealthSources {
  readonly driver: Driver;
  /** The driver's name in the configuration; distribution calls its check `storagedriver_NAME`. */
  readonly name: string;
  /** Bytes that must stay free, below which pushes get 503. Default 0. */
  readonly freeSpace?: number;
  readonly whole?: () => boolean;
  readonly readOnly?: () => boolean;
  /** `true` once the end has begun: whoever sends requests here should look elsewhere. */
  readonly stopping?: () => boolean;
  /** Hears when a check changes: what `/readyz` does not say to everybody. */
  readonly onChange?: (message: string) => void;
}

export interface Health {
  /** `false`: send nobody here. */
  readonly ready: boolean;
  readonly storage: "ok" | "unwritable" | "unreadable";
  readonly space: "ok" | "low" | "unknown";
  readonly index: "whole" | "rebuilding";
  readonly mode: "read-write" | "read-only";
  /** An operator said so, or the process is about to end. */
  readonly lifecycle: "up" | "down" | "stopping";
}

/** Milliseconds that an answer of the storage holds for, and that it may take. */
const fresh = 10_000;
const patience = 5_000;

/** Where it tries to write: beside the tree. */
const probe = "dray/health";

/**
 * Whether a registry lives (`/livez`: it answers) and whether it is ready (`/readyz`: it can serve pulls). What stops pushes alone
 * (a full or read-only disk, the read-only switch) and what merely slows it (an index being rebuilt) is told and does not make it
 * unready: its pulls would be lost as well, and a full disk would take every replica out of service at once. Unready is a storage
 * that cannot be read, a process that is about to end, and what an operator said by `/debug/health/down`; in that last case
 * everything else is answered 503, as distribution does it.
 */
export class HealthChecks {
  readonly #sources: HealthSources;
  readonly #clock: Clock;
  #down = false;
  #asked: { readonly at: number; readonly faults: Promise<Faults> } | undefined;
  #told = "";

  constructor(sources: HealthSources, { clock = systemClock }: { clock?: Clock } = {}) {
    this.#sources = sources;
    this.#clock = clock;
  }

  /** What an operator says: `true` takes the registry out of service until `false`. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async check(): Promise<Health> {
    const { whole, readOnly, stopping } = this.#sources;
    const faults = await this.#faults();
    const lifecycle = this.#down ? "down" : stopping?.() ? "stopping" : "up";
    return {
      ready: lifecycle === "up" && faults.read === undefined,
      storage: faults.read !== undefined ? "unreadable" : faults.write !== undefined ? "unwritable" : "ok",
      space: faults.space,
      index: (whole?.() ?? true) ? "whole" : "rebuilding",
      mode: readOnly?.() ? "read-only" : "read-write",
      lifecycle,
    };
  }

  /** Checks that fail, by distribution's names, with the reason: what `/debug/health` answers. */
  async failing(): Promise<Record<string, string>> {
    const { read } = await this.#faults();
    return {
      ...(this.#down ? { manual_http_status: "manual Check" } : {}),
      ...(read === undefined ? {} : { [`storagedriver_${this.#sources.name}`]: read }),
    };
  }

  /** Answers `/livez` and `/readyz`, whoever asks; the rest goes on. */
  get middleware(): Middleware {
    return (next) => (request) => {
      const { target, method } = request;
      if ((target === "/livez" || target === "/readyz") && (method === "GET" || method === "HEAD"))
        return this.#answer(request);
      return this.#down ? Promise.resolve(refused(request, outOfService)) : next(request);
    };
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    if (request.target === "/livez") return withJson(request, { status: "alive" });
    const { ready, ...health } = await this.check();
    const answer = withJson(request, { status: ready ? "ready" : "unready", ...health });
    return ready ? answer : { ...answer, status: 503 };
  }

  async #faults(): Promise<Faults> {
    const now = this.#clock.now();
    if (this.#asked === undefined || now - this.#asked.at >= fresh)
      this.#asked = { at: now, faults: this.#ask().then((faults) => this.#tell(faults)) };
    return this.#asked.faults;
  }

  async #ask(): Promise<Faults> {
    const { driver, freeSpace = 0, readOnly } = this.#sources;
    const read = await this.#fault(() => driver.stat("docker"));
    if (read !== undefined) return { read, space: "unknown" };
    const write = readOnly?.()
      ? undefined
      : await this.#fault(() => driver.write(probe, new TextEncoder().encode("ok\n"), { durable: false }));
    let space: Faults["space"] = "unknown";
    await this.#fault(async () => {
      const found = await driver.space?.();
      if (found !== undefined) space = found.free < Math.max(freeSpace, 1) ? "low" : "ok";
    });
    return { ...(write === undefined ? {} : { write }), space };
  }

  /** Why something did not work, in words; `undefined` where it did. What hangs does not work. */
  async #fault(work: () => Promise<unknown>): Promise<string | undefined> {
    const late = new AbortController();
    try {
      return await Promise.race([
        work().then(() => undefined),
        this.#clock.sleep(patience, late.signal).then(() => `no answer within ${patience / 1000} s`),
      ]);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      late.abort();
    }
  }

  #tell(faults: Faults): Faults {
    const said = faults.read ?? faults.write ?? (faults.space === "low" ? "there is little space left" : "");
    if (said !== this.#told) this.#sources.onChange?.(said === "" ? "the storage is well again" : `storage: ${said}`);
    this.#told = said;
    return faults;
  }
}

interface Faults {
  readonly read?: string;
  readonly write?: string;
  readonly space: Health["space"];
}

const outOfService = new RegistryError(503, "UNAVAILABLE", "service unavailable", {
  detail: "health check failed: please see /debug/health",
});
