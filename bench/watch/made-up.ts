/**
 * A registry of repositories that are made up as they are asked for: thousands with hundreds of tags each, and nothing is kept but what moved. Run by
 * itself, so that its work is not counted as the client's: `bun made-up.ts '{"repositories":5000,"tags":400}'` prints its port; each line on standard
 * input is a command, and is answered by a line of JSON.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

/** How much there is. */
export interface MadeUp {
  readonly repositories: number;
  /** Tags of each repository. */
  readonly tags: number;
  /** Milliseconds before each answer. Default 0. */
  readonly delay?: number;
  /** Whether lists have an entity tag, and a question about one that still holds is answered 304. */
  readonly entityTags?: boolean;
}

/** Requests since the last question. */
export interface Asked {
  readonly list: number;
  readonly unchanged: number;
  readonly head: number;
  readonly get: number;
  readonly blob: number;
  readonly other: number;
  /** Requests under way at the most. */
  readonly together: number;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Versions from 1.0.0 on, ten patches and ten minors each, so that every tag is one. */
const tagOf = (i: number): string => `${1 + Math.floor(i / 100)}.${Math.floor(i / 10) % 10}.${i % 10}`;

/** A day for each tag, from 2020 on. */
const createdOf = (tag: string): string => {
  const [major = 0, minor = 0, patch = 0] = tag.split(".").map(Number);
  return new Date(Date.UTC(2020, 0, 1) + (major * 100 + minor * 10 + patch) * 86_400_000).toISOString();
};

class Repositories {
  readonly #made: MadeUp;
  /** How often a tag moved, by `repository:tag`. */
  readonly #moves = new Map<string, number>();
  /** Tags that came later, by repository. */
  readonly #added = new Map<string, string[]>();

  constructor(made: MadeUp) {
    this.#made = made;
  }

  tags(name: string): readonly string[] {
    const usual = Array.from({ length: this.#made.tags }, (_, i) => tagOf(i));
    return [...usual, ...(this.#added.get(name) ?? [])].sort();
  }

  /** Changes with each change of the repository. */
  revision(name: string): string {
    const moves = [...this.#moves].filter(([key]) => key.startsWith(`${name}:`)).map(([, times]) => times);
    return `"${(this.#added.get(name) ?? []).length}-${moves.reduce((sum, times) => sum + times, 0)}"`;
  }

  config(name: string, tag: string): string {
    const labels = { "org.opencontainers.image.version": tag };
    const rootfs = { type: "layers", diff_ids: [] };
    const move = this.#moves.get(`${name}:${tag}`) ?? 0;
    return JSON.stringify({
      created: createdOf(tag),
      architecture: "amd64",
      os: "linux",
      config: { Labels: labels },
      rootfs,
      name,
      move,
    });
  }

  manifest(name: string, tag: string): string {
    const config = this.config(name, tag);
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: `sha256:${sha256(config)}`,
        size: config.length,
      },
      layers: [],
    });
  }

  move(name: string, tag: string): void {
    this.#moves.set(`${name}:${tag}`, (this.#moves.get(`${name}:${tag}`) ?? 0) + 1);
  }

  add(name: string, tag: string): void {
    this.#added.set(name, [...(this.#added.get(name) ?? []), tag]);
  }
}

const zero: Asked = { list: 0, unchanged: 0, head: 0, get: 0, blob: 0, other: 0, together: 0 };

const serve = (made: MadeUp): void => {
  const { delay = 0, entityTags = false } = made;
  const repositories = new Repositories(made);
  /** What manifests and blobs stand for, once they were named. */
  const known = new Map<string, string>();
  const manifests = new Map<string, { readonly text: string; readonly digest: string }>();
  let asked = { ...zero };
  let together = 0;
  const count = (kind: keyof Asked): void => void (asked = { ...asked, [kind]: asked[kind] + 1 });

  const manifestOf = (name: string, tag: string): { readonly text: string; readonly digest: string } => {
    const text = repositories.manifest(name, tag);
    const found = manifests.get(text) ?? { text, digest: `sha256:${sha256(text)}` };
    if (manifests.size < 10_000) manifests.set(text, found);
    return found;
  };

  const lists = (request: IncomingMessage, response: ServerResponse, name: string, query: URLSearchParams): void => {
    const revision = repositories.revision(name);
    if (entityTags && request.headers["if-none-match"] === revision) {
      count("unchanged");
      response.writeHead(304, { ETag: revision }).end();
      return;
    }
    count("list");
    const all = repositories.tags(name);
    const [n, last] = [Math.min(Number(query.get("n") ?? 1000) || 1000, 1000), query.get("last") ?? ""];
    const begin = last === "" ? 0 : all.findIndex((tag) => tag > last);
    const page = begin < 0 ? [] : all.slice(begin, begin + n);
    const more = begin >= 0 && begin + n < all.length;
    response.writeHead(200, {
      "Content-Type": "application/json",
      ...(entityTags ? { ETag: revision } : {}),
      ...(more ? { Link: `</v2/${name}/tags/list?n=${n}&last=${page.at(-1)}>; rel="next"` } : {}),
    });
    response.end(JSON.stringify({ name, tags: page }));
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, name = "", kind, reference = ""] =
      /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === "tags") return lists(request, response, name, url.searchParams);
    if (kind === "blobs") {
      count("blob");
      const text = known.get(reference);
      if (text === undefined) return void response.writeHead(404).end();
      return void response.writeHead(200, { "Content-Length": text.length }).end(text);
    }
    if (kind !== "manifests") {
      count("other");
      return void response.writeHead(200, { "Docker-Distribution-Api-Version": "registry/2.0" }).end("{}");
    }
    count(request.method === "HEAD" ? "head" : "get");
    const isDigest = reference.startsWith("sha256:");
    const found = isDigest ? { text: known.get(reference), digest: reference } : manifestOf(name, reference);
    if (found.text === undefined) return void response.writeHead(404).end();
    if (request.method !== "HEAD" || isDigest) {
      known.set(found.digest, found.text);
      const config = repositories.config(name, reference);
      if (!isDigest) known.set(`sha256:${sha256(config)}`, config);
    }
    response.writeHead(200, {
      "Content-Type": "application/vnd.oci.image.manifest.v1+json",
      "Content-Length": found.text.length,
      "Docker-Content-Digest": found.digest,
    });
    response.end(request.method === "HEAD" ? undefined : found.text);
  };

  const server = createServer((request, response) => {
    together++;
    asked.together = Math.max(asked.together, together);
    response.on("close", () => together--);
    if (delay === 0) handle(request, response);
    else setTimeout(() => handle(request, response), delay);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

  const commands: Readonly<Record<string, (...words: string[]) => unknown>> = {
    asked: () => {
      const said = asked;
      asked = { ...zero };
      return said;
    },
    move: (name = "", tag = "") => repositories.move(name, tag),
    add: (name = "", tag = "") => repositories.add(name, tag),
  };
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [command = "", ...words] = line.split(" ");
    process.stdout.write(`${JSON.stringify(commands[command]?.(...words) ?? null)}\n`);
  });
};

if (import.meta.main) serve(JSON.parse(process.argv[2] ?? "{}") as MadeUp);
