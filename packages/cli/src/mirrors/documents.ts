import { createReadStream } from "node:fs";
import { DrayError } from "dray/errors";
import type { ConfigDocument } from "dray/registry";

/** Bytes. Such files have thousands at most. */
const largest = 4 * 1024 * 1024;

/** The text of a file, which may be a pipe. @throws DrayError `CONFIG_INVALID` naming the file, and what to do */
export const textOf = async (file: string, named: string): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of createReadStream(file, { end: largest })) {
      size += (piece as Buffer).byteLength;
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const why =
      cause.code === "ENOENT"
        ? "no such file; check the path"
        : `cannot be read (${cause.code}); check its owner and mode`;
    throw new DrayError("CONFIG_INVALID", `${named}${file}: ${why}`, { cause });
  }
  if (size > largest)
    throw new DrayError("CONFIG_INVALID", `${named}${file}: longer than 4 MiB, so no such file; check the path`);
  return Buffer.concat(pieces).toString();
};

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
