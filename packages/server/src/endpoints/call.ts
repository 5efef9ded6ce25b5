import { addressOf } from "@dray/service/identity";
import { isReceived } from "@dray/service/response";
import { type HttpRequest, type HttpResponse, header, isContent } from "dray/http";
import type { Digest } from "dray/oci";
import type { Action, Principal } from "../access/index.ts";
import type { RegistryContext } from "../context.ts";
import { RegistryError, readOnlyNow } from "../registry-error.ts";

/** Where a request of the distribution API goes. Names are as they were written, unchecked, except the repository's. */
export interface Route {
  /** Of a row of the table of endpoints; `invalid` where a repository cannot have the name, `unknown` where there is no endpoint. */
  readonly kind: string;
  readonly repository?: string;
  /** What the path ends in where that has a name: a tag or digest, a session. Of `invalid` what stands for a repository. */
  readonly name?: string;
}

/** A kind of endpoint: a row of the table. */
export interface Endpoint {
  readonly kind: string;
  /**
   * As the page of the API has them: `/v2/<name>/blobs/<digest>`. `<name>` is a repository, and another name in brackets comes last.
   * The first is the one that clients are told of.
   */
  readonly paths: readonly string[];
  /** What distribution calls it in the `handler` of its metrics, or a name of ours where it has none. Without one it is not counted. */
  readonly metric?: string;
  /** What it is about, for the audit log. */
  readonly content?: "manifest" | "blob";
  /** In the order in which `Allow` tells them. */
  readonly methods: Readonly<Record<string, Operation>>;
}

/** What a method does at an endpoint. */
export interface Operation {
  /** Actions are meant in the route's repository. `known`: whoever is known; `nobody`: never asked. */
  readonly need: readonly Action[] | "known" | "catalog" | "nobody";
  readonly handle: (call: Call) => HttpResponse | Promise<HttpResponse>;
  /** What the audit log calls it where it changes something. */
  readonly audit?: "push" | "delete";
}

/** A request on its way through the API: allowed, and with all that an endpoint may need. */
export class Call {
  readonly request: HttpRequest;
  readonly context: RegistryContext;
  readonly principal: Principal;
  /** `""` where the path has none. */
  readonly repository: string;
  readonly name: string;
  readonly #search: string;
  #query: URLSearchParams | undefined;

  constructor(request: HttpRequest, context: RegistryContext, principal: Principal, route: Route, search: string) {
    this.request = request;
    this.context = context;
    this.principal = principal;
    this.repository = route.repository ?? "";
    this.name = route.name ?? "";
    this.#search = search;
  }

  /** Most requests have none, and of those most endpoints never ask. */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }

  /** Promises whoever asks that this will be there for one lease: before the answer that makes him leave it out of a push. */
  promise(digest: Digest): void {
    this.context.leases.record(this.repository, digest, addressOf(this.request.peer));
  }

  /** A path of the API as a client gets it in `Location`: relative, unless the operator says otherwise. */
  location(path: string): string {
    const { host, prefix, relative } = this.context.settings.locations;
    const whole = prefix + path;
    if (host !== undefined) return host + whole;
    return relative ? whole : this.request.origin + whole;
  }

  /** Everything that writes comes through here first. @throws RegistryError 405 */
  refuseWrites(): void {
    if (this.context.settings.readOnly) throw readOnlyNow();
  }

  /** Bytes of its body, as far as they are announced. */
  get announced(): number {
    const { body } = this.request;
    if (body === undefined) return 0;
    return (isContent(body) ? body.size : body.length) ?? 0;
  }

  /** The bytes of the request, none where it has no body. The client is told to go on at the first read, so that what is refused before costs it no upload. */
  chunks(): AsyncIterable<Uint8Array> {
    const { body } = this.request;
    return isReceived(body) ? body.chunks : this.#inProcess();
  }

  /** All of a body whose size is announced and little. @throws RegistryError SIZE_INVALID where it has another one */
  async bytes(): Promise<Uint8Array> {
    const { announced } = this;
    const bytes = new Uint8Array(announced);
    let came = 0;
    for await (const chunk of this.chunks()) {
      if (came + chunk.byteLength <= announced) bytes.set(chunk, came);
      came += chunk.byteLength;
    }
    if (came === announced) return bytes;
    throw new RegistryError(400, "SIZE_INVALID", `${announced} bytes were announced, ${came} came`);
  }

  /** From whoever called us without a socket. */
  async *#inProcess(): AsyncGenerator<Uint8Array> {
    const { body, proceed, signal } = this.request;
    if (body === undefined) return;
    proceed?.();
    try {
      yield* isContent(body) ? body.open({ signal }) : body.chunks;
    } catch (error) {
      if (error instanceof Error) clients.add(error);
      throw error;
    }
  }
}

/** What broke a request's body: the client's trouble, not ours. What comes from a socket breaks with `NETWORK`. */
const clients = new WeakSet<object>();

/** Whether an error came out of the body of a request: then nobody is left to answer, or somebody in this process wants to have it. */
export const isOfClient = (error: unknown): boolean => error instanceof Error && clients.has(error);

/** Whether a list of entity tags names this digest; weak ones do as well. */
const names = (value: string, digest: Digest): boolean =>
  value.split(",").some((tag) => ["*", `"${digest}"`, `W/"${digest}"`].includes(tag.trim()));

/** `If-None-Match` of a GET: the client has it already. RFC 9110 §13.1.2. The client library of Docker sends the digest without quotes. */
export const notModified = (request: HttpRequest, digest: Digest): boolean => {
  const value = header(request.headers, "If-None-Match");
  return value !== undefined && (names(value, digest) || value.trim() === digest);
};

/** `If-Match` of a GET. RFC 9110 §13.1.1. @throws RegistryError 412 */
export const refuseOther = (request: HttpRequest, digest: Digest): void => {
  const value = header(request.headers, "If-Match");
  if (value !== undefined && !names(value, digest))
    throw new RegistryError(412, "DENIED", "this is not what If-Match says", { detail: { current: digest } });
};

/**
 * `If-Match` and `If-None-Match` of a PUT or DELETE, by which two writers of a tag notice each other. RFC 9110 §13.1.
 * @param current what the name stands for now
 * @throws RegistryError 412
 */
export const preconditionHolds = (request: HttpRequest, name: string, current: Digest | undefined): void => {
  const match = header(request.headers, "If-Match");
  if (match !== undefined && (current === undefined || !names(match, current)))
    throw new RegistryError(412, "DENIED", `${name} is not what If-Match says`, {
      detail: { current: current ?? null },
    });
  const noneMatch = header(request.headers, "If-None-Match");
  if (noneMatch !== undefined && current !== undefined && names(noneMatch, current))
    throw new RegistryError(412, "DENIED", `${name} is there already`, { detail: { current } });
};
