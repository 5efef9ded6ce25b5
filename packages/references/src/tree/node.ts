/** How a scalar is written: what may be written in its place depends on it. */
export type ScalarStyle = "plain" | "quoted" | "literal";

/** A text and where it stands: `start` to `end` is what would be replaced by another text, inside of quotes. */
export interface ScalarNode {
  readonly type: "scalar";
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly style: ScalarStyle;
  /** Whether the text between `start` and `end` is `text`, character by character. */
  readonly verbatim: boolean;
}

/** Its keys once each, those that were merged among them: nodes of aliases and merges are the very nodes that they name. */
export interface MapNode {
  readonly type: "map";
  readonly entries: ReadonlyMap<string, { readonly key: ScalarNode; readonly value: TreeNode }>;
  readonly start: number;
}

export interface ListNode {
  readonly type: "list";
  readonly items: readonly TreeNode[];
  readonly start: number;
}

export type TreeNode = ScalarNode | MapNode | ListNode;

/** What stands below a path of keys, if all of them are there. */
export const atOf = (node: TreeNode | undefined, ...keys: string[]): TreeNode | undefined => {
  let here = node;
  for (const key of keys) here = here?.type === "map" ? here.entries.get(key)?.value : undefined;
  return here;
};

export const mapOf = (node: TreeNode | undefined): MapNode | undefined => (node?.type === "map" ? node : undefined);

/** A scalar that is not empty. */
export const scalarOf = (node: TreeNode | undefined): ScalarNode | undefined =>
  node?.type === "scalar" && node.text !== "" ? node : undefined;

export const textAt = (node: TreeNode | undefined, ...keys: string[]): string | undefined =>
  scalarOf(atOf(node, ...keys))?.text;
