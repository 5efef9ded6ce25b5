import { Lazy } from "../async/index.ts";
import { type Body, bytesContent, type Content, collect } from "../content/index.ts";
import { DrayError, type ErrorCode } from "../errors.ts";
import type { HeaderPairs, HttpResponse } from "../http/index.ts";
import { encodeJson, isObject } from "../oci/index.ts";
import type { ReachedEngine } from "./reach-engine.ts";

/** The API that is spoken with an engine that knows it; an older one is spoken to in its own. */
const newestApi: ApiVersion = [1, 48];
/** The oldest that has all that is asked here: Docker 1.12. */
const oldestApi: ApiVersion = [1, 24];

type ApiVersion = readonly [major: number, minor: number];

/** One question to an engine. */
export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  /** Below the version: `/images/json`. */
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly headers?: HeaderPairs | undefined;
  /** A document, or a tar on its way. */
  readonly body?: Content | object | undefined;
  /** What is done, for errors: `save app:1`. */
  readonly doing: string;
  readonly signal?: AbortSignal | undefined;
  /** `true`: the answer may take an hour to begin. */
  readonly long?: boolean | undefined;
}

/** Bytes of a document that an engine answers with, at most. */
const largestAnswer = 64 * 1024 * 1024;

/**
 * The API of one engine: reached at the first question, in a version that both know, its refusals as errors of ours.
 */
export class EngineApi {
  readonly #reach: (signal: AbortSignal | undefined) => Promise<ReachedEngine>;
  readonly #version: string | undefined;
  readonly #reached = new Lazy<ReachedEngine & { readonly prefix: string }>();

  /** @param version is spoken whatever the engine says, as `DOCKER_API_VERSION` has it. */
  constructor(reach: (signal: AbortSignal | undefined) => Promise<ReachedEngine>, version: string | undefined) {
    this.#reach = reach;
    this.#version = version;
  }

  /** How the engine is called in messages. */
  async what(signal?: AbortSignal): Promise<string> {
    return (await this.#engine(signal)).what;
  }

  /** @throws DrayError by the engine's status: `NOT_FOUND`, `UNAUTHORIZED`, `DENIED`, `CONFLICT`, `USAGE`, `ENGINE` */
  async send({
    method,
    path,
    query = [],
    headers = [],
    body,
    doing,
    signal,
    long = false,
  }: EngineRequest): Promise<HttpResponse> {
    const { send, origin, prefix } = await this.#engine(signal);
    const words = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
    const answer = await send({
      method,
      origin,
      target: `${prefix}${path}${words === "" ? "" : `?${words}`}`,
      headers:
        body === undefined
          ? headers
          : [...headers, ["Content-Type", isContent(body) ? "application/x-tar" : "application/json"]],
      body: body === undefined || isContent(body) ? body : bytesContent(encodeJson(body)),
      signal,
      context: { wanted: true, timeoutClass: long ? "commit" : undefined },
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw await refusal(answer, doing);
  }

  /** Something that is done when it is answered. */
  async done(request: EngineRequest): Promise<void> {
    await (await this.send(request)).body.discard();
  }

  /** A document that the engine answers with. */
  async json(request: EngineRequest): Promise<unknown> {
    const { body } = await this.send(request);
    const what = `answer of the engine (${request.doing})`;
    const bytes = await collect(body.chunks, largestAnswer, `the ${what}`);
    return parsedAnswer(bytes, what);
  }

  async close(): Promise<void> {
    await (await this.#reached.take())?.close();
  }

  #engine(signal: AbortSignal | undefined): Promise<ReachedEngine & { readonly prefix: string }> {
    return this.#reached.get(async () => {
      const reached = await this.#reach(signal);
      return { ...reached, prefix: `${reached.path}/v${this.#version ?? commonVersion(reached)}` };
    });
  }
}

const isContent = (body: Content | object): body is Content => typeof (body as Partial<Content>).open === "function";

/** A list of many images is larger than any manifest may be. */
const parsedAnswer = (bytes: Uint8Array, what: string): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new DrayError("ENGINE", `the ${what} is no valid JSON`, { cause });
  }
};

/** @throws DrayError `UNSUPPORTED` for an engine that is too old */
const commonVersion = ({ apiVersion, what }: ReachedEngine): string => {
  const theirs = /^(\d+)\.(\d+)$/
    .exec(apiVersion ?? "1.24")
    ?.slice(1)
    .map(Number) as [number, number] | undefined;
  if (theirs === undefined || isOlder(theirs, oldestApi))
    throw new DrayError(
      "UNSUPPORTED",
      `${what} speaks API ${apiVersion}, and ${oldestApi.join(".")} is the oldest that is understood; update the engine`,
    );
  return (isOlder(theirs, newestApi) ? theirs : newestApi).join(".");
};

const isOlder = ([major, minor]: ApiVersion, [otherMajor, otherMinor]: ApiVersion): boolean =>
  major < otherMajor || (major === otherMajor && minor < otherMinor);

const codes: Readonly<Record<number, ErrorCode>> = {
  400: "USAGE",
  401: "UNAUTHORIZED",
  403: "DENIED",
  404: "NOT_FOUND",
  409: "CONFLICT",
};

const refusal = async ({ status, body }: HttpResponse, doing: string): Promise<DrayError> =>
  new DrayError(
    codes[status] ?? "ENGINE",
    `${doing}: the engine says: ${(await reasonIn(body)) || `status ${status}`}`,
    { status },
  );

const reasonIn = async (body: Body): Promise<string> => {
  const text = new TextDecoder().decode(await collect(body.chunks, 1024 * 1024, "the answer of the engine"));
  try {
    const value: unknown = JSON.parse(text);
    const message = isObject(value) ? (value["message"] ?? value["cause"]) : undefined;
    if (typeof message === "string") return message.trim();
  } catch {
    // Older engines say it as plain text.
  }
  return text.trim().slice(0, 500);
};
