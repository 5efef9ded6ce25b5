import { DrayError } from "../errors.ts";
import { digestOf } from "../oci/index.ts";

/** The zstd whose bytes are promised. */
const promised = "1.5.7";

/** What that makes of the probe, by level: the digest's first digits. */
const proofs: readonly string[] = [
  "b9413cdef9d8",
  "cc7b3ee7a280",
  "c58fd3be11e3",
  "d43a9e60141e",
  "8511e8fd8fae",
  "bdbbad2eb5fe",
  "f3026e5b15a1",
  "72aee805ae7e",
  "91a2437e09c2",
  "60ac9194d550",
  "ab54517a3efe",
  "6143f464040a",
  "d933a43a2568",
  "2e0ce0d7f038",
  "a6750b1ce1ff",
  "f93fb0d7f18e",
  "f93fb0d7f18e",
  "fcf0ce0c71d3",
  "fcf0ce0c71d3",
];

/** Its blocks are cut otherwise by other versions at this level, which others may share. */
const telling = 3;

/** Compresses one frame, with its size and a checksum. */
export type CompressFrame = (bytes: Uint8Array, level: number) => Promise<Uint8Array>;

/** Where this is set, any zstd is good enough: the digests are then those of the runtime. */
const variable = "DRAY_ANY_ZSTD";

/**
 * Shows that frames will have the bytes that are promised: of zstd 1.5.7, at the level that is wanted. No version of zstd promises those of another, so a
 * runtime with another one is told by what it makes of a probe, in milliseconds.
 * @throws DrayError `UNSUPPORTED` for other bytes, unless `DRAY_ANY_ZSTD` is set
 */
export const proveZstd = async (
  compress: CompressFrame,
  level: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> => {
  if (env[variable]) return;
  const bytes = probe();
  for (const each of new Set([telling, level])) {
    const made = digestOf(await compress(bytes, each)).slice("sha256:".length);
    if (made.startsWith(proofs[each - 1] ?? made.concat("."))) continue;
    throw new DrayError(
      "UNSUPPORTED",
      `the zstd of this runtime (${process.versions["zstd"] ?? "of an unknown version"}) makes other bytes than ${promised} at level ${each}, so the digest would be another than elsewhere; use a runtime with that one, or gzip, or set ${variable}=1 if any digest will do`,
    );
  }
};

/** 256 KiB of records that resemble each other, from integers alone. */
const probe = (): Uint8Array => {
  const bytes = new Uint8Array(256 * 1024);
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
  for (let at = 0; at < bytes.byteLength; ) {
    const end = Math.min(bytes.byteLength, at + 4 + (next() % 60));
    if (next() % 8 === 0) for (; at < end; at++) bytes[at] = next();
    else
      for (const back = 1 + (next() % Math.min(at + 1, 50_000)); at < end; at++)
        bytes[at] = next() % 16 === 0 ? next() % 32 : (bytes[at - back] ?? 7);
  }
  return bytes;
};
