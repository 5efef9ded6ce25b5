import type { Key } from "./key.ts";

/** What a scalar stands for where a map belongs: the name of one of its keys (`auth: none`), or the value of one (`readonly: true`). */
export type Shorthand = { readonly name: true } | { readonly member: string };

/** A flag of the command line that says what a key says, and a variable that says the same. */
export interface Flag {
  /** `--data`. */
  readonly name: string;
  /** `DRAY_SERVE_DATA`. */
  readonly variable?: string;
  /** The key that it is about. */
  readonly key: string;
  /** Of one that says several keys at once: what each of them says. */
  readonly spread?: (text: string) => Readonly<Record<string, string>>;
}

/** What holds for the keys of a program as a whole. */
export interface TableFacts {
  /**
   * How variables begin that stand for keys: under `""` those of every key, under the name of a part those of its keys, where it
   * takes the place of that name. `{"": "REGISTRY", dray: "DRAY_SERVE"}`: `REGISTRY_HTTP_ADDR`, `DRAY_SERVE_GC_GRACE`. They count in this order.
   */
  readonly prefixes: Readonly<Record<string, string>>;
  /** The variable that names the file. It stands for no key. */
  readonly fileVariable?: string;
  /** Variables of other programs that begin as those of keys do. They say nothing here. */
  readonly foreignVariables?: readonly string[];
  readonly flags?: readonly Flag[];
  /** By path. Of a part with `name: true` each key is a choice of its own, so one that nobody knows is no slip to pass over. */
  readonly shorthands?: Readonly<Record<string, Shorthand>>;
  /** Parts in which a key that nobody knows can do no harm: it warns. Everywhere else it may be the one that closes a door. */
  readonly harmless?: readonly string[];
  /** What a file says under `version`, where it must: the version of its format, which no variable and no flag says. */
  readonly version?: string;
  /** `KEY=VALUE` to show whoever says something else: `dray.gc.grace=1h`. */
  readonly example?: string;
  /** What a schema of the file is called. */
  readonly title?: string;
}

/** The keys of a program's configuration: what is read, shown and checked is looked up here. */
export interface KeyTable extends TableFacts {
  readonly keys: readonly Key[];
  /** A key by its path. */
  readonly at: ReadonlyMap<string, Key>;
  /** The names that stand directly below a path. */
  readonly namesBelow: (path: string) => readonly string[];
}

/** A table of keys; no path may be one key and have others below it. */
export const keyTable = (keys: readonly Key[], facts: TableFacts): KeyTable => {
  const below = new Map<string, string[]>();
  for (const { path } of keys) {
    const parts = path.split(".");
    for (const [index, part] of parts.entries()) {
      const above = parts.slice(0, index).join(".");
      const names = below.get(above) ?? [];
      if (!names.includes(part)) names.push(part);
      below.set(above, names);
    }
  }
  return {
    ...facts,
    keys,
    at: new Map(keys.map((key) => [key.path, key])),
    namesBelow: (path) => below.get(path) ?? [],
  };
};

/** A key whose value has parts of its own: a list, a map, anything. */
export const takesParts = ({ at }: KeyTable, path: string): boolean =>
  /^(?:list|map|anything)/.test(at.get(path)?.type.name ?? "");

/** Whether a path is the version of the format, which the file alone says. */
export const isVersion = ({ version }: KeyTable, path: string): boolean => version !== undefined && path === "version";
