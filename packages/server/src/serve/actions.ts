import type { Log } from "@dray/service/observe";
import { defined } from "dray/internal/defined";
import type { Collected } from "../gc/index.ts";
import type { AuditLog, Metrics } from "../observing/index.ts";
import type { Registry } from "../registry.ts";
import type { Driver } from "../storage/index.ts";
import { diskUsage } from "../usage/index.ts";
import type { Finding } from "../verify/index.ts";
import type { ControlActions } from "./controls.ts";
import type { GcPause } from "./gc-pause.ts";

export interface ActionsOptions {
  readonly registry: Registry;
  readonly driver: Driver;
  readonly gcPause: GcPause;
  readonly reload: () => Promise<{ readonly restart: readonly string[] }>;
  readonly readOnly: (on: boolean) => Promise<void>;
  readonly status: () => Promise<Readonly<Record<string, unknown>>>;
  readonly metrics?: Metrics | undefined;
  readonly audit?: AuditLog | undefined;
  /** Of a registry that is served: hears of what verification finds. */
  readonly log?: Log;
}

/** What an operator can have done, by the control socket or, where nobody serves the volume, by the command itself. */
export const actionsOf = ({
  registry,
  driver,
  gcPause,
  reload,
  readOnly,
  status,
  metrics,
  audit,
  log,
}: ActionsOptions): ControlActions => ({
  gc: async (options, { tell, signal: asked }) => {
    const { dryRun = false } = options;
    const collect = (signal: AbortSignal): Promise<Collected> =>
      registry.collect({
        ...options,
        signal,
        // Where nobody serves the volume, whoever reads the answer is the one who reads the log.
        tellsHeld: log !== undefined,
        onDecision: (decision) => {
          if (!dryRun) audit?.decided(decision);
          tell(decision);
        },
      });
    const collected = await (dryRun ? collect(asked) : gcPause.collecting(asked, collect));
    metrics?.collected(collected);
    return collected;
  },
  "gc-pause": async ({ milliseconds }) => defined({ until: await gcPause.last(milliseconds) }),
  check: async (_, { tell, signal }) => {
    let differences = 0;
    for await (const difference of registry.check({ signal })) {
      differences++;
      tell(difference);
    }
    return { differences };
  },
  verify: (options, { tell, signal }) => {
    const onFinding = (finding: Finding): void => {
      log?.("error", `verification: ${finding.reason}; ${finding.remedy}`, { ...finding });
      tell(finding);
    };
    return registry.verify({ ...options, signal, onFinding });
  },
  du: (_, { tell, signal }) => diskUsage({ tree: registry.context.tree, driver, signal, onRepository: tell }),
  restore: ({ repository, name, tags = false }) => registry.restore(repository, name, { tags }),
  rebuild: async () => {
    await registry.rebuild();
    await registry.context.reconciler.reconciled();
    return { ...registry.context.metadata.counts() };
  },
  "read-only": async ({ on }) => {
    await readOnly(on);
    return { on };
  },
  reload: async () => reload(),
  status: () => status(),
});
