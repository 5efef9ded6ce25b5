import { DrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import { inDockerfile } from "./dockerfile/index.ts";
import type { FileKind, FileReferences } from "./found.ts";
import { kindOfName, mayBeTree } from "./kind-of-name.ts";
import { kindOfTree, treeKinds } from "./kinds/index.ts";
import { inList, inQuadlet, isList } from "./lines.ts";
import { Sink } from "./sink.ts";
import { sourceText } from "./text/index.ts";
import { maskTemplates, readJson, readYaml, type TreeDocument, TreeFault } from "./tree/index.ts";

/** What is known of a file beside its bytes. */
export interface FindReferencesOptions {
  /** What the file is. Default: what its name and its content say. */
  kind?: FileKind;
  /** Values of variables of compose, Dockerfiles and GitLab, as those of an `.env` beside the file. */
  variables?: Readonly<Record<string, string>>;
}

/** Bytes of a file at most. */
const longest = 64 * 1024 * 1024;

const lineKinds = { dockerfile: inDockerfile, list: inList, quadlet: inQuadlet } as const;

/** Every kind of file that is understood. */
export const fileKinds: readonly FileKind[] = [
  ...Object.keys(treeKinds),
  ...Object.keys(lineKinds),
].sort() as FileKind[];

/**
 * Finds the references of images in a file: where each stands, in bytes, and what it says. It looks where that kind of file has images, never at
 * whatever looks like one. Never throws for what a file contains: that is among its `faults`.
 * @param name its path, by which it is known what it is, and which messages name
 * @throws DrayError USAGE for a `kind` that there is not
 * @example
 * const { references } = findReferences("compose.yml", Buffer.from("services:\n  web:\n    image: nginx:1.27\n"));
 * references[0]; // { kind: "service", offset: 28, length: 10, text: "nginx:1.27", line: 3, column: 12, path: "services.web.image", … }
 */
export const findReferences = (
  name: string,
  bytes: Uint8Array,
  { kind: given, variables = {} }: FindReferencesOptions = {},
): FileReferences => {
  if (given !== undefined && !fileKinds.includes(given))
    throw new DrayError("USAGE", `no kind of file is called "${given}"; there are ${fileKinds.join(", ")}`);
  const named = given ?? kindOfName(name);
  if (bytes.byteLength > longest)
    return defined<FileReferences>({ name, kind: named, references: [], faults: [tooLong(name)] });
  const source = sourceText(bytes);
  const sink = new Sink(name, source, variables);
  const kind = read(source.text, name, named, sink);
  const references = sink.references.sort((one, other) => one.offset - other.offset);
  return defined<FileReferences>({ name, kind, references, faults: sink.faults });
};

const tooLong = (name: string): DrayError =>
  new DrayError("LIMIT_EXCEEDED", `${name}: has more than ${longest} bytes; split it`);

/** Brings what is there to the sink, and says what the file is. */
const read = (text: string, name: string, named: FileKind | undefined, sink: Sink): FileKind | undefined => {
  if (named === "dockerfile" || named === "list" || named === "quadlet") {
    lineKinds[named](text, sink);
    return named;
  }
  if (named === undefined && !mayBeTree(name)) {
    if (/\0/.test(text.slice(0, 8192)) || !isList(text)) return undefined;
    inList(text, sink);
    return "list";
  }
  let first: FileKind | undefined = named;
  for (const { root, fault } of documentsOf(text, name, named)) {
    if (fault !== undefined) sink.fault(fault.message, fault.index, fault.limit ? "LIMIT_EXCEEDED" : "CONFIG_INVALID");
    if (root === undefined) continue;
    // Documents of other kinds may lie in one file; a name says nothing of them but that.
    const kind = named === undefined || named === "images-lock" ? kindOfTree(root) : named;
    first ??= kind;
    if (kind !== undefined) treeKinds[kind]?.(root, sink);
  }
  return first;
};

const documentsOf = (text: string, name: string, named: FileKind | undefined): TreeDocument[] => {
  // Values are no templates, though texts among them may be.
  const masked = named === "helm-values" || named === "helm-chart" ? text : maskTemplates(text);
  if (named !== "devcontainer" && !/\.json$/i.test(name)) return readYaml(masked, text);
  try {
    return [{ root: readJson(masked) }];
  } catch (fault) {
    if (fault instanceof TreeFault) return [{ fault }];
    throw fault;
  }
};
