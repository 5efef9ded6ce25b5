import { type ImageFacts, isCandidate, type Policy } from "@dray/policy";
import { collect, loadManifest, type ProgressEvent, type ReadableStore } from "dray/content";
import { DrayError, isDrayError } from "dray/errors";
import { LazyMap } from "dray/internal/async";
import {
  annotationKeys,
  annotationsOf,
  type Descriptor,
  type Digest,
  isConfigType,
  isObject,
  largestManifest,
  type Platform,
  parseJson,
} from "dray/oci";
import type { Repository } from "dray/registry";

/** What is asked of a repository: that of `dray/registry`. */
export type AskedRepository = Pick<Repository, "tags" | "digest" | "resolve" | "read">;

/** What an image says of itself. */
interface SaidOfImage {
  readonly created: number | undefined;
  readonly platforms: readonly Platform[];
  /** Its own digest, and those of the images in it. */
  readonly digests: readonly Digest[];
}

/** Tags that are asked for their digests before the search for one is given up. */
const deepest = 20;

/** A repository as all who run an image of it ask it: its tags are listed once, and each tag and image is asked about once. */
export class AskedOnce {
  readonly #repository: AskedRepository;
  readonly #signal: AbortSignal | undefined;
  readonly #digests = new LazyMap<string, Digest | undefined>();
  readonly #said = new LazyMap<string, SaidOfImage>();
  #tags: Promise<readonly string[]> | undefined;

  constructor(repository: AskedRepository, signal: AbortSignal | undefined) {
    this.#repository = repository;
    this.#signal = signal;
  }

  tags(): Promise<readonly string[]> {
    this.#tags ??= wholeList(this.#repository, this.#signal);
    return this.#tags;
  }

  /** What a tag names, by HEAD; `undefined`: there is no such tag. */
  digestOf(tag: string): Promise<Digest | undefined> {
    return this.#digests.get(tag, async () => {
      try {
        return await this.#repository.digest(tag, { orRead: true, signal: this.#signal });
      } catch (error) {
        if (isDrayError(error, "NOT_FOUND")) return undefined;
        throw error;
      }
    });
  }

  async createdAt(name: string): Promise<number | undefined> {
    return (await this.#saidOf(name)).created;
  }

  async facts(tag: string): Promise<ImageFacts> {
    try {
      const { created, platforms } = await this.#saidOf(tag);
      return { time: created, platforms };
    } catch (error) {
      if (!isDrayError(error, "NOT_FOUND", "MANIFEST_INVALID", "UNSUPPORTED", "DIGEST_MISMATCH")) throw error;
      return { error: error.message };
    }
  }

  /** Whether an image is one of these: itself, or one of those in it, since an engine may say either. */
  async isAmong(digest: Digest, digests: readonly Digest[]): Promise<boolean> {
    if (digests.includes(digest)) return true;
    if (digests.length === 0) return false;
    return (await this.#saidOf(digest)).digests.some((each) => digests.includes(each));
  }

  /** The newest version that names the same image. */
  async meaningOf(digest: Digest, policy: Policy): Promise<string | undefined> {
    const versions = (await this.tags())
      .map((tag) => policy.judge(tag, ""))
      .filter(isCandidate)
      .sort(policy.compare)
      .slice(0, deepest);
    for (const { tag } of versions) if ((await this.digestOf(tag)) === digest) return tag;
    return undefined;
  }

  #saidOf(name: string): Promise<SaidOfImage> {
    return this.#said.get(name, async () => {
      const signal = this.#signal;
      return saidOf(this.#repository, await this.#repository.resolve(name, { signal }), signal);
    });
  }
}

/** All tags. Of a list that ends before it should nobody knows what would have been the newest. @throws DrayError `PARTIAL` */
const wholeList = async (repository: AskedRepository, signal: AbortSignal | undefined): Promise<readonly string[]> => {
  let cut: string | undefined;
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === "warning" && event.partial === true) cut = event.message;
  };
  const tags = await Array.fromAsync(repository.tags({ signal, onEvent }));
  if (cut !== undefined) throw new DrayError("PARTIAL", `${cut}, and what is not listed may be newer`);
  return tags;
};

const saidOf = async (
  store: Pick<ReadableStore, "read" | "resolve">,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<SaidOfImage> => {
  const { parsed } = await loadManifest(store, descriptor, { signal });
  const annotated = timeIn(annotationsOf(parsed)?.[annotationKeys.created]);
  if (parsed.kind === "index") {
    const images = parsed.index.manifests.filter(({ platform }) => platform?.os !== "unknown");
    const [first] = images;
    return {
      created: annotated ?? (first === undefined ? undefined : (await saidOf(store, first, signal)).created),
      platforms: images.flatMap(({ platform }) => platform ?? []),
      digests: [descriptor.digest, ...images.map(({ digest }) => digest)],
    };
  }
  const own = { created: annotated, platforms: [], digests: [descriptor.digest] };
  if (parsed.kind !== "manifest" || !isConfigType(parsed.manifest.config.mediaType)) return own;
  const bytes = await collect(store.read(parsed.manifest.config, { signal }), largestManifest, "configuration");
  const config = parseJson(bytes, "configuration");
  if (!isObject(config)) return own;
  const { os, architecture, variant, created } = config;
  const isNamed = typeof os === "string" && typeof architecture === "string";
  const platform = isNamed ? { os, architecture, ...(typeof variant === "string" ? { variant } : {}) } : undefined;
  return { ...own, created: annotated ?? timeIn(created), platforms: platform === undefined ? [] : [platform] };
};

const timeIn = (text: unknown): number | undefined => {
  const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};
