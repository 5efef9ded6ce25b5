/** Circles among what imports each other: files, and the folders and files that lie in one folder. Pure. */

/** Who imports whom; a type is an import like another. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Each circle as the shortest way around it, beginning with its first member by name: strongly connected components of more than one.
 * @see Tarjan, Depth-first search and linear graph algorithms, 1972
 */
export const circlesIn = (graph: Graph): string[][] => components(graph).map((members) => shortest(graph, members));

const components = (graph: Graph): Set<string>[] => {
  const found: Set<string>[] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const onPath = new Set<string>();
  const visit = (node: string): number => {
    const mine = order.size;
    order.set(node, mine);
    let low = mine;
    path.push(node);
    onPath.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (onPath.has(next)) low = Math.min(low, order.get(next) ?? low);
    }
    lowest.set(node, low);
    if (low === mine) {
      const members = path.splice(path.indexOf(node));
      for (const member of members) onPath.delete(member);
      if (members.length > 1) found.push(new Set(members));
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
};

/** Breadth first from the first member back to itself. */
const shortest = (graph: Graph, members: ReadonlySet<string>): string[] => {
  const [first = ""] = [...members].sort();
  const cameFrom = new Map<string, string>();
  const waiting = [first];
  for (const node of waiting) {
    for (const next of graph.get(node) ?? []) {
      if (next === first) {
        const way = [node];
        for (let at = node; at !== first; way.unshift(at)) at = cameFrom.get(at) ?? first;
        return way;
      }
      if (!members.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      waiting.push(next);
    }
  }
  return [...members];
};

/**
 * The imports between files as imports between neighbours: of `a/b/c.ts -> a/d/e.ts`, `a/b -> a/d`. A folder and what lies in it
 * are no neighbours.
 */
export const neighbours = (files: Graph): Map<string, Set<string>> => {
  const graph = new Map<string, Set<string>>();
  for (const [file, targets] of files) {
    for (const target of targets) {
      const [from, to] = [file.split("/"), target.split("/")];
      let depth = 0;
      while (from[depth] === to[depth] && depth < from.length) depth += 1;
      if (depth >= from.length || depth >= to.length) continue;
      const [a, b] = [from, to].map((parts) => parts.slice(0, depth + 1).join("/")) as [string, string];
      graph.set(a, (graph.get(a) ?? new Set()).add(b));
    }
  }
  return graph;
};
