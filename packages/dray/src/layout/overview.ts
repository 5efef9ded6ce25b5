import { Mutex, unlessAborted } from "../async/index.ts";
import { type Cancel, childrenOfKind } from "../content/index.ts";
import { asReferrer, type Descriptor, type Digest, type Index, subjectOf } from "../oci/index.ts";
import type { LayoutGraph } from "./graph.ts";

/** What the entries of an index lead to. */
export interface Overview {
  /** Every manifest among them and below. */
  readonly listed: ReadonlySet<Digest>;
  /** Those that say something about another, by that one, as a list of referrers has them. */
  readonly aboutSubject: ReadonlyMap<Digest, readonly Descriptor[]>;
  /** Manifests as the indexes among them describe them. */
  readonly children: ReadonlyMap<Digest, Descriptor>;
}

/** What is missing may come, from another process, too: of so many it is looked each time whether they have, of others in their turn. */
const lookedFor = 16;

/**
 * The overview of an index, which grows with it: each manifest is walked once, whoever asks and however often. Who asks for each of a thousand
 * signed images would walk all of them each time.
 */
export class IndexOverview {
  readonly #graph: LayoutGraph;
  readonly #turns = new Mutex("the overview");
  #known: Walked | undefined;

  constructor(graph: LayoutGraph) {
    this.#graph = graph;
  }

  /** The overview of this index, which is the one that was asked for last, or another. */
  async of(index: Index, options: Cancel): Promise<Overview> {
    if (this.#isDone(index)) return this.#known as Walked;
    return unlessAborted(
      this.#turns.run(() => this.#walk(index, options)),
      options.signal,
    );
  }

  /** Hears that a manifest was written. */
  arrived(digest: Digest): void {
    if (this.#known?.missing.has(digest)) this.#known.arrived.add(digest);
  }

  /** Hears that one was removed: what it led to is known no more. */
  forget(): void {
    this.#known = undefined;
  }

  #isDone(index: Index): boolean {
    return this.#known?.index === index && this.#known.missing.size === 0;
  }

  async #walk(index: Index, options: Cancel): Promise<Overview> {
    if (this.#isDone(index)) return this.#known as Walked;
    const before = this.#known;
    const walked = before !== undefined && goesOn(before, index) ? before : empty(index);
    // Not kept before it is whole: whoever cancels, and a manifest that cannot be read, leave something out.
    this.#known = undefined;
    const fresh = walked === before ? index.manifests.filter((entry) => !walked.entries.has(entry)) : index.manifests;
    const again = lookedForNow(walked);
    for (const { digest } of again) walked.seen.delete(digest);
    await this.#add(walked, [...again, ...fresh], options);
    for (const entry of fresh) walked.entries.add(entry);
    walked.index = index;
    return (this.#known = walked);
  }

  async #add(walked: Walked, entries: readonly Descriptor[], options: Cancel): Promise<void> {
    const { listed, aboutSubject, children, seen, missing } = walked;
    const onMissing = (descriptor: Descriptor): void => void missing.set(descriptor.digest, descriptor);
    for await (const { descriptor, parsed } of this.#graph.below(entries, { ...options, seen, onMissing })) {
      listed.add(descriptor.digest);
      for (const child of childrenOfKind(parsed, "manifest"))
        if (!children.has(child.digest)) children.set(child.digest, child);
      const subject = subjectOf(parsed)?.digest;
      if (subject === undefined) continue;
      const found = asReferrer(descriptor, parsed);
      const others = aboutSubject.get(subject);
      if (others === undefined) aboutSubject.set(subject, [found]);
      else others.push(found);
    }
  }
}

/** An overview as far as it has come. */
interface Walked extends Overview {
  index: Index;
  readonly entries: Set<Descriptor>;
  readonly listed: Set<Digest>;
  readonly aboutSubject: Map<Digest, Descriptor[]>;
  readonly children: Map<Digest, Descriptor>;
  readonly seen: Set<Digest>;
  /** What is named and not there, whoever was looked for last at the end; and those of it that were written since. */
  readonly missing: Map<Digest, Descriptor>;
  readonly arrived: Set<Digest>;
}

const empty = (index: Index): Walked => ({
  index,
  entries: new Set(),
  listed: new Set(),
  aboutSubject: new Map(),
  children: new Map(),
  seen: new Set(),
  missing: new Map(),
  arrived: new Set(),
});

/** Whether an index has all that the one before it had. */
const goesOn = ({ index, entries }: Walked, next: Index): boolean => {
  if (index === next) return true;
  let kept = 0;
  for (const entry of next.manifests) if (entries.has(entry)) kept++;
  return kept === entries.size;
};

/** Takes out of what is missing what is to be looked for now. */
const lookedForNow = ({ missing, arrived }: Walked): Descriptor[] => {
  const digests = new Set(arrived);
  for (const digest of missing.keys()) {
    if (digests.size >= arrived.size + lookedFor) break;
    digests.add(digest);
  }
  arrived.clear();
  return [...digests].flatMap((digest) => {
    const descriptor = missing.get(digest);
    missing.delete(digest);
    return descriptor ?? [];
  });
};
