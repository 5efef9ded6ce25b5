import type { HttpResponse } from "dray/http";
import { type Descriptor, encodeJson, isDigest, mediaTypes } from "dray/oci";
import { withBytes } from "../answer/index.ts";
import type { IndexedManifest } from "../index/types.ts";
import type { ListPage } from "../registry/lists.ts";
import { badDigest } from "./bad-digest.ts";
import type { Call } from "./call.ts";
import { linkTo, pageSize } from "./pages.ts";
import type { Route } from "./route.ts";

/** An answer is an index, and clients refuse one of more than 4 MiB. */
const mostBytes = 4_000_000;

/** `GET …/referrers/<digest>`: an index of the manifests whose subject it is; empty where there is none, never 404. */
export const referrers = async (
  call: Call,
  { repository, digest }: Route & { kind: "referrers" },
): Promise<HttpResponse> => {
  const { request, query, parts } = call;
  if (!isDigest(digest)) throw badDigest(digest);
  const limit = Math.max(1, pageSize(call, parts.settings.pages.referrers));
  const artifactType = query.get("artifactType") || undefined;
  const after = query.get("last") ?? "";
  const there = await parts.reconciler.settle(repository);
  const build = (): ListPage => {
    const found = there
      ? parts.index.referrers(repository, digest, {
          after,
          limit: limit + 1,
          ...(artifactType === undefined ? {} : { artifactType }),
        })
      : [];
    return pageOf(found, limit);
  };
  const page = there
    ? parts.lists.page(repository, `referrers\0${digest}\0${limit}\0${artifactType ?? ""}\0${after}`, build)
    : build();
  const filter: [string, string][] = artifactType === undefined ? [] : [["OCI-Filters-Applied", "artifactType"]];
  const next = {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(query.get("n") === null ? {} : { n: String(limit) }),
    last: page.next ?? "",
  };
  const link = page.next === undefined ? [] : [linkTo(call, `/v2/${repository}/referrers/${digest}`, next)];
  return withBytes(request, 200, [["Content-Type", mediaTypes.ociIndex], ...filter, ...link], page.bytes);
};

const pageOf = (found: readonly IndexedManifest[], limit: number): ListPage => {
  const manifests: Descriptor[] = [];
  let bytes = 200;
  let next: string | undefined;
  for (const manifest of found) {
    const descriptor = descriptorOf(manifest);
    bytes += JSON.stringify(descriptor).length + 1;
    if (manifests.length === limit || (manifests.length > 0 && bytes > mostBytes)) {
      next = manifests.at(-1)?.digest;
      break;
    }
    manifests.push(descriptor);
  }
  return { bytes: encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }), next };
};

const descriptorOf = ({ mediaType, digest, size, artifactType, annotations }: IndexedManifest): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(annotations === undefined ? {} : { annotations }),
});
