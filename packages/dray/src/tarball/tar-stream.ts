import { Semaphore, unlessAborted } from "../async/index.ts";
import { type Content, detach, isTransferring, verified, type WriteOptions } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { type NewEntry, padding, writeHeader } from "../tar/index.ts";
import { endingOf, type LastEntry, type NamedContent, type TarSink } from "./sink.ts";

/** Where the bytes of a stream go. */
export interface Outlet {
  /** Resolves when there is room for more; the bytes are not needed any longer then. */
  put(bytes: Uint8Array): Promise<void>;
  /** After the last byte, or when nothing more will come. */
  end(): Promise<void>;
}

/**
 * A tar that leaves through a pipe: one entry after the other, in the order in which they come, memory bounded by a chunk. What
 * has left cannot be taken back: content that turns out wrong ends the stream before its last entries, and nobody can load it.
 */
export class TarStream implements TarSink {
  readonly #outlet: Outlet;
  readonly #what: string;
  readonly #turn = new Semaphore(1);
  readonly #written = new Map<Digest, string>();
  #broken = false;

  /** `what`: the stream's name for messages. */
  constructor(outlet: Outlet, what: string) {
    this.#outlet = outlet;
    this.#what = what;
  }

  async plan(): Promise<void> {}

  async has({ digest }: Descriptor): Promise<boolean> {
    return this.#written.has(digest);
  }

  async write({ descriptor, name }: NamedContent, content: Content, { signal }: WriteOptions = {}): Promise<void> {
    await this.#turn.run(signal, async () => {
      if (this.#written.has(descriptor.digest)) return;
      if (this.#broken) throw new DrayError("DISK", `${this.#what} broke off before; start again`);
      this.#broken = true;
      await this.#send(descriptor, name, content, signal);
      this.#broken = false;
      this.#written.set(descriptor.digest, name);
    });
  }

  async #send(descriptor: Descriptor, name: string, content: Content, signal: AbortSignal | undefined): Promise<void> {
    await this.#outlet.put(writeHeader({ name, size: descriptor.size }));
    const isOurs = isTransferring(content);
    for await (const chunk of verified(content.open({ signal }), descriptor)) {
      // Whoever reads may stop reading without going away.
      await unlessAborted(this.#outlet.put(chunk), signal);
      if (isOurs) detach(chunk);
    }
    await this.#outlet.put(padding(descriptor.size));
  }

  read({ digest }: Descriptor): AsyncIterable<Uint8Array> {
    throw new DrayError(
      "UNSUPPORTED",
      `${digest} would have to be read again, which ${this.#what} cannot; write to a file`,
    );
  }

  async finish(names: ReadonlyMap<Digest, readonly string[]>, last: readonly LastEntry[]): Promise<void> {
    const links = [...names].flatMap(([digest, wanted]): NewEntry[] => {
      const linkName = this.#written.get(digest);
      if (linkName === undefined)
        throw new DrayError("NOT_FOUND", `cannot finish ${this.#what}: ${digest} was not written to it`, {
          reference: digest,
        });
      return wanted.filter((name) => name !== linkName).map((name) => ({ name, type: "hardlink", linkName }));
    });
    await this.#outlet.put(endingOf(links, last));
    await this.#outlet.end();
  }

  async abandon(): Promise<void> {
    await this.#outlet.end();
  }
}
