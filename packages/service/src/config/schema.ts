import { writtenValue } from "./describe.ts";
import type { Key } from "./key.ts";
import type { KeyTable } from "./key-table.ts";
import type { Schema } from "./value-types.ts";

/**
 * A JSON Schema of the file, for editors: `# yaml-language-server: $schema=…`. Made from the table of keys; what is refused is in it,
 * too, so that the editor can say why.
 */
export const configSchema = (table: KeyTable): Schema => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  ...(table.title === undefined ? {} : { title: table.title }),
  ...branch(
    table,
    table.keys.map((key) => ({ key, rest: key.path.split(".") })),
    "",
  ),
  ...(table.version === undefined ? {} : { required: ["version"] }),
  patternProperties: { "^x-": {} },
});

interface Member {
  readonly key: Key;
  readonly rest: readonly string[];
}

const branch = (table: KeyTable, members: readonly Member[], path: string): Record<string, unknown> => {
  const { shorthands = {} } = table;
  const groups = Map.groupBy(members, ({ rest }) => rest[0] ?? "");
  const properties = Object.fromEntries(
    [...groups].map(([name, group]) => {
      const [first] = group;
      const inside = path === "" ? name : `${path}.${name}`;
      if (first?.rest.length === 1) return [name, leaf(first.key)];
      const below = branch(
        table,
        group.map(({ key, rest }) => ({ key, rest: rest.slice(1) })),
        inside,
      );
      return [name, inside in shorthands ? { ...below, type: ["object", "null", "string", "boolean"] } : below];
    }),
  );
  return { type: ["object", "null"], properties, additionalProperties: false };
};

const leaf = ({ status, type, about, fallback }: Key): Schema => {
  if (status !== "supported") {
    const notes = { needless: "Not needed", ignored: "Has no effect", refused: "Not supported" } as const;
    return { description: `${notes[status]}: ${about}`, deprecated: true };
  }
  const { schema } = type;
  return {
    ...orNull(schema),
    description: about,
    ...(fallback === undefined ? {} : { default: writtenValue(fallback, type.name) }),
  };
};

/** A key without a value is as if it were absent. */
const orNull = (schema: Schema): Schema => {
  if ("enum" in schema) return { enum: [...(schema["enum"] as readonly string[]), null] };
  return "type" in schema ? { ...schema, type: [schema["type"], "null"].flat() } : schema;
};
