import type { Digest } from "dray/oci";
import type { Graph } from "./content.ts";

/** An upload that a kill cut off: what was sent, and what was acknowledged of it. */
export interface Parked {
  readonly repository: string;
  readonly location: string;
  readonly bytes: Uint8Array;
  readonly acknowledged: number;
  readonly sent: number;
}

/**
 * What clients know of a registry: written down when it is acknowledged. Whatever was asked for and not answered may have been done
 * or not. Each tag, and each manifest that is deleted by its digest, belongs to one client.
 */
export class Ledger {
  /** By `repository:tag`: all that it may stand for; `undefined`: that there is none. */
  readonly #tags = new Map<string, Set<Digest | undefined>>();
  readonly #graphs = new Map<Digest, Graph>();
  /** Whole for sure, by `repository@digest`, as long as something leads there. */
  readonly #whole = new Set<string>();
  /** By `repository@digest`: gone, and not pushed again since. */
  readonly #deleted = new Set<string>();
  /** By `repository@subject`. */
  readonly #referrers = new Map<string, Set<Digest>>();
  readonly parked: Parked[] = [];

  know(graph: Graph): void {
    this.#graphs.set(graph.root, graph);
  }

  graph(digest: Digest): Graph | undefined {
    return this.#graphs.get(digest);
  }

  tagged(repository: string, tag: string): ReadonlySet<Digest | undefined> {
    return this.#tags.get(`${repository}:${tag}`) ?? new Set([undefined]);
  }

  /** What a tag stands for, where that is known and it is there. */
  sure(repository: string, tag: string): Digest | undefined {
    const may = this.tagged(repository, tag);
    return may.size === 1 ? [...may][0] : undefined;
  }

  *tags(): Generator<{ repository: string; tag: string; may: ReadonlySet<Digest | undefined> }> {
    for (const [name, may] of this.#tags) {
      const [repository = "", tag = ""] = name.split(":");
      yield { repository, tag, may };
    }
  }

  /** A tag is about to change; from now on it may stand for either. */
  begin(repository: string, tag: string, to: Digest | undefined): void {
    const may = new Set(this.tagged(repository, tag));
    for (const from of may) if (from !== undefined && from !== to) this.#referrers.delete(`${repository}@${from}`);
    this.#tags.set(`${repository}:${tag}`, may.add(to));
    if (to !== undefined) this.#deleted.delete(`${repository}@${to}`);
  }

  acknowledge(repository: string, tag: string, to: Digest | undefined): void {
    this.#tags.set(`${repository}:${tag}`, new Set([to]));
  }

  setWhole(repository: string, digest: Digest): void {
    this.#whole.add(`${repository}@${digest}`);
  }

  /** Pushed without knowing that all of it was there: blobs may be missing. */
  unsetWhole(repository: string, digest: Digest): void {
    this.#whole.delete(`${repository}@${digest}`);
  }

  isWhole(repository: string, digest: Digest): boolean {
    return this.#whole.has(`${repository}@${digest}`);
  }

  setDeleted(repository: string, digest: Digest): void {
    this.#deleted.add(`${repository}@${digest}`);
    this.#whole.delete(`${repository}@${digest}`);
  }

  /** A manifest or blob may come back. */
  unsetDeleted(repository: string, digest: Digest): void {
    this.#deleted.delete(`${repository}@${digest}`);
  }

  deleted(): { repository: string; digest: Digest }[] {
    return [...this.#deleted].map((name) => {
      const at = name.indexOf("@");
      return { repository: name.slice(0, at), digest: name.slice(at + 1) as Digest };
    });
  }

  addReferrer(repository: string, subject: Digest, referrer: Digest): void {
    const name = `${repository}@${subject}`;
    this.#referrers.set(name, (this.#referrers.get(name) ?? new Set()).add(referrer));
  }

  referrers(repository: string, subject: Digest): ReadonlySet<Digest> {
    return this.#referrers.get(`${repository}@${subject}`) ?? new Set();
  }

  /** Forgets graphs that nothing leads to any more. */
  tidy(): void {
    const live = new Set<Digest | undefined>(
      [...this.#tags.values(), ...this.#referrers.values()].flatMap((each) => [...each]),
    );
    for (const digest of this.#graphs.keys()) if (!live.has(digest)) this.#graphs.delete(digest);
    while (this.#deleted.size > 300) this.#deleted.delete([...this.#deleted][0] as string);
  }
}
