/** All that a registry has to tell, as one value: what two registries over one folder have to agree on. */
import { digestOf, parseManifest } from "dray/oci";
import { anyManifest, ask } from "./ask.ts";

/** A manifest or blob as it was answered: what it is called, and what was under it. */
interface Told {
  readonly status: number;
  readonly type: unknown;
  readonly digest: unknown;
  readonly size: number;
  /** Of the bytes that came. */
  readonly bytes: string;
}

export interface Everything {
  readonly catalog: readonly string[];
  /** By repository; a registry may refuse to list. */
  readonly tags: Readonly<Record<string, unknown>>;
  /** By `REPOSITORY:TAG`, `REPOSITORY@DIGEST` for what is below, blobs among it. */
  readonly content: Readonly<Record<string, Told>>;
}

/** Follows pages to the end. */
const pages = async (host: string, first: string, member: string): Promise<string[] | string> => {
  const all: string[] = [];
  for (let next: string | undefined = first; next !== undefined; ) {
    const { status, headers, body } = await ask(host, "GET", next);
    const read = JSON.parse(body.toString()) as Record<string, unknown> & { errors?: { code: string }[] };
    if (status !== 200) return `${status} ${read.errors?.[0]?.code}`;
    all.push(...((read[member] as string[] | null) ?? []));
    next = /<([^>]*)>/.exec(String(headers["link"] ?? ""))?.[1];
  }
  return all;
};

const told = async (host: string, kind: "manifests" | "blobs", repository: string, name: string) => {
  const { status, headers, body } = await ask(host, "GET", `/v2/${repository}/${kind}/${name}`, {
    headers: kind === "manifests" ? { Accept: anyManifest } : {},
  });
  const fact: Told = {
    status,
    type: headers["content-type"],
    digest: headers["docker-content-digest"],
    size: body.byteLength,
    bytes: digestOf(body),
  };
  return { fact: status === 200 ? fact : { status }, body };
};

/** Asks for everything, down to the last byte of the last layer. */
export const everything = async (host: string): Promise<Everything> => {
  const catalog = await pages(host, "/v2/_catalog?n=3", "repositories");
  if (typeof catalog === "string") throw new Error(`catalog: ${catalog}`);
  const tags: Record<string, unknown> = {};
  const content: Record<string, unknown> = {};
  const below = async (repository: string, name: string, label: string): Promise<void> => {
    if (label in content) return;
    const { fact, body } = await told(host, "manifests", repository, name);
    content[label] = fact;
    if (fact.status !== 200) return;
    const parsed = parseManifest(body);
    if (parsed.kind === "schema1" || parsed.kind === "artifact") return;
    if (parsed.kind === "index") {
      for (const { digest } of parsed.index.manifests) await below(repository, digest, `${repository}@${digest}`);
      return;
    }
    for (const { digest } of [parsed.manifest.config, ...parsed.manifest.layers]) {
      const blob = `${repository}@${digest}`;
      if (!(blob in content)) content[blob] = (await told(host, "blobs", repository, digest)).fact;
    }
  };
  for (const repository of catalog) {
    const list = await pages(host, `/v2/${repository}/tags/list`, "tags");
    // 2.8 tells them in whatever order the folder has.
    tags[repository] = typeof list === "string" ? list : list.sort();
    for (const tag of typeof list === "string" ? [] : list) await below(repository, tag, `${repository}:${tag}`);
  }
  return { catalog: catalog, tags, content: content as Everything["content"] };
};
