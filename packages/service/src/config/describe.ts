import { DrayError } from "dray/errors";
import { formatDuration } from "dray/internal/duration";
import type { KeyTable } from "./key-table.ts";
import { originText } from "./node.ts";
import { formatSize } from "./size.ts";
import type { Effective } from "./values.ts";

/** One key as it is shown. */
export interface Described {
  readonly key: string;
  /** As it would be written; of a secret `"(hidden)"`. */
  readonly value: unknown;
  /** `config.yml:3:5`, `REGISTRY_HTTP_ADDR`, `--listen`, `default`. */
  readonly origin: string;
  /** Whether a change applies while the program runs. */
  readonly reloadable: boolean;
}

/** What holds in the end, a row for each key, with who said it. */
export const describe = (table: KeyTable, effective: readonly Effective[]): readonly Described[] =>
  effective.map(({ key: path, value, origin }) => {
    const key = table.at.get(path);
    if (key === undefined) throw new DrayError("USAGE", `there is no key ${path}`);
    return {
      key: path,
      value: key.secret ? "(hidden)" : writtenValue(value, key.type.name),
      origin: originText(origin),
      reloadable: key.reloadable,
    };
  });

/** The same for people: keys, values and origins in columns. */
export const describedText = (described: readonly Described[]): string => {
  const rows = described.map(({ key, value, origin }) => [key, textOf(value), origin]);
  const widths = [0, 1].map((column) =>
    Math.min(
      50,
      rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
    ),
  );
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
};

/** A value as it is written in the file. */
export const writtenValue = (value: unknown, type: string): unknown => {
  if (typeof value !== "number") return value;
  if (type === "duration") return formatDuration(value);
  return type === "size" ? formatSize(value) : value;
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
