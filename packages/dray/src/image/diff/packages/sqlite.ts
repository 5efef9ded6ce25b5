/** Kinds of page of a table's tree. @see https://www.sqlite.org/fileformat2.html */
const [interior, leaf] = [0x05, 0x0d];
const magic = "SQLite format 3\0";
/** Serial types from here on are blobs and texts. */
const firstBlob = 12;
/** Levels of a table's tree: with pages of 512 bytes there are no more below any number of rows. */
const mostLevels = 20;
/** Columns of a table, of which SQLite itself has no more. */
const mostColumns = 32_767;

/**
 * The blobs in the rows of one table of an SQLite database, as it lies in a file: the library has no database of its own, and Node's wants a file
 * on a disk. What is in a log beside it (`-wal`) is not seen.
 * @throws Error where it is none or lacks the table, RangeError where it is damaged
 */
export function* sqliteBlobs(bytes: Uint8Array, table: string): Generator<Uint8Array> {
  const database = new Database(bytes);
  const [, , , root] = [...database.rows(1)].find(([type, name]) => isText(type, "table") && isText(name, table)) ?? [];
  if (typeof root !== "number") throw new Error(`it has no table ${table}`);
  for (const row of database.rows(root)) for (const value of row) if (value instanceof Uint8Array) yield value;
}

/** A text is its bytes here; what is `NULL` or a fraction nobody asks for. */
type Value = number | Uint8Array | undefined;

const isText = (value: Value, text: string): boolean =>
  value instanceof Uint8Array && new TextDecoder().decode(value) === text;

class Database {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pageSize: number;
  /** Bytes of a page that are the tree's. */
  readonly #usable: number;
  #visited = 0;
  /** Bytes of all rows so far. They lie beside each other, so that together they are no more than the file. */
  #read = 0;

  constructor(bytes: Uint8Array) {
    if (new TextDecoder("latin1").decode(bytes.subarray(0, magic.length)) !== magic)
      throw new Error("it is no SQLite database");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = this.#view.getUint16(16);
    this.#pageSize = size === 1 ? 65_536 : size;
    if (this.#pageSize < 512) throw new RangeError("its pages have no size");
    this.#usable = this.#pageSize - (bytes[20] as number);
  }

  /** The rows of a table, each a list of values, without the number of the row. */
  *rows(page: number, level = 0): Generator<Value[]> {
    // A damaged tree may lead round in circles.
    if (level > mostLevels || ++this.#visited * this.#pageSize > 2 * this.#bytes.byteLength + this.#pageSize)
      throw new RangeError("its pages go round in circles");
    const start = this.#start(page);
    const header = start + (page === 1 ? 100 : 0);
    const kind = this.#view.getUint8(header);
    const cells = this.#view.getUint16(header + 3);
    if (kind !== interior && kind !== leaf) throw new RangeError("a page is none of a table");
    const pointers = header + (kind === leaf ? 8 : 12);
    if (cells * 2 > this.#pageSize) throw new RangeError("a page has more cells than room for them");
    for (let i = 0; i < cells; i++) {
      const cell = start + this.#view.getUint16(pointers + 2 * i);
      if (kind === interior) yield* this.rows(this.#view.getUint32(cell), level + 1);
      else yield valuesOf(this.#payload(cell));
    }
    if (kind === interior) yield* this.rows(this.#view.getUint32(header + 8), level + 1);
  }

  #start(page: number): number {
    const start = (page - 1) * this.#pageSize;
    if (page < 1 || start + this.#pageSize > this.#bytes.byteLength) throw new RangeError("a page is not there");
    return start;
  }

  /** What a cell of a leaf holds, the rest of it from the pages that it overflows into. */
  #payload(cell: number): Uint8Array {
    const [length, afterLength] = variable(this.#bytes, cell);
    const [, from] = variable(this.#bytes, afterLength);
    this.#read += length;
    if (this.#read > this.#bytes.byteLength) throw new RangeError("its rows have more bytes than it");
    const most = this.#usable - 35;
    if (length <= most) return this.#bytes.subarray(from, from + length);
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const some = least + ((length - least) % (this.#usable - 4));
    const here = some <= most ? some : least;
    const all = new Uint8Array(length);
    all.set(this.#bytes.subarray(from, from + here));
    let filled = here;
    for (let next = this.#view.getUint32(from + here); filled < length; ) {
      const start = this.#start(next);
      const part = this.#bytes.subarray(start + 4, start + 4 + Math.min(length - filled, this.#usable - 4));
      all.set(part, filled);
      filled += part.byteLength;
      next = this.#view.getUint32(start);
    }
    return all;
  }
}

/** The values of a record: the types of all of them, then the values. */
const valuesOf = (record: Uint8Array): Value[] => {
  const [headerEnd, first] = variable(record, 0);
  const values: Value[] = [];
  let at = headerEnd;
  for (let place = first; place < headerEnd; ) {
    const [type, next] = variable(record, place);
    place = next;
    const size = type >= firstBlob ? Math.floor((type - firstBlob) / 2) : (sizes[type] ?? 0);
    if (at + size > record.byteLength) throw new RangeError("a row ends early");
    if (values.length === mostColumns) throw new RangeError("a row has more columns than a table");
    values.push(valueOf(type, record.subarray(at, at + size)));
    at += size;
  }
  return values;
};

/** Bytes of the types that are no text and no blob. */
const sizes: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

const valueOf = (type: number, bytes: Uint8Array): Value => {
  if (type >= firstBlob) return bytes;
  if (type === 8 || type === 9) return type - 8;
  if (type === 0 || type === 7) return undefined;
  // Big-endian, with a sign.
  return bytes.reduce((sum, byte, i) => sum * 256 + (i === 0 && byte > 127 ? byte - 256 : byte), 0);
};

/** A number of one to nine bytes, and where it ends. */
const variable = (bytes: Uint8Array, at: number): readonly [value: number, end: number] => {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new RangeError("a number has no end");
    if (i === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 128) return [value, at + i + 1];
  }
  return [value, at + 9];
};
