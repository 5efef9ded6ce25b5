import type { Cancel } from "../content/index.ts";
import { asReferrer, type Descriptor, type Digest, type Index, subjectOf } from "../oci/index.ts";
import type { LayoutGraph } from "./graph.ts";

/** What the entries of an index lead to. */
export interface Overview {
  /** Every manifest among them and below. */
  readonly listed: ReadonlySet<Digest>;
  /** Those that say something about another, by that one, as a list of referrers has them. */
  readonly aboutSubject: ReadonlyMap<Digest, readonly Descriptor[]>;
}

/** The overview of an index, made once as long as nothing changes: who asks for each of a thousand signed images would walk all of them each time. */
export class IndexOverview {
  #known: { readonly index: Index; readonly changes: number; readonly overview: Overview } | undefined;

  async of(graph: LayoutGraph, index: Index, options: Cancel): Promise<Overview> {
    const { changes } = graph;
    if (this.#known?.index === index && this.#known.changes === changes) return this.#known.overview;
    const listed = new Set<Digest>();
    const aboutSubject = new Map<Digest, Descriptor[]>();
    // What is missing may come, from another process, too: then it is looked for each time.
    let isWhole = true;
    const onMissing = (): void => void (isWhole = false);
    for await (const { descriptor, parsed } of graph.below(index.manifests, { ...options, onMissing })) {
      listed.add(descriptor.digest);
      const subject = subjectOf(parsed)?.digest;
      if (subject === undefined) continue;
      const found = asReferrer(descriptor, parsed);
      const others = aboutSubject.get(subject);
      if (others === undefined) aboutSubject.set(subject, [found]);
      else others.push(found);
    }
    const overview = { listed, aboutSubject };
    if (isWhole) this.#known = { index, changes, overview };
    return overview;
  }
}
