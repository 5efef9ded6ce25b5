import type { Compression } from "../oci/index.ts";
import { gzip, defaultLevel as gzipLevel } from "./gzip.ts";
import { zstd } from "./zstd.ts";

/** Levels where none is said: what a push has of gzip, and zstd's own. */
const defaultLevel = { gzip: gzipLevel, zstd: 3 } as const;
/** The highest that there are. */
export const highestLevel: Readonly<Record<Exclude<Compression, "none">, number>> = { gzip: 9, zstd: 19 };

/** Bytes compressed on all cores. Chunks that were handed over are given back. */
export const compressed = (
  chunks: AsyncIterable<Uint8Array>,
  how: Exclude<Compression, "none">,
  level: number = defaultLevel[how],
): AsyncIterable<Uint8Array> => (how === "gzip" ? gzip(chunks, { level, handsOver: true }) : zstd(chunks, { level }));
