import { type Body, bytesBody, type Content } from "dray/content";
import { type HttpResponse, header } from "dray/http";
import { isDigest } from "dray/oci";
import { refuse, respond } from "../respond.ts";
import type { Call } from "./call.ts";
import { byteRange } from "./range.ts";
import type { Route } from "./route.ts";
import { visibleBlob } from "./state.ts";

/** `GET`, `HEAD` and `DELETE` of a blob. */
export const blob = (call: Call, { repository, digest }: Route & { kind: "blob" }): HttpResponse => {
  const { request, state, options } = call;
  if (!isDigest(digest)) return refuse(request, 400, "DIGEST_INVALID", `${digest} is no digest`);
  const held = visibleBlob(state, repository, digest);
  if (held === undefined) return refuse(request, 404, "BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
  if (request.method === "DELETE") {
    if (options.deletes === false) return refuse(request, 405, "UNSUPPORTED", "deleting is disabled");
    state.repositories.get(repository)?.blobs.delete(digest);
    return respond(request, 202);
  }
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(request, 405, "UNSUPPORTED", `${request.method} is not supported here`);
  const headers = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    ...(options.ranges === false ? {} : { "Accept-Ranges": "bytes" }),
  };
  const range = options.ranges === false ? undefined : byteRange(header(request.headers, "Range"), held.size);
  if (range === "unsatisfiable") return respond(request, 416, { ...headers, "Content-Range": `bytes */${held.size}` });
  const { start, end } = range ?? { start: 0, end: held.size };
  const sized = { ...headers, "Content-Length": String(end - start) };
  if (request.method === "HEAD") return respond(request, 200, { ...headers, "Content-Length": String(held.size) });
  if (held.content === undefined)
    return refuse(request, 500, "BLOB_UNKNOWN", `the bytes of ${digest} were hashed and dropped`);
  const body = section(held.content, start, end, request.signal);
  return range === undefined
    ? respond(request, 200, sized, body)
    : respond(request, 206, { ...sized, "Content-Range": `bytes ${start}-${end - 1}/${held.size}` }, body);
};

/** The bytes from `start` up to `end` as a body. */
const section = (content: Content, start: number, end: number, signal: AbortSignal | undefined): Body => {
  if (start === end) return bytesBody(new Uint8Array(0));
  return {
    length: end - start,
    chunks: cut(content.open({ offset: start, ...(signal === undefined ? {} : { signal }) }), end - start),
    // Nothing is held: a generator that is never resumed is just collected.
    discard: async () => {},
  };
};

async function* cut(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    yield chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.byteLength;
    if (left <= 0) return;
  }
}
