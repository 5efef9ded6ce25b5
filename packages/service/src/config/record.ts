import { nearest } from "dray/internal/nearest";
import { type ConfigNode, isNull, type MapNode } from "./node.ts";
import { located, Misfit, type Schema, type ValueType } from "./value-types.ts";

/** A member of a record. */
export interface Member {
  readonly type: ValueType;
  readonly required?: boolean;
}

/** Members by name. */
export type Members = Readonly<Record<string, Member>>;

/** A record with these members, and no others. `name` is for people: `sink`. */
export const recordOf = (name: string, members: Members): ValueType<Readonly<Record<string, unknown>>> => ({
  name: `map: ${name}`,
  schema: schemaOf(members),
  read: (node) => (isNull(node) ? undefined : readMembers(name, members, node)),
});

/** A record whose member `key` says which other members it has. */
export const variantOf = (
  name: string,
  key: string,
  variants: Readonly<Record<string, Members>>,
): ValueType<Readonly<Record<string, unknown>>> => ({
  name: `map: ${name}`,
  schema: {
    type: "object",
    required: [key],
    oneOf: Object.entries(variants).map(([word, members]) => {
      const schema = schemaOf(members);
      return { ...schema, properties: { ...(schema["properties"] as object), [key]: { const: word } } };
    }),
  },
  read: (node) => {
    if (isNull(node)) return undefined;
    const said = mapOf(name, node).entries.get(key);
    const word = said?.kind === "scalar" ? said.text : undefined;
    const words = Object.keys(variants);
    if (said === undefined || word === undefined)
      throw new Misfit(`has a ${name} without ${key}; it is one of ${words.join(", ")}`, node.origin);
    const members = Object.hasOwn(variants, word) ? variants[word] : undefined;
    if (members === undefined)
      throw new Misfit(`has no ${name} of that ${key}; there are ${words.join(", ")}`, said.origin);
    const plain: ValueType = { name: "text", schema: {}, read: () => word };
    return readMembers(name, { [key]: { type: plain }, ...members }, node);
  },
});

/** Values under names that the operator chooses: letters, digits, `-`, `_` and `.`. */
export const namedOf = <T>(item: ValueType<T>): ValueType<ReadonlyMap<string, T>> => ({
  name: `map of names to ${item.name.replace(/^map: /, "")}s`,
  schema: { type: "object", additionalProperties: item.schema },
  read: (node) => {
    if (isNull(node)) return undefined;
    const wrong: Misfit[] = [];
    const found = new Map<string, T>();
    for (const [name, below] of mapOf("map", node).entries)
      collected(wrong, () => {
        if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
          throw new Misfit("has a name that is none; take letters, digits, - _ and .", below.origin);
        const value = located(below, () => item.read(below));
        if (value !== undefined) found.set(name, value);
      });
    if (wrong.length > 0) throw new Misfit("has parts that cannot be used", undefined, wrong);
    return found;
  },
});

/** Whatever YAML can say, as JSON has it: what somebody else reads and checks. */
export const document: ValueType = {
  name: "map",
  schema: {},
  read: (node) => (isNull(node) ? undefined : plainOf(node)),
};

const plainOf = (node: ConfigNode): unknown => {
  if (node.kind === "list") return node.items.map(plainOf);
  if (node.kind === "map") return Object.fromEntries([...node.entries].map(([name, below]) => [name, plainOf(below)]));
  if (!node.plain) return node.text;
  if (isNull(node)) return null;
  if (node.text === "true" || node.text === "false") return node.text === "true";
  return /^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$/.test(node.text) ? Number(node.text) : node.text;
};

const mapOf = (name: string, node: ConfigNode): MapNode => {
  if (node.kind !== "map")
    throw new Misfit(`a ${node.kind} stands where a ${name} belongs; write its keys`, node.origin);
  return node;
};

const collected = (wrong: Misfit[], work: () => void): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    for (const each of error.all) wrong.push(each);
  }
};

const readMembers = (name: string, members: Members, node: ConfigNode): Readonly<Record<string, unknown>> => {
  const { entries, origin } = mapOf(name, node);
  const wrong: Misfit[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, below] of entries)
    collected(wrong, () => {
      const member = Object.hasOwn(members, key) ? members[key] : undefined;
      if (member === undefined) {
        const close = nearest(key, Object.keys(members));
        const hint = close === undefined ? `choose among ${Object.keys(members).join(", ")}` : `did you mean ${close}?`;
        throw new Misfit(`has no key ${key} in a ${name}; ${hint}`, below.origin);
      }
      try {
        const value = located(below, () => member.type.read(below));
        if (value !== undefined) values[key] = value;
      } catch (error) {
        if (!(error instanceof Misfit)) throw error;
        throw new Misfit(
          "",
          undefined,
          error.all.map((one) => new Misfit(`${key} ${one.message}`, one.at)),
        );
      }
    });
  for (const [key, { required }] of Object.entries(members))
    if (required === true && values[key] === undefined && !(entries.has(key) && wrong.length > 0))
      wrong.push(new Misfit(`has a ${name} without ${key}`, origin));
  if (wrong.length > 0) throw new Misfit("has parts that cannot be used", undefined, wrong);
  return values;
};

const schemaOf = (members: Members): Schema => ({
  type: "object",
  properties: Object.fromEntries(Object.entries(members).map(([key, { type }]) => [key, type.schema])),
  required: Object.entries(members).flatMap(([key, { required }]) => (required === true ? [key] : [])),
  additionalProperties: false,
});
