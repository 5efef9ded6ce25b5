import { readFileSync } from "node:fs";
import { DrayError, isDrayError, restated } from "dray/errors";
import { diskError, errnoOf } from "dray/internal/files";
import { type ConfigContext, newContext } from "./context.ts";
import { type GivenFlags, overlayFlags } from "./flags.ts";
import type { KeyTable } from "./key-table.ts";
import { type MapNode, mapNode, type Remark, type Remarks, remarkText } from "./node.ts";
import { readKeys } from "./read-keys.ts";
import { textOf } from "./text-file.ts";
import { Values } from "./values.ts";
import { type Environment, overlayVariables } from "./variables.ts";
import { parseYaml } from "./yaml.ts";

export interface ConfigSources {
  /** Path of the configuration. Default: what the table's `fileVariable` says, else none. */
  readonly file?: string;
  /** What it says, where it need not be read. */
  readonly text?: string;
  readonly env?: Environment;
  readonly flags?: GivenFlags;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class SettingsInvalid extends DrayError {
  readonly complaints: readonly Remark[];
  readonly warnings: readonly Remark[];

  constructor(complaints: readonly Remark[], warnings: readonly Remark[]) {
    const texts = complaints.map(remarkText);
    const count = texts.length === 1 ? "" : `${texts.length} things are wrong with the configuration: `;
    super("CONFIG_INVALID", count + texts.join("; "));
    this.complaints = complaints;
    this.warnings = warnings;
  }
}

/**
 * What a program is configured with: what flags say, else variables, else the file, else defaults.
 * @param build makes settings of it, or tells the context what does not fit together
 * @throws SettingsInvalid with all that is wrong and where
 * @throws DrayError `DISK` for a file that cannot be read
 */
export const readConfig = <S>(
  table: KeyTable,
  build: (context: ConfigContext) => S | undefined,
  sources: ConfigSources = {},
): { readonly settings: S; readonly warnings: readonly Remark[] } => {
  const { values, root, complaints, warnings, broken } = look(table, sources);
  // What cannot be read at all is not also incomplete.
  if (broken) throw new SettingsInvalid(complaints, []);
  const contradictions: Remark[] = [];
  const settings = build(newContext(values, root, { complaints: contradictions, warnings }));
  // What has a wrong value is not missing as well.
  const known = new Set(complaints.map(({ key }) => key));
  for (const each of contradictions) if (!known.has(each.key)) complaints.push(each);
  warnings.sort(byPlace);
  if (settings === undefined || complaints.length > 0) throw new SettingsInvalid(complaints.sort(byPlace), warnings);
  return { settings, warnings };
};

/**
 * What can be told of one part of a configuration, however wrong the rest of it is: for whoever asks a program that runs with an earlier
 * one. `undefined` where that part cannot be told. A text that is no YAML says what it says, and leaves no defaults to count on.
 */
export const readPart = <S>(
  table: KeyTable,
  build: (context: ConfigContext) => S | undefined,
  keys: readonly string[],
  sources: ConfigSources = {},
): S | undefined => {
  const { values, root, complaints, warnings, broken } = look(table, sources);
  if (complaints.some(({ key }) => keys.includes(key)) || (broken && !keys.some((key) => values.has(key))))
    return undefined;
  const contradictions: Remark[] = [];
  const part = build(newContext(values, root, { complaints: contradictions, warnings }));
  return contradictions.length > 0 ? undefined : part;
};

interface Seen extends Remarks {
  readonly values: Values;
  readonly root: MapNode;
  readonly broken: boolean;
}

/** Everything that was said, and what is wrong with it. */
const look = (table: KeyTable, { file: given, text: said, env = {}, flags = {} }: ConfigSources): Seen => {
  const named = table.fileVariable === undefined ? undefined : env[table.fileVariable];
  const file = given ?? (said === undefined && named !== "" ? named : undefined);
  const text = said ?? (file === undefined ? undefined : contentOf(file, table));
  const remarks: Remarks = { complaints: [], warnings: [] };
  const read =
    text === undefined
      ? { root: mapNode({ kind: "default" }), broken: false }
      : rootOf(table, text, file ?? "config.yml", remarks.complaints);
  const { root, broken } = read;
  // Of what is no YAML only that is told.
  const heard: Remarks = broken ? { complaints: [], warnings: [] } : remarks;
  overlayVariables(table, root, env, heard);
  overlayFlags(table, root, flags, heard);
  const values = new Values(table, readKeys(table, root, heard), text !== undefined);
  return { ...remarks, values, root, broken };
};

const largest = 1024 * 1024;

const contentOf = (file: string, { flags = [] }: KeyTable): string => {
  try {
    const bytes = readFileSync(file);
    if (bytes.byteLength > largest) throw new DrayError("CONFIG_INVALID", `${file} is too large for a configuration`);
    return textOf(bytes);
  } catch (error) {
    if (errnoOf(error) === "EISDIR") {
      const takesData = flags.some(({ name }) => name === "--data");
      const remedy = takesData ? `a folder of data is named by --data ${file}` : "name the file in it";
      throw new DrayError("CONFIG_INVALID", `${file} is a folder and no configuration; ${remedy}`);
    }
    // As with what is in it: nothing begins without the configuration that was named.
    const told = diskError(error, "read", file);
    throw isDrayError(told, "DISK") ? restated(told, "CONFIG_INVALID", told.message) : told;
  }
};

const rootOf = (
  { version }: KeyTable,
  text: string,
  file: string,
  complaints: Remark[],
): { readonly root: MapNode; readonly broken: boolean } => {
  const parsed = parseYaml(text, { file });
  for (const each of parsed.complaints) complaints.push(each);
  const start = { kind: "file", file, line: 1, column: 1 } as const;
  if (parsed.node?.kind === "map") return { root: parsed.node, broken: parsed.broken === true };
  const begin = version === undefined ? "it is a map of keys" : `it begins with version: ${version}`;
  if (parsed.complaints.length === 0)
    complaints.push({ key: "", origin: start, message: `this is no configuration; ${begin}` });
  return { root: mapNode(start), broken: true };
};

/** The file from its top, then the rest in the order of names. */
const byPlace = (a: Remark, b: Remark): number => {
  const [left, right] = [a.origin, b.origin];
  if (left.kind === "file" && right.kind === "file") return left.line - right.line || left.column - right.column;
  return (left.kind === "file" ? 0 : 1) - (right.kind === "file" ? 0 : 1);
};
