import type { InstalledPackage } from "./installed.ts";

/** Tags of a header that tell a package. @see rpm, rpmtag.h */
const tags = { name: 1000, version: 1001, release: 1002, epoch: 1003, architecture: 1022 } as const;
const int32 = 4;

const decoder = new TextDecoder();

/**
 * The package of a header as rpm keeps it in its database: how many entries there are and how long their data is, the entries (tag, type, offset,
 * count), the data. `undefined` where it has no name.
 * @throws RangeError where it ends early
 */
export const rpmPackage = (blob: Uint8Array): InstalledPackage | undefined => {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const count = view.getUint32(0);
  const dataAt = 8 + count * 16;
  const found = new Map<number, string>();
  for (let i = 0; i < count; i++) {
    const at = 8 + i * 16;
    const [tag, type, offset] = [view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8)];
    // A header has each once; one that says it a million times does not make us read as many texts.
    if (!wanted.has(tag) || found.has(tag)) continue;
    const from = dataAt + offset;
    found.set(tag, type === int32 ? String(view.getUint32(from)) : textAt(blob, from));
  }
  const name = found.get(tags.name);
  if (name === undefined || name === "") return undefined;
  const epoch = found.get(tags.epoch);
  const release = found.get(tags.release);
  return {
    name,
    version: `${epoch === undefined || epoch === "0" ? "" : `${epoch}:`}${found.get(tags.version) ?? ""}${release === undefined ? "" : `-${release}`}`,
    architecture: found.get(tags.architecture) ?? "",
  };
};

const wanted: ReadonlySet<number> = new Set(Object.values(tags));

const textAt = (bytes: Uint8Array, from: number): string => {
  const end = bytes.indexOf(0, from);
  if (from >= bytes.byteLength || end < 0) throw new RangeError("a text has no end");
  return decoder.decode(bytes.subarray(from, end));
};
