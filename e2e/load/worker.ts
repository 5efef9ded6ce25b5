import type { Chance } from "@dray/testkit";
import { seededBytes } from "@dray/testkit";
import { type Digest, mediaTypes } from "dray/oci";
import { described, type Graph, imageOf, indexOf, layerOf } from "./content.ts";
import type { HttpClient } from "./http.ts";
import type { Ledger, Parked } from "./ledger.ts";
import {
  expect,
  offsetOf,
  type PushOptions,
  pullBlob,
  pullManifest,
  pushBlob,
  pushGraph,
  resume,
  Wrong,
} from "./push.ts";

export interface WorkerOptions {
  readonly id: number;
  readonly http: HttpClient;
  readonly ledger: Ledger;
  readonly chance: Chance;
  readonly repositories: readonly string[];
  /** Milliseconds for which the registry keeps what it promised; none: it takes no manifest whose blobs are not there. */
  readonly promised: number | undefined;
  /** Makes names that nobody else makes. */
  readonly fresh: () => string;
}

/** A client among others: pushes, moves and deletes what is its own, reads what is anybody's, and writes down what was acknowledged. */
export class Worker {
  readonly #options: WorkerOptions;
  #parking: Parked | undefined;
  acknowledged = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** One thing after the other, until the server is gone. @throws what the server should not have done */
  async work(isOver: () => boolean): Promise<void> {
    const { chance, ledger } = this.#options;
    try {
      while (!isOver()) {
        await this.#act(chance.below(20));
        this.acknowledged++;
      }
    } catch (error) {
      if (error instanceof Wrong || !isOver()) throw error;
    } finally {
      if (this.#parking !== undefined) ledger.parked.push(this.#parking);
    }
  }

  #act(kind: number): Promise<void> {
    if (kind < 7) return this.#push(this.#image());
    if (kind < 9) return this.#push(indexOf(this.#options.fresh(), [this.#image(), this.#image()]));
    if (kind < 11) return this.#refer();
    if (kind < 13) return this.#retag();
    if (kind < 14) return this.#untag();
    if (kind < 16) return this.#remove();
    if (kind < 17) return this.#removeBlob();
    if (kind < 19) return this.#read();
    return this.#list();
  }

