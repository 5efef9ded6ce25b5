import { type Content, collect, isManifest, transfersAs, type WriteOptions } from "../content/index.ts";
import { digesterFor } from "../hash/index.ts";
import { type Descriptor, type Digest, type DigestAlgorithm, digestOf, largestManifest } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { hasBlob } from "./blobs.ts";
import { pushManifest } from "./referrers.ts";
import { ReplayableContent } from "./replayable-content.ts";
import { sendResumably } from "./resumable-upload.ts";
import { savedSession } from "./upload.ts";
import { openSession, type UploadOptions } from "./upload-session.ts";

/** What content is that has no digest yet. */
export interface IngestOptions extends WriteOptions {
  readonly mediaType: string;
  /** Default `sha256`. */
  readonly algorithm?: DigestAlgorithm | undefined;
  /** Names what is being made, where it comes out the same each time: an upload that was interrupted goes on then. */
  readonly key?: string | undefined;
}

/**
 * Puts content into a repository whose digest is known when all of it has been sent. It goes in replayable of unknown length,
 * as docker pushes, and is committed under what the hash says in the end.
 */
export const ingestContent = async (repo: Repo, content: Content, options: IngestOptions): Promise<Descriptor> => {
  const { mediaType, algorithm = "sha256", key, signal, onEvent } = options;
  if (isManifest(options, options)) return ingestManifest(repo, content, options);
  const retryBudget = repo.api.retryBudget();
  const about: UploadOptions = { reference: key ?? "", signal, onEvent, retryBudget };
  const name = key === undefined ? undefined : { registry: repo.api.registry, repository: repo.name, content: key };
  const hashed = hashedContent(content, algorithm);
  const replayable = new ReplayableContent(hashed, undefined, signal);
  let result: Promise<Descriptor> | undefined;
  const descriptor = (): Promise<Descriptor> => (result ??= hashed.result().then((known) => ({ mediaType, ...known })));
  try {
    const saved = name === undefined ? undefined : await savedSession(repo, name, about);
    const source = {
      content: replayable,
      algorithm,
      digest: async () => (await descriptor()).digest,
      arrived: async () => hasBlob(repo, await descriptor(), { ...options, retryBudget }),
      savedAs: name,
    };
    await sendResumably(repo, saved ?? (await openSession(repo, algorithm, about)), source, about);
    return await descriptor();
  } finally {
    await replayable.close();
    hashed.abandon();
  }
};

const ingestManifest = async (
  repo: Repo,
  content: Content,
  { mediaType, algorithm, ...options }: IngestOptions,
): Promise<Descriptor> => {
  const bytes = await collect(content.open(options), largestManifest, "the manifest");
  const descriptor = { mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength };
  await pushManifest(repo, { descriptor, bytes }, descriptor.digest, options);
  return descriptor;
};

/** Content that is hashed on its way, each byte once, wherever it is opened. */
interface HashedContent extends Content {
  /** The digest and the size of the whole. Asked for once, when the content has been read to its end. */
  result(): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Lets go of the hash. */
  abandon(): void;
}

/**
 * Hashes content whose digest is to be known when it has been sent. Opened again before the point that the hash has
 * reached, it passes the bytes up to there unhashed; opened beyond it, as when an upload of another process goes on, it
 * reads what lies between for the hash alone. The content must be the same each time.
 */
export const hashedContent = (content: Content, algorithm: DigestAlgorithm): HashedContent => {
  const hash = digesterFor(algorithm, content.size);
  let hashed = 0;
  return {
    size: content.size,
    open: transfersAs<Content["open"]>(content, async function* ({ offset = 0, signal } = {}) {
      let at = Math.min(offset, hashed);
      for await (const chunk of content.open({ offset: at, signal })) {
        const end = at + chunk.byteLength;
        if (end > hashed) await hash.update(at >= hashed ? chunk : chunk.subarray(hashed - at));
        hashed = Math.max(hashed, end);
        if (end > offset) yield at >= offset ? chunk : chunk.subarray(offset - at);
        at = end;
      }
    }),
    result: async () => ({ digest: await hash.digest(), size: hashed }),
    abandon: () => hash.abandon(),
  };
};
