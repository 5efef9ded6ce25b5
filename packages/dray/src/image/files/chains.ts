import { grown } from "./grown.ts";
import { noRecord, type Records } from "./records.ts";

/** The records of each name, the uppermost layer's first: one of each layer at most. */
export class Chains {
  readonly #records: Records;
  #heads: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  #tails: Uint32Array<ArrayBuffer> = new Uint32Array(1024);

  constructor(records: Records) {
    this.#records = records;
  }

  *of(node: number): Generator<number> {
    for (let record = this.#heads[node] ?? noRecord; record !== noRecord; record = this.#records.next(record))
      yield record;
  }

  /** The record of the lowest layer that was read. */
  last(node: number): number {
    return this.#tails[node] ?? noRecord;
  }

  /** The record of the layer that is being read, the lowest so far, which is made where it is not there. */
  at(node: number, layer: number): number {
    const last = this.last(node);
    if (last !== noRecord && this.#records.layer(last) === layer) return last;
    const record = this.#records.add(layer);
    this.#heads = grown(this.#heads, node + 1);
    this.#tails = grown(this.#tails, node + 1);
    if (last === noRecord) this.#heads[node] = record;
    else this.#records.link(last, record);
    this.#tails[node] = record;
    return record;
  }
}
