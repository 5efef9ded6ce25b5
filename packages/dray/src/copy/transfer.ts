import {
  bytesContent,
  childrenOfKind,
  expects,
  type LoadedManifest,
  type Located,
  type ReadableStore,
  type Selection,
  type WritableStore,
  writesNamed,
} from "../content/index.ts";
import { DrayError, lacksBlobs } from "../errors.ts";
import { type Descriptor, isDigest } from "../oci/index.ts";
import { walkAttached } from "./attached-walk.ts";
import { Blobs, type Way } from "./blobs.ts";
import { Ledger, manifestKey } from "./ledger.ts";
import type { CopyCounts } from "./options.ts";
import type { Run } from "./run.ts";
import { ofChild, SourceGraph } from "./source-graph.ts";
import { Tally } from "./tally.ts";
import { Targets } from "./targets.ts";

/** Subtrees of one index that are worked on at the same time. */
const childrenAtOnce = 16;

/**
 * The walk over manifests: from the top down, and each is written when all below it is there. The name comes last, so that it never stands
 * for something incomplete.
 */
export class Transfer {
  readonly run: Run;
  readonly targets: Targets;
  readonly graph: SourceGraph;
  readonly blobs: Blobs;
  readonly #tally: Tally;
  readonly #ledger = new Ledger();

  constructor(run: Run) {
    this.run = run;
    this.targets = new Targets(run);
    this.graph = new SourceGraph(run);
    this.#tally = new Tally(run.emit);
    this.blobs = new Blobs(run, this.targets, this.#tally, this.#ledger);
  }

  counts(): CopyCounts {
    return { ...this.#tally.counts(), leftOut: this.graph.leftOut };
  }

  /**
   * Moves one root and gives it the target's name, which stands for `before` now. Tells what the root is: who named it may have been wrong
   * about its size. `partly`: what refers to it, and could not be taken along.
   */
  async root(
    selection: Selection,
    target: Located<WritableStore>,
    before: Descriptor | undefined,
  ): Promise<{ readonly root: Descriptor; readonly partly: DrayError | undefined }> {
    const { store: source, root: named } = selection;
    const { options, signal } = this.run;
    this.graph.keep(selection);
    const name = isDigest(target.name) ? undefined : target.name;
    if (isDigest(target.name) && target.name !== named.digest)
      throw new DrayError(
        "USAGE",
        `${target.location} names ${target.name}, but the content is ${named.digest}; leave the digest out`,
      );
    const learning = this.targets.learn(target, before);
    learning.catch(() => {});
    if (before === undefined && options.dryRun !== true) await this.#tellMuch(source, target.store, named);
    await learning;
    const manifests: Descriptor[] = [];
    const isNamed =
      options.force !== true && before?.digest === named.digest && (await this.targets.isWhole(target.store, named));
    let written = isNamed;
    if (isNamed) this.#tally.skipped(named);
    else written = await this.#manifest({ source, target: target.store, seen: manifests }, named, 0, name);
    const root = this.graph.asLoaded(named);
    const attached = options.referrers === true;
    const partly = attached ? await this.#attached(source, target.store, root, manifests) : undefined;
    if (name !== undefined && !written && options.dryRun !== true)
      await this.run.small(() => target.store.tag(root, name, { signal, atClose: true }));
    return { root, partly };
  }

  /** Says to both ends how much is about to come, where the manifest that names it is at hand. */
  async #tellMuch(source: ReadableStore, target: WritableStore, root: Descriptor): Promise<void> {
    const pieces = await this.graph.piecesOf(source, root);
    if (pieces === undefined) return;
    for (const store of [source, target]) if (expects(store)) store.expect(pieces);
  }

  /** Moves a manifest with all below it. Tells whether it was also given `name`. */
  async #manifest(walk: Walk, descriptor: Descriptor, depth: number, name?: string): Promise<boolean> {
    walk.seen.push(descriptor);
    const { options } = this.run;
    let named = false;
    await this.#ledger.once(walk.target, manifestKey(descriptor.digest), walk.source, async () => {
      if (options.skip?.(descriptor)) return;
      const isNew = await this.targets.isNew(walk.target);
      // A copy that was cut off can have left something in what is new, but no root: that is asked while the manifest comes.
      const loading = isNew === true ? this.graph.load(walk.source, descriptor, depth) : undefined;
      loading?.catch(() => {});
      const mayBeThere = options.force !== true && (isNew !== true || depth > 0);
      const there = mayBeThere && (await this.targets.has(walk.target, descriptor, "manifest"));
      if (there) this.#tally.skipped(descriptor);
      if (there && options.referrers !== true) return void (await loading?.catch(() => {}));
      const loaded = await (loading ?? this.graph.load(walk.source, descriptor, depth));
      if (!there) await this.blobs.bring(walk, await this.graph.blobsOf(walk.source, loaded.parsed));
      await this.#manifestsBelow(walk, loaded, depth);
      if (there) return;
      named = await this.#write(walk.target, loaded, name).catch(async (error: unknown) => {
        if (!lacksBlobs(error)) throw error;
        if (!(await this.blobs.sendVouched(walk, childrenOfKind(loaded.parsed, "blob")))) throw error;
        return this.#write(walk.target, loaded, name);
      });
    });
    return named;
  }

  async #manifestsBelow(walk: Walk, { parsed }: LoadedManifest, depth: number): Promise<void> {
    const move = async (child: Descriptor): Promise<void> => {
      await ofChild(child, () => this.#manifest(walk, child, depth + 1));
    };
    await this.run.eachOf(childrenOfKind(parsed, "manifest"), childrenAtOnce, move, walk);
  }

  async #write(target: WritableStore, { descriptor, bytes, parsed }: LoadedManifest, name?: string): Promise<boolean> {
    const { signal, emit, options } = this.run;
    const oneStep = name !== undefined && name !== "" && writesNamed(target);
    if (options.dryRun !== true) {
      const how = { kind: "manifest" as const, parsed, signal, onEvent: emit };
      const content = bytesContent(bytes);
      await this.run.small(() =>
        oneStep ? target.writeNamed(descriptor, content, name, how) : target.write(descriptor, content, how),
      );
    }
    this.#tally.copied({ size: bytes.byteLength });
    return oneStep;
  }

  /** Referrers may name what they refer to as content, so they come after all content. Tells what of them could not be taken along. */
  async #attached(
    source: ReadableStore,
    target: WritableStore,
    root: Descriptor,
    seen: Descriptor[],
  ): Promise<DrayError | undefined> {
    const { signal, emit, options } = this.run;
    if (seen.length === 0)
      await this.#manifestsBelow({ source, target, seen }, await this.graph.load(source, root, 0), 0);
    const faults: DrayError[] = [];
    await walkAttached(source, [root, ...seen], {
      signal,
      take: async ({ descriptor, name }) => {
        const found: Descriptor[] = [];
        const named = await this.#manifest({ source, target, seen: found, alone: true }, descriptor, 0, name);
        if (name !== undefined && !named && options.dryRun !== true)
          await this.run.small(() => target.tag(descriptor, name, { signal, atClose: true }));
        return found;
      },
      onFault: (what, error) => {
        faults.push(error);
        emit({ type: "warning", message: `${what}: ${error.message}` });
      },
    });
    const [first] = faults;
    if (first === undefined) return undefined;
    const message = `${root.digest} is copied, and of what refers to it ${faults.length} could not be: ${first.message}`;
    return new DrayError("PARTIAL", message, { reference: root.digest, cause: first });
  }
}

/** Also the manifests met on the way, whose referrers may be wanted. */
interface Walk extends Way {
  readonly seen: Descriptor[];
}
