import { type DrayError, isDrayError, restated, throwIfAborted } from "../errors.ts";
import type { HeaderPairs, HttpResponse, RetryBudget } from "../http/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import type { ReplayableContent } from "./replayable-content.ts";
import type { UploadName } from "./saved-sessions.ts";
import {
  acknowledged,
  askSession,
  commitUrl,
  goesOnAt,
  openSession,
  type UploadOptions,
  type UploadSession,
  uploading,
} from "./upload-session.ts";

/** What is to be sent into an upload session. */
export interface UploadSource {
  readonly content: ReplayableContent;
  /** Bytes in all, where known. */
  readonly size?: number | undefined;
  readonly algorithm: DigestAlgorithm;
  /** Asked for when all is sent. */
  readonly digest: () => Promise<Digest>;
  /** Whether the registry has the whole: asked where an answer to the last request was lost. */
  readonly arrived: () => Promise<boolean>;
  /** What the session is saved under, where that is worth it. */
  readonly savedAs?: UploadName | undefined;
}

const mebibyte = 1024 * 1024;
/** Chunks of uploads that do not get through whole. */
const largestChunk = 32 * mebibyte;

/**
 * Sends content into an upload session and commits it, however often the connection is cut. The whole goes in one request
 * where its size is known: that is what every registry takes, and the fastest. Registries that keep what a cut request
 * has brought (CNCF distribution 3, zot) say how far they are, and it goes on there. Those that do not (docker-registry
 * 2.8 gives up a session whose request was cut, the acknowledged chunks with it) get the content again in smaller
 * chunks, each over a connection of its own, so that what cuts connections after so many bytes or seconds does not meet
 * one that is old. Chunks from the start would not have saved such a session and would cost a request each.
 */
export const sendResumably = (
  repo: Repo,
  session: UploadSession,
  source: UploadSource,
  options: UploadOptions,
): Promise<Digest> => new ResumableUpload(repo, session, source, options).run();

class ResumableUpload {
  readonly #repo: Repo;
  readonly #source: UploadSource;
  readonly #options: UploadOptions;
  #session: UploadSession;
  /** The most that the registry has ever acknowledged: what is beyond it is progress. */
  #best: number;
  #wholeOnly = false;
  #gaveUp = false;
  #saving: Promise<void> = Promise.resolve();
  /** How far a session is may be hard to find out where the content itself gets through: one more budget for all such questions together. */
  readonly #asking: RetryBudget;

  constructor(repo: Repo, session: UploadSession, source: UploadSource, options: UploadOptions) {
    this.#repo = repo;
    this.#source = source;
    this.#options = options;
    this.#asking = repo.api.retryBudget();
    this.#session = session;
    this.#best = session.offset;
  }

  async run(): Promise<Digest> {
    const { sessions } = this.#repo.api.settings;
    const { savedAs } = this.#source;
    let found: Digest | undefined;
    try {
      this.#save();
      while (found === undefined) {
        try {
          found = await this.#send();
        } catch (error) {
          found = await this.#recover(error);
        }
      }
      return found;
    } catch (error) {
      throw await this.#explained(error);
    } finally {
      await this.#saving;
      if (savedAs !== undefined && found !== undefined) await sessions?.forget(savedAs);
      else if (savedAs !== undefined) sessions?.leave(savedAs);
    }
  }

  /** A host that cannot be reached is perhaps none that the registry means: proxies that say too little have it name its own. */
  async #explained(error: unknown): Promise<unknown> {
    const { api } = this.#repo;
    const { origin } = new URL(this.#session.url);
    if (!isDrayError(error, "NETWORK", "TLS", "TIMEOUT", "ADDRESS_REFUSED") || origin === (await api.origin()))
      return error;
    const wrong = `${api.registry} itself led the upload to ${origin} (Location); if that is wrong, the proxy before the registry has to tell it X-Forwarded-Proto and X-Forwarded-Host`;
    return restated(error, error.code, `${error.message}; ${wrong}`);
  }

