import { type ConfigNode, type MapNode, mapNode, type Origin } from "../node.ts";
import type { Values } from "../values.ts";

/** What the parts of the settings are made from, and where they say what does not fit together. */
export interface Context {
  readonly values: Values;
  readonly root: MapNode;
  /** Where no origin is given: of the key itself. */
  readonly complain: (key: string, message: string, origin?: Origin) => undefined;
  readonly warn: (key: string, message: string, origin?: Origin) => void;
}

/** A part of the tree as a map; an empty one where it is absent. */
export const partOf = ({ root }: Context, name: string): MapNode => {
  const node: ConfigNode | undefined = root.entries.get(name);
  return node?.kind === "map" ? node : mapNode({ kind: "default" });
};
