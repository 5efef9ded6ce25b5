import { formatBytes, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import type { FileChange, FileEntry, ImageDiff, PackageChange, SaidChange } from "dray/image";
import { jsonText } from "../json.ts";
import { describedFile, modeText } from "./lines.ts";

/** What stands before what was added, removed and changed. */
const marks = { added: "+", removed: "-", changed: "~" } as const;

const changeOf = ({ before, after }: { readonly before: unknown; readonly after: unknown }): keyof typeof marks =>
  before === undefined ? "added" : after === undefined ? "removed" : "changed";

/** Values of configurations may be long lists. */
const longest = 200;
const cut = (text: string, start: number): string =>
  `${start > 0 ? "…" : ""}${text.slice(start, start + longest)}${text.length > start + longest ? "…" : ""}`;

/** Values as they fit a line: of long ones that begin alike, what is not the same any more. */
const cutAll = (values: readonly string[]): readonly string[] => {
  const [one = "", other] = values;
  if (other === undefined || values.every(({ length }) => length <= longest)) return values.map((text) => cut(text, 0));
  let alike = 0;
  while (alike < one.length && one[alike] === other[alike]) alike++;
  return values.map((text) => cut(text, Math.max(0, alike - 20)));
};

/** In what two images differ, line by line; nothing where they do not. */
export function* diffLines({ said, packages, files, size, layers }: ImageDiff): Generator<string> {
  yield* section("configuration", said.map(saidLine));
  yield* section("packages", [
    ...packages.changes.map(packageLine),
    ...packages.unread.map(({ database, reason }) => `  ? ${printable(database)}: ${printable(reason)}`),
  ]);
  let [any, unsure] = [false, 0];
  for (const change of files()) {
    if (!any) yield "files";
    any = true;
    if (change.shared) unsure++;
    yield fileLine(change);
  }
  if (unsure > 0)
    yield `  ? ${unsure} of these may stand in place of what is in ${plural(layers.shared, "layer")} that both have, which were not read`;
  if (any || said.length > 0 || packages.changes.length > 0)
    yield `size ${formatBytes(size.before)} -> ${formatBytes(size.after)}, ${grown(size)}; ${layers.before.length} and ${plural(layers.after.length, "layer")} differ, ${layers.shared} ${layers.shared === 1 ? "is" : "are"} shared`;
}

const grown = ({ before, after }: ImageDiff["size"]): string =>
  after < before ? `${formatBytes(before - after)} less` : `${formatBytes(after - before)} more`;

const section = (name: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [name, ...lines];

const saidLine = ({ kind, name, before, after }: SaidChange): string => {
  const what = `  ${marks[changeOf({ before, after })]} ${kind} ${printable(name)}`;
  const values = [before, after].filter((value) => value !== undefined).map((value) => jsonText(value));
  return `${what}: ${cutAll(values).join(" -> ")}`;
};

const packageLine = ({ name, architecture, before, after }: PackageChange): string =>
  printable(
    `  ${marks[changeOf({ before, after })]} ${name} ${[before, after].filter((version) => version !== undefined).join(" -> ")}${architecture === "" ? "" : ` (${architecture})`}`,
  );

const fileLine = ({ path, change, aspects, before, after }: FileChange): string => {
  const layer = (after ?? before)?.layer;
  const facts = [
    ...aspects.map((aspect) => `${aspect}${aspectFacts(aspect, before, after)}`),
    ...sizes(change, before, after),
  ];
  const where = layer === undefined ? "" : ` [${layer.slice(layer.indexOf(":") + 1).slice(0, 12)}]`;
  return `  ${marks[change]} ${printable(path)}${facts.length === 0 ? "" : `: ${facts.join(", ")}`}${where}`;
};

const aspectFacts = (
  aspect: FileChange["aspects"][number],
  before: FileEntry | undefined,
  after: FileEntry | undefined,
): string => {
  if (before === undefined || after === undefined) return "";
  if (aspect === "mode") return ` ${modeText(before)} -> ${modeText(after)}`;
  if (aspect === "owner") return ` ${before.uid}/${before.gid} -> ${after.uid}/${after.gid}`;
  if (aspect === "link") return printable(` ${before.linkName} -> ${after.linkName}`);
  if (aspect === "type") return ` ${before.type} -> ${after.type}`;
  return "";
};

const sizes = (change: FileChange["change"], before: FileEntry | undefined, after: FileEntry | undefined): string[] => {
  const one = (after ?? before)?.size;
  if (change !== "changed")
    return one === undefined || (after ?? before)?.type === "directory" ? [] : [formatBytes(one)];
  return before === undefined || after === undefined || before.size === after.size
    ? []
    : [`${formatBytes(before.size)} -> ${formatBytes(after.size)}`];
};

/** A changed file in a document. */
export const describedChange = ({ path, change, aspects, shared, before, after }: FileChange): object => ({
  path,
  change,
  aspects,
  shared,
  ...(before === undefined ? {} : { before: withoutPath(before) }),
  ...(after === undefined ? {} : { after: withoutPath(after) }),
});

const withoutPath = (entry: FileEntry): object => {
  const { path: _path, ...facts } = describedFile(entry) as { readonly path: string };
  return facts;
};
