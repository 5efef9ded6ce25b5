import { newestNaturally } from "../natural.ts";
import type { LeftOut, Policy } from "../policy/index.ts";

/** From what is nearly right to what is not. */
const ranks: readonly LeftOut["code"][] = [
  "not-newer",
  "range",
  "prerelease",
  "flavour",
  "other-precision",
  "build",
  "not-version",
  "not-calver",
  "not-number",
  "filtered",
  "excluded",
  "latest",
  "other-tag",
];

interface Kept {
  readonly tag: string;
  readonly out: LeftOut;
}

/** Keeps the few tags that are nearest to what a policy wants, of however many that it leaves out. */
export class NearestTags {
  readonly #policy: Policy;
  readonly #most: number;
  readonly #byCode = new Map<LeftOut["code"], Kept[]>();

  constructor(policy: Policy, most = 3) {
    this.#policy = policy;
    this.#most = most;
  }

  add(tag: string, out: LeftOut): void {
    const added = { tag, out };
    const kept = this.#byCode.get(out.code);
    if (kept === undefined) {
      this.#byCode.set(out.code, [added]);
      return;
    }
    const last = kept.at(-1);
    if (kept.length === this.#most && last !== undefined && this.#compare(added, last) >= 0) return;
    if (kept.some((each) => each.tag === tag)) return;
    kept.push(added);
    kept.sort(this.#compare).splice(this.#most);
  }

  /** The nearest first. */
  list(): readonly Kept[] {
    return ranks.flatMap((code) => this.#byCode.get(code) ?? []).slice(0, this.#most);
  }

  readonly #compare = (a: Kept, b: Kept): number =>
    a.out.place === undefined || b.out.place === undefined
      ? newestNaturally(a.tag, b.tag)
      : this.#policy.compare({ tag: a.tag, place: a.out.place }, { tag: b.tag, place: b.out.place });
}
