import type { KeyedMutex, LruCache } from "../async/index.ts";
import type { Body, Content, OnEvent } from "../content/index.ts";
import { type DrayError, isDrayError, restated } from "../errors.ts";
import {
  type Clock,
  type Handler,
  type HeaderPairs,
  type HttpResponse,
  header,
  type RequestContext,
  RetryBudget,
  type RetryOptions,
  responseError,
} from "../http/index.ts";
import type { Digest } from "../oci/index.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Guess } from "./guess.ts";
import type { SavedSessions } from "./saved-sessions.ts";

/** One registry as the files of this folder speak to it. */
export interface Api {
  /** As references name it: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  readonly features: DetectedFeatures;
  readonly settings: Settings;
  readonly elsewhere?: Elsewhere | undefined;
  /** `https://registry-1.docker.io` */
  origin(signal?: AbortSignal): Promise<string>;
  /** So many requests are about to come. */
  expect(requests: number): void;
  /** For one more piece of content. */
  retryBudget(): RetryBudget;
  /** Sends a request and returns whatever is answered. */
  send(call: Call): Promise<HttpResponse>;
  /**
   * Sends a request whose answer has one of these statuses.
   * @throws DrayError what any other status stands for
   */
  ask(call: Call, ...statuses: readonly number[]): Promise<HttpResponse>;
  /** What an answer to a call stands for, as an error. Its body is read. */
  refusal(call: Call, response: HttpResponse): Promise<DrayError>;
}

/** Places that content may be read from before the registry is asked. */
export interface Elsewhere {
  /**
   * What one of them answered to a call; `undefined`: the registry is to be asked. Hears of every call.
   * @throws DrayError `ADDRESS_REFUSED` where nothing may be asked about its repository
   */
  ask(call: Call): Promise<HttpResponse | undefined>;
  /** Why none of them answered a call. */
  told(call: Call): readonly string[];
  /**
   * Content that was read turned out to be something else. `true`: it came from one of these, which is not asked again; another try may do better.
   * @param sure `false`: it has another size than was promised, and who promised may be wrong
   */
  misled(digest: Digest, sure?: boolean): boolean;
}

/** What turned out about a registry while speaking to it. Nothing of it need be known beforehand, all of it saves requests. */
export interface DetectedFeatures {
  /** Whether HEAD of a manifest says what GET says. */
  head?: boolean;
  /** Whether an upload may be one request. */
  singlePost?: boolean;
  /** Whether a mount may leave out where from. */
  anonymousMount?: boolean;
  /** The referrers API is there. */
  referrers?: true;
  /** Uploads were cut, and only chunks of this many bytes got through. */
  chunkSize?: number;
}

/** What the user set. */
export interface Settings {
  /** Bytes of a chunk: uploads that are larger are sent in several requests. */
  readonly chunkSize?: number | undefined;
  readonly sessions?: SavedSessions | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Layers that may not be passed on are read from where their descriptors say, if the registry does not have them. */
  readonly foreignLayers?: boolean | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly clock: Clock;
  /** How often a piece of content is tried that does not get on. */
  readonly retry: RetryOptions;
}

