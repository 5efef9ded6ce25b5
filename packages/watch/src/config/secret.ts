import { readFileSync } from "node:fs";
import { recordOf, text, type ValueType } from "@dray/service/config";
import { DrayError } from "dray/errors";

/** A secret as it is configured: itself, or where it is. */
export type SecretSource = string | { readonly file: string } | { readonly variable: string };

const elsewhere = recordOf("secret", { file: { type: text }, variable: { type: text } });

/** A text, or `{file: PATH}`, or `{variable: NAME}`: the configuration may lie where many can read it. */
export const secret: ValueType<SecretSource> = {
  name: "secret",
  schema: { oneOf: [text.schema, elsewhere.schema] },
  read: (node) => (node.kind === "map" ? (elsewhere.read(node) as SecretSource | undefined) : text.read(node)),
};

/**
 * What the secret is now.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read, the variable is not set, or any of them is blank
 */
export const resolveSecret = (source: SecretSource, env: Readonly<Record<string, string | undefined>>): string => {
  if (typeof source === "string") {
    if (source.trim() === "") throw new DrayError("CONFIG_INVALID", "is blank, and should be a secret");
    return source;
  }
  if ("variable" in source) {
    const value = env[source.variable];
    if (value === undefined || value.trim() === "")
      throw new DrayError("CONFIG_INVALID", `the variable ${source.variable} is not set`);
    return value;
  }
  let value: string;
  try {
    value = readFileSync(source.file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new DrayError(
      "CONFIG_INVALID",
      `the secret in ${source.file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown reason"}`,
    );
  }
  if (value.trim() === "") throw new DrayError("CONFIG_INVALID", `${source.file} is empty, and should have a secret`);
  return value;
};
