/** All that is wrong with the imports of a repository, given as text. */
import { posix } from "node:path";
import { circlesIn, type Graph, neighbours } from "./circles.ts";
import type { FaultKind } from "./floors.ts";
import { fault, type Import, isTest, type Manifest, readImports, type Target } from "./imports.ts";

export interface Found {
  readonly kind: FaultKind;
  /** The sentence that names file, line and reason. */
  readonly text: string;
}

/** `sources` and `manifests` by path and by the package's folder. */
export const importFaults = (
  sources: ReadonlyMap<string, string>,
  manifests: ReadonlyMap<string, Manifest>,
): Found[] => {
  const found: Found[] = [];
  const graph = new Map<string, Set<string>>();
  for (const [file, source] of sources) {
    for (const one of readImports(source)) {
      const target = targetOf(file, one);
      if (target === undefined) continue;
      const wrong = fault(file, target, manifests);
      if (wrong !== undefined)
        found.push({ kind: wrong.kind, text: `${file}:${one.line}: imports "${one.specifier}": ${wrong.reason}` });
      if ("file" in target && isPublished(file)) graph.set(file, (graph.get(file) ?? new Set()).add(target.file));
    }
  }
  const files = circles("circle of files", graph);
  const folders = circles("circle of folders", neighbours(graph));
  return [...found, ...files, ...folders];
};

const isPublished = (file: string): boolean => file.startsWith("packages/") && !isTest(file);

/** A circle is named by its shortest way. One of folders goes through a folder at least. */
const circles = (kind: "circle of files" | "circle of folders", graph: Graph): Found[] =>
  circlesIn(graph)
    .filter((way) => kind === "circle of files" || way.some((node) => !node.endsWith(".ts")))
    .map((way) => ({ kind, text: `a ${kind}: ${[...way, way[0]].join(" -> ")}` }));

/** A built-in module leads nowhere. */
const targetOf = (file: string, { specifier }: Import): Target | undefined => {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) return { file: posix.join(posix.dirname(file), specifier) };
  const [scope = "", name] = specifier.split("/");
  return { package: scope.startsWith("@") ? `${scope}/${name}` : scope };
};
