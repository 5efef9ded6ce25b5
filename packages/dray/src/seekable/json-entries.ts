import { DrayError } from "../errors.ts";
import { isObject, parseJson } from "../oci/index.ts";

/** Bytes of one entry at most, of which extended attributes make the largest, and of all that stands beside the entries. */
const [largestEntry, largestRest] = [4 * 1024 * 1024, 64 * 1024];

/**
 * The objects in the list `entries` of a table of contents, one by one as its text comes: parsed as a whole it would take many times its size.
 * @throws DrayError `MANIFEST_INVALID` for what is no table of version 1
 */
export async function* jsonEntries(text: AsyncIterable<Uint8Array>): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const splitter = new EntrySplitter();
  for await (const chunk of text) yield* splitter.push(chunk);
  splitter.end();
}

const [quote, backslash, openObject, closeObject, openList, closeList] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/** Comma and white space. */
const between: ReadonlySet<number> = new Set([0x2c, 0x20, 0x09, 0x0a, 0x0d]);

class EntrySplitter {
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** Between the brackets of the list. */
  #inList = false;
  /** What came of an entry in earlier chunks. */
  #begun: Uint8Array = new Uint8Array(0);
  /** All that stands beside the entries. */
  #rest = "";

  *push(chunk: Uint8Array): Generator<Readonly<Record<string, unknown>>> {
    /** Where in the chunk an entry begins, or goes on. */
    let from = this.#inList && this.#depth > 2 ? 0 : -1;
    for (let at = 0; at < chunk.byteLength; at++) {
      const byte = chunk[at] as number;
      const mark = this.#mark(byte);
      if (this.#inList && this.#depth === 2 && mark === "open") from = at;
      if (mark === "open") this.#depth++;
      else if (mark === "close") this.#depth--;
      if (this.#inList && this.#depth === 2 && mark === "close") {
        yield this.#entry(chunk.subarray(from, at + 1));
        from = -1;
      } else if (this.#depth < 2) this.#inList = false;
      else if (this.#inList && this.#depth === 2 && !between.has(byte)) throw invalid("has an entry that is no object");
      if (!this.#inList) {
        this.#rest += String.fromCharCode(byte);
        if (this.#rest.length > largestRest) throw invalid("has too much beside its entries");
        this.#inList =
          byte === openList && mark === "open" && this.#depth === 2 && /[{,]\s*"entries"\s*:\s*\[$/.test(this.#rest);
      }
    }
    if (from < 0) return;
    this.#begun = Buffer.concat([this.#begun, chunk.subarray(from)]);
    if (this.#begun.byteLength > largestEntry) throw invalid("has an entry that is too large");
  }

  /** @throws DrayError where the text is not whole, or no table of version 1 */
  end(): void {
    const rest = parseJson(Buffer.from(this.#rest, "latin1"), "table of contents");
    if (!isObject(rest) || rest["version"] !== 1 || !Array.isArray(rest["entries"]))
      throw invalid("is none of version 1");
  }

  /** What a byte does to the depth; nothing inside a text. */
  #mark(byte: number): "open" | "close" | undefined {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) this.#inText = false;
      return undefined;
    }
    if (byte === quote) this.#inText = true;
    if (byte === openObject || byte === openList) return "open";
    return byte === closeObject || byte === closeList ? "close" : undefined;
  }

  #entry(end: Uint8Array): Readonly<Record<string, unknown>> {
    const bytes = this.#begun.byteLength === 0 ? end : Buffer.concat([this.#begun, end]);
    this.#begun = new Uint8Array(0);
    const entry = parseJson(bytes, "entry of the table of contents");
    if (!isObject(entry)) throw invalid("has an entry that is no object");
    return entry;
  }
}

const invalid = (fault: string): DrayError => new DrayError("MANIFEST_INVALID", `the table of contents ${fault}`);
