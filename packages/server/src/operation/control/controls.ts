import { DrayError } from "dray/errors";
import type { Collected, CollectOptions, Decision } from "../../gc/types.ts";
import type { Difference } from "../../metadata/types.ts";

/** What an operator can ask of a running registry: the words of each question, what is told on the way, and what comes of it. */
export interface Controls {
  gc: {
    readonly options: Pick<CollectOptions, "dryRun" | "grace" | "lease" | "untagged">;
    readonly progress: Decision;
    readonly result: Collected;
  };
  /** Compares index and tree. */
  check: { readonly options: object; readonly progress: Difference; readonly result: { readonly differences: number } };
  /** Hashes blobs. */
  verify: { readonly options: object; readonly progress: Damage; readonly result: Verified };
  rebuild: { readonly options: object; readonly progress: never; readonly result: object };
  "read-only": { readonly options: { readonly on: boolean }; readonly progress: never; readonly result: object };
  reload: { readonly options: object; readonly progress: never; readonly result: object };
  status: { readonly options: object; readonly progress: never; readonly result: Readonly<Record<string, unknown>> };
}

export interface Damage {
  readonly digest: string;
  readonly reason: string;
}

export interface Verified {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: number;
}

export type ControlName = keyof Controls;

/** Does one of them. `tell` shows what is found on the way; the signal is aborted when whoever asked has gone. */
type Action<N extends ControlName> = (
  options: Controls[N]["options"],
  context: { readonly tell: (progress: Controls[N]["progress"]) => void; readonly signal: AbortSignal },
) => Promise<Controls[N]["result"]>;

export type ControlActions = { readonly [N in ControlName]: Action<N> };

/** A line of the answer. The last one is a result or an error. */
export type ControlLine =
  | { readonly progress: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string } };

const words: { readonly [N in ControlName]: Readonly<Record<string, "boolean" | "number">> } = {
  gc: { dryRun: "boolean", grace: "number", lease: "number", untagged: "number" },
  check: {},
  verify: {},
  rebuild: {},
  "read-only": { on: "boolean" },
  reload: {},
  status: {},
};

export const isControl = (name: string): name is ControlName => Object.hasOwn(words, name);

/**
 * Reads what came with a question.
 * @throws DrayError `USAGE`
 */
export const readOptions = <N extends ControlName>(name: N, text: string): Controls[N]["options"] => {
  let options: unknown;
  try {
    options = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new DrayError("USAGE", `${name}: the body is no JSON`);
  }
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new DrayError("USAGE", `${name}: the body is no JSON object`);
  for (const [key, value] of Object.entries(options)) {
    const type = Object.hasOwn(words[name], key) ? words[name][key] : undefined;
    if (type === undefined) throw new DrayError("USAGE", `${name} knows no "${key}"`);
    if (typeof value !== type || (typeof value === "number" && !(value >= 0)))
      throw new DrayError("USAGE", `${name}: "${key}" is a ${type}${type === "number" ? ", 0 or more" : ""}`);
  }
  if (name === "read-only" && !("on" in options)) throw new DrayError("USAGE", 'read-only needs "on"');
  return options;
};
