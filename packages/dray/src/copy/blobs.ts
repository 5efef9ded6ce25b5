import { Semaphore } from "../async/index.ts";
import {
  bottomOf,
  checksDigests,
  meteredContent,
  mountsFrom,
  opensLate,
  type ProgressEvent,
  placeOf,
  type ReadableStore,
  readAhead,
  readsElsewhere,
  type WritableStore,
} from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { blobKey, compressedKey, type Ledger, sentKey } from "./ledger.ts";
import type { Run } from "./run.ts";
import { Slots } from "./slots.ts";
import type { Tally } from "./tally.ts";
import type { Targets } from "./targets.ts";

/** Bytes. Of a target that is new, larger blobs are asked for all the same: a copy that was cut off may have brought them. */
const worthAsking = 1024 * 1024;
/** Layers that are compressed at the same time, each on all cores. */
const compressedAtOnce = 2;

/** Where from, where to. */
export interface Way {
  readonly source: ReadableStore;
  readonly target: WritableStore;
  /** A failure is this one's own: nothing else ends. */
  readonly alone?: boolean;
}

/** What a layer has become on its way: `diffID` where the tar inside became another one. */
export interface CompressedLayer extends Pick<Descriptor, "digest" | "size" | "annotations"> {
  readonly diffID?: Digest | undefined;
}

/**
 * The way of one blob into a target: it is there, is mounted, or its body is moved when there is a slot for it. Each goes once to each
 * target, however many manifests name it.
 */
export class Blobs {
  readonly #run: Run;
  readonly #targets: Targets;
  readonly #tally: Tally;
  readonly #ledger: Ledger;
  readonly #bodies: Slots;
  readonly #compressing = new Semaphore(compressedAtOnce);
  readonly #compressed = new Map<object, Map<Digest, CompressedLayer>>();

  constructor(run: Run, targets: Targets, tally: Tally, ledger: Ledger) {
    this.#run = run;
    this.#targets = targets;
    this.#tally = tally;
    this.#ledger = ledger;
    refuseNumber("jobs", run.options.jobs);
    this.#bodies = new Slots(run.options.jobs);
  }

  /** Brings blobs side by side. */
  async bring(way: Way, blobs: readonly Descriptor[]): Promise<void> {
    this.#plan(this.#ledger.fresh(way.target, blobs));
    await this.#run.eachOf(blobs, blobs.length, (blob) => this.#bring(way, blob), way);
  }

