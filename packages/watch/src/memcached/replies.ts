import type { StoredItem } from "./item.ts";

/** One answer: its last line, and the items before it. */
export interface Reply {
  readonly line: string;
  readonly items: readonly StoredItem[];
}

/** Longer than any line of memcached. */
const longestLine = 4096;
/** The most that memcached can be told to take. */
const largestValue = 2 ** 30;

/**
 * Answers of memcached's text protocol out of the bytes of a connection, however those are cut. Memory is taken as bytes come, whatever a
 * server promises.
 */
export class Replies {
  readonly #onReply: (reply: Reply) => void;
  /** Of a line, or of a value, what has come so far. */
  #parts: Buffer[] = [];
  #bytes = 0;
  /** The head of a value that is coming, and its size with the line end behind it. */
  #coming: Omit<StoredItem, "value"> | undefined;
  #size = 0;
  #items: StoredItem[] = [];

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** @throws Error for what is no answer of memcached, as it was read */
  push(data: Buffer): void {
    let rest = data;
    while (rest.byteLength > 0) rest = this.#coming === undefined ? this.#line(rest) : this.#value(rest, this.#coming);
  }

  #line(data: Buffer): Buffer {
    const end = data.indexOf(10);
    const part = end === -1 ? data : data.subarray(0, end + 1);
    this.#bytes += part.byteLength;
    this.#parts.push(part);
    if (this.#bytes > longestLine) throw new Error(this.#taken().subarray(0, 40).toString());
    if (end === -1) return data.subarray(data.byteLength);
    const line = this.#taken()
      .toString()
      .replace(/\r?\n$/, "");
    if (line.startsWith("VALUE ")) this.#head(line);
    else {
      const items = this.#items;
      this.#items = [];
      this.#onReply({ line, items });
    }
    return data.subarray(end + 1);
  }

  #head(line: string): void {
    const [, key, flags, size, cas] = /^VALUE (\S+) (\d{1,10}) (\d{1,10})(?: (\d{1,20}))?$/.exec(line) ?? [];
    if (key === undefined || Number(size) > largestValue) throw new Error(line.slice(0, 40));
    this.#coming = { key, flags: Number(flags), cas: BigInt(cas ?? 0) };
    this.#size = Number(size) + 2;
  }

  #value(data: Buffer, head: Omit<StoredItem, "value">): Buffer {
    const part = data.subarray(0, this.#size - this.#bytes);
    this.#bytes += part.byteLength;
    this.#parts.push(part);
    if (this.#bytes === this.#size) {
      const whole = this.#taken();
      if (whole.at(-2) !== 13 || whole.at(-1) !== 10) throw new Error(`a value of ${head.key} without an end`);
      this.#items.push({ ...head, value: whole.subarray(0, -2) });
      this.#coming = undefined;
    }
    return data.subarray(part.byteLength);
  }

  #taken(): Buffer {
    // Copied also where it is one piece: what is kept of it would keep all that came with it.
    const whole = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
