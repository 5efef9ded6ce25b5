import { statfs } from "node:fs/promises";
import { DrayError } from "../../errors.ts";
import { onDisk } from "../../files/index.ts";
import { refuseNumber } from "../../numbers.ts";
import type { TreeEntry } from "../tree/index.ts";

/** How much an image may bring, so that one that is made to fill a disk is told before it has. */
export interface ExtractLimits {
  /** Bytes of all files, holes of sparse ones not counted. Default: what is free there, less 64 MiB. */
  readonly bytes?: number | undefined;
  /** Files, directories and links. Default 2,000,000. */
  readonly entries?: number | undefined;
  /** Bytes of a name between slashes. Default 255, as file systems have it. */
  readonly name?: number | undefined;
  /** Directories inside each other. Default 256. */
  readonly depth?: number | undefined;
  /** How many times its compressed size a layer may become, beyond 64 MiB. Default 1100: gzip cannot do more. */
  readonly ratio?: number | undefined;
}

const kept = 64 * 1024 * 1024;
const usualEntries = 2_000_000;
/** As gzip can do at most. */
export const usualRatio = 1100;

/** Counts what comes. */
export interface Meter {
  /** An entry comes. @throws DrayError `LIMIT_EXCEEDED` naming it and the limit */
  entry(entry: TreeEntry): void;
}

/** @throws DrayError `USAGE` for limits that mean nothing */
export const meterFor = async (directory: string, limits: ExtractLimits): Promise<Meter> => {
  for (const name of ["bytes", "entries", "name", "depth", "ratio"] as const) {
    const limit = limits[name];
    if (limit !== undefined) refuseNumber(`limits.${name}`, limit, { from: 1 });
  }
  const { bsize, bavail } = await onDisk("read", directory, () => statfs(directory));
  const free = bsize * bavail - kept;
  const { bytes = free, entries = usualEntries, name = 255, depth = 256 } = limits;
  let [allBytes, allEntries] = [0, 0];
  const refuse = (path: string, what: string): never => {
    throw new DrayError("LIMIT_EXCEEDED", `entry "${path}": ${what}`);
  };
  return {
    entry({ path, stored }) {
      allBytes += stored;
      if (allBytes > bytes)
        refuse(
          path,
          limits.bytes === undefined
            ? `the files take more than the ${Math.max(0, free)} bytes that are free there, but for 64 MiB that stay so; free some space`
            : `the files take more than ${bytes} bytes; raise limits.bytes, if that is right`,
        );
      if (++allEntries > entries)
        refuse(path, `there are more than ${entries} entries; raise limits.entries, if that is right`);
      const parts = path.split("/");
      if (parts.length > depth) refuse(path, `it lies more than ${depth} directories deep`);
      if (parts.some((part) => part.length > name / 4 && Buffer.byteLength(part) > name))
        refuse(path, `a name in it has more than ${name} bytes`);
    },
  };
};
