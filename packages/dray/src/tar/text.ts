const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Text of a header. A name on Linux is any bytes: one that is no UTF-8 is read so that each such byte becomes a lone surrogate, U+DC80 to U+DCFF,
 * and is written as that byte again. So two names are never taken for one, and none changes on its way. @see PEP 383, "surrogateescape"
 */
export const decodeText = (bytes: Uint8Array): string => {
  if (bytes.length === 0) return "";
  if (isAsciiBytes(bytes)) return bufferOf(bytes).toString("latin1");
  try {
    return decoder.decode(bytes);
  } catch {
    return escaped(bytes);
  }
};

const bufferOf = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The bytes that `decodeText` had. */
export const encodeText = (text: string): Uint8Array => {
  if (isWellFormed(text)) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isLead(code) && isTrail(text.charCodeAt(i + 1))) i++;
    else if (code >= firstEscape && code <= lastEscape) {
      parts.push(encoder.encode(text.slice(from, i)), Uint8Array.of(code & 0xff));
      from = i + 1;
    }
  }
  parts.push(encoder.encode(text.slice(from)));
  return Buffer.concat(parts);
};

/** Whether text stands for UTF-8: names that do not are given to the file system as bytes. */
export const isWellFormed = (text: string): boolean => text.isWellFormed();

const [firstEscape, lastEscape] = [0xdc80, 0xdcff];
const isLead = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
const isTrail = (code: number): boolean => code >= 0xdc00 && code < 0xe000;

const isAsciiBytes = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
};

/** What is UTF-8 in it stays text; what is not is escaped byte by byte. */
const escaped = (bytes: Uint8Array): string => {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceAt(bytes, at);
    if (length === 0) text += String.fromCharCode(0xdc00 | (bytes[at] as number));
    else text += decoder.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
};

/** Bytes of the character that begins here; 0 where none does. */
const sequenceAt = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] as number;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) return length;
  try {
    decoder.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
};
