/**
 * The text of a file, such that what is found at an index of it lies at a known byte. Its characters are the bytes themselves, as Latin-1: a
 * reference has none beyond ASCII, and what others stand for (`words`) is asked of keys alone. UTF-16 with its mark is read as such.
 */
export interface SourceText {
  /** Without the mark of its encoding. */
  readonly text: string;
  /** Bytes of the file before an index of the text. */
  byteAt(index: number): number;
  /** Counted from 1, the column in characters. */
  positionAt(index: number): { line: number; column: number };
  /** A part of the text as people read it. */
  words(part: string): string;
}

export const sourceText = (bytes: Uint8Array): SourceText => {
  const wide = wideText(bytes);
  const mark = wide !== undefined ? 2 : bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const text = wide ?? latin1(bytes.subarray(mark));
  const width = wide === undefined ? 1 : 2;
  const words = (part: string): string => (wide === undefined ? Buffer.from(part, "latin1").toString("utf8") : part);
  let starts: number[] | undefined;
  return {
    text,
    words,
    byteAt: (index) => mark + index * width,
    positionAt: (index) => {
      starts ??= lineStarts(text);
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= index) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: Array.from(words(text.slice(starts[low], index))).length + 1 };
    },
  };
};

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** PowerShell's `>` writes UTF-16. */
const wideText = (bytes: Uint8Array): string | undefined => {
  const [first, second] = bytes;
  const whole = Buffer.from(bytes.subarray(2, bytes.byteLength & ~1));
  if (first === 0xff && second === 0xfe) return whole.toString("utf16le");
  return first === 0xfe && second === 0xff ? whole.swap16().toString("utf16le") : undefined;
};

const lineStarts = (text: string): number[] => {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
};
