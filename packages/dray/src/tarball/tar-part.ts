import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Semaphore } from "../async/index.ts";
import { type Cancel, type Content, digestMismatch, sizeMismatch, type WriteOptions } from "../content/index.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import {
  type FileSystem,
  fileChunks,
  ifThere,
  type Lock,
  lock,
  type OpenFile,
  onDisk,
  openPart,
  receiveInto,
  writeFully,
} from "../files/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { type NewEntry, padding, writeHeader } from "../tar/index.ts";
import { blockSize, giveBlock, takeBlock } from "../threads/index.ts";
import { type Extent, examine, extentOf, findExtents } from "./extents.ts";
import { endingOf, type LastEntry, type NamedContent, type TarSink } from "./sink.ts";

/** Half-finished archives that are examined at the same time. */
const examinedAtOnce = 2;

/** An extent, and what is known of the bytes there. */
interface Slot extends Extent {
  /** `found`: left by an earlier attempt, not looked at yet. */
  state: "empty" | "found" | "partial" | "whole";
  /** Bytes from the beginning that an earlier attempt wrote. */
  have: number;
  readonly laidBefore: boolean;
  /** One writer at a time; the next finds it done, or tries again. */
  readonly turn: Semaphore;
}

/** The file in which an archive grows. */
interface PartFile {
  /** What it will become, symbolic links followed. */
  readonly target: string;
  readonly path: string;
  readonly file: OpenFile;
  readonly lock: Lock;
}

/**
 * A tar that grows in `FILE.dray-part` and becomes FILE at the end. Sizes are known before, so every entry has its extent from the
 * beginning: bodies arrive side by side, each written from its start on. The headers alone say what belongs where, so that
 * the part is its own journal: a later attempt finds the extents by them, hashes what lies there, and asks for the rest.
 */
export class TarPart implements TarSink {
  readonly #fs: FileSystem;
  readonly #part: PartFile;
  readonly #slots = new Map<Digest, Slot>();
  readonly #laying = new Semaphore(1);
  readonly #examining = new Semaphore(examinedAtOnce);
  #end = 0;
  /** Whether there is anything that a later attempt could use. */
  #worth = false;
  #closed = false;

  private constructor(fs: FileSystem, part: PartFile) {
    this.#fs = fs;
    this.#part = part;
  }

  /** The file that it will become, symbolic links followed. */
  get target(): string {
    return this.#part.target;
  }

  /** @throws DrayError `LOCKED` when somebody else writes the same archive, `DISK` */
  static async open(fs: FileSystem, file: string, signal?: AbortSignal): Promise<TarPart> {
    const part = new TarPart(fs, await openPartFile(fs, file, signal));
    try {
      await part.#recover();
      return part;
    } catch (error) {
      // That it cannot be closed either changes nothing about the reason.
      await part.#close().catch(() => {});
      await part.#part.lock.release();
      throw error;
    }
  }

  /** The same in a temporary file for this user alone, which has no name as soon as it is open: not even a kill leaves it behind. */
  static async openUnnamed(fs: FileSystem): Promise<TarPart> {
    const path = join(tmpdir(), `dray-${randomBytes(8).toString("hex")}`);
    const file = await onDisk("make the temporary file", path, () => fs.open(path, "wx+", 0o600));
    // Where open files cannot be removed it happens at the end.
    await fs.unlink(path).catch(() => {});
    return new TarPart(fs, { target: path, path, file, lock: { release: async () => {} } });
  }

  /** Finds the extents of an earlier attempt. What lies behind the last good header is of no use. */
  async #recover(): Promise<void> {
    const { size } = await this.#disk(() => this.#part.file.stat());
    const extents = await this.#disk(() => findExtents(this.#part.file, size));
    for (const extent of extents) {
      this.#slots.set(extent.digest, { ...extent, state: "found", have: 0, laidBefore: true, turn: new Semaphore(1) });
      this.#end = extent.end;
    }
    this.#worth = extents.length > 0;
    // Not without need: ext4 takes a file that was cut to nothing for one being replaced, and writes all of it out when it is closed.
    if (size > this.#end) await this.#disk(() => this.#part.file.truncate(this.#end));
  }

