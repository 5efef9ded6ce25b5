/** Requests in their plainest form, and a sample pushed by them: no client between a test and what it says. */
import { request } from "node:http";
import type { Sample } from "@dray/testkit";
import { digestOf, mediaTypes } from "dray/oci";

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** `target` is a path, or a URL that a `Location` told. */
export const ask = (
  host: string,
  method: string,
  target: string,
  { headers = {}, body }: Question = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(body.byteLength) };
    const url = new URL(target, `http://${host}`);
    const sent = request(url, { method, headers: { ...length, ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });

/** As `ask`. @throws when the status is another one */
export const must = async (
  status: number,
  host: string,
  method: string,
  target: string,
  question?: Question,
): Promise<Answer> => {
  const answer = await ask(host, method, target, question);
  if (answer.status !== status)
    throw new Error(`${method} ${target}: ${answer.status} ${answer.body.toString().slice(0, 500)}`);
  return answer;
};

export const locationOf = ({ headers }: Answer): string => String(headers["location"]);

/** What is to be named by a digest goes behind whatever a `Location` has already. */
export const withQuery = (location: string, query: string): string =>
  `${location}${location.includes("?") ? "&" : "?"}${query}`;

export const pushBlob = async (
  host: string,
  repository: string,
  bytes: Uint8Array,
  algorithm: "sha256" | "sha512" = "sha256",
): Promise<string> => {
  const digest = digestOf(bytes, algorithm);
  const session = locationOf(await must(202, host, "POST", `/v2/${repository}/blobs/uploads/`));
  await must(201, host, "PUT", withQuery(session, `digest=${digest}`), {
    body: bytes,
    headers: { "Content-Type": "application/octet-stream" },
  });
  return digest;
};

export const pushManifest = (
  host: string,
  repository: string,
  name: string,
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
): Promise<Answer> =>
  must(201, host, "PUT", `/v2/${repository}/manifests/${name}`, {
    body: bytes,
    headers: { "Content-Type": mediaType },
  });

/** Pushes all of a sample, its root under a tag. */
export const pushSample = async (host: string, repository: string, tag: string, sample: Sample): Promise<void> => {
  for (const bytes of sample.blobs.values()) await pushBlob(host, repository, bytes);
  for (const [digest, manifest] of sample.manifests)
    await pushManifest(host, repository, digest === sample.root.digest ? tag : digest, manifest);
};

/** Every type of manifest, as clients send it. */
export const anyManifest: string = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
].join(", ");
