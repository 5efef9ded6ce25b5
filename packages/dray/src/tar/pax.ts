import { decodeText, encodeText } from "./text.ts";

/** Bytes of records in one pax header, or of one GNU long name, at most. Attributes of a real file take a few KiB. */
export const largestExtension: number = 1024 * 1024;

/** Records of one header, and of all global ones together, at most: a megabyte holds a hundred thousand, which would apply to each entry. */
export const mostRecords = 1000;

const encoder = new TextEncoder();

/**
 * The records of a pax header: `LENGTH KEY=VALUE\n`, LENGTH counting the whole record. `undefined` when they are malformed.
 * @see POSIX.1-2017, pax, "pax Extended Header"
 */
export const parsePax = (bytes: Uint8Array): Record<string, string> | undefined => {
  const records: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let at = 0; at < bytes.length; ) {
    // Some writers fill the rest of the block with zeros and count them in.
    if (bytes[at] === 0 && bytes.subarray(at).every((byte) => byte === 0)) break;
    const record = parseRecord(bytes, at);
    if (record === undefined) return undefined;
    const key = pairs.has(record.key) ? "GNU.sparse.map" : record.key;
    // The first form of sparse files repeats two records for each extent; the second has them in one.
    const before = key === record.key ? undefined : records[key];
    records[key] = before === undefined ? record.value : `${before},${record.value}`;
    at = record.end;
  }
  return records;
};

const pairs: ReadonlySet<string> = new Set(["GNU.sparse.offset", "GNU.sparse.numbytes"]);

/** Records, with later ones laid over them: an empty value takes a record back. */
export const withRecords = (
  records: Readonly<Record<string, string>>,
  later: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries({ ...records, ...later }).filter(([, value]) => value !== ""));

const parseRecord = (bytes: Uint8Array, at: number): { key: string; value: string; end: number } | undefined => {
  const space = bytes.indexOf(0x20, at);
  if (space < 0 || space - at > 7) return undefined;
  const lengthText = String.fromCharCode(...bytes.subarray(at, space));
  if (!/^[1-9][0-9]*$/.test(lengthText)) return undefined;
  const end = at + Number(lengthText);
  if (end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) return undefined;
  const body = bytes.subarray(space + 1, end - 1);
  const equals = body.indexOf(0x3d);
  if (equals <= 0) return undefined;
  const key = decodeText(body.subarray(0, equals));
  // Attributes may hold any bytes; those are read as Latin-1, which loses none and is short.
  const value = decodeValue(body.subarray(equals + 1), key);
  return isAllowed(key, value) ? { key, value, end } : undefined;
};

const decodeValue = (bytes: Uint8Array, key: string): string =>
  key.startsWith("SCHILY.xattr.") ? Buffer.from(bytes).toString("latin1") : decodeText(bytes);

/** A zero inside a name would end it early for another reader: the same archive would mean two things. */
const isAllowed = (key: string, value: string): boolean =>
  !["path", "linkpath", "uname", "gname", "GNU.sparse.name"].includes(key) || !value.includes("\0");

/** The bytes of pax records, in the order of their keys. */
export const formatPax = (records: Readonly<Record<string, string>>): Uint8Array =>
  Buffer.concat(
    Object.keys(records)
      .sort()
      .map((key) => formatRecord(key, records[key] as string)),
  );

const formatRecord = (key: string, value: string): Uint8Array => {
  const text = key.startsWith("SCHILY.xattr.") ? Buffer.from(value, "latin1") : encodeText(value);
  const rest = Buffer.concat([encodeText(` ${key}=`), text, encoder.encode("\n")]);
  // The length counts its own digits, so one more digit may make one more necessary.
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length > length) length++;
  return Buffer.concat([encoder.encode(String(length)), rest]);
};
