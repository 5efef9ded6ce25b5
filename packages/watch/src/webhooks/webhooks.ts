import { HttpError, withError, withJson } from "@dray/service/response";
import { collect } from "dray/content";
import { isDrayError, reasonOf } from "dray/errors";
import {
  type Clock,
  connection,
  type Handler,
  type HttpRequest,
  type HttpResponse,
  header,
  systemClock,
} from "dray/http";
import { type GoogleAccount, googleTokens } from "./google-token.ts";
import type { Push } from "./notice.ts";
import { inHeader, isSigned, sameText } from "./proof.ts";
import { Seen, window } from "./seen.ts";
import { type Vendor, vendors, type WebhookType } from "./vendors/index.ts";

/** A sender that may tell us of pushes. */
export interface WebhookSettings {
  /** Its place: `/v1/webhooks/NAME`. */
  readonly name: string;
  readonly type: WebhookType;
  /** What it proves itself by. For `dockerhub` and `quay` it is a part of the path, after the name. Not for `google`. */
  readonly secret?: string | undefined;
  /** The header that has the secret, for kinds that have it in one. */
  readonly header?: string | undefined;
  /** Host of the registry as images are named there, where the notice says another. */
  readonly registry?: string | undefined;
  /** For `google`. */
  readonly google?: GoogleAccount | undefined;
}

/** What becomes of a notice. */
export interface WebhookOutcome {
  readonly hook: string;
  readonly outcome: "taken" | "nothing" | "repeated" | "old" | "forged" | "unreadable" | "too large" | "later";
  readonly pushes: number;
}

export interface WebhooksOptions {
  readonly hooks: readonly WebhookSettings[];
  /** A look at what is said is wanted. */
  readonly onPush: (push: Push, hook: string) => void;
  readonly onOutcome?: ((outcome: WebhookOutcome) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** By which Google's keys are asked for. */
  readonly connection?: Handler | undefined;
}

/** Larger than any vendor's notice. */
const mostBytes = 1 << 20;

/**
 * Takes notices at `/v1/webhooks/NAME`. Who cannot prove himself gets 401, what is too large 413, what is no notice 400, and nothing is looked at then. What came already
 * or is older than a day is answered with 200 and passed over: its sender would only send it again and again. A notice is believed to be worth a look, no more.
 */
export const webhooks = ({
  hooks,
  onPush,
  onOutcome = () => {},
  clock = systemClock,
  connection: wire,
}: WebhooksOptions): Handler => {
  const byName = new Map(hooks.map((hook) => [hook.name, hook]));
  const seen = new Seen();
  const isGoogle = googleTokens(wire ?? connection({ registry: "www.googleapis.com" }), clock);

  const prove = async (
    hook: WebhookSettings,
    request: HttpRequest,
    word: string | undefined,
  ): Promise<Uint8Array | undefined> => {
    const { proof, header: name = "Authorization" }: Vendor = vendors[hook.type];
    const { secret = "", google } = hook;
    if (proof === "google")
      return google !== undefined && (await isGoogle(request.headers, google)) ? bytesOf(request) : undefined;
    if (secret === "") return undefined;
    if (proof === "path") return word !== undefined && sameText(word, secret) ? bytesOf(request) : undefined;
    if (proof === "header")
      return inHeader(request.headers, hook.header ?? name, secret) ? bytesOf(request) : undefined;
    const bytes = await bytesOf(request);
    return isSigned(request.headers, bytes, secret) ? bytes : undefined;
  };

  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const [name = "", word, ...rest] =
      request.target
        .split("?", 1)[0]
        ?.replace(/^\/v1\/webhooks\//, "")
        .split("/")
        .map(decoded) ?? [];
    const hook = byName.get(name);
    if (hook === undefined || rest.length > 0) throw new HttpError(404, "NOT_FOUND", "there is no such webhook");
    if (request.method !== "POST")
      throw new HttpError(405, "UNSUPPORTED", "a webhook takes POST", { headers: { Allow: "POST" } });
    const tell = (outcome: WebhookOutcome["outcome"], pushes = 0): void => onOutcome({ hook: name, outcome, pushes });
    let body: Uint8Array | undefined;
    try {
      body = await prove(hook, request, word);
    } catch (error) {
      if (error instanceof HttpError) tell("too large");
      else if (isDrayError(error, "NETWORK")) tell("later");
      throw error instanceof HttpError ? error : new HttpError(503, "UNAVAILABLE", reasonOf(error));
    }
    if (body === undefined) {
      tell("forged");
      throw new HttpError(401, "UNAUTHORIZED", "the notice does not prove who has sent it");
    }
    const notice = readNotice(hook, request, body);
    if (notice === undefined) {
      tell("unreadable");
      throw new HttpError(400, "INVALID", `that is no notice of the kind ${hook.type}`);
    }
    const now = clock.now();
    const passed = (outcome: "repeated" | "old" | "nothing"): HttpResponse => {
      tell(outcome);
      return withJson(request, { pushes: 0, passed: outcome });
    };
    if (notice.alike !== true && !seen.isNew(name, notice.id, body, now)) return passed("repeated");
    if (notice.time !== undefined && now - notice.time > window) return passed("old");
    if (notice.pushes.length === 0) return passed("nothing");
    const pushes = new Map(notice.pushes.map((push) => [JSON.stringify(push), push])).values().toArray();
    tell("taken", pushes.length);
    for (const push of pushes) onPush(push, name);
    return withJson(request, { pushes: pushes.length });
  };
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof HttpError) return withError(request, error);
      throw error;
    }
  };
};

const readNotice = (hook: WebhookSettings, { headers }: HttpRequest, body: Uint8Array) => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    // GitHub's other form of a body, which a new webhook of its has unless one chooses JSON.
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(header(headers, "content-type") ?? "");
    const json: unknown = JSON.parse((isForm ? new URLSearchParams(text).get("payload") : undefined) ?? text);
    return vendors[hook.type].read(json, { headers, registry: hook.registry });
  } catch {
    // No JSON, or names that no repository can have.
    return undefined;
  }
};

const bytesOf = async ({ body, headers }: HttpRequest): Promise<Uint8Array> => {
  const tooLarge = new HttpError(413, "TOO_LARGE", `a notice has at most ${mostBytes} bytes`);
  if (Number(header(headers, "content-length") ?? 0) > mostBytes) throw tooLarge;
  if (body === undefined || !("chunks" in body)) return new Uint8Array();
  try {
    return await collect(body.chunks, mostBytes, "the notice");
  } catch (error) {
    if (isDrayError(error, "LIMIT_EXCEEDED")) throw tooLarge;
    throw error;
  }
};

const decoded = (word: string): string => {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
};