  /** Sends those that are there by the target's word alone, each once for all who need it. `false`: there are none. */
  async sendVouched(way: Way, among: readonly Descriptor[]): Promise<boolean> {
    const vouched = this.#tally.vouchedFor(way.target, among);
    const send = ([blob, as]: (typeof vouched)[number]): Promise<void> =>
      this.#ledger.once(way.target, sentKey(blob.digest), way.source, async () => {
        await this.#moveInTurn(way, blob);
        this.#tally.disproved(as);
      });
    await this.#run.eachOf(vouched, vouched.length, send, way);
    return vouched.length > 0;
  }

  /** Has another blob made of one on the way, in the target itself, and tells which that has become. */
  make<D extends Descriptor>({ source, target }: Way, from: Descriptor, work: () => Promise<D>): Promise<D> {
    const { signal } = this.#run;
    return this.#ledger.once(target, compressedKey(from.digest), source, async () => {
      this.#plan([from]);
      const made = await this.#compressing.run(signal, () => this.#bodies.run(signal, from.size, work));
      this.#tally.copied(made);
      this.#ledger.arrived(target, made.digest);
      return made;
    });
  }

  /** Notes a blob that came into a target before anything named it, and what a layer was before it was compressed on the way. */
  arrived(
    target: object,
    blob: Descriptor,
    compressed?: { readonly before: Digest; readonly made: CompressedLayer },
  ): void {
    this.#tally.copied(blob);
    this.#ledger.arrived(target, blob.digest);
    if (compressed === undefined) return;
    const known = this.#compressed.get(target) ?? new Map<Digest, CompressedLayer>();
    this.#compressed.set(target, known.set(compressed.before, compressed.made));
  }

  /** What a layer has become that came into the target compressed, by its digest before. */
  compressed(target: object, before: Digest): CompressedLayer | undefined {
    return this.#compressed.get(target)?.get(before);
  }

  #plan(blobs: readonly Descriptor[]): void {
    const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
    if (blobs.length > 0) this.#run.emit({ type: "plan", blobs: blobs.length, bytes });
  }

  async #bring(way: Way, descriptor: Descriptor): Promise<void> {
    const { source, target } = way;
    const { options } = this.#run;
    await this.#ledger.once(target, blobKey(descriptor.digest), source, async () => {
      // What was put into the target before it is named lies there already.
      if (options.skip?.(descriptor) || placeOf(source, descriptor.digest) === target) return;
      const mayBeThere = descriptor.size >= worthAsking || (await this.#targets.isNew(target)) !== true;
      if (mayBeThere && (await this.#targets.has(target, descriptor, "blob"))) this.#tally.vouched(target, descriptor);
      else if (options.dryRun === true) {
        if (this.#mayMount(way, descriptor)) this.#tally.mounted(target, descriptor);
        else this.#tally.copied(descriptor);
      } else if (await this.#mount(way, descriptor)) {
        this.#tally.mounted(target, descriptor);
        this.#run.emit({ type: "mounted", descriptor });
      } else await this.#moveInTurn(way, descriptor);
      this.#ledger.holdersOf(descriptor.digest).add(target);
    });
  }

  async #mount({ source, target }: Way, descriptor: Descriptor): Promise<boolean> {
    if (!mountsFrom(target)) return false;
    const options = { kind: "blob", signal: this.#run.signal } as const;
    for (const holder of [
      placeOf(source, descriptor.digest) ?? bottomOf(source),
      ...this.#ledger.holdersOf(descriptor.digest),
    ])
      if (await this.#run.small(() => target.mountFrom(descriptor, holder, options))) return true;
    return false;
  }

  /** Whether the target would be asked to mount it, as far as can be told without asking. */
  #mayMount({ source, target }: Way, descriptor: Descriptor): boolean {
    if (!mountsFrom(target)) return false;
    const holders = [
      placeOf(source, descriptor.digest) ?? bottomOf(source),
      ...this.#ledger.holdersOf(descriptor.digest),
    ];
    return holders.some((holder) => target.mayMountFrom?.(descriptor, holder, { kind: "blob" }) === true);
  }

  /** Moves a blob when there is a slot for its body, and counts how it got there. */
  async #moveInTurn(way: Way, descriptor: Descriptor): Promise<void> {
    const { signal, emit } = this.#run;
    const moved = await this.#bodies.run(signal, descriptor.size, () => this.#move(way, descriptor));
    if (moved.mounted) return this.#tally.mounted(way.target, descriptor);
    this.#tally.copied(descriptor, moved.there);
    emit({ type: "done", descriptor });
  }

  /** What turns out to be something else is moved again, as long as the source has it from another place, too. */
  async #move(way: Way, descriptor: Descriptor): Promise<Moved> {
    for (;;)
      try {
        return await this.#moveOnce(way, descriptor);
      } catch (error) {
        const from = placeOf(way.source, descriptor.digest) ?? bottomOf(way.source);
        this.#run.throwIfCancelled();
        if (!isSomethingElse(error) || !readsElsewhere(from)) throw error;
        if (!from.misled(descriptor.digest, !isDrayError(error, "SIZE_MISMATCH"))) throw error;
      }
  }

  /** Tells how many bytes an earlier attempt had left there, and whether the target took it from elsewhere by itself. */
  async #moveOnce({ source, target }: Way, descriptor: Descriptor): Promise<Moved> {
    const { signal, emit, options } = this.#run;
    const verify = options.verify === true || !checksDigests(target);
    let there: number | undefined;
    let mounted = false;
    const onEvent = (event: ProgressEvent): void => {
      const isOurs = "descriptor" in event && event.descriptor.digest === descriptor.digest;
      if (isOurs && event.type === "start") there = Math.min(there ?? event.offset, event.offset);
      if (isOurs && event.type === "mounted") mounted = true;
      emit(event);
    };
    const isLate = opensLate(target) && target.opensLate(descriptor);
    const ahead = isLate ? readAhead(source, descriptor, { kind: "blob", verify, onEvent, signal }) : undefined;
    try {
      const content = meteredContent(ahead?.source ?? source, descriptor, { verify, onEvent });
      await target.write(descriptor, content, { kind: "blob", signal, onEvent });
    } finally {
      await ahead?.release();
    }
    return { there: there ?? 0, mounted };
  }
}

/** Whether the bytes that came were not those that were promised, in the words of our stores and of registries. */
const isSomethingElse = (error: unknown): boolean =>
  isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH") ||
  (isDrayError(error, "REGISTRY") && error.registryCode === "DIGEST_INVALID");

/** How a blob got there. */
interface Moved {
  readonly there: number;
  readonly mounted: boolean;
}
