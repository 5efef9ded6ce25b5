import { createHash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

/** What the head of a packed value says of it. */
interface Facts {
  /** Drawn anew each time, so that parts of two values are never joined. */
  readonly id: string;
  readonly parts: number;
  readonly sha256: string;
}

/** A value that is too large for one item, as it is kept. */
export interface Packed {
  readonly id: string;
  readonly head: Buffer;
  readonly parts: readonly Buffer[];
}

const mostParts = 4096;
/** A value is never made larger than this by what somebody else has written. */
const largest = 2 ** 28;

/** Compresses a value and cuts it. */
export const packed = async (value: Uint8Array, partBytes: number): Promise<Packed> => {
  const bytes = await promisify(gzip)(value, { level: 4 });
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += partBytes) parts.push(bytes.subarray(at, at + partBytes));
  const id = randomBytes(8).toString("hex");
  const facts: Facts = { id, parts: parts.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  return { id, head: Buffer.from(JSON.stringify(facts)), parts };
};

/** `undefined` for what is no head of ours. */
export const readHead = (head: Uint8Array): Facts | undefined => {
  try {
    const { id, parts, sha256 } = JSON.parse(Buffer.from(head).toString()) as Partial<Record<keyof Facts, unknown>>;
    if (typeof id !== "string" || !/^[0-9a-f]{16}$/.test(id) || typeof sha256 !== "string") return undefined;
    if (typeof parts !== "number" || !Number.isInteger(parts) || parts < 1 || parts > mostParts) return undefined;
    return { id, parts, sha256 };
  } catch {
    return undefined;
  }
};

/** The value of its parts; `undefined` where one is missing or not what it was. */
export const unpacked = async (
  { parts: count, sha256 }: Facts,
  parts: readonly Uint8Array[],
): Promise<Buffer | undefined> => {
  if (parts.length !== count) return undefined;
  const bytes = Buffer.concat(parts);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: largest });
  } catch {
    return undefined;
  }
};