  #image(): Graph {
    const { chance, fresh } = this.#options;
    const layers = Array.from({ length: 1 + chance.below(3) }, () => layerOf(chance.below(18)));
    return imageOf(fresh(), layers);
  }

  #place(): { repository: string; tag: string } {
    const { id, chance, repositories } = this.#options;
    return { repository: chance.pick(repositories), tag: `c${id}-t${chance.below(3)}` };
  }

  #pushing(repository: string): PushOptions {
    const { http, chance, repositories } = this.#options;
    const onChunk: PushOptions["onChunk"] = (state) => {
      this.#parking = state && { repository, ...state };
    };
    return { http, chance, repository, others: repositories.filter((other) => other !== repository), onChunk };
  }

  async #push(graph: Graph, place = this.#place()): Promise<void> {
    const { ledger, promised } = this.#options;
    const { repository, tag } = place;
    ledger.know(graph);
    ledger.begin(repository, tag, graph.root);
    if (promised === undefined) ledger.setWhole(repository, graph.root);
    const took = await pushGraph(graph, tag, this.#pushing(repository));
    if (promised !== undefined && took < promised) ledger.setWhole(repository, graph.root);
    ledger.acknowledge(repository, tag, graph.root);
  }

  async #refer(): Promise<void> {
    const { ledger, promised, fresh, chance } = this.#options;
    const { repository, tag } = this.#place();
    const digest = ledger.sure(repository, tag);
    const subject = digest && ledger.graph(digest)?.manifests.at(-1);
    if (digest === undefined || subject === undefined) return this.#push(this.#image(), { repository, tag });
    const graph = imageOf(fresh(), [layerOf(chance.below(18))], described(subject.mediaType, subject.bytes));
    ledger.know(graph);
    const took = await pushGraph(graph, graph.root, this.#pushing(repository));
    if (promised === undefined || took < promised) ledger.setWhole(repository, graph.root);
    ledger.addReferrer(repository, digest, graph.root);
  }

  /** Another tag for what a tag stands for. */
  async #retag(): Promise<void> {
    const { http, ledger } = this.#options;
    const { repository, tag } = this.#place();
    const digest = ledger.sure(repository, tag);
    const manifest = digest && ledger.graph(digest)?.manifests.at(-1);
    if (manifest === undefined) return;
    const { tag: other } = this.#place();
    ledger.begin(repository, other, digest);
    const { mediaType, bytes } = manifest;
    // What nobody vouched for may be incomplete, and is not taken then.
    const statuses = ledger.isWhole(repository, manifest.digest) ? [201] : [201, 400];
    const { status } = await expect(http, "PUT", `/v2/${repository}/manifests/${other}`, statuses, {
      body: bytes,
      headers: { "Content-Type": mediaType },
    });
    if (status === 201) ledger.acknowledge(repository, other, digest);
  }

  async #untag(): Promise<void> {
    const { http, ledger } = this.#options;
    const { repository, tag } = this.#place();
    const statuses = statusesOf(ledger.tagged(repository, tag));
    ledger.begin(repository, tag, undefined);
    await expect(http, "DELETE", `/v2/${repository}/manifests/${tag}`, statuses);
    ledger.acknowledge(repository, tag, undefined);
  }

  /** A manifest, and with it every tag that stands for it. They are all ours. */
  async #remove(): Promise<void> {
    const { id, http, ledger } = this.#options;
    const { repository, tag } = this.#place();
    const digest = ledger.sure(repository, tag);
    if (digest === undefined) return;
    const tags = [...ledger.tags()].filter(
      (each) => each.repository === repository && each.tag.startsWith(`c${id}-`) && each.may.has(digest),
    );
    for (const each of tags) ledger.begin(repository, each.tag, undefined);
    await expect(http, "DELETE", `/v2/${repository}/manifests/${digest}`, [202]);
    for (const each of tags) if (each.may.size === 1) ledger.acknowledge(repository, each.tag, undefined);
    ledger.setDeleted(repository, digest);
  }

  /** A blob that nobody else has. */
  async #removeBlob(): Promise<void> {
    const { http, ledger, fresh, chance } = this.#options;
    const { repository } = this.#place();
    const bytes = seededBytes(fresh(), 1000 + chance.below(100_000));
    const { digest } = described(mediaTypes.ociLayer, bytes);
    await pushBlob(bytes, this.#pushing(repository));
    // It may be collected in between.
    await expect(http, "DELETE", `/v2/${repository}/blobs/${digest}`, [202, 404]);
    ledger.setDeleted(repository, digest);
  }

  /** Anything of anybody: it may go meanwhile, and is never wrong. */
  async #read(): Promise<void> {
    const { http, ledger, chance } = this.#options;
    const tags = [...ledger.tags()];
    if (tags.length === 0) return;
    const { repository, tag } = chance.pick(tags);
    const manifest = await pullManifest(http, repository, tag);
    for (const blob of (manifest && ledger.graph(manifest.digest)?.blobs.keys()) ?? [])
      await pullBlob(http, repository, blob as Digest);
  }

  async #list(): Promise<void> {
    const { http, chance, repositories, ledger } = this.#options;
    const repository = chance.pick(repositories);
    await expect(http, "GET", "/v2/_catalog", [200]);
    await expect(http, "GET", `/v2/${repository}/tags/list`, [200, 404]);
    const { tag } = this.#place();
    const digest = ledger.sure(repository, tag);
    if (digest !== undefined) await expect(http, "GET", `/v2/${repository}/referrers/${digest}`, [200]);
  }
}

const statusesOf = (may: ReadonlySet<Digest | undefined>): number[] =>
  may.size > 1 ? [202, 404] : may.has(undefined) ? [404] : [202];

/** Goes on with uploads that a kill cut off, from where the registry says; what comes of them is pushed as an image. */
export const resumeParked = async (options: WorkerOptions): Promise<{ resumed: number; lost: number }> => {
  const { http, ledger, chance, fresh, promised } = options;
  let [resumed, lost] = [0, 0];
  for (const { repository, location, bytes, acknowledged, sent } of ledger.parked.splice(0)) {
    const offset = await offsetOf(http, location);
    // One that had all its bytes may have become a blob already; of one that nothing came to nobody need know.
    const isSure = acknowledged > 0 && acknowledged < bytes.byteLength;
    if (offset === undefined && isSure)
      throw new Wrong(`${location}: the upload is gone, and ${acknowledged} bytes of it were acknowledged`);
    if (offset !== undefined && ((isSure && offset < acknowledged) || offset > sent))
      throw new Wrong(`${location}: stands at ${offset}; ${acknowledged} were acknowledged, ${sent} sent`);
    if (offset === undefined) {
      lost++;
      continue;
    }
    const pushing: PushOptions = { http, repository, chance };
    await resume(bytes, location, offset, pushing);
    resumed++;
    const graph = imageOf(fresh(), [bytes]);
    const place = { repository, tag: `resumed-${chance.below(3)}` };
    ledger.know(graph);
    ledger.begin(place.repository, place.tag, graph.root);
    const took = await pushGraph(graph, place.tag, pushing);
    if (promised === undefined || took < promised) ledger.setWhole(repository, graph.root);
    ledger.acknowledge(place.repository, place.tag, graph.root);
  }
  return { resumed, lost };
};
