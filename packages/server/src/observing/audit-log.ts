import { type FinishedRequest, factsOf, type Observer, requestId, safe } from "@dray/service/observe";
import { type HttpRequest, header, headerValues } from "dray/http";
import { isDigest } from "dray/oci";
import { endpointOf, operationOf, type Route } from "../endpoints/index.ts";
import type { Decision } from "../gc/index.ts";

/** Something that was done, or was not allowed. */
export interface Deed {
  /** `operate`: somebody at the control socket, or a signal. */
  readonly action: "push" | "mount" | "delete" | "pull" | "login" | "collect" | "operate";
  readonly outcome: "done" | "refused" | "failed";
  readonly kind?: "manifest" | "tag" | "blob" | "layer" | "upload" | "repository";
  readonly repository?: string | undefined;
  readonly tags?: readonly string[];
  /** Of a tag that was deleted: what it stood for. */
  readonly digest?: string | undefined;
  /** What tags stood for until a push took them, by tag. */
  readonly replaced?: Readonly<Record<string, string>>;
  /** Who did it, where known; `""` for anybody. */
  readonly principal?: string | undefined;
  /** Who they said they were, where that was refused. */
  readonly claimed?: string;
  readonly peer?: string | undefined;
  /** The request's name in the access log. */
  readonly id?: string;
  readonly status?: number;
  readonly bytes?: number | undefined;
  readonly reason?: string;
}

/** The audit log, to whoever takes lines. */
export interface AuditLog {
  /** Tells pushes, mounts, deletes, and whatever was refused, from requests and their answers. */
  observer(routeOf: (request: HttpRequest) => Route): Observer;
  /** Tells what garbage collection removed; hears of every decision. Not for dry runs. */
  decided(decision: Decision): void;
  tell(deed: Deed): void;
}

export const auditLog = (
  to: { write(line: string): unknown },
  { now = Date.now }: { now?: () => number } = {},
): AuditLog => {
  const tell = (deed: Deed): void => {
    to.write(`${JSON.stringify({ time: new Date(now()).toISOString(), ...deed })}\n`);
  };
  return {
    tell,
    observer: (routeOf) => (request) => {
      // Looked up at the beginning: of a client that went away the socket knows no address any more.
      const peer = isReading(request) ? undefined : request.peer;
      return (finished) => {
        if (!isTold(finished)) return;
        const deed = deedOf(routeOf(request), finished);
        if (deed !== undefined) tell({ ...deed, ...whoOf(finished, peer ?? request.peer) });
      };
    },
    decided: ({ action, kind, repository, digest, reason, bytes }) => {
      if (action !== "remove") return;
      tell({
        action: "collect",
        outcome: "done",
        kind,
        repository,
        digest,
        bytes,
        reason,
      });
    },
  };
};

const whoOf = ({ request, status }: FinishedRequest, peer: string | undefined): Partial<Deed> => {
  const { principal } = factsOf(request);
  return {
    status,
    principal: principal === undefined ? undefined : safe(principal, 256),
    peer,
    id: requestId(request),
  };
};

const isReading = ({ method }: HttpRequest): boolean => method === "GET" || method === "HEAD";

/** Reading, as long as it is allowed, is for the access log; most requests end here. */
const isTold = ({ request, status }: FinishedRequest): boolean =>
  !isReading(request) || status === 401 || status === 403 || status === 429;

/** What a request was about, or nothing where it changed nothing and nothing was refused. */
const deedOf = (route: Route, { request, status, headers }: FinishedRequest): Deed | undefined => {
  if (status === 401 || status === 429) {
    const credentials = header(request.headers, "authorization");
    // Without credentials it is the usual first step: the client asks what it needs.
    if (credentials === undefined) return undefined;
    return { action: "login", outcome: "refused", ...claimedIn(credentials), ...placeOf(route), ...reasonOf(request) };
  }
  const action = actionOf(route, request, status);
  if (action === undefined) return undefined;
  const outcome = status < 300 ? "done" : status === 403 ? "refused" : "failed";
  const tags = headerValues(headers, "oci-tag");
  const digest = header(headers, "docker-content-digest") ?? param(request, "digest") ?? param(request, "mount");
  return {
    action,
    outcome,
    ...placeOf(route),
    ...(digest !== undefined && isDigest(digest) ? { digest } : {}),
    // A manifest pushed by its digest may be given tags on the way.
    ...(tags.length === 0 ? {} : { tags }),
    ...(outcome === "done" ? factsOf(request).told : reasonOf(request)),
  };
};

/** What its client was told; of a client that had left, nothing. */
const reasonOf = (request: HttpRequest): Partial<Deed> => {
  const { refused } = factsOf(request);
  return refused === undefined ? {} : { reason: safe(refused, 512) };
};

const actionOf = (route: Route, request: HttpRequest, status: number): Deed["action"] | undefined => {
  if (isReading(request)) return "pull";
  const { method } = request;
  const endpoint = endpointOf(route);
  const action = endpoint && operationOf(method, endpoint)?.audit;
  if (action === undefined || method !== "POST") return action;
  // 202: a session begins, and its end is what counts.
  if (status === 202) return undefined;
  return param(request, "mount") === undefined ? action : "mount";
};

const placeOf = (route: Route): Partial<Deed> => {
  const { repository, name = "" } = route;
  if (repository === undefined) return {};
  const place = { repository: safe(repository, 256) };
  const digest = isDigest(name) ? { digest: name } : {};
  switch (endpointOf(route)?.content) {
    case "manifest":
      return isDigest(name)
        ? { kind: "manifest", ...place, ...digest }
        : { kind: "tag", ...place, tags: [safe(name, 128)] };
    case "blob":
      return { kind: "blob", ...place, ...digest };
    default:
      return { kind: "repository", ...place };
  }
};

const param = ({ target }: HttpRequest, name: string): string | undefined => {
  const at = target.indexOf("?");
  return at < 0 ? undefined : (new URLSearchParams(target.slice(at + 1)).get(name) ?? undefined);
};

/** The user of `Basic`. What is behind the colon is a secret, and so is every token. */
const claimedIn = (credentials: string): { claimed?: string } => {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(credentials) ?? [];
  if (encoded === undefined) return {};
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? {} : { claimed: safe(text.slice(0, colon), 128) };
};
