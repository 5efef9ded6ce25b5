import type { HttpResponse } from "dray/http";
import { artifactTypeOf, type Descriptor, type Digest, isDigest, mediaTypes, parseManifest, subjectOf } from "dray/oci";
import { refuse, respondJson } from "../respond.ts";
import type { Call } from "./call.ts";
import type { Route } from "./route.ts";
import type { RepositoryState, StoredManifest } from "./state.ts";

/** `GET …/referrers/<digest>`: an index of the manifests whose subject it is; empty, never 404, once the API is there. */
export const referrers = (call: Call, { repository, digest }: Route & { kind: "referrers" }): HttpResponse => {
  const { request, query, state, options } = call;
  if (options.referrers === false) return refuse(request, 404, "UNSUPPORTED", "there is no referrers API");
  if (!isDigest(digest)) return refuse(request, 400, "DIGEST_INVALID", `${digest} is no digest`);
  const wanted = query.get("artifactType");
  const all = referrersOf(state.repositories.get(repository), digest).filter(
    ({ artifactType }) => wanted === null || artifactType === wanted,
  );
  const size = options.referrersPageSize ?? Number.POSITIVE_INFINITY;
  const start = Number(query.get("from") ?? 0);
  const manifests = all.slice(start, start + size);
  const next = new URLSearchParams({
    ...(wanted === null ? {} : { artifactType: wanted }),
    from: String(start + size),
  });
  return respondJson(
    request,
    200,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      "Content-Type": mediaTypes.ociIndex,
      ...(wanted === null ? {} : { "OCI-Filters-Applied": "artifactType" }),
      ...(start + size < all.length
        ? { Link: `</v2/${repository}/referrers/${digest}?${next.toString()}>; rel="next"` }
        : {}),
    },
  );
};

const referrersOf = (held: RepositoryState | undefined, subject: Digest): Descriptor[] =>
  [...(held?.manifests ?? [])].flatMap(([digest, stored]) => describeReferrer(digest, stored, subject) ?? []);

const describeReferrer = (
  digest: Digest,
  { mediaType, bytes }: StoredManifest,
  subject: Digest,
): Descriptor | undefined => {
  try {
    const parsed = parseManifest(bytes, mediaType);
    if (subjectOf(parsed)?.digest !== subject || parsed.kind === "schema1") return undefined;
    const artifactType = artifactTypeOf(parsed);
    const { annotations } = parsed.kind === "index" ? parsed.index : parsed.manifest;
    return {
      mediaType,
      digest,
      size: bytes.byteLength,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    };
  } catch {
    // A registry keeps documents that it does not understand; they refer to nothing.
    return undefined;
  }
};
