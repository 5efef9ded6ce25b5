import { DrayError } from "../../errors.ts";
import { redactUrl } from "../../http/index.ts";

/** A file that was read and parsed, as its format has it: TOML and JSON alike. */
export interface ConfigDocument {
  /** Its name, for messages. */
  readonly file: string;
  /** What it holds, as plain objects, arrays, text, numbers and truth values. */
  readonly content: unknown;
}

/** One table of a document, whose values are taken out by their types. What nobody took is not known here. */
export class Table {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #taken = new Set<string>();

  /** @param where file and table, for messages */
  constructor(values: unknown, where: string) {
    if (typeof values !== "object" || values === null || Array.isArray(values)) throw invalid(where, "is no table");
    this.#values = values as Readonly<Record<string, unknown>>;
    this.#where = where;
  }

  get where(): string {
    return this.#where;
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  text(key: string): string | undefined {
    return this.#take(key, "has to be text", (value) => typeof value === "string") as string | undefined;
  }

  truth(key: string): boolean | undefined {
    return this.#take(key, "has to be true or false", (value) => typeof value === "boolean") as boolean | undefined;
  }

  texts(key: string): readonly string[] | undefined {
    return this.#take(key, "has to be a list of texts", isTexts) as readonly string[] | undefined;
  }

  /** One text, or a list of them. */
  textOrTexts(key: string): readonly string[] | undefined {
    const value = this.#take(
      key,
      "has to be text, or a list of texts",
      (each) => typeof each === "string" || isTexts(each),
    );
    return value === undefined ? undefined : [value as string | string[]].flat();
  }

  /** Whatever it is: the caller looks. */
  any(key: string): unknown {
    return this.#take(key, "", () => true);
  }

  /** A table of tables, in the order of the file. */
  tables(key: string): readonly (readonly [name: string, table: Table])[] {
    const values = this.any(key);
    if (values === undefined) return [];
    return new Table(values, `${this.#where}: "${key}"`).entries();
  }

  entries(): readonly (readonly [name: string, table: Table])[] {
    return Object.entries(this.#values).map(([name, value]) => {
      this.#taken.add(name);
      return [name, new Table(value, `${this.#where} "${redactUrl(name)}"`)] as const;
    });
  }

  /** A list of tables. */
  list(key: string): readonly Table[] {
    const values = this.#take(key, `has to be a list of tables, [[${key}]]`, Array.isArray) as unknown[] | undefined;
    return (values ?? []).map((value, at) => new Table(value, `${this.#where}: ${key} ${at + 1}`));
  }

  /** The keys that nobody has asked for. */
  unknown(): readonly string[] {
    return Object.keys(this.#values)
      .filter((key) => !this.#taken.has(key))
      .map((key) => `${this.#where}: "${key}" is not known, and passed over`);
  }

  invalid(why: string): DrayError {
    return invalid(this.#where, why);
  }

  #take(key: string, expected: string, fits: (value: unknown) => boolean): unknown {
    this.#taken.add(key);
    const value = this.#values[key];
    if (value !== undefined && !fits(value)) throw invalid(this.#where, `"${key}" ${expected}`);
    return value;
  }
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === "string");

const invalid = (where: string, why: string): DrayError => new DrayError("CONFIG_INVALID", `${where}: ${why}`);
