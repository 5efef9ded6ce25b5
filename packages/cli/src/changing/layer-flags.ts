import { type Command, InvalidArgumentError, Option } from "commander";
import { DrayError } from "dray/errors";
import type { Compression } from "dray/oci";
import { positive } from "../flags.ts";

/** How new layers are compressed. */
export interface CompressionOptions {
  readonly compression?: Compression;
  readonly level?: number;
}

/** @param none what happens where nothing is said */
export const compressionFlags = (command: Command, none: string): Command =>
  command
    .addOption(new Option("--compression <kind>", `of new layers (default ${none})`).choices(["gzip", "zstd", "none"]))
    .option(
      "--level <number>",
      "how hard to compress: 1 to 9 for gzip (default 1), 1 to 19 for zstd (default 3)",
      positive,
    );

/** @throws DrayError `USAGE` for a level that the compression does not have */
export const refuseLevel = ({
  compression = "gzip",
  level,
}: { readonly [Name in keyof CompressionOptions]: CompressionOptions[Name] | undefined }): void => {
  if (level === undefined) return;
  if (compression === "none")
    throw new DrayError("USAGE", "--level: nothing is compressed with --compression none; leave one of them out");
  const highest = compression === "zstd" ? 19 : 9;
  if (level > highest) throw new DrayError("USAGE", `--level ${level}: ${compression} has levels from 1 to ${highest}`);
};

/** A layer by its number: 1 is the lowest, -1 the uppermost. */
export const layerNumber = (text: string): number => {
  if (!/^-?[1-9]\d{0,3}$/.test(text))
    throw new InvalidArgumentError("Expected 1 for the lowest layer, -1 for the uppermost.");
  return Number(text);
};

/** Whom files belong to: `1000:1000`, or `1000` for both. */
export const ownerOf = (text: string): { readonly uid: number; readonly gid: number } => {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === undefined) throw new InvalidArgumentError("Expected numbers such as 1000:1000.");
  return { uid: Number(uid), gid: Number(gid ?? uid) };
};

/** Permissions, in octal digits. */
export const modeOf = (text: string): number => {
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError("Expected octal digits such as 644.");
  return Number.parseInt(text, 8);
};
