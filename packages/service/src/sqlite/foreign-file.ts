import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { DatabaseFormat } from "./open-database.ts";

const magic = "SQLite format 3\0";
const headerBytes = 100;
/** Where the header says how many pages there are, and whose they are. */
const pagesAt = 28;
const applicationAt = 68;

/**
 * Why what lies at a path is not ours to begin anew; `undefined` where nothing is there, where it is empty, or where it is a database of
 * this format, damaged or not. A slip in a setting names somebody's data: nobody but the operator may say that it can go.
 */
export const foreignFile = (file: string, { application }: DatabaseFormat): string | undefined => {
  let facts: ReturnType<typeof statSync>;
  try {
    facts = statSync(file);
  } catch {
    // What cannot be looked at cannot be opened either, and that is said then.
    return undefined;
  }
  if (facts?.isDirectory()) return "it is a directory";
  if (!facts?.isFile()) return "it is no regular file";
  const header = headerOf(file);
  if (header === undefined || header.byteLength === 0) return undefined;
  if (!header.subarray(0, magic.length).equals(Buffer.from(magic).subarray(0, header.byteLength)))
    return "it is no database";
  // One that was cut off here holds nothing.
  if (header.byteLength < headerBytes) return undefined;
  const id = header.readUInt32BE(applicationAt);
  if (id === application) return undefined;
  // A kill in the moment of its making leaves one page without tables, and all else in the log beside it.
  if (id === 0 && header.readUInt32BE(pagesAt) <= 1) return undefined;
  return "it is a database of another program";
};

const headerOf = (file: string): Buffer | undefined => {
  try {
    const descriptor = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(Math.min(headerBytes, fstatSync(descriptor).size));
      return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.byteLength, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
};
