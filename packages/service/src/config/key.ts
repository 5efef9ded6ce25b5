import { type ConfigNode, isEmpty } from "./node.ts";
import type { ValueType } from "./value-types.ts";

/**
 * - `supported`: does what it says.
 * - `needless`: accepted without a word, because what it asks for holds anyway.
 * - `ignored`: has no effect here, and a warning says so.
 * - `refused`: would change what the program does, and cannot be done: nothing starts.
 */
export type Status = "supported" | "needless" | "ignored" | "refused";

/** One key of the configuration. The tables of them are what the reader, the schema and the page of all keys are made from. */
export interface Key {
  /** `http.tls.certificate`. */
  readonly path: string;
  readonly status: Status;
  readonly type: ValueType;
  /** What it means; for one that is refused or ignored: why, and what to do instead. */
  readonly about: string;
  /** Without a file. */
  readonly fallback?: unknown;
  /** With a file, where that differs. */
  readonly fallbackWithFile?: unknown;
  /** How a default is shown that is no value. */
  readonly fallbackText?: string;
  /** Whether a change applies while the program runs. */
  readonly reloadable: boolean;
  /** Never shown. */
  readonly secret: boolean;
  /** What is wrong with a value that has the right type; without the value. */
  readonly check?: (value: unknown) => string | undefined;
  /** Of an ignored or refused key: whether what is said would have an effect at all. */
  readonly matters: (node: ConfigNode) => boolean;
}

export interface KeyFacts<T> {
  readonly fallback?: T;
  readonly fallbackWithFile?: T;
  readonly fallbackText?: string;
  readonly reloadable?: boolean;
  readonly secret?: boolean;
  readonly check?: (value: T) => string | undefined;
}

export const supported = <T>(path: string, type: ValueType<T>, about: string, facts: KeyFacts<T> = {}): Key =>
  ({ path, status: "supported", type, about, reloadable: false, secret: false, matters: () => true, ...facts }) as Key;

export const needless = (path: string, type: ValueType, about: string, facts: { secret?: boolean } = {}): Key => ({
  path,
  status: "needless",
  type,
  about,
  reloadable: true,
  secret: false,
  matters: () => false,
  ...facts,
});

const says = (node: ConfigNode): boolean => !isEmpty(node);

/** A key that has no effect here, or may not be there: which of both is all that tells them apart. */
const unsupported =
  (status: "ignored" | "refused") =>
  (path: string, type: ValueType, about: string, matters: (node: ConfigNode) => boolean = says): Key => ({
    path,
    status,
    type,
    about,
    reloadable: true,
    secret: false,
    matters,
  });

export const ignored: ReturnType<typeof unsupported> = unsupported("ignored");
export const refused: ReturnType<typeof unsupported> = unsupported("refused");
