import { type Fault, faults, type MemoryRegistry, RequestLog } from "@dray/testkit";
import { anonymous } from "../src/auth/index.ts";
import type { ProgressEvent } from "../src/content/index.ts";
import { type ErrorCode, isDrayError } from "../src/errors.ts";
import { type Handler, systemClock } from "../src/http/index.ts";
import { connect } from "../src/registry/connect.ts";
import type { ConnectOptions } from "../src/registry/connect-options.ts";
import type { Registry } from "../src/registry/registry.ts";
import type { Repository } from "../src/registry/repository.ts";

/** What the tests of this folder begin with: a registry in memory, a client of it, and all that passes between them. */
export interface Against {
  readonly registry: MemoryRegistry;
  readonly client: Registry;
  /** `a/b` on it. */
  readonly repository: Repository;
  readonly log: RequestLog;
  readonly events: ProgressEvent[];
}

/** A client that meets `rules` on its way to the registry, and waits for nothing before it tries again. */
export const against = (
  registry: MemoryRegistry,
  rules: readonly Fault[] = [],
  options: ConnectOptions = {},
): Against => {
  const log = new RequestLog();
  const events: ProgressEvent[] = [];
  const client = clientOf(log.middleware(faults(registry.handler, rules)), {
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { registry, client, repository: client.repository("a/b"), log, events };
};

/** The same without a look at what passes. */
export const clientOf = (handler: Handler, options: ConnectOptions = {}, name = "r.test"): Registry =>
  connect(name, {
    credentials: anonymous,
    connection: handler,
    stateDir: false,
    retry: { clock: { ...systemClock, sleep: async () => {} } },
    ...options,
  });

/** For `assert.rejects`: one of these codes. */
export const failsWith =
  (...codes: ErrorCode[]) =>
  (error: unknown): boolean =>
    isDrayError(error, ...codes);
