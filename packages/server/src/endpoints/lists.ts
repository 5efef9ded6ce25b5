import { withBytes, withJson } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import type { HttpResponse } from "dray/http";
import { Yielding } from "dray/internal/async";
import { type Descriptor, type Digest, encodeJson, isDigest, mediaTypes } from "dray/oci";
import { pages, type Referrer } from "../metadata/index.ts";
import type { ListPage } from "../read-cache/index.ts";
import { badDigest, RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/** Names in a page as the client wants them: no more than `most`. @throws RegistryError for what is no number */
const pageSize = ({ query }: Call, most: number): number => {
  const text = query.get("n");
  // A form that was left empty asks for nothing.
  if (text === null || text === "") return most;
  if (!/^\d{1,15}$/.test(text))
    throw new RegistryError(400, "UNSUPPORTED", `n=${JSON.stringify(text.slice(0, 40))} is no number of entries`);
  return Math.min(Number(text), most);
};

/** `Link` to the next page. @see https://www.rfc-editor.org/rfc/rfc8288 */
const linkTo = ({ context }: Call, path: string, query: Readonly<Record<string, string>>): [string, string] => [
  "Link",
  `<${context.settings.locations.prefix}${path}?${new URLSearchParams(query).toString()}>; rel="next"`,
];

/** `GET /v2/_catalog`: the repositories that whoever asks may read. */
export const catalog = async (call: Call): Promise<HttpResponse> => {
  const { query, principal, context } = call;
  const limit = pageSize(call, context.settings.pages.catalog);
  const names: string[] = [];
  // Of a hundred thousand whoever asks may read none.
  const yielding = new Yielding();
  let more = false;
  if (limit > 0)
    for await (const some of repositories(call, query.get("last") ?? "", limit + 1)) {
      await yielding.turn();
      const readable = some.filter((name) => principal.may(name, "pull"));
      const room = limit - names.length;
      for (const name of readable.slice(0, room)) names.push(name);
      more = readable.length > room;
      if (more) break;
    }
  const link = more ? [linkTo(call, "/v2/_catalog", { n: String(limit), last: names.at(-1) ?? "" })] : [];
  return withJson(call.request, { repositories: names }, link);
};

/** Names that are read at once: at least, since who may read few of them asks for many, and at most, since nobody else is served meanwhile. */
const [fewest, most] = [100, 1001];

/** From the tree until the metadata is whole; later what another program made is looked for, at most as often as its repositories would be. */
async function* repositories({ context }: Call, last: string, step: number): AsyncGenerator<readonly string[]> {
  if (!context.reconciler.isComplete) {
    const leaveOut = (_: string, error: unknown): void => {
      if (!isDrayError(error, "DISK")) throw error;
      context.onNotice({ level: "error", message: `the catalog leaves out what cannot be read: ${error.message}` });
    };
    for await (const name of context.tree.repositories(last, leaveOut)) yield [name];
    await context.tree.refuseGone();
    return;
  }
  await context.reconciler.discover();
  yield* pages(Math.min(Math.max(step, fewest), most), (page) => context.metadata.repositories(page), last);
}

/** `GET …/tags/list`: in byte order, `last` by value, so that it need not be there any more. */
export const tags = async (call: Call): Promise<HttpResponse> => {
  const { request, query, context, repository } = call;
  const limit = pageSize(call, context.settings.pages.tags);
  const after = query.get("last") ?? "";
  if (!(await context.reconciler.reconcile(repository)))
    throw new RegistryError(404, "NAME_UNKNOWN", `there is no repository ${repository}`, {
      detail: { name: repository },
    });
  const page = context.lists.page(repository, `tags\0${limit}\0${after}`, () => {
    // One more than is shown tells whether there are more.
    const found = limit === 0 ? [] : context.metadata.tags(repository, { after, limit: limit + 1 });
    const names = found.slice(0, limit).map(({ name }) => name);
    return {
      bytes: encodeJson({ name: repository, tags: names }),
      next: found.length > limit ? names.at(-1) : undefined,
    };
  });
  const link =
    page.next === undefined ? [] : [linkTo(call, `/v2/${repository}/tags/list`, { n: String(limit), last: page.next })];
  return withBytes(request, 200, [["Content-Type", "application/json"], ...link], page.bytes);
};

/** An answer is an index, and clients refuse one of more than 4 MiB. */
const mostBytes = 4_000_000;

/** `GET …/referrers/<digest>`: an index of the manifests whose subject it is; empty where there is none, never 404. */
export const referrers = async (call: Call): Promise<HttpResponse> => {
  const { request, query, context, repository, name: digest } = call;
  if (!isDigest(digest)) throw badDigest(digest);
  const limit = Math.max(1, pageSize(call, context.settings.pages.referrers));
  const artifactType = query.get("artifactType") || undefined;
  const after = query.get("last") ?? "";
  const there = await context.reconciler.reconcile(repository);
  if (!there) await context.tree.refuseHidden(repository);
  const typed = artifactType === undefined ? {} : { artifactType };
  const asked = { after, limit: limit + 1, bytes: mostBytes, ...typed };
  const build = (): ListPage => pageOf(there ? context.metadata.referrers(repository, digest, asked) : [], limit);
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

const pageOf = (found: readonly Referrer[], limit: number): ListPage => {
  const manifests: string[] = [];
  let bytes = 200;
  let [last, next]: (Digest | undefined)[] = [];
  for (const manifest of found) {
    const text = descriptorOf(manifest);
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

/** A descriptor as JSON. */
const descriptorOf = ({ mediaType, digest, size, artifactType, annotations }: Referrer): string => {
  const descriptor: Descriptor = { mediaType, digest, size, ...(artifactType === undefined ? {} : { artifactType }) };
  const text = JSON.stringify(descriptor);
  return annotations === undefined ? text : `${text.slice(0, -1)},"annotations":${annotations}}`;
};
