import type { ControlActions as Actions, ControlClient as Client, ControlFormat } from "@dray/service/control";
import type { Restored } from "../deletion/index.ts";
import type { Collected, CollectOptions, Decision } from "../gc/index.ts";
import type { Difference } from "../metadata/index.ts";
import type { DiskUsage, RepositoryUsage } from "../usage/index.ts";
import type { Finding, Verified, VerifyOptions } from "../verify/index.ts";

/** What an operator can ask of a running registry: the words of each question, what is told on the way, and what comes of it. */
export interface Controls {
  gc: {
    readonly options: Pick<CollectOptions, "dryRun" | "grace" | "lease" | "untagged" | "empty" | "orphans">;
    readonly progress: Decision;
    readonly result: Collected;
  };
  /** Collects nothing for so many milliseconds, and ends a run that is going on; 0 ends the pause. */
  "gc-pause": {
    readonly options: { readonly milliseconds: number };
    readonly progress: never;
    readonly result: { readonly until?: number };
  };
  /** Compares index and tree. */
  check: { readonly options: object; readonly progress: Difference; readonly result: { readonly differences: number } };
  /** Follows links and hashes data. */
  verify: {
    readonly options: Pick<VerifyOptions, "rate" | "resume" | "quarantine">;
    readonly progress: Finding;
    readonly result: Verified;
  };
  /** Counts what each repository takes. */
  du: { readonly options: object; readonly progress: RepositoryUsage; readonly result: DiskUsage };
  /** Undoes a deletion. */
  restore: {
    readonly options: { readonly repository: string; readonly name: string; readonly tags?: boolean };
    readonly progress: never;
    readonly result: Restored;
  };
  rebuild: { readonly options: object; readonly progress: never; readonly result: object };
  "read-only": { readonly options: { readonly on: boolean }; readonly progress: never; readonly result: object };
  /** Names the keys whose change waits for a restart. */
  reload: {
    readonly options: object;
    readonly progress: never;
    readonly result: { readonly restart: readonly string[] };
  };
  status: { readonly options: object; readonly progress: never; readonly result: Readonly<Record<string, unknown>> };
}

export type ControlActions = Actions<Controls>;

/** A registry that is running, to be asked. */
export type ControlClient = Client<Controls>;

export const controls: ControlFormat<Controls> = {
  program: "the registry",
  words: {
    gc: {
      options: {
        dryRun: "boolean",
        grace: "number",
        lease: "number",
        untagged: "number",
        empty: "boolean",
        orphans: "boolean",
      },
    },
    "gc-pause": { options: { milliseconds: "number" }, needs: ["milliseconds"] },
    check: {},
    verify: { options: { rate: "number", resume: "boolean", quarantine: "boolean" } },
    du: {},
    restore: { options: { repository: "string", name: "string", tags: "boolean" }, needs: ["repository", "name"] },
    rebuild: {},
    "read-only": { options: { on: "boolean" }, needs: ["on"] },
    reload: {},
    status: { reads: true },
  },
};
