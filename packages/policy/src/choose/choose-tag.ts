import { aborted } from "dray/errors";
import { mapOrdered } from "dray/internal/async";
import { defined } from "dray/internal/defined";
import { type Candidate, type Fact, isCandidate, type LeftOut, type Policy } from "../policy/index.ts";
import { type CreatedTag, knownTime, newestCreated } from "../times.ts";
import type { Choice, Verdict } from "./choice.ts";
import { Collisions } from "./collisions.ts";
import { type ImageFacts, type Refusal, refusalOf } from "./facts.ts";
import { NearestTags } from "./nearest-tags.ts";

/** What chooses besides names. */
export interface ChooseOptions {
  /**
   * Tells what is known of the image behind a tag. It is asked for these facts of the newest candidate, and of the next one where that is refused; of all
   * candidates only where time is the order. What it throws ends the choice. Default: nothing is known.
   */
  readonly facts?: (tag: string, wanted: readonly Fact[]) => ImageFacts | Promise<ImageFacts>;
  /** Milliseconds since 1970 that count as now. Default: the clock. */
  readonly now?: number;
  /** Images that are asked about, from the newest down, before the choice gives up. Default 1000. */
  readonly deepest?: number;
  readonly signal?: AbortSignal;
}

/** Candidates that are kept of however many, and images asked about at the same time where time is the order. */
const [mostKept, atOnce] = [10_000, 8];

/**
 * Chooses the newest tag that a policy wants. Tags come in any order, may come twice, and are not kept where names are enough; otherwise some
 * thousands of the newest are.
 * @throws DrayError `ABORTED`
 * @example
 * const policy = await readPolicy({ semver: { range: "^1.2" } });
 * const { tag, nearest } = await chooseTag(["1.2.0", "1.10.0", "2.0.0"], policy); // tag: "1.10.0"
 */
export const chooseTag = async (
  tags: AsyncIterable<string> | Iterable<string>,
  policy: Policy,
  options: ChooseOptions = {},
): Promise<Choice> => {
  const { now = Date.now(), deepest = 1000, signal } = options;
  const seen = new Looked(policy, options, now);
  const candidates = await seen.newest(tags);
  let chosen: Candidate | undefined;
  let known: ImageFacts | undefined;
  for (const candidate of candidates.slice(0, deepest)) {
    if (signal?.aborted === true) throw aborted(signal);
    const facts = await seen.factsOf(candidate.tag);
    const refusal = refusalOf(policy, facts, now);
    if (refusal === undefined) {
      [chosen, known] = [candidate, facts];
      break;
    }
    seen.refusals.set(candidate.tag, refusal);
  }
  return choiceOf(seen, chosen, known);
};

/** What a walk through tags has come by. */
class Looked {
  readonly policy: Policy;
  readonly now: number;
  readonly refusals = new Map<string, Refusal>();
  readonly leftOut: Partial<Record<LeftOut["code"], number>> = {};
  readonly nearest: NearestTags;
  readonly collisions: Collisions;
  tags = 0;
  readonly #options: ChooseOptions;
  /** Where time is the order. */
  readonly #times = new Map<string, number>();

  constructor(policy: Policy, options: ChooseOptions, now: number) {
    this.policy = policy;
    this.now = now;
    this.#options = options;
    this.nearest = new NearestTags(policy);
    this.collisions = new Collisions(policy);
  }

