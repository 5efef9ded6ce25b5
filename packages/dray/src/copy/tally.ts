import type { ProgressEvent } from "../content/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import type { CopyCounts } from "./options.ts";

/**
 * What a copy came to: each piece counted once, by the way in which it got there. Of what is there by the target's word alone, after a look-up or
 * a mount, it knows which that is: should the word turn out to be wrong, it was neither skipped nor mounted.
 */
export class Tally {
  readonly #counts = { copied: 0, mounted: 0, skipped: 0, bytes: 0, resumed: 0 };
  /** Blobs that a target has by its own word, and as what they were counted. */
  readonly #vouched = new Map<object, Map<Digest, "skipped" | "mounted">>();
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

  /** A target has taken a blob from elsewhere by itself, or would. */
  mounted(target: object, { digest }: Descriptor): void {
    this.#counts.mounted++;
    this.#vouchedBy(target).set(digest, "mounted");
  }

  skipped(descriptor: Descriptor): void {
    this.#counts.skipped++;
    this.#emit({ type: "skipped", descriptor });
  }

  /** A blob is there by the word of its target. */
  vouched(target: object, blob: Descriptor): void {
    this.skipped(blob);
    this.#vouchedBy(target).set(blob.digest, "skipped");
  }

  #vouchedBy(target: object): Map<Digest, "skipped" | "mounted"> {
    const vouched = this.#vouched.get(target) ?? new Map();
    this.#vouched.set(target, vouched);
    return vouched;
  }

  /** Which of these blobs a target has by its word alone, and as what each was counted. */
  vouchedFor(target: object, blobs: readonly Descriptor[]): [blob: Descriptor, as: "skipped" | "mounted"][] {
    const vouched = this.#vouched.get(target);
    return blobs.flatMap((blob) => {
      const as = vouched?.get(blob.digest);
      return as === undefined ? [] : [[blob, as]];
    });
  }

  /** The word was wrong: a blob that counted so was moved after all. */
  disproved(as: "skipped" | "mounted"): void {
    this.#counts[as]--;
  }
}
