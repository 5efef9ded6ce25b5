import type { Key } from "./key.ts";
import type { KeyTable } from "./key-table.ts";
import type { Origin } from "./node.ts";
import type { Said } from "./read-keys.ts";

/** What a key says in the end, and who said it. */
export interface Effective {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** What each key says in the end: what was said, else the default. The table saw to the types. */
export class Values {
  readonly withFile: boolean;
  readonly #table: KeyTable;
  readonly #said: Said;

  constructor(table: KeyTable, said: Said, withFile: boolean) {
    this.#table = table;
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
    return this.#table.keys.flatMap(({ path, status }) => {
      if (status !== "supported" || (!this.has(path) && idle(path))) return [];
      const value = this.#value(path) ?? computed[path];
      return value === undefined ? [] : [{ key: path, value, origin: this.originOf(path) }];
    });
  }

  #value(path: string): unknown {
    const key = this.#table.at.get(path);
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
