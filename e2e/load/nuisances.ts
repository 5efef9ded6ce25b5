import { createHash } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Chance } from "@dray/testkit";
import { seededBytes } from "@dray/testkit";
import { digestOf } from "dray/oci";
import type { HttpClient } from "./http.ts";
import { expect, offsetOf, resume, Wrong } from "./push.ts";

/** What happened, by its name. */
export type Count = (what: string) => void;

export interface Nuisance {
  readonly http: HttpClient;
  readonly repository: string;
  readonly chance: Chance;
  readonly count: Count;
  readonly fresh: () => string;
}

/** Sends a piece of a body and cuts the connection, more than once; then ends the upload, or takes it back, or leaves it. */
export const cutUpload = async ({ http, repository, chance, count, fresh }: Nuisance): Promise<void> => {
  const bytes = seededBytes(fresh(), 100_000 + chance.below(3_000_000));
  const begun = await expect(http, "POST", `/v2/${repository}/blobs/uploads/`, [202]);
  const location = begun.headers.location as string;
  let at = 0;
  for (let cuts = 1 + chance.below(2); cuts > 0 && at < bytes.byteLength; cuts--) {
    await cutInTheMiddle(http.origin, location, bytes, at, chance);
    count("uploads cut");
    const offset = await offsetOf(http, location);
    if (offset === undefined && at > 0) throw new Wrong(`${location}: gone after a cut`);
    if (offset === undefined) return;
    if (offset < at || offset > bytes.byteLength) throw new Wrong(`${location}: at ${offset} after ${at}`);
    at = offset;
  }
  const end = chance.next();
  if (end < 0.7) {
    await resume(bytes, location, at, { http, repository, chance, mayMove: true });
    count("uploads resumed");
  } else if (end < 0.95) {
    await expect(http, "DELETE", location, [204]);
    count("uploads cancelled");
  } else count("uploads left");
};

/** A PATCH that says it has all of it and stops on the way. */
const cutInTheMiddle = (
  origin: string,
  location: string,
  bytes: Uint8Array,
  at: number,
  chance: Chance,
): Promise<void> =>
  new Promise((resolve) => {
    const rest = bytes.subarray(at);
    const sent = request(new URL(location, origin), {
      method: "PATCH",
      agent: false,
      headers: {
        "Content-Type": "application/octet-stream",
        "Content-Length": String(rest.byteLength),
        // What comes too late is then known to be too late.
        "Content-Range": `${at}-${bytes.byteLength - 1}`,
      },
    });
    sent.on("error", () => {});
    sent.on("close", () => resolve());
    sent.write(rest.subarray(0, chance.below(rest.byteLength)));
    setTimeout(() => sent.destroy(), chance.below(100));
  });

/** A blob that slow readers read. */
export const largeBlob = (seed: number): Uint8Array => seededBytes(`large ${seed}`, 8 * 1024 * 1024);

/** Reads a blob a little at a time; to its end, or away in the middle. */
export const readSlowly = async ({ http, repository, chance, count }: Nuisance, bytes: Uint8Array): Promise<void> => {
  const digest = digestOf(bytes);
  const leavesAfter = chance.next() < 0.4 ? chance.below(bytes.byteLength) : Number.POSITIVE_INFINITY;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(new URL(`/v2/${repository}/blobs/${digest}`, http.origin), { agent: false }, resolve);
    sent.on("error", reject);
    sent.end();
  });
  if (response.statusCode !== 200) throw new Wrong(`a large blob is answered with ${response.statusCode}`);
  const hash = createHash("sha256");
  let came = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    hash.update(part);
    came += part.byteLength;
    if (came > leavesAfter) break;
    await sleep(chance.below(20));
  }
  response.destroy();
  if (came <= leavesAfter && `sha256:${hash.digest("hex")}` !== digest)
    throw new Wrong("a slow reader got other bytes");
  count(came > leavesAfter ? "readers gone" : "slow readers");
};

/** What clients send that is wrong, and must be told. */
export const askWrong = async ({ http, repository, chance, count, fresh }: Nuisance): Promise<void> => {
  const nothing = digestOf(seededBytes(fresh(), 10));
  const body = seededBytes(fresh(), 2000);
  const [method, path, status, options] = chance.pick([
    ["GET", `/v2/${repository}/manifests/nothing`, 404, {}],
    ["GET", `/v2/${repository}/blobs/${nothing}`, 404, {}],
    ["GET", "/v2/UPPER/tags/list", 400, {}],
    ["POST", `/v2/${repository}/blobs/uploads/?digest=${nothing}`, 400, { body }],
    ["PUT", `/v2/${repository}/manifests/bad`, 400, { body, headers: { "Content-Type": "application/json" } }],
    [
      "PUT",
      `/v2/${repository}/manifests/large`,
      413,
      { body: new Uint8Array(5_000_000), headers: { "Content-Type": "application/json" } },
    ],
    ["PATCH", `/v2/${repository}/blobs/uploads/00000000-0000-0000-0000-000000000000`, 404, { body }],
  ] as const);
  try {
    await expect(http, method, path, [status], options);
  } catch (error) {
    // Refused while the body was on its way: the connection may go before the answer is read.
    if (error instanceof Wrong || !("body" in options)) throw error;
  }
  count("refusals");
};
