import type { Cancel } from "../content/index.ts";
import { type HttpResponse, header, headerValues } from "../http/index.ts";
import {
  artifactTypeOf,
  asDescriptor,
  type Descriptor,
  isConfigType,
  mediaTypes,
  parseManifest,
} from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo } from "./api.ts";
import { getManifest } from "./manifests.ts";
import { pagesOf } from "./pages.ts";
import { readFallback } from "./referrers-tag.ts";

/** Which referrers are listed. */
export interface ReferrersOptions extends Cancel {
  /** Only those of this type. */
  readonly artifactType?: string | undefined;
}

/**
 * What refers to a manifest in a repository: signatures, attestations, SBOMs and the like. From the referrers API, page
 * after page, or from the tag that clients keep where there is no such API.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function* listReferrers(
  repo: Repo,
  subject: Descriptor,
  options: ReferrersOptions = {},
): AsyncGenerator<Descriptor> {
  const call = referrersCall(repo, subject, options);
  const first = await firstPage(repo, call);
  if (first === "unsupported") return yield* fromFallback(repo, subject, options);
  for await (const { value, response } of pagesOf(repo.api, call, first)) {
    const wanted = isFiltered(response) ? undefined : options.artifactType;
    for (const descriptor of descriptorsOf(value))
      if (wanted === undefined || descriptor.artifactType === wanted) yield descriptor;
  }
}

/** Whether a repository has the referrers API. What is known of one that has it is known of its registry. */
export const hasReferrersApi = async (repo: Repo, subject: Descriptor, options: Cancel = {}): Promise<boolean> => {
  if (repo.api.features.referrers === true) return true;
  const first = await firstPage(repo, referrersCall(repo, subject, options));
  if (first === "unsupported") return false;
  await first.body.discard();
  return true;
};

const referrersCall = (
  repo: Repo,
  { digest }: Descriptor,
  { artifactType, signal }: ReferrersOptions,
): Call & { readonly target: string } => ({
  ...callIn(repo, "pull", "listing the referrers of", digest),
  method: "GET",
  target: pathIn(
    repo,
    `referrers/${digest}${artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`}`,
  ),
  headers: [["Accept", mediaTypes.ociIndex]],
  signal,
});

/**
 * That a registry has the API is known by one answer for all of its repositories. That it has not is believed of one
 * repository only: a proxy may stand before several registries, and some answer 404 for a repository that does not exist.
 */
const firstPage = async (repo: Repo, call: Call): Promise<HttpResponse | "unsupported"> => {
  const { features } = repo.api;
  if (repo.features.referrers === false) return "unsupported";
  const response = await repo.api.send(call);
  const type = header(response.headers, "Content-Type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (response.status === 200 && type === mediaTypes.ociIndex) {
    features.referrers = true;
    return response;
  }
  if (![200, 400, 404, 405, 406, 501].includes(response.status)) throw await repo.api.refusal(call, response);
  await response.body.discard();
  if (features.referrers !== true) repo.features.referrers = false;
  return "unsupported";
};

async function* fromFallback(
  repo: Repo,
  subject: Descriptor,
  { artifactType, ...options }: ReferrersOptions,
): AsyncGenerator<Descriptor> {
  const found = await readFallback(repo, subject.digest, options);
  if (found?.parsed.kind !== "index") return;
  for (const entry of found.parsed.index.manifests) {
    const descriptor = artifactType === undefined ? entry : await withArtifactType(repo, entry, options);
    if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
  }
}

/** Some clients have written the type of the config where the artifact's own belongs: then only the manifest itself tells. */
const withArtifactType = async (repo: Repo, entry: Descriptor, options: Cancel): Promise<Descriptor> => {
  const said = entry.artifactType;
  if (said !== undefined && said !== mediaTypes.ociEmpty && !isConfigType(said)) return entry;
  const { bytes, descriptor } = await getManifest(repo, entry.digest, options);
  const artifactType = artifactTypeOf(parseManifest(bytes, descriptor.mediaType));
  return artifactType === undefined ? entry : { ...entry, artifactType };
};

const isFiltered = ({ headers }: HttpResponse): boolean =>
  headerValues(headers, "OCI-Filters-Applied").some((value) =>
    value.split(",").some((filter) => filter.trim() === "artifactType"),
  );

const descriptorsOf = ({ manifests }: Record<string, unknown>): Descriptor[] =>
  Array.isArray(manifests) ? manifests.map((entry, i) => asDescriptor(entry, `manifests[${i}]`)) : [];
