import type { Yielding } from "dray/internal/async";

/**
 * Takes a graph apart into groups whose members hold each other, each group behind those that hold it (Tarjan's strongly connected
 * components, without recursion: chains may be long). Mostly a group is one node; an index that contains what it refers to makes two.
 * @param held what a node holds; names that are no nodes are passed over
 */
export const stronglyConnectedComponents = async <T>(
  nodes: ReadonlySet<T>,
  held: (node: T) => Iterable<T>,
  yielding: Yielding,
): Promise<T[][]> => {
  const order = new Map<T, number>();
  const lowest = new Map<T, number>();
  const open: T[] = [];
  const isOpen = new Set<T>();
  const groups: T[][] = [];
  for (const root of nodes) {
    if (order.has(root)) continue;
    const path = [enter(root)];
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const { value: next, done } = step.rest.next();
      if (done !== true) {
        if (!nodes.has(next)) continue;
        if (!order.has(next)) path.push(enter(next));
        else if (isOpen.has(next)) reach(step.node, order.get(next) as number);
        continue;
      }
      path.pop();
      await yielding.turn();
      const low = lowest.get(step.node) as number;
      const above = path.at(-1);
      if (above !== undefined) reach(above.node, low);
      if (low === order.get(step.node)) groups.push(close(step.node));
    }
  }
  // They come out deepest first.
  return groups.reverse();

  function enter(node: T): { node: T; rest: Iterator<T> } {
    order.set(node, order.size);
    lowest.set(node, order.get(node) as number);
    open.push(node);
    isOpen.add(node);
    return { node, rest: held(node)[Symbol.iterator]() };
  }

  function reach(node: T, to: number): void {
    lowest.set(node, Math.min(lowest.get(node) as number, to));
  }

  function close(node: T): T[] {
    const group = open.splice(open.lastIndexOf(node));
    for (const member of group) isOpen.delete(member);
    return group;
  }
};
