import { DrayError } from "dray/errors";

/** One thing that an operator can ask of a running program: its options, what is told on the way, and what comes of it. */
export interface Control {
  readonly options: object;
  readonly progress: unknown;
  readonly result: object;
}

/** What a program answers: `{ gc: { options: …, progress: …, result: … }, status: … }`. */
export type Controls<C> = { [N in keyof C]: Control };

/** What may come with a question. */
export interface ControlWords {
  readonly options?: Readonly<Record<string, "boolean" | "number" | "string">>;
  /** Options that must be there. */
  readonly needs?: readonly string[];
  /** `true`: it only looks, and is asked by GET. */
  readonly reads?: boolean;
}

/** The questions that a program takes, and what it is called in words: `the registry`. */
export interface ControlFormat<C extends Controls<C>> {
  readonly program: string;
  readonly words: { readonly [N in keyof C]: ControlWords };
}

/** Does what each of them asks. `tell` shows what is found on the way; the signal is aborted when whoever asked has gone. */
export type ControlActions<C extends Controls<C>> = {
  readonly [N in keyof C]: (
    options: C[N]["options"],
    context: { readonly tell: (progress: C[N]["progress"]) => void; readonly signal: AbortSignal },
  ) => Promise<C[N]["result"]>;
};

/** A line of the answer. The last one is a result or an error. */
export type ControlLine =
  | { readonly progress: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string } };

/**
 * Reads what came with a question.
 * @throws DrayError `USAGE`
 */
export const readOptions = (name: string, { options: types = {}, needs = [] }: ControlWords, text: string): object => {
  let options: unknown;
  try {
    options = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new DrayError("USAGE", `${name}: the body is no JSON`);
  }
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new DrayError("USAGE", `${name}: the body is no JSON object`);
  for (const [key, value] of Object.entries(options)) {
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    if (type === undefined) throw new DrayError("USAGE", `${name} knows no "${key}"`);
    if (typeof value !== type || (typeof value === "number" && !(value >= 0)))
      throw new DrayError("USAGE", `${name}: "${key}" is a ${type}${type === "number" ? ", 0 or more" : ""}`);
  }
  for (const key of needs) if (!(key in options)) throw new DrayError("USAGE", `${name} needs "${key}"`);
  return options;
};
