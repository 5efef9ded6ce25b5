import { DrayError, isDrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import { parseReference, type Reference } from "dray/oci";
import type { FoundReference, PlaceKind, WrittenPart } from "./found.ts";
import type { SourceText } from "./text/index.ts";
import type { ScalarNode } from "./tree/index.ts";
import { type Dialect, expand } from "./variables/index.ts";

/** How a text that may be a reference is taken. */
export interface Taken {
  /** Whose variables it may have. Default none but Go's. */
  dialect?: Dialect;
  lookup?: (name: string) => string | undefined;
  /** A text of another kind may stand here as well, so one that is no reference is passed over. Default: it is a fault. */
  isGuess?: boolean;
  /** A reference without a tag says nothing of it; default: it means `latest`. */
  isUntagged?: boolean;
}

/** The parts of a reference that is spread over a map; those that are not there, or empty, may still be written. */
export interface SpreadParts {
  readonly registry?: ScalarNode | undefined;
  readonly repository: ScalarNode;
  readonly tag?: ScalarNode | undefined;
  readonly digest?: ScalarNode | undefined;
  /** The repository is what others know the entry by, and stays. */
  readonly isNamed?: boolean;
}

/** Where the finders of each kind bring what they find: it becomes places in bytes, each once. */
export class Sink {
  readonly references: FoundReference[] = [];
  readonly faults: DrayError[] = [];
  private readonly known = new Set<number>();
  private readonly name: string;
  private readonly source: SourceText;
  /** Variables as whoever asked knows them. */
  readonly variables: Readonly<Record<string, string>>;

  constructor(name: string, source: SourceText, variables: Readonly<Record<string, string>>) {
    this.name = name;
    this.source = source;
    this.variables = variables;
  }

  /** A key as it is written. */
  keyText(key: ScalarNode): string {
    return this.source.words(key.verbatim ? this.source.text.slice(key.start, key.end) : key.text);
  }

  /** What a scalar says, as it stands in the file: `start` leads to its first character. */
  insideOf({ start, end }: ScalarNode): string {
    return this.source.text.slice(start, end);
  }

  fault(message: string, index: number, code: "CONFIG_INVALID" | "REFERENCE_INVALID" | "LIMIT_EXCEEDED"): void {
    const { line, column } = this.source.positionAt(index);
    this.faults.push(new DrayError(code, `${this.name}:${line}:${column}: ${message}`));
  }

  /** A text that is a reference, `docker://` before it left out. */
  whole(kind: PlaceKind, node: ScalarNode, path: string, taken: Taken = {}): void {
    const [scheme = ""] = /^docker:\/\//.exec(node.text) ?? [];
    const place =
      scheme === "" ? node : { ...node, text: node.text.slice(scheme.length), start: node.start + scheme.length };
    if (this.known.has(place.start)) return;
    const text = this.written(place);
    const { text: resolved, variables } = expand(text, taken.dialect ?? "none", taken.lookup);
    const reference = resolved === undefined ? undefined : this.parsed(resolved, place, taken);
    if (reference === false) return;
    if (variables.length > 0 && taken.isGuess && !/^[\w.${}:/@[\]| "'-]+$/.test(text)) return;
    this.put(kind, text, place, path, [this.part("reference", place)], reference, variables);
  }

  /** A reference that is spread over a map. */
  spread(kind: PlaceKind, parts: SpreadParts, path: string, taken: Taken = {}): void {
    const { registry, repository, tag, digest } = parts;
    if (this.known.has(repository.start)) return;
    const at = digest === undefined ? "" : this.written(digest);
    const hex = /^[0-9a-f]{64}$/.test(at) ? `sha256:${at}` : at;
    const text = [
      registry === undefined || registry.text === "" ? "" : `${this.written(registry).replace(/\/$/, "")}/`,
      this.written(repository),
      tag === undefined || tag.text === "" ? "" : `:${this.written(tag)}`,
      hex === "" ? "" : `@${hex}`,
    ].join("");
    const { text: resolved, variables } = expand(text, taken.dialect ?? "none", taken.lookup);
    const reference =
      resolved === undefined ? undefined : this.parsed(resolved, repository, { ...taken, isUntagged: true });
    if (reference === false) return;
    const named = { registry, repository: parts.isNamed ? undefined : repository, tag, digest } as const;
    const written = (["registry", "repository", "tag", "digest"] as const)
      .map((part) => ({ part, node: named[part] }))
      .filter(({ node }) => node !== undefined && isWritable(node))
      .map(({ part, node }) => this.part(part, node as ScalarNode));
    this.put(kind, text, repository, path, written, reference, variables);
  }

  private put(
    kind: PlaceKind,
    text: string,
    node: ScalarNode,
    path: string,
    parts: readonly WrittenPart[],
    reference: Reference | undefined,
    variables: FoundReference["variables"] & {},
  ): void {
    this.known.add(node.start);
    const { offset, length } = this.part("reference", node);
    this.references.push(
      defined<FoundReference>({
        kind,
        offset,
        length,
        text,
        reference,
        ...this.source.positionAt(node.start),
        path,
        rewritable: variables.length === 0 && parts.length > 0,
        variables: variables.length === 0 ? undefined : variables,
        parts,
      }),
    );
  }

  private parsed(text: string, node: ScalarNode, taken: Taken): Reference | undefined | false {
    try {
      return parseReference(text, taken.isUntagged ? { defaultTag: "" } : {});
    } catch (error) {
      if (!isDrayError(error)) throw error;
      if (!taken.isGuess) this.fault(error.message, node.start, "REFERENCE_INVALID");
      return false;
    }
  }

  /** As it stands in the file, actions of templates among it. */
  private written(node: ScalarNode): string {
    return node.verbatim ? this.source.text.slice(node.start, node.end) : node.text;
  }

  private part(part: WrittenPart["part"], { start, end, style }: ScalarNode): WrittenPart {
    const offset = this.source.byteAt(start);
    return { part, offset, length: this.source.byteAt(end) - offset, style };
  }
}

/** An empty plain scalar has no place of its own. */
const isWritable = ({ text, style }: ScalarNode): boolean => text !== "" || style === "quoted";

/** Whether a text names more than a bare word does: a registry, a path, a tag or a digest. */
export const isTelling = (text: string): boolean => /[:/@]/.test(text) && !/\s/.test(text);
