import { formatBytes, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import { type Screen, shortened } from "../screen.ts";
import type { TreeNode } from "./graph.ts";

/** The tree as lines, the root under the name it was asked for by. */
export const drawTree = (name: string, root: TreeNode, screen: Screen): string[] =>
  [printable(`${name}  ${root.digest}  ${detailsOf(root)}`), ...branches(root)].map((line) => shortened(line, screen));

const branches = (node: TreeNode): string[] => {
  const below = [...(node.manifests ?? []), ...(node.referrers ?? [])];
  return below.flatMap((child, i) => {
    const last = i === below.length - 1;
    const head = `${last ? "└── " : "├── "}${printable(`${labelOf(child)}  ${child.digest}  ${detailsOf(child)}`)}`;
    return [head, ...branches(child).map((line) => `${last ? "    " : "│   "}${line}`)];
  });
};

/** What a person would call it. */
export const labelOf = ({ kind, platform, artifactType, predicateTypes, tag }: TreeNode): string => {
  if (kind === "attestation" && predicateTypes !== undefined) return `attestation ${predicateTypes.join(", ")}`;
  if (kind === "attestation" || kind === "signature") return [kind, tag ?? artifactType].filter(Boolean).join(" ");
  if (platform !== undefined) return platform;
  if (kind === "missing") return artifactType ?? tag ?? kind;
  return kind === "artifact" ? (artifactType ?? kind) : (tag ?? kind);
};

/** What there is to say about it. */
export const detailsOf = ({ kind, layers, contentSize, about, error }: TreeNode): string => {
  if (kind === "missing") return `missing: ${error}`;
  if (kind === "index") return "index";
  if (kind === "attestation" && about !== undefined) return `about ${about}`;
  if (layers === undefined || contentSize === undefined) return kind;
  const what = kind === "image" ? plural(layers, "layer") : plural(layers, "blob");
  return `${what}, ${formatBytes(contentSize)}`;
};
