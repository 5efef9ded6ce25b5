import { answerOf, bare, emptyBody, fileBody, partsBody } from "@dray/service/response";
import { type HttpResponse, header } from "dray/http";
import { type Digest, isDigest } from "dray/oci";
import { badDigest, RegistryError } from "../registry-error.ts";
import { type Call, notModified, refuseOther } from "./call.ts";
import { rangesOf } from "./ranges.ts";

/** The digest in the path. @throws RegistryError DIGEST_INVALID */
const digestIn = ({ name }: Call): Digest => {
  if (!isDigest(name)) throw badDigest(name);
  return name;
};

const unknown = (repository: string, digest: Digest): RegistryError =>
  new RegistryError(404, "BLOB_UNKNOWN", `${repository} has no blob ${digest}`, { detail: { digest } });

const headersOf = (digest: Digest): Record<string, string> => ({
  "Content-Type": "application/octet-stream",
  "Docker-Content-Digest": digest,
  "Accept-Ranges": "bytes",
  ETag: `"${digest}"`,
  // A digest's content never changes.
  "Cache-Control": "max-age=31536000",
});

/** A 304 says nothing of what is not in it. */
const unchanged = ({ request }: Call, digest: Digest): HttpResponse => {
  const { "Content-Type": _, ...headers } = headersOf(digest);
  return bare(request, 304, headers);
};

/** A client that hears 200 leaves the blob out of its push: the promise is recorded while nobody can take the blob away. */
export const headBlob = (call: Call): Promise<HttpResponse> => {
  const digest = digestIn(call);
  const { request, context, repository } = call;
  return context.locks.hold({ shared: [digest] }, async () => {
    const found = await context.blobs.find(repository, digest);
    if (found === undefined) throw unknown(repository, digest);
    const { target, size } = found;
    call.promise(digest);
    if (target !== digest) call.promise(target);
    // The manifest may come later than a lease lasts, after other layers: the grace counts from here, too. Where nothing can be
    // written nothing can be pushed either, and a look is answered all the same.
    if (!context.settings.readOnly && !context.metadata.refersTo(repository, digest))
      await context.tree.touchLayer(repository, digest).catch(() => {});
    refuseOther(request, digest);
    if (notModified(request, digest)) return unchanged(call, digest);
    const headers = Object.entries({ ...headersOf(digest), "Content-Length": String(size) });
    return answerOf(request, 200, headers, emptyBody);
  });
};

/** `GET` of a blob, whole or in ranges. */
export const getBlob = async (call: Call): Promise<HttpResponse> => {
  const digest = digestIn(call);
  const { request, context, repository } = call;
  const headers = headersOf(digest);
  refuseOther(request, digest);
  const file = await context.blobs.open(repository, digest);
  if (file === undefined) throw unknown(repository, digest);
  if (notModified(request, digest)) {
    await file.close();
    return unchanged(call, digest);
  }
  const { size } = file;
  const ifRange = header(request.headers, "If-Range");
  const range = ifRange === undefined || ifRange === headers["ETag"] ? header(request.headers, "Range") : undefined;
  const ranges = rangesOf(range, size);
  if (ranges === "unsatisfiable") {
    await file.close();
    throw new RegistryError(416, "SIZE_INVALID", `the blob has ${size} bytes`, {
      headers: { "Content-Range": `bytes */${size}`, "Docker-Content-Digest": digest },
    });
  }
  const [first, second] = ranges;
  if (second !== undefined) {
    const { body, boundary } = partsBody(file, ranges, "application/octet-stream", context.downloads);
    return answerWith(206, { ...headers, "Content-Type": `multipart/byteranges; boundary=${boundary}` }, body);
  }
  const { start, end } = first ?? { start: 0, end: size };
  const shown = first === undefined ? headers : { ...headers, "Content-Range": `bytes ${start}-${end - 1}/${size}` };
  return answerWith(
    first === undefined ? 200 : 206,
    shown,
    fileBody(file, { start, end, signal: request.signal }, context.downloads),
  );

  function answerWith(status: number, pairs: Record<string, string>, body: HttpResponse["body"]): HttpResponse {
    return answerOf(request, status, [...Object.entries(pairs), ["Content-Length", String(body.length)]], body);
  }
};

/** `DELETE` of a blob: it leaves the repository. */
export const deleteBlob = async (call: Call): Promise<HttpResponse> => {
  const digest = digestIn(call);
  const { request, context, repository } = call;
  call.refuseWrites();
  if (!(await context.deletions.blob(repository, digest))) throw unknown(repository, digest);
  return bare(request, 202);
};