  async plan(content: readonly NamedContent[]): Promise<void> {
    for (const named of content) await this.#slotOf(named);
  }

  async has(descriptor: Descriptor, { signal }: Cancel = {}): Promise<boolean> {
    const slot = this.#slots.get(descriptor.digest);
    return slot !== undefined && slot.size === descriptor.size && this.#isWhole(slot, signal);
  }

  async write(named: NamedContent, content: Content, { signal }: WriteOptions = {}): Promise<void> {
    const slot = await this.#slotOf(named);
    await slot.turn.run(signal, () => this.#fill(slot, named.descriptor, content, signal));
  }

  async *read(descriptor: Descriptor, { signal }: Cancel = {}): AsyncGenerator<Uint8Array> {
    const slot = this.#slots.get(descriptor.digest);
    if (slot === undefined || !(await this.#isWhole(slot, signal))) return this.#missing(descriptor.digest);
    let end = slot.body;
    for await (const block of fileChunks(this.#part.file, this.#part.path, {
      start: end,
      end: end + slot.size,
      signal,
    })) {
      end += block.byteLength;
      yield block;
    }
    if (end < slot.body + slot.size) this.#missing(descriptor.digest);
  }

  async finish(names: ReadonlyMap<Digest, readonly string[]>, last: readonly LastEntry[]): Promise<void> {
    const slots = await this.#wanted(names);
    // An attempt that stopped while it closed gaps may have left anything behind the body.
    for (const { laidBefore, body, size } of slots) if (laidBefore) await this.#writeAt(body + size, padding(size));
    const end = await this.#closeGaps(slots);
    const links: NewEntry[] = [];
    for (const slot of slots) {
      const [name = slot.name, ...others] = names.get(slot.digest) ?? [];
      if (name !== slot.name) await this.#writeAt(slot.start, writeHeader({ name, size: slot.size }));
      for (const other of others) links.push({ name: other, type: "hardlink", linkName: name });
    }
    const tail = endingOf(links, last);
    await this.#writeAt(end, tail);
    await this.#disk(() => this.#part.file.truncate(end + tail.byteLength));
    // Closed before: not every system renames what is open.
    await this.#close();
    await onDisk("write", this.target, () => this.#fs.rename(this.#part.path, this.target));
    await this.#part.lock.release();
  }

  async #wanted(names: ReadonlyMap<Digest, readonly string[]>): Promise<Slot[]> {
    const wanted = [...names.keys()].map((digest) => this.#slots.get(digest) ?? this.#missing(digest));
    for (const slot of wanted) if (!(await this.#isWhole(slot, undefined))) this.#missing(slot.digest);
    return wanted;
  }

  async abandon(): Promise<void> {
    try {
      await this.#close();
      if (!this.#worth) await this.#disk(() => ifThere(() => this.#fs.unlink(this.#part.path)));
    } finally {
      await this.#part.lock.release();
    }
  }

  /** Lets go and keeps nothing: its content has been used elsewhere. */
  async discard(): Promise<void> {
    this.#worth = false;
    await this.abandon();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#disk(() => this.#part.file.close());
  }

  async #slotOf(named: NamedContent): Promise<Slot> {
    // One after the other: the file only ever grows.
    return this.#laying.run(undefined, async () => {
      const { digest, size } = named.descriptor;
      const known = this.#slots.get(digest);
      if (known !== undefined && known.size === size) return known;
      if (known !== undefined && known.state !== "found") throw sizeMismatch(named.descriptor, `${known.size}`);
      return this.#lay(named);
    });
  }

  async #lay({ descriptor, name }: NamedContent): Promise<Slot> {
    const slot: Slot = {
      ...extentOf(descriptor, name, this.#end),
      state: "empty",
      have: 0,
      laidBefore: false,
      turn: new Semaphore(1),
    };
    // The room first: a header that is there has all its room behind it, so that a part cut between the two is understood.
    await this.#disk(() => this.#part.file.truncate(slot.end));
    await this.#writeAt(slot.start, writeHeader({ name, size: slot.size }));
    this.#slots.set(descriptor.digest, slot);
    this.#end = slot.end;
    return slot;
  }

  async #fill(slot: Slot, descriptor: Descriptor, content: Content, signal: AbortSignal | undefined): Promise<void> {
    if (await this.#isWhole(slot, signal)) return;
    this.#worth = true;
    let found = await this.#receive(slot, descriptor, content, slot.have, signal);
    // The old bytes may be at fault: a power failure leaves zeros. Once more, from the beginning.
    if (slot.have > 0 && found !== descriptor.digest) found = await this.#receive(slot, descriptor, content, 0, signal);
    slot.have = 0;
    slot.state = found === descriptor.digest ? "whole" : "empty";
    if (slot.state === "empty") throw digestMismatch(descriptor, found);
  }

  /** Brings a body to its end: hashes the bytes that are there, asks for the others. */
  async #receive(
    slot: Slot,
    descriptor: Descriptor,
    content: Content,
    have: number,
    signal: AbortSignal | undefined,
  ): Promise<Digest> {
    const destination = { file: this.#part.file, path: this.#part.path, position: slot.body, have };
    try {
      const { size, digest } = await receiveInto(destination, content, descriptor, signal);
      if (size !== slot.size) throw sizeMismatch(descriptor, size > slot.size ? "more" : `only ${size}`);
      return digest;
    } catch (error) {
      slot.state = "found";
      throw error;
    }
  }

  async #isWhole(slot: Slot, signal: AbortSignal | undefined): Promise<boolean> {
    if (slot.state === "found") await this.#examining.run(signal, () => this.#examine(slot, signal));
    return slot.state === "whole";
  }

  async #examine(slot: Slot, signal: AbortSignal | undefined): Promise<void> {
    // Whoever waited for his turn may find it done.
    if (slot.state !== "found") return;
    const left = await this.#disk(() => examine(this.#part.file, this.#part.path, slot, signal));
    slot.state = left === "whole" ? left : "partial";
    slot.have = left === "whole" ? 0 : left;
  }

  /** Closes the gaps that content of an earlier attempt leaves which is not wanted now. Tells where the last entry ends. */
  async #closeGaps(wanted: readonly Slot[]): Promise<number> {
    let at = 0;
    for (const slot of [...wanted].sort((a, b) => a.start - b.start)) {
      const length = slot.end - slot.start;
      if (slot.start !== at) await this.#move(slot.start, at, length);
      slot.start = at;
      at += length;
    }
    return at;
  }

