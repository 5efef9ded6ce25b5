import { withBytes } from "@dray/service/response";
import type { HttpResponse } from "dray/http";
import { type Descriptor, type Digest, isDigest, mediaTypes } from "dray/oci";
import { type ManifestRecord, type Metadata, type Page, pages } from "../metadata/index.ts";
import type { ListPage } from "../read-cache/index.ts";
import { badDigest } from "../registry-error.ts";
import type { Call } from "./call.ts";
import { linkTo, pageSize } from "./pages.ts";

/** An answer is an index, and clients refuse one of more than 4 MiB. */
const mostBytes = 4_000_000;
/** Taken from the metadata at a time where their annotations are large. */
const few = 16;

/** `GET …/referrers/<digest>`: an index of the manifests whose subject it is; empty where there is none, never 404. */
export const referrers = async (call: Call): Promise<HttpResponse> => {
  const { request, query, context, repository, name: digest } = call;
  if (!isDigest(digest)) throw badDigest(digest);
  const limit = Math.max(1, pageSize(call, context.settings.pages.referrers));
  const artifactType = query.get("artifactType") || undefined;
  const after = query.get("last") ?? "";
  const there = await context.reconciler.reconcile(repository);
  const typed = artifactType === undefined ? {} : { artifactType };
  const build = (): ListPage =>
    pageOf(there ? found(context.metadata, repository, digest, { after, limit: limit + 1, ...typed }) : [], limit);
  const page = there
    ? context.lists.page(repository, `referrers\0${digest}\0${limit}\0${artifactType ?? ""}\0${after}`, build)
    : build();
  const filter: [string, string][] = artifactType === undefined ? [] : [["OCI-Filters-Applied", "artifactType"]];
  const next = {
    ...typed,
    ...(query.get("n") === null ? {} : { n: String(limit) }),
    last: page.next ?? "",
  };
  const link = page.next === undefined ? [] : [linkTo(call, `/v2/${repository}/referrers/${digest}`, next)];
  return withBytes(request, 200, [["Content-Type", mediaTypes.ociIndex], ...filter, ...link], page.bytes);
};

function* found(
  metadata: Metadata,
  repository: string,
  subject: Digest,
  page: Page & { readonly artifactType?: string },
): Generator<ManifestRecord> {
  const limit = metadata.referrersBytes(repository, subject, page) > mostBytes ? few : page.limit;
  const read = (some: Page): ManifestRecord[] => metadata.referrers(repository, subject, { ...page, ...some });
  for (const some of pages(limit, read, page.after)) yield* some;
}

const pageOf = (found: Iterable<ManifestRecord>, limit: number): ListPage => {
  const manifests: string[] = [];
  let bytes = 200;
  let [last, next]: (Digest | undefined)[] = [];
  for (const manifest of found) {
    const text = JSON.stringify(descriptorOf(manifest));
    bytes += Buffer.byteLength(text) + 1;
    if (manifests.length === limit || (manifests.length > 0 && bytes > mostBytes)) {
      next = last;
      break;
    }
    manifests.push(text);
    last = manifest.digest;
  }
  const head = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[`;
  return { bytes: new TextEncoder().encode(`${head}${manifests.join(",")}]}`), next };
};

const descriptorOf = ({ mediaType, digest, size, artifactType, annotations }: ManifestRecord): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(annotations === undefined ? {} : { annotations }),
});
