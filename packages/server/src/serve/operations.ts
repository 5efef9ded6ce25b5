import { reasonOf } from "dray/errors";
import type { AuditLog } from "../observing/index.ts";
import type { ControlActions, Controls } from "./controls.ts";

/** What an operator asked for, in words; nothing for what only looks. A reload has other ways to come, and tells of itself. */
const operations: { readonly [N in keyof Controls]?: (options: Controls[N]["options"]) => string | undefined } = {
  gc: ({ dryRun }) => (dryRun === true ? undefined : "garbage collection"),
  "gc-pause": ({ milliseconds }) =>
    milliseconds === 0 ? "garbage collection goes on" : `garbage collection paused for ${milliseconds / 1000} s`,
  restore: ({ repository, name, tags = false }) =>
    `restore of ${repository}${name.includes(":") ? "@" : ":"}${name}${tags ? " with its tags" : ""}`,
  verify: ({ quarantine }) => (quarantine === true ? "verification that puts damaged data aside" : undefined),
  rebuild: () => "rebuild of the index",
  "read-only": ({ on }) => (on ? "read-only on" : "read-only off"),
};

/** The same actions, each of which is told to the audit log when it ends, well or not. What runs by a schedule does not come this way. */
export const audited = (actions: ControlActions, audit: AuditLog): ControlActions => {
  const told =
    (act: Action, wordsOf: (options: never) => string | undefined): Action =>
    async (options, context) => {
      const reason = wordsOf(options);
      if (reason === undefined) return act(options, context);
      try {
        const result = await act(options, context);
        audit.tell({ action: "operate", outcome: "done", reason });
        return result;
      } catch (error) {
        const said = reasonOf(error);
        audit.tell({ action: "operate", outcome: "failed", reason: `${reason}: ${said}` });
        throw error;
      }
    };
  const all = Object.entries<Action>(actions).map(([name, act]) => {
    const wordsOf = operations[name as keyof Controls];
    return [name, wordsOf === undefined ? act : told(act, wordsOf)];
  });
  return Object.fromEntries(all) as ControlActions;
};

type Action = (options: never, context: never) => Promise<unknown>;
