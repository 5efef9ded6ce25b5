import type { Registry } from "./registry.ts";

/** Two values of a key, and what is seen from outside of a registry with the one and with the other. */
export interface Case {
  readonly key: string;
  /** In words: what is looked at. */
  readonly looksAt: string;
  /**
   * In YAML; `{data}`, `{files}`, `{port}` and `{other}` stand for places of each registry. `undefined`: the key is not said.
   */
  readonly values: readonly [string | undefined, string];
  /** What else is said, with both: keys and YAML. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Default: the memory. `none`: no driver is named. */
  readonly storage?: "memory" | "files" | "none";
  /** What is seen. Not called where the registry refuses to start for this key: that is seen as `"refused"`. */
  readonly see: (registry: Registry) => Promise<unknown>;
  readonly sees: readonly [unknown, unknown];
  /** Of a key that a reload applies: what is seen where nobody says it. */
  readonly without?: unknown;
  /** `false`: what a reload does of it has a test elsewhere. */
  readonly reloads?: false;
  /** Ways in which it is said; default: each. */
  readonly ways?: readonly Way[];
  /** What must be there meanwhile. */
  readonly around?: (places: Places, work: () => Promise<void>) => Promise<void>;
}

/** `file`, the variable of the key, and `--set`: each wins over those before it. */
export type Way = "file" | "variable" | "set";

/** What `{data}` and its like stand for. */
export interface Places {
  /** A folder of the registry's own. */
  readonly data: string;
  /** Certificates, keys and users. */
  readonly files: string;
  /** A port that is free. */
  readonly port: number;
  /** Another one. */
  readonly other: number;
}
