import type { Statements } from "@dray/service/sqlite";
import type { Digest } from "dray/oci";
import { decodeEntry, encodeEntry, type ImageEntry } from "../entry/index.ts";
import { digestBytes } from "./digest-bytes.ts";

/** What was found in a manifest, whatever repository it was met in: the digest says that it is the same. */
export const entryOf = (on: Statements, digest: Digest): ImageEntry | undefined => {
  const [bytes] = on.get("SELECT entry FROM manifests WHERE digest = ?", digestBytes(digest)) ?? [];
  return bytes instanceof Uint8Array ? decodeEntry(bytes) : undefined;
};

/**
 * Keeps it, within a transaction, for ever: what a digest names does not change. What may come yet (a blob that is missing) is not kept, nor is
 * a reason that comes from an answer which was no manifest at all. Returns whether it is kept.
 */
export const keepEntry = (on: Statements, digest: Digest, entry: ImageEntry): boolean => {
  const { excluded } = entry;
  if (excluded?.reason === "missing-manifest" || excluded?.reason === "missing-configuration") return false;
  if (excluded?.reason === "bad-manifest" && excluded.digest !== digest) return false;
  on.run("INSERT OR REPLACE INTO manifests VALUES (?, ?)", digestBytes(digest), encodeEntry(entry));
  return true;
};