  async #send(): Promise<Digest> {
    const { content, size, digest } = this.#source;
    if (size !== undefined && this.#session.offset === 0 && !this.#inChunks(size))
      return this.#commit(await digest(), true);
    while (!(size === undefined ? await content.endsAt(this.#session.offset) : this.#session.offset >= size))
      await this.#sendChunk();
    return this.#commit(await digest(), false);
  }

  get #chunkSize(): number | undefined {
    const { features, settings } = this.#repo.api;
    return this.#wholeOnly ? undefined : (features.chunkSize ?? settings.chunkSize);
  }

  #inChunks(size: number): boolean {
    return this.#chunkSize !== undefined && size > Math.max(this.#chunkSize, this.#session.leastChunk);
  }

  async #sendChunk(): Promise<void> {
    const { content } = this.#source;
    const { offset, url, leastChunk, foreign } = this.#session;
    const chunk = this.#chunkSize;
    const body = content.range(offset, chunk === undefined ? undefined : offset + Math.max(chunk, leastChunk));
    const range: HeaderPairs =
      body.size === undefined ? [] : [["Content-Range", `${offset}-${offset + body.size - 1}`] as const];
    const call = {
      ...uploading(this.#repo, this.#options),
      method: "PATCH",
      target: url,
      foreign,
      headers: [...this.#headers(), ...range],
      body,
      repeatable: false as const,
    };
    const response = await this.#repo.api.ask(call, 202, 201, 204);
    await response.body.discard();
    await this.#advance(response, body.size === undefined ? content.at : offset + body.size);
  }

  /** A 202 stands for all that was sent, unless the registry says less. Some say `0-0` whatever they have. */
  async #advance(response: HttpResponse, sent: number): Promise<void> {
    const said = acknowledged(response) ?? sent;
    const offset = said > this.#session.offset && said < sent && said > 1 ? said : sent;
    this.#session = { ...this.#session, ...(await goesOnAt(this.#repo, response, this.#session)), offset };
    this.#progress();
    this.#save();
  }

  #ask(): Promise<UploadSession | undefined> {
    return askSession(this.#repo, this.#session, { ...this.#options, retryBudget: this.#asking });
  }

  #progress(): void {
    if (this.#session.offset > this.#best)
      for (const budget of [this.#options.retryBudget, this.#asking]) budget.refill();
    this.#best = Math.max(this.#best, this.#session.offset);
  }

  async #commit(digest: Digest, whole: boolean): Promise<Digest> {
    const call = {
      ...uploading(this.#repo, this.#options),
      method: "PUT",
      target: commitUrl(this.#session.url, digest),
      foreign: this.#session.foreign,
      wanted: whole && this.#isWanted(),
      headers: this.#headers(),
      body: whole ? this.#source.content.range(0) : undefined,
      timeoutClass: "commit" as const,
      repeatable: false as const,
    };
    const response = await this.#repo.api.ask(call, 201, 200, 204);
    await response.body.discard();
    return digest;
  }

  /** A session that was opened just now, for bytes that may be sent in vain: where a token has ended, or something on the way refuses so many. */
  #isWanted(): boolean {
    const { continued, foreign } = this.#session;
    return !continued && foreign !== true && (this.#source.size ?? Number.POSITIVE_INFINITY) < largestChunk;
  }

  #headers(): HeaderPairs {
    const type = ["Content-Type", "application/octet-stream"] as const;
    return this.#repo.api.features.chunkSize === undefined ? [type] : [type, ["Connection", "close"]];
  }

  /**
   * Finds out where to go on, or that nothing is left to do.
   * @throws the error where another attempt makes no sense
   */
  async #recover(error: unknown): Promise<Digest | undefined> {
    const { content, digest } = this.#source;
    throwIfAborted(this.#options.signal);
    content.throwIfBroken();
    if (!isDrayError(error)) throw error;
    const verdict = this.#judge(error);
    if (verdict === "hopeless") throw asMismatch(error);
    const { offset } = this.#session;
    const passed = content.at - offset;
    const { reference, signal, onEvent = this.#repo.api.settings.onEvent, retryBudget } = this.#options;
    await retryBudget.resume(error, { what: reference, registry: this.#repo.api.registry, signal, onEvent });
    if (verdict === "again") return undefined;
    const session = verdict === "ask" ? await this.#ask() : undefined;
    if (session !== undefined && session.offset <= Math.max(content.furthest, this.#best)) {
      this.#session = session;
      this.#progress();
    } else {
      if (await this.#hasArrived()) return digest();
      if (verdict === "smaller") this.#shrink(Number.POSITIVE_INFINITY);
      else if (verdict === "ask" && passed > 0) this.#shrink(passed);
      this.#session = await openSession(this.#repo, this.#source.algorithm, this.#options);
    }
    this.#save();
    return undefined;
  }

  /** What an error means for the session: ask how far it is, use it again, open another, another with smaller chunks, or give up. */
  #judge(error: DrayError): "ask" | "again" | "anew" | "smaller" | "hopeless" {
    const { status, registryCode, retryable } = error;
    if (status === undefined) return retryable ? "ask" : "hopeless";
    if (status === 413) return (this.#repo.api.features.chunkSize ?? largestChunk) <= mebibyte ? "hopeless" : "smaller";
    const whole = this.#source.size !== undefined && !this.#inChunks(this.#source.size);
    const mounted = this.#session.mounted === true && whole;
    if (mounted && (status === 405 || status === 501)) return "anew";
    if (status === 405 && this.#source.size !== undefined && !this.#wholeOnly) {
      this.#wholeOnly = true;
      return this.#session.offset === 0 ? "again" : "anew";
    }
    if (status === 416 || retryable) return "ask";
    if (status === 404 && registryCode !== "NAME_UNKNOWN") return "anew";
    // Bytes of an earlier connection may have come twice, or not at all: once more from the beginning.
    // Something on the way has given up, which is not the registry's own word: once.
    if (status === 400 && (registryCode === undefined || mounted) && !this.#gaveUp) {
      this.#gaveUp = true;
      return "anew";
    }
    if (status === 400 && (this.#session.continued || registryCode === "BLOB_UPLOAD_INVALID")) return "anew";
    return "hopeless";
  }

  async #hasArrived(): Promise<boolean> {
    const { content, size, arrived } = this.#source;
    const all = size === undefined ? await content.endsAt(content.at) : content.at === size;
    return all && (await arrived());
  }

  /** What went through of a request is what something on the way lets through: half of that is safe. */
  #shrink(passed: number): void {
    const { features } = this.#repo.api;
    // A server that refuses without reading tells nothing of how much it would take.
    const share = passed === Number.POSITIVE_INFINITY ? 4 : 2;
    const [before, least] =
      features.chunkSize === undefined ? [largestChunk, 8 * mebibyte] : [features.chunkSize / share, mebibyte];
    const half = Math.floor(passed / 2 / mebibyte) * mebibyte;
    features.chunkSize = Math.max(least, Math.min(before, half));
  }

  #save(): void {
    const { api } = this.#repo;
    const { savedAs } = this.#source;
    const { sessions } = api.settings;
    if (savedAs === undefined || sessions === undefined) return;
    const { url } = this.#session;
    const { chunkSize } = api.features;
    const saved = { location: url.href, chunkSize };
    // Nobody waits for the disk. What lies on another host may be signed, and a signature is as good as a credential.
    this.#saving = this.#saving.then(async () => {
      if (url.origin === (await api.origin())) await sessions.save(savedAs, saved);
    });
  }
}

/** The registry has hashed what came, and says that it is not what it was called: as an error of the content. */
export const asMismatch = (error: DrayError): DrayError => {
  const { registryCode, status } = error;
  if (status !== 400 || (registryCode !== "DIGEST_INVALID" && registryCode !== "SIZE_INVALID")) return error;
  const code = registryCode === "DIGEST_INVALID" ? "DIGEST_MISMATCH" : "SIZE_MISMATCH";
  const message = `${error.message}; the bytes are not those that were promised: try again or another source`;
  return restated(error, code, message);
};
