import type { Handler } from "dray/http";
import { type Digest, digestOf, isDigest } from "dray/oci";
import { ask, fetch } from "./client.ts";
import type { Content } from "./content.ts";
import type { History, State } from "./history.ts";
import { contents, digestsOf } from "./scenario.ts";

export interface InspectOptions {
  /** Events that had happened. */
  readonly cut: number;
  /** Garbage was collected since: blobs that no manifest needs may be gone. Default `false`. */
  readonly collected?: boolean;
}

const known = new Map<Digest, Content>(contents.map((content) => [content.digest, content]));
const blobs = new Map<Digest, Uint8Array>(
  contents.flatMap((each) => each.blobs.map((bytes) => [digestOf(bytes), bytes])),
);

/**
 * What is wrong in a registry that was started on what a cut left: something acknowledged that is missing, something deleted that is
 * back, a tag that was never so, a manifest that is there without all that it needs, a digest whose bytes are others.
 */
export const faultsIn = async (
  handler: Handler,
  history: History,
  { cut, collected = false }: InspectOptions,
): Promise<string[]> => {
  const faults: string[] = [];
  for (const { thing, may } of history.after(cut)) {
    const { kind, repository, name } = thing;
    if (kind === "blob" && collected) continue;
    const path = `/v2/${repository}/${kind === "blob" ? "blobs" : "manifests"}/${name}`;
    const found = kind === "tag" ? await ofTag(handler, path) : await fetch(handler, path, name as Digest);
    if (typeof found === "string") {
      faults.push(found);
      continue;
    }
    const state: State = found === undefined ? undefined : kind === "tag" ? digestOf(found) : (name as Digest);
    const tagged =
      kind === "tag" && found !== undefined
        ? [...known.keys()].find((each) => sameBytes(known.get(each)?.bytes, found))
        : state;
    if (!may.has(tagged)) faults.push(`${path} is ${tagged}; it may be ${[...may].join(" or ")}`);
  }
  for (const repository of new Set(history.things().map((thing) => thing.repository)))
    for (const content of contents) faults.push(...(await brokenIn(handler, repository, content)));
  return faults;
};

const ofTag = async (handler: Handler, path: string): Promise<Uint8Array | undefined | string> => {
  const answer = await ask(handler, "GET", path);
  if (answer.status === 404) return undefined;
  const digest = answer.header("Docker-Content-Digest") ?? "";
  if (answer.status !== 200 || !isDigest(digest)) return `${path} is answered with ${answer.status}`;
  const content = known.get(digest);
  if (content === undefined || !sameBytes(content.bytes, answer.bytes)) return `${path} has other bytes than ${digest}`;
  return answer.header("Content-Type") === content.type
    ? answer.bytes
    : `${path} has type ${answer.header("Content-Type")}`;
};

/** Whoever gets a manifest gets all that it needs. */
const brokenIn = async (handler: Handler, repository: string, content: Content): Promise<string[]> => {
  const there = await fetch(handler, `/v2/${repository}/manifests/${content.digest}`, content.digest);
  if (there === undefined) return [];
  if (typeof there === "string") return [there];
  const faults: string[] = [];
  const needs = [
    ...content.manifests.map(({ digest }) => `/v2/${repository}/manifests/${digest}`),
    ...digestsOf(content)
      .slice(1)
      .map((digest) => `/v2/${repository}/blobs/${digest}`),
  ];
  for (const path of needs) {
    const found = await fetch(handler, path, path.slice(path.lastIndexOf("/") + 1) as Digest);
    if (typeof found === "string") faults.push(found);
    else if (found === undefined) faults.push(`${repository}@${content.digest} is there without ${path}`);
  }
  return faults;
};

/** Links in a tree, each to data that is there and right, whoever asked for them. */
export const brokenLinks = (files: ReadonlyMap<string, Uint8Array | "directory">): string[] => {
  const faults: string[] = [];
  for (const [path, content] of files) {
    if (content === "directory" || !path.startsWith("docker/")) continue;
    const digest = /\/(?:_layers|revisions|index)\/(sha\d+)\/([0-9a-f]+)\/link$/.exec(path);
    const data = /\/blobs\/(sha\d+)\/..\/([0-9a-f]+)\/data$/.exec(path);
    const name = digest ?? data;
    const said = name === null ? undefined : (`${name[1]}:${name[2]}` as Digest);
    if (data !== null && said !== undefined) {
      const right = known.get(said)?.bytes ?? blobs.get(said);
      if (!sameBytes(right, content)) faults.push(`${path} has other bytes`);
    } else if (path.endsWith("/link")) {
      const target = new TextDecoder().decode(content);
      if (said !== undefined && target !== said) faults.push(`${path} is torn: ${JSON.stringify(target)}`);
      if (!isDigest(target)) faults.push(`${path} is torn: ${JSON.stringify(target)}`);
      else if (!path.includes("/tags/") && !files.has(blobPathOf(target))) faults.push(`${path} leads to nothing`);
    }
  }
  return faults;
};

const blobPathOf = (digest: Digest): string => {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `docker/registry/v2/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data`;
};

const sameBytes = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
