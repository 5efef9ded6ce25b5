import type { ProgressEvent } from "../content/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import type { CopyCounts } from "./options.ts";

/**
 * What a copy came to: each piece counted once, by the way in which it got there. Of what is said to be there by a look-up alone it knows which
 * that is: should the word turn out to be wrong, it was not skipped.
 */
export class Tally {
  readonly #counts = { copied: 0, mounted: 0, skipped: 0, bytes: 0, resumed: 0 };
  /** Blobs that a target has by its own word. */
  readonly #vouched = new Map<object, Set<Digest>>();
  readonly #emit: (event: ProgressEvent) => void;

  constructor(emit: (event: ProgressEvent) => void) {
    this.#emit = emit;
  }

  counts(): Omit<CopyCounts, "leftOut"> {
    return this.#counts;
  }

  /** `there`: bytes of it that an earlier attempt had left. */
  copied({ size }: Pick<Descriptor, "size">, there = 0): void {
    this.#counts.copied++;
    this.#counts.bytes += size - there;
    this.#counts.resumed += there;
  }

  mounted(): void {
    this.#counts.mounted++;
  }

  skipped(descriptor: Descriptor): void {
    this.#counts.skipped++;
    this.#emit({ type: "skipped", descriptor });
  }

  /** A blob is there by the word of its target. */
  vouched(target: object, blob: Descriptor): void {
    this.skipped(blob);
    const vouched = this.#vouched.get(target) ?? new Set();
    this.#vouched.set(target, vouched.add(blob.digest));
  }

  /** Which of these blobs a target has by its word alone. */
  vouchedFor(target: object, blobs: readonly Descriptor[]): Descriptor[] {
    const vouched = this.#vouched.get(target);
    return blobs.filter(({ digest }) => vouched?.has(digest));
  }

  /** The word was wrong: a blob that counted as skipped was moved after all. */
  disproved(): void {
    this.#counts.skipped--;
  }
}
