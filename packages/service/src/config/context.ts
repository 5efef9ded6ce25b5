import { type MapNode, mapNode, type Origin, type Remarks } from "./node.ts";
import type { Values } from "./values.ts";

/** What settings are built from, and where their parts say what does not fit together. */
export interface ConfigContext {
  readonly values: Values;
  readonly root: MapNode;
  /** Nothing starts. Where no origin is given: of the key itself. */
  readonly complain: (key: string, message: string, origin?: Origin) => undefined;
  readonly warn: (key: string, message: string, origin?: Origin) => void;
}

/** A context; what is said to it goes to the remarks. */
export const newContext = (values: Values, root: MapNode, { complaints, warnings }: Remarks): ConfigContext => {
  /** Where a key was said, or else the part of the file that it belongs to: a variable says nothing of its neighbours. */
  const originOf = (key: string): Origin => {
    if (values.has(key)) return values.originOf(key);
    const part = root.entries.get(key.split(".")[0] ?? "")?.origin;
    return part?.kind === "file" ? part : root.origin;
  };
  return {
    values,
    root,
    complain: (key, message, origin = originOf(key)) => void complaints.push({ key, message, origin }),
    warn: (key, message, origin = originOf(key)) => void warnings.push({ key, message, origin }),
  };
};

/** A part of the tree as a map; an empty one where it is absent. */
export const partOf = ({ root }: ConfigContext, name: string): MapNode => {
  const node = root.entries.get(name);
  return node?.kind === "map" ? node : mapNode({ kind: "default" });
};