  /** Where time is the order, the newest time first; else as the policy says. */
  readonly compare = (a: Candidate, b: Candidate): number => {
    const { policy } = this;
    if (!policy.isByTime) return policy.compare(a, b);
    const [x, y] = [a, b].map(({ tag }) => ({ tag, created: this.#times.get(tag) })) as [CreatedTag, CreatedTag];
    return policy.document.created?.order === "desc" ? newestCreated(y, x) : newestCreated(x, y);
  };

  isTimeKnown(tag: string): boolean {
    return !this.policy.isByTime || this.#times.has(tag);
  }

  /** The candidates, newest first: the first one alone where names are enough. */
  async newest(tags: AsyncIterable<string> | Iterable<string>): Promise<Candidate[]> {
    const { policy } = this;
    const most = policy.facts.length === 0 ? 1 : mostKept;
    let kept: Candidate[] = [];
    const keep = (candidate: Candidate): void => {
      if (most > 1) {
        if (kept.push(candidate) >= 2 * most) kept = distinct(kept.sort(this.compare)).slice(0, most);
      } else if (kept[0] === undefined || policy.compare(candidate, kept[0]) < 0) kept = [candidate];
    };
    if (policy.isByTime) for await (const each of this.#timed(this.#candidates(tags))) keep(each);
    // One loop over what is there already: to wait for each of a hundred thousand takes longer than to judge it.
    else if (Symbol.iterator in tags) for (const tag of tags) this.#judged(tag, keep);
    else for await (const tag of tags) this.#judged(tag, keep);
    return distinct(kept.sort(this.compare));
  }

  async factsOf(tag: string): Promise<ImageFacts> {
    const wanted = this.policy.facts;
    if (wanted.length === 0) return {};
    const time = this.#times.get(tag);
    const rest = this.policy.isByTime ? wanted.filter((fact) => fact !== "time") : wanted;
    const facts = rest.length === 0 ? {} : ((await this.#options.facts?.(tag, rest)) ?? {});
    return time === undefined ? facts : { ...facts, time };
  }

  #judged(tag: string, keep: (candidate: Candidate) => void): void {
    this.tags++;
    const judged = this.policy.judge(tag);
    if (isCandidate(judged)) {
      this.collisions.add(judged);
      keep(judged);
    } else {
      this.leftOut[judged.code] = (this.leftOut[judged.code] ?? 0) + 1;
      this.nearest.add(tag, judged);
    }
  }

  async *#candidates(tags: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Candidate> {
    const found: Candidate[] = [];
    for await (const tag of tags) {
      this.#judged(tag, (candidate) => found.push(candidate));
      yield* found.splice(0);
    }
  }

  /** Candidates of a time that is known. */
  async *#timed(candidates: AsyncIterable<Candidate>): AsyncGenerator<Candidate> {
    const asked = mapOrdered(candidates, atOnce, async (candidate) => {
      const facts: ImageFacts = (await this.#options.facts?.(candidate.tag, ["time"])) ?? {};
      return { candidate, facts };
    });
    for await (const { candidate, facts } of asked) {
      const time = knownTime(facts.time, this.now);
      const { error } = facts;
      if (time !== undefined && error === undefined) {
        this.#times.set(candidate.tag, time);
        yield candidate;
      } else
        this.refusals.set(
          candidate.tag,
          error === undefined
            ? { code: "time-unknown", text: "has no time, and time is the order" }
            : { code: "unreadable", text: `cannot be read: ${error}` },
        );
    }
  }
}

/** What is sorted, each tag once. */
const distinct = (sorted: Candidate[]): Candidate[] =>
  sorted.filter(({ tag }, i) => i === 0 || tag !== sorted[i - 1]?.tag);

const choiceOf = (looked: Looked, chosen: Candidate | undefined, facts: ImageFacts | undefined): Choice => {
  const { policy, refusals, leftOut, tags, now } = looked;
  const verdict = (
    tag: string,
    { code, text, until }: { code: Verdict["code"]; text: string; until?: number },
    value?: string,
  ): Verdict =>
    defined<Verdict>({
      tag,
      code,
      text: `${tag === "" ? '""' : tag} ${text}.`,
      until,
      value: value === tag ? undefined : value,
    });
  const why = (tag: string): Verdict => {
    const judged = policy.judge(tag);
    if (!isCandidate(judged)) return verdict(tag, judged, judged.place?.value);
    const { value } = judged.place;
    if (tag === chosen?.tag) return verdict(tag, { code: "chosen", text: "is the newest that fits" }, value);
    const refusal = refusals.get(tag);
    if (refusal !== undefined) return verdict(tag, refusal, value);
    if (chosen === undefined || !looked.isTimeKnown(tag))
      return verdict(tag, { code: "not-asked", text: "fits by its name, and its image was not asked about" }, value);
    if (policy.extracts && value === chosen.place.value)
      return verdict(
        tag,
        { code: "same-value", text: `gives "${value}" as ${chosen.tag} does, which comes first by its name` },
        value,
      );
    return looked.compare(judged, chosen) < 0
      ? verdict(tag, { code: "not-asked", text: "is newer by its name, and was not among the tags" }, value)
      : verdict(tag, { code: "older", text: `fits, and ${chosen.tag} is newer` }, value);
  };
  const refused = [...refusals.keys()].slice(0, 10).map(why);
  const near = looked.nearest.list().map(({ tag }) => why(tag));
  return {
    ...(chosen === undefined ? {} : { tag: chosen.tag }),
    ...(facts === undefined ? {} : { facts }),
    isAgeUnknown: chosen !== undefined && policy.minAge > 0 && knownTime(facts?.time, now) === undefined,
    tags,
    leftOut,
    refused,
    nearest: chosen === undefined ? [...refused, ...near].slice(0, 3) : [],
    collisions: looked.collisions.list(),
    why,
  };
};
