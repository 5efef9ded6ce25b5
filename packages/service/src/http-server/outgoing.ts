/** Bytes of a turn: below a millisecond of copying, over TLS too, and no more calls than large blocks need. */
const mostOfTurn = 1024 * 1024;

/** Somebody whose bytes wait for another turn. */
interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bytes of bodies that go out in one turn of the event loop, all connections together, up to a bound; what is more goes in the next, in
 * the order of asking. A socket of a nearby client takes all that it is given, and the next block has been read by then: a runtime that
 * works up what ended before it looks at its sockets again, as Bun does, would go on with downloads alone, and small requests would wait.
 */
export class Outgoing {
  #sent = 0;
  #turning = false;
  #waiting: Waiting[] = [];

  /** Resolves when so many may go out; `undefined`: now. More than the bound at once go alone. */
  pass(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#sent < mostOfTurn) {
      this.#send(bytes);
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }));
  }

  #send(bytes: number): void {
    this.#sent += bytes;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turning = false;
    this.#sent = 0;
    let gone = 0;
    for (const { bytes, go } of this.#waiting) {
      if (this.#sent >= mostOfTurn) break;
      gone++;
      this.#send(bytes);
      go();
    }
    this.#waiting = this.#waiting.slice(gone);
  }
}
