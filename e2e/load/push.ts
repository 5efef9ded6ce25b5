import type { Chance } from "@dray/testkit";
import { childrenOf, type Digest, digestOf, parseManifest } from "dray/oci";
import type { Graph } from "./content.ts";
import type { Answer, AskOptions, HttpClient } from "./http.ts";

/** The server answered what it should not have. */
export class Wrong extends Error {}

const shown = ({ status, bytes }: Answer): string => `${status} ${bytes.subarray(0, 300).toString()}`;

/** Asks, and takes only these answers. */
export const expect = async (
  http: HttpClient,
  method: string,
  path: string,
  statuses: readonly number[],
  options?: AskOptions,
): Promise<Answer> => {
  const answer = await http.ask(method, path, options);
  if (!statuses.includes(answer.status)) throw new Wrong(`${method} ${path}: ${shown(answer)}`);
  return answer;
};

export interface PushOptions {
  readonly http: HttpClient;
  readonly repository: string;
  readonly chance: Chance;
  /** Repositories where a blob may be to be mounted from. */
  readonly others?: readonly string[];
  /** Takes its time between the blobs and what needs them. */
  readonly dawdle?: () => Promise<void>;
  /** Hears of each piece of a chunked upload, for whoever goes on with it later. */
  readonly onChunk?: (
    state: { location: string; bytes: Uint8Array; acknowledged: number; sent: number } | undefined,
  ) => void;
}

const octets = { "Content-Type": "application/octet-stream" };

/** Brings a blob into a repository, in one of the ways that the specification has. */
export const pushBlob = async (bytes: Uint8Array, options: PushOptions): Promise<void> => {
  const { http, repository, chance, others = [] } = options;
  const digest = digestOf(bytes);
  const uploads = `/v2/${repository}/blobs/uploads/`;
  if (
    chance.next() < 0.7 &&
    (await expect(http, "HEAD", `/v2/${repository}/blobs/${digest}`, [200, 404])).status === 200
  )
    return;
  const way = chance.below(others.length > 0 ? 5 : 4);
  if (way === 0) {
    await expect(http, "POST", `${uploads}?digest=${digest}`, [201], { body: bytes, headers: octets });
    return;
  }
  const from = way === 4 ? `?mount=${digest}&from=${chance.pick(others)}` : "";
  const begun = await expect(http, "POST", `${uploads}${from}`, from === "" ? [202] : [201, 202]);
  if (begun.status === 201) return;
  const location = begun.headers.location as string;
  if (way === 1) {
    await expect(http, "PUT", `${location}?digest=${digest}`, [201], { body: bytes, headers: octets });
    return;
  }
  await resume(bytes, location, 0, options);
};

/**
 * Sends the rest of a blob in pieces and ends the upload. After a connection was cut, what was on its way there may still come in: then
 * the registry says so (416), and `mayMove` asks where it stands and goes on from there.
 */
export const resume = async (
  bytes: Uint8Array,
  location: string,
  from: number,
  options: PushOptions & { readonly mayMove?: boolean },
): Promise<void> => {
  const { http, chance, onChunk = () => {}, mayMove = false } = options;
  const pieces = 1 + chance.below(4);
  const size = Math.max(1000, Math.ceil((bytes.byteLength - from) / pieces));
  let at = from;
  while (at < bytes.byteLength) {
    const end = Math.min(bytes.byteLength, at + size);
    const headers = { ...octets, "Content-Range": `${at}-${end - 1}` };
    onChunk({ location, bytes, acknowledged: at, sent: end });
    const body = bytes.subarray(at, end);
    const answer = await expect(http, "PATCH", location, mayMove ? [202, 416] : [202], { headers, body });
    const told = answer.status === 202 ? offsetIn(answer, location) : await offsetOf(http, location);
    if (told === undefined || (answer.status === 202 ? told !== end : told < at))
      throw new Wrong(`PATCH ${location}: ${answer.status}, and it stands at ${told} after ${at} to ${end}`);
    at = told;
    onChunk({ location, bytes, acknowledged: at, sent: at });
  }
  const finished = await expect(http, "PUT", `${location}?digest=${digestOf(bytes)}`, [201]);
  if (finished.headers["docker-content-digest"] !== digestOf(bytes)) throw new Wrong(`PUT ${location}: another digest`);
  onChunk(undefined);
};

