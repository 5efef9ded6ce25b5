import { DrayError, isDrayError } from "dray/errors";
import { type KeyedRwLock, Yielding } from "dray/internal/async";
import { type Digest, isDigest } from "dray/oci";
import type { Blobs, Completeness } from "../blobs/index.ts";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata } from "../metadata/index.ts";
import type { Driver } from "../storage/index.ts";
import { type User, verifyData } from "./data.ts";
import { verifyLinks } from "./links.ts";
import { Pace } from "./pace.ts";
import { dropPlace, keepPlace, type Place, placeOf } from "./place.ts";
import type { Finding, Sums, Verified, VerifyOptions } from "./types.ts";

export interface VerifierOptions {
  readonly tree: Tree;
  readonly driver: Driver;
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly locks: KeyedRwLock;
  readonly completeness: Completeness;
  /** Bytes in a second where nobody says otherwise; 0: no bound. */
  readonly rate: number;
}

/** Part of the time that is worked, so that requests have the rest. */
const share = 1 / 2;
/** Milliseconds of work before a rest. */
const slice = 4;
/** Milliseconds between two notes of how far it has come. */
const keepEvery = 10_000;

/**
 * Verification of a registry that is in use: tags lead to manifests, manifests to links and data, and data is what its name says. One run
 * at a time; how far one has come is kept, so that the next can go on there.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #findings: Record<Finding["kind"], number> = { tag: 0, manifest: 0, blob: 0, data: 0 };
  #running = false;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** Of all runs of this process. */
  get findings(): Readonly<Record<Finding["kind"], number>> {
    return this.#findings;
  }

  /** @throws DrayError `LOCKED` while another run is under way; `ABORTED` */
  async run(options: VerifyOptions = {}): Promise<Verified> {
    if (this.#running)
      throw new DrayError("LOCKED", "the registry is being verified already; it is done once at a time");
    this.#running = true;
    try {
      return await this.#run(options);
    } finally {
      this.#running = false;
    }
  }

  async #run({ rate, resume = false, quarantine = false, signal, onFinding }: VerifyOptions): Promise<Verified> {
    const { tree, driver, metadata } = this.#options;
    const place = (resume ? await placeOf(driver) : undefined) ?? beginning();
    const { sums } = place;
    const yielding = new Yielding({ slice, share, signal });
    const pace = new Pace(rate ?? this.#options.rate, signal);
    const found = (finding: Finding): void => {
      sums.findings++;
      this.#findings[finding.kind]++;
      onFinding?.(finding);
    };
    const users = (digest: Digest): readonly User[] => metadata.users(digest);
    const all = { ...this.#options, quarantine, sums, yielding, pace, found, users };
    let [kept, at]: [number, Place] = [performance.now(), { ...place, sums: { ...sums } }];
    const reached = async (next: Omit<Place, "sums">): Promise<void> => {
      at = { ...next, sums: { ...sums } };
      if (performance.now() - kept < keepEvery) return;
      await keepPlace(driver, at);
      kept = performance.now();
    };
    try {
      if (place.phase === "links")
        for await (const repository of tree.repositories(place.after)) {
          const sure = async (finding: Finding): Promise<void> => {
            await tree.refuseGone();
            found(finding);
          };
          await verifyLinks({ ...all, repository, found: sure });
          await tree.refuseGone();
          await reached({ phase: "links", after: repository });
          await yielding.turn();
        }
      // Where there is nothing to be seen that is no proof that all is well.
      await tree.refuseGone();
      const after = place.phase === "data" && isDigest(place.after) ? place.after : undefined;
      for await (const digest of tree.blobs(after)) {
        await verifyData(all, digest);
        await reached({ phase: "data", after: digest });
        await yielding.turn();
      }
      await tree.refuseGone();
    } catch (error) {
      if (isDrayError(error, "ABORTED")) await keepPlace(driver, at);
      throw error;
    }
    await dropPlace(driver);
    return { ...sums };
  }
}

const beginning = (): Place => {
  const none = { repositories: 0, tags: 0, manifests: 0, blobs: 0, bytes: 0, findings: 0, absent: 0, quarantined: 0 };
  const sums: Sums = { ...none, begun: new Date().toISOString() };
  return { phase: "links", after: "", sums };
};