export interface Call extends RequestContext {
  readonly method: string;
  /** Path and query, or a URL that the registry named. */
  readonly target: string | URL;
  readonly headers?: HeaderPairs;
  readonly body?: Body | Content | undefined;
  readonly scopes: readonly string[];
  /** What is done, for messages: "reading manifest". */
  readonly doing: string;
  /** On what, for messages: `registry/repository:tag`. */
  readonly reference: string;
  /** A request of the caller's own, with headers that may be secrets: the registry alone is asked. */
  readonly ofCaller?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest with its type, as a registry has it. */
export interface HeldManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** One repository of a registry. */
export interface Repo {
  readonly api: Api;
  readonly name: string;
  /**
   * Manifests that were just read or written, by digest, so that what follows needs no other request: to read what was resolved by
   * reading it, to tag what was written.
   */
  readonly manifests: LruCache<Digest, HeldManifest>;
  /** Sizes that HEAD said of manifests. Proxies and registries say wrong ones now and then: what is read has the digest, and counts. */
  readonly hintedSizes: LruCache<Digest, number>;
  /** Tags of which HEAD said that they stand for a digest: where GET does not know that, the tag is asked. */
  readonly hintedTags: LruCache<Digest, string>;
  readonly features: {
    /** `false`: the referrers API is not there for this repository. */
    referrers?: false;
  };
  /** Work on the same tag, one after the other. */
  readonly turns: KeyedMutex;
}

/** `/v2/library/alpine/manifests/latest` */
export const pathIn = ({ name }: Repo, rest: string): string => `/v2/${name}/${rest}`;

/** `docker.io/library/alpine@sha256:…`, for messages. */
export const referenceIn = ({ api, name }: Repo, tagOrDigest = ""): string =>
  `${api.registry}/${name}${tagOrDigest === "" ? "" : tagOrDigest.includes(":") ? `@${tagOrDigest}` : `:${tagOrDigest}`}`;

/** What a request about a repository needs there, and what it is called in messages. */
export const callIn = (
  repo: Repo,
  need: "pull" | "pull,push" | "pull,delete",
  doing: string,
  tagOrDigest?: string,
): Pick<Call, "scopes" | "repository" | "doing" | "reference"> => ({
  scopes: [`repository:${repo.name}:${need}`],
  repository: repo.name,
  doing,
  reference: referenceIn(repo, tagOrDigest),
});

/** A registry that could not be reached knows nothing of what was asked for. Who reads the message does: it may be no registry's at all. */
const unanswered = (error: unknown, { doing, reference }: Pick<Call, "doing" | "reference">): unknown =>
  isDrayError(error, "NETWORK", "TLS", "TIMEOUT") && !error.message.includes(reference)
    ? restated(error, error.code, `${doing} ${reference}: ${error.message}`, { reference })
    : error;

/** That mirrors were asked before says more than the registry's own refusal. */
export const afterMirrors = (error: unknown, failures: readonly string[]): unknown =>
  failures.length === 0 || !isDrayError(error)
    ? error
    : restated(error, error.code, `${error.message} (its mirrors were asked before: ${failures.join("; ")})`);

/** Digests and sizes are those of the bytes as they are kept; without a word any coding would be allowed. */
const asItIs = ["Accept-Encoding", "identity"] as const;

export const createApi = (
  registry: string,
  {
    handler,
    endpoint,
    guess,
    expect,
    elsewhere,
    settings,
  }: {
    handler: Handler;
    endpoint: Endpoint;
    guess?: Guess | undefined;
    elsewhere?: Elsewhere | undefined;
    expect: Api["expect"];
    settings: Settings;
  },
): Api => {
  const send: Api["send"] = async (call) => {
    const mirrored = await elsewhere?.ask(call);
    if (mirrored !== undefined) return mirrored;
    const { method, target, headers = [], body, signal, ...context } = call;
    const asked = {
      method,
      headers: method === "GET" || method === "HEAD" ? [...headers, asItIs] : headers,
      context: { ...context, onEvent: context.onEvent ?? settings.onEvent },
      body,
      signal,
    };
    try {
      const guessed = typeof target === "string" ? await guess?.({ ...asked, target }) : undefined;
      if (guessed !== undefined) return guessed;
      // A path may begin with two slashes, and is one on the registry all the same.
      const url = typeof target === "string" ? new URL((await endpoint(signal)) + target) : target;
      return await handler({ ...asked, origin: url.origin, target: url.pathname + url.search });
    } catch (error) {
      // What fails while a body is sent may be the source's.
      throw body === undefined ? afterMirrors(unanswered(error, context), elsewhere?.told(call) ?? []) : error;
    }
  };
  const refusal: Api["refusal"] = async (call, response) => {
    const { doing, reference, headers = [] } = call;
    const refused = await responseError(response, `${doing} ${reference}`, {
      reference,
      now: settings.clock.now(),
      mediaType: header(headers, "Content-Type"),
    });
    return afterMirrors(refused, elsewhere?.told(call) ?? []) as DrayError;
  };
  return {
    registry,
    features: {},
    settings,
    elsewhere,
    origin: endpoint,
    expect,
    retryBudget: () => new RetryBudget(settings.retry),
    send,
    ask: async (call, ...statuses) => {
      const response = await send(call);
      if (statuses.includes(response.status)) return response;
      throw await refusal(call, response);
    },
    refusal,
  };
};