/** Where an upload stands; `undefined`: nobody knows it. */
export const offsetOf = async (http: HttpClient, location: string): Promise<number | undefined> => {
  const answer = await expect(http, "GET", location, [204, 404]);
  return answer.status === 404 ? undefined : offsetIn(answer, location);
};

const offsetIn = ({ headers }: Answer, location: string): number => {
  const end = Number(/^0-(\d+)$/.exec(headers["range"] ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(end)) throw new Wrong(`${location}: Range ${headers["range"]}`);
  // No piece is so small that one byte could be meant.
  return end === 0 ? 0 : end + 1;
};

/**
 * Pushes a graph, its top under a name. A registry that says that something is missing gets it once more.
 * @returns how long the promises had to hold, in milliseconds
 */
export const pushGraph = async (graph: Graph, name: string, options: PushOptions): Promise<number> => {
  const { http, repository } = options;
  for (let attempt = 1; ; attempt++) {
    const begun = performance.now();
    for (const bytes of graph.blobs.values()) await pushBlob(bytes, options);
    await options.dawdle?.();
    let missing = false;
    for (const { digest, mediaType, bytes } of graph.manifests) {
      const path = `/v2/${repository}/manifests/${digest === graph.root ? name : digest}`;
      const answer = await expect(http, "PUT", path, [201, 400], {
        body: bytes,
        headers: { "Content-Type": mediaType },
      });
      missing = answer.status === 400;
      if (missing && !answer.bytes.includes("MANIFEST_BLOB_UNKNOWN")) throw new Wrong(`PUT ${path}: ${shown(answer)}`);
      if (missing) break;
      if (answer.headers["docker-content-digest"] !== digest) throw new Wrong(`PUT ${path}: another digest`);
    }
    if (!missing) return performance.now() - begun;
    if (attempt === 100) throw new Wrong(`${repository}:${name} cannot be pushed: something is missing each time`);
  }
};

/** Reads a manifest and checks that the answer is what it says. `undefined`: it is not there. */
export const pullManifest = async (
  http: HttpClient,
  repository: string,
  name: string,
): Promise<{ digest: Digest; mediaType: string; bytes: Buffer } | undefined> => {
  const { status, headers, bytes } = await expect(http, "GET", `/v2/${repository}/manifests/${name}`, [200, 404]);
  if (status === 404) return undefined;
  const digest = digestOf(bytes);
  const said = headers["docker-content-digest"];
  if (said !== digest || (name.startsWith("sha") && name !== digest))
    throw new Wrong(`${repository} ${name}: the bytes are ${digest}, ${String(said)} was said`);
  return { digest, mediaType: headers["content-type"] ?? "", bytes };
};

/** Reads a blob and checks its digest. `false`: it is not there. */
export const pullBlob = async (http: HttpClient, repository: string, digest: Digest): Promise<boolean> => {
  const { status, bytes } = await expect(http, "GET", `/v2/${repository}/blobs/${digest}`, [200, 404]);
  if (status === 200 && digestOf(bytes) !== digest) throw new Wrong(`${repository}@${digest}: other bytes were served`);
  return status === 200;
};

/**
 * Pulls all that a manifest leads to; tells what is missing.
 * @param seen what was pulled whole already
 */
export const pullWhole = async (
  http: HttpClient,
  repository: string,
  digest: Digest,
  seen: Set<string> = new Set(),
): Promise<string[]> => {
  if (seen.has(`${repository}@${digest}`)) return [];
  const manifest = await pullManifest(http, repository, digest);
  if (manifest === undefined) return [`manifest ${repository}@${digest}`];
  const missing: string[] = [];
  for (const child of childrenOf(parseManifest(manifest.bytes, manifest.mediaType))) {
    if (seen.has(`${repository}@${child.digest}`)) continue;
    if (/manifest|index/.test(child.mediaType))
      missing.push(...(await pullWhole(http, repository, child.digest, seen)));
    else if (await pullBlob(http, repository, child.digest)) seen.add(`${repository}@${child.digest}`);
    else missing.push(`blob ${repository}@${child.digest} of ${digest}`);
  }
  if (missing.length === 0) seen.add(`${repository}@${digest}`);
  return missing;
};
