import { bytesContent, type Content, collect, sized, type WriteOptions } from "../content/index.ts";
import type { DrayError } from "../errors.ts";
import { algorithmOf, type Descriptor, parseDigest } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { hasBlob } from "./blobs.ts";
import { ReplayableContent } from "./replayable-content.ts";
import { asMismatch, sendResumably } from "./resumable-upload.ts";
import type { UploadName } from "./saved-sessions.ts";
import {
  announced,
  askSession,
  mountOrOpen,
  opened,
  openSession,
  type TriedMount,
  type UploadOptions,
  type UploadSession,
  uploading,
  uploadsPath,
} from "./upload-session.ts";

/** Blobs up to this size go in one request: the round trip that is saved is worth more than bytes sent in vain. */
const small = 64 * 1024;
/** Blobs from this size on are worth a file that lets another process go on. */
export const worthSaving: number = 8 * 1024 * 1024;

/**
 * Puts a blob into a repository.
 * @param tried what an attempt to mount it has come to.
 */
export const uploadBlob = async (
  repo: Repo,
  descriptor: Descriptor,
  content: Content,
  options: WriteOptions,
  { session: kept, retryBudget = repo.api.retryBudget() }: Partial<TriedMount> = {},
): Promise<void> => {
  const { size } = descriptor;
  const digest = parseDigest(descriptor.digest);
  const { signal, onEvent } = options;
  const about: UploadOptions = { reference: digest, signal, onEvent, retryBudget };
  const name = size < worthSaving ? undefined : { registry: repo.api.registry, repository: repo.name, content: digest };
  // What a registry's first blob teaches may take sending it twice; its source is asked once all the same.
  const mayGoTwice = kept === undefined && size <= small && repo.api.features.singlePost === undefined;
  const replayable = new ReplayableContent(mayGoTwice ? readOnce(content, descriptor) : content, descriptor, signal);
  try {
    const session = kept ?? (await begin(repo, descriptor, replayable, name, about));
    if (session === "mounted") onEvent?.({ type: "mounted", descriptor });
    if (session === "there" || session === "mounted") return;
    const source = {
      content: replayable,
      size,
      algorithm: algorithmOf(digest),
      digest: async () => digest,
      arrived: () => hasBlob(repo, descriptor, { ...options, retryBudget }),
      savedAs: name,
    };
    await sendResumably(repo, session, source, about);
  } finally {
    await replayable.close();
  }
};

/** Small content that stays in memory from its first reading on. */
const readOnce = (content: Content, descriptor: Descriptor): Content => {
  let held: Content | undefined;
  return {
    size: descriptor.size,
    open: async function* ({ offset = 0, signal } = {}) {
      held ??= bytesContent(await collect(sized(content.open({ signal }), descriptor), small, descriptor.digest));
      yield* held.open({ offset });
    },
  };
};

const begin = async (
  repo: Repo,
  descriptor: Descriptor,
  replayable: ReplayableContent,
  name: UploadName | undefined,
  about: UploadOptions,
): Promise<UploadSession | "there" | "mounted"> => {
  const { digest, size } = descriptor;
  if (size <= small && repo.api.features.singlePost !== false) return postWhole(repo, descriptor, replayable, about);
  const saved = name === undefined ? undefined : await savedSession(repo, name, about);
  if (saved !== undefined) return saved;
  if (repo.api.features.anonymousMount !== false) {
    const answer = await mountOrOpen(repo, digest, undefined, about);
    if (answer === true) return "mounted";
    if (answer !== false) return answer;
    repo.api.features.anonymousMount = false;
  }
  return openSession(repo, algorithmOf(digest), about);
};

/** The session of a process that ended before it was done. */
export const savedSession = async (
  repo: Repo,
  name: UploadName,
  about: UploadOptions,
): Promise<UploadSession | undefined> => {
  const { features, settings } = repo.api;
  const saved = await settings.sessions?.take(name);
  if (saved === undefined) return undefined;
  if (saved.chunkSize !== undefined) features.chunkSize ??= saved.chunkSize;
  const session = { url: new URL(saved.location), offset: 0, leastChunk: 0, continued: true };
  // What is sent there carries our credentials.
  if (session.url.origin !== (await repo.api.origin(about.signal))) return undefined;
  return askSession(repo, session, about);
};

/** The whole blob in the request that would open a session. A registry that does not know that opens one all the same. */
const postWhole = async (
  repo: Repo,
  { digest }: Descriptor,
  replayable: ReplayableContent,
  about: UploadOptions,
): Promise<UploadSession | "there"> => {
  const { api } = repo;
  const call = {
    ...uploading(repo, about),
    method: "POST",
    target: uploadsPath(repo, { digest, ...announced(algorithmOf(digest)) }),
    headers: [["Content-Type", "application/octet-stream"]] as const,
    body: replayable.range(0),
  };
  const response = await api.send(call).catch((error: unknown) => {
    replayable.throwIfBroken();
    throw error;
  });
  if (response.status === 201) {
    await response.body.discard();
    return "there";
  }
  if (response.status !== 202) {
    const refused = await api.refusal(call, response);
    if (!mayMeanTwoRequests(refused)) throw asMismatch(refused);
  }
  api.features.singlePost = false;
  return response.status === 202 ? opened(repo, response) : openSession(repo, algorithmOf(digest), about);
};

/** Instead of opening a session, some servers are confused. */
const mayMeanTwoRequests = ({ status = 0, registryCode }: DrayError): boolean =>
  [400, 404, 405, 411, 415, 501].includes(status) &&
  registryCode !== "DIGEST_INVALID" &&
  registryCode !== "NAME_INVALID";
