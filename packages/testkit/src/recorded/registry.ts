import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fillIn, type Peer, recordingOf, type Values } from "./answers.ts";

export interface RecordedRegistryOptions {
  /** Default: `docker-registry`. */
  readonly peer?: Peer;
  /** `user:password` of the one who may do anything; nobody else may do something. Default: everybody may. */
  readonly password?: string;
}

/** It listens on this machine alone, and keeps what it is given in memory. */
export interface RecordedRegistry {
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** `GET /v2/`, in the order in which they came. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

interface Manifest {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Repository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Manifest>;
  readonly tags: Map<string, string>;
}

interface Session {
  readonly repository: string;
  bytes: Buffer;
  /** Changes with each answer, as the peer's does: it says how far the session is. */
  state: string;
}

/** Answers one request. */
type Answering = (name: string, values?: Values, content?: Buffer) => void;

const digestOf = (bytes: Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

/**
 * A registry that answers as the recorded one did. What lies in it it knows by itself; each status, header and text is a recording.
 * @throws Error in an answer's place for what was never recorded
 */
export const startRecordedRegistry = async (options: RecordedRegistryOptions = {}): Promise<RecordedRegistry> => {
  const { peer = "docker-registry", password } = options;
  const { answers } = recordingOf(peer);
  const repositories = new Map<string, Repository>();
  const sessions = new Map<string, Session>();
  const requests: string[] = [];
  const statusOf = (name: string): number => answers[name]?.status ?? 0;
  const pages = answers["page of tags"]?.headers.some(([name]) => name === "Link") === true;

  const repositoryOf = (name: string): Repository => {
    let found = repositories.get(name);
    if (found === undefined)
      repositories.set(name, (found = { blobs: new Map(), manifests: new Map(), tags: new Map() }));
    return found;
  };

  /** Its headers and its text, with what stands for itself this time. */
  const answering =
    (request: IncomingMessage, response: ServerResponse, own: Values): Answering =>
    (name, values = {}, content = Buffer.alloc(0)) => {
      const recorded = answers[name];
      if (recorded === undefined) throw new Error(`${name} was not recorded`);
      const known = {
        origin: `http://${request.headers.host}`,
        size: content.byteLength,
        ...own,
        ...values,
        content: "{content}",
      };
      const text = fillIn(recorded.body, known);
      const body = text === "{content}" ? content : Buffer.from(text);
      const headers = recorded.headers.flatMap(([key, value]) => [
        key,
        fillIn(value, { ...known, length: body.byteLength }),
      ]);
      response.writeHead(recorded.status, headers);
      if (recorded.cut === true) response.flushHeaders();
      if (request.method !== "HEAD") response.write(body);
      if (recorded.cut === true && request.method !== "HEAD") request.socket.end();
      else response.end();
    };

  const blob = (answer: Answering, request: IncomingMessage, repository: string, digest: string): void => {
    if (!/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest)) return answer("invalid digest");
    const content = repositories.get(repository)?.blobs.get(digest);
    if (request.method === "DELETE") {
      return answer(repositoryOf(repository).blobs.delete(digest) ? "blob deleted" : "blob deleted before");
    }
    if (content === undefined) return answer("unknown blob", { digest });
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (first === undefined) return answer("blob", { digest }, content);
    if (Number(first) >= content.byteLength) return answer("no such part", { digest, size: content.byteLength });
    const end = Math.min(Number(last || content.byteLength - 1), content.byteLength - 1);
    const part = content.subarray(Number(first), end + 1);
    answer("part of a blob", { digest, first, end, size: content.byteLength }, part);
  };

  const begin = (answer: Answering, repository: string, query: URLSearchParams): void => {
    const digest = query.get("mount") ?? "";
    const mounted = repositories.get(query.get("from") ?? "")?.blobs.get(digest);
    if (mounted !== undefined) {
      repositoryOf(repository).blobs.set(digest, mounted);
      return answer("mounted", { digest });
    }
    const session = randomUUID();
    const begun: Session = { repository, bytes: Buffer.alloc(0), state: randomUUID() };
    sessions.set(session, begun);
    answer("session begun", { session, state: begun.state });
  };

  const upload = (
    answer: Answering,
    request: IncomingMessage,
    query: URLSearchParams,
    id: string,
    body: Buffer,
  ): void => {
    const session = sessions.get(id);
    const state = query.get("_state");
    if (state === null) return answer("session without its state");
    if (session === undefined) return answer("unknown session");
    const changing = request.method === "PATCH" || request.method === "PUT";
    if (changing && state !== session.state) return answer("stale session");
    const from = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (
      changing &&
      from !== undefined &&
      Number(from) !== session.bytes.byteLength &&
      statusOf("chunk out of order") === 416
    )
      return answer("chunk out of order");
    if (changing) session.bytes = Buffer.concat([session.bytes, body]);
    const range = Math.max(0, session.bytes.byteLength - 1);
    if (request.method === "GET") return answer("session", { session: id, state: session.state, range });
    if (request.method === "PATCH") {
      session.state = randomUUID();
      return answer("chunk", { session: id, state: session.state, range });
    }
    sessions.delete(id);
    if (request.method === "DELETE") return answer("session given up", { session: id });
    const digest = query.get("digest") ?? "";
    if (digestOf(session.bytes, digest.split(":")[0]) !== digest) return answer("wrong digest", { digest });
    repositoryOf(session.repository).blobs.set(digest, session.bytes);
    answer("blob taken", { digest });
  };

  const putManifest = (
    answer: Answering,
    request: IncomingMessage,
    repository: string,
    name: string,
    bytes: Buffer,
  ): void => {
    const own = repositoryOf(repository);
    const digest = digestOf(bytes);
    if (name.includes(":") && name !== digest) return answer("manifest taken by another digest");
    const { config, layers = [], manifests = [], schemaVersion } = JSON.parse(bytes.toString());
    if (schemaVersion !== 2) return answer("invalid manifest");
    const missing =
      [config, ...layers].find((one) => one !== undefined && !own.blobs.has(one.digest)) ??
      manifests.find((one: { digest: string }) => !own.manifests.has(one.digest));
    if (missing !== undefined) return answer("manifest without its blobs", { missing: missing.digest });
    own.manifests.set(digest, { type: request.headers["content-type"] ?? "", bytes });
    if (!name.includes(":")) own.tags.set(name, digest);
    answer("manifest taken", { digest });
  };

  const manifest = (
    answer: Answering,
    request: IncomingMessage,
    repository: string,
    name: string,
    body: Buffer,
  ): void => {
    if (request.method === "PUT") return putManifest(answer, request, repository, name, body);
    const own = repositories.get(repository);
    const byTag = !name.includes(":");
    if (request.method === "DELETE" && byTag) {
      if (statusOf("tag deleted") === 202) own?.tags.delete(name);
      return answer("tag deleted");
    }
    const digest = byTag ? (own?.tags.get(name) ?? "") : name;
    const found = own?.manifests.get(digest);
    if (request.method === "DELETE") {
      if (own === undefined || found === undefined) return answer("manifest deleted before");
      own.manifests.delete(digest);
      for (const [tag, to] of own.tags) if (to === digest) own.tags.delete(tag);
      return answer("manifest deleted");
    }
    if (found === undefined)
      return byTag ? answer("unknown tag", { tag: name }) : answer("unknown manifest", { digest });
    answer("manifest", { digest, type: found.type }, found.bytes);
  };

  /** Version 2 does not sort tags and has no pages of them. */
  const tags = (answer: Answering, repository: string, query: URLSearchParams): void => {
    const own = repositories.get(repository);
    if (own === undefined) return answer("unknown repository");
    if (!pages) return answer("tags", { tags: JSON.stringify([...own.tags.keys()]) });
    const all = [...own.tags.keys()].sort().filter((tag) => tag > (query.get("last") ?? ""));
    const page = all.slice(0, Number(query.get("n") ?? 1000));
    const values = { tags: JSON.stringify(page), last: `last=${page.at(-1)}`, count: `n=${query.get("n")}` };
    answer(page.length < all.length ? "page of tags" : "tags", values);
  };

  const dispatch = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://recorded");
    const [, repository = "", kind = "", rest = ""] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
    const answer = answering(request, response, { repository });
    const said = `Basic ${Buffer.from(password ?? "").toString("base64")}`;
    if (password !== undefined && request.headers.authorization !== said)
      return answer(pathname === "/v2/" ? "challenge" : "refused");
    if (pathname === "/v2/") return answer("ping");
    if (pathname === "/v2/_catalog")
      return answer("repositories", { repositories: JSON.stringify([...repositories.keys()].sort()) });
    if (kind === "blobs") return blob(answer, request, repository, rest);
    if (kind === "blobs/uploads" && rest === "") return begin(answer, repository, searchParams);
    if (kind === "blobs/uploads") return upload(answer, request, searchParams, rest, body);
    if (kind === "manifests") return manifest(answer, request, repository, rest, body);
    if (kind === "tags" && rest === "list") return tags(answer, repository, searchParams);
    answer("no such page");
  };

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => dispatch(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
