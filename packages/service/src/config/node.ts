/** Where a value was said. */
export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "variable" | "flag"; readonly name: string }
  | { readonly kind: "default" };

export const originText = (origin: Origin): string => {
  if (origin.kind === "default") return "default";
  return origin.kind === "file" ? `${origin.file}:${origin.line}:${origin.column}` : origin.name;
};

/** A configuration as it was written: scalars are text, since only its key knows what one means. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly text: string;
  /** Without quotes, and so perhaps no text. */
  readonly plain: boolean;
  readonly origin: Origin;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: ConfigNode[];
  readonly origin: Origin;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: Map<string, ConfigNode>;
  readonly origin: Origin;
}

export const mapNode = (origin: Origin): MapNode => ({ kind: "map", entries: new Map(), origin });

/** Nothing was said: `key:`, `key: ~`, `key: null`. */
export const isNull = (node: ConfigNode): boolean =>
  node.kind === "scalar" && node.plain && /^(?:|~|null|Null|NULL)$/.test(node.text);

/** Something that would have no effect anywhere. */
export const isEmpty = (node: ConfigNode): boolean => {
  if (node.kind === "scalar") return isNull(node) || node.text === "";
  return node.kind === "list" ? node.items.length === 0 : node.entries.values().every(isEmpty);
};

/** The boolean words of YAML 1.1. */
export const truthOf = (node: ConfigNode | undefined): boolean | undefined => {
  if (node?.kind !== "scalar") return undefined;
  if (/^(?:y|yes|true|on)$/i.test(node.text)) return true;
  return /^(?:n|no|false|off)$/i.test(node.text) ? false : undefined;
};

export const isTrue = (node: ConfigNode | undefined): boolean => truthOf(node) === true;

/** What is wrong, or will not happen, with the place where it was said. */
export interface Remark {
  /** As `http.tls.certificate`; `""` for the whole. */
  readonly key: string;
  readonly origin: Origin;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** What was said of a configuration so far. */
export interface Remarks {
  /** Nothing starts with these. */
  readonly complaints: Remark[];
  readonly warnings: Remark[];
}

/** One line: `config.yml:12:5: http.draintimeout: …`. */
export const remarkText = ({ key, origin, message }: Remark): string =>
  [origin.kind === "default" ? "" : originText(origin), key, message].filter((part) => part !== "").join(": ");