  async #move(from: number, to: number, length: number): Promise<void> {
    const block = takeBlock();
    for (let done = 0; done < length; ) {
      const wanted = Math.min(blockSize, length - done);
      const { bytesRead } = await this.#disk(() => this.#part.file.read(block.bytes, 0, wanted, from + done));
      await this.#writeAt(to + done, block.bytes.subarray(0, bytesRead));
      done += bytesRead;
    }
    giveBlock(block);
  }

  #writeAt(position: number, bytes: Uint8Array): Promise<void> {
    return this.#disk(() => writeFully(this.#part.file, bytes, position));
  }

  #disk<T>(work: () => Promise<T>): Promise<T> {
    return onDisk("write", this.#part.path, work);
  }

  #missing(digest: Digest): never {
    throw new DrayError("NOT_FOUND", `cannot finish ${this.target}: ${digest} was not written to it`, {
      reference: digest,
    });
  }
}

/**
 * Opens `FILE.dray-part` for one writer: the one of an earlier attempt, or a new one.
 * @throws DrayError `LOCKED` when somebody else writes the same archive, `DISK`
 */
const openPartFile = async (fs: FileSystem, file: string, signal?: AbortSignal): Promise<PartFile> => {
  throwIfAborted(signal);
  const target = await onDisk("write", file, async () => (await ifThere(() => fs.realpath(file))) ?? file);
  // A lock makes the directory it needs; a mistyped path should not.
  if ((await onDisk("write", file, () => ifThere(() => fs.stat(dirname(target))))) === undefined)
    throw new DrayError(
      "DISK",
      `cannot write ${file}: there is no directory ${dirname(target)}; make it, or check the path`,
    );
  const path = `${target}.dray-part`;
  const held = await lock(fs, path, file);
  try {
    const opened = await onDisk("write", path, () => openPart(fs, path, 0o666));
    return { target, path, file: opened, lock: held };
  } catch (error) {
    await held.release();
    throw error;
  }
};
