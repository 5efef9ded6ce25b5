import type { Digest } from "dray/oci";

/** Something that a client can look for: a tag, a manifest by its digest, a blob. */
export interface Thing {
  readonly kind: "tag" | "manifest" | "blob";
  readonly repository: string;
  readonly name: string;
}

/** What a thing stands for: a digest, or that it is not there. */
export type State = Digest | undefined;

/** One change of a thing: asked for and acknowledged when the recording was so long. */
interface Step {
  readonly state: State;
  readonly begun: number;
  acknowledged: number;
}

/** What clients asked for and what they were told, against the events of a disk. One client at a time for each thing. */
export class History {
  readonly #steps = new Map<string, { readonly thing: Thing; readonly steps: Step[] }>();
  readonly #length: () => number;

  /** @param length events so far */
  constructor(length: () => number) {
    this.#length = length;
  }

  /** Asks for changes; they are acknowledged when the returned function is called. Without that, they may have happened or not. */
  begin(changes: readonly (readonly [Thing, State])[]): () => void {
    const begun = this.#length();
    const steps = changes.map(([thing, state]) => {
      const key = `${thing.kind} ${thing.repository} ${thing.name}`;
      const entry = this.#steps.get(key) ?? { thing, steps: [] };
      this.#steps.set(key, entry);
      const step: Step = { state, begun, acknowledged: Number.POSITIVE_INFINITY };
      entry.steps.push(step);
      return step;
    });
    return () => {
      for (const step of steps) step.acknowledged = this.#length();
    };
  }

  /** Each thing that was asked for before a cut, with all that it may be after it. */
  *after(cut: number): Generator<{ thing: Thing; may: ReadonlySet<State> }> {
    for (const { thing, steps } of this.#steps.values()) {
      const begun = steps.filter((step) => step.begun <= cut);
      const sure = begun.findLastIndex((step) => step.acknowledged <= cut);
      const may = new Set(begun.slice(Math.max(0, sure)).map(({ state }) => state));
      if (sure < 0) may.add(undefined);
      yield { thing, may };
    }
  }

  things(): Thing[] {
    return [...this.#steps.values()].map(({ thing }) => thing);
  }
}
