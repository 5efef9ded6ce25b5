import { readFile } from "node:fs/promises";
import { DrayError } from "dray/errors";
import type { ConfigDocument } from "dray/registry";

/** The text of a file. @throws DrayError `CONFIG_INVALID` naming the file, and what to do */
export const textOf = (file: string, named: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === "ENOENT"
        ? "no such file; check the path"
        : `cannot be read (${cause.code}); check its owner and mode`;
    throw new DrayError("CONFIG_INVALID", `${named}${file}: ${why}`, { cause });
  });

/** A file of TOML. What reads that is loaded where something is in it. @throws DrayError `CONFIG_INVALID` with the line */
export const tomlOf = async (file: string, text: string): Promise<ConfigDocument> => {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return { file, content: parse(text.replace(/^\ufeff/, "")) };
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [why = ""] = cause.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new DrayError("CONFIG_INVALID", `${file}:${cause.line}:${cause.column}: ${why}; correct it`, { cause });
  }
};

/** A file of JSON. @throws DrayError `CONFIG_INVALID` */
export const jsonOf = (file: string, text: string): ConfigDocument => {
  try {
    return { file, content: JSON.parse(text.replace(/^\ufeff/, "")) as unknown };
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", `${file} is no valid JSON; correct it`, { cause });
  }
};
