import { type Key, keyOf, keys } from "./keys/index.ts";
import type { Origin } from "./node.ts";
import type { Said } from "./read.ts";
import type { Effective } from "./settings/types.ts";

/** What each key says in the end: what was said, else the default. The table saw to the types. */
export class Values {
  readonly withFile: boolean;
  readonly #said: Said;

  constructor(said: Said, withFile: boolean) {
    this.withFile = withFile;
    this.#said = said;
  }

  text(path: string): string {
    return this.#certain(path) as string;
  }

  number(path: string): number {
    return this.#certain(path) as number;
  }

  truth(path: string): boolean {
    return this.#certain(path) as boolean;
  }

  /** What has no default, or was not said. */
  maybe<T>(path: string): T | undefined {
    return this.#value(path) as T | undefined;
  }

  list(path: string): readonly string[] {
    return this.maybe<readonly string[]>(path) ?? [];
  }

  /** Somebody said it. */
  has(path: string): boolean {
    return this.#said.has(path);
  }

  originOf(path: string): Origin {
    return this.#said.get(path)?.origin ?? { kind: "default" };
  }

  /**
   * Every key that says something, in the order of the table. `computed` are defaults that depend on other keys; `idle` tells of
   * defaults that are about nothing here.
   */
  effective(computed: Readonly<Record<string, unknown>>, idle: (path: string) => boolean): readonly Effective[] {
    return keys.flatMap(({ path, status }) => {
      if (status !== "supported" || (!this.has(path) && idle(path))) return [];
      const value = this.#value(path) ?? computed[path];
      return value === undefined ? [] : [{ key: path, value, origin: this.originOf(path) }];
    });
  }

  #value(path: string): unknown {
    const key = keyOf.get(path);
    if (key === undefined) throw new Error(`the table of keys has no ${path}`);
    return this.#said.get(path)?.value ?? fallbackOf(key, this.withFile);
  }

  #certain(path: string): unknown {
    const value = this.#value(path);
    if (value === undefined) throw new Error(`${path} has no default`);
    return value;
  }
}

export const fallbackOf = ({ fallback, fallbackWithFile }: Key, withFile: boolean): unknown =>
  withFile ? (fallbackWithFile ?? fallback) : fallback;
