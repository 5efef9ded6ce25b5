import type { Cancel, WriteOptions } from "../content/index.ts";
import { DrayError, errorIn, isDrayError, throwIfAborted } from "../errors.ts";
import { type HttpResponse, header, headerValues } from "../http/index.ts";
import {
  algorithmOf,
  artifactTypeOf,
  asDescriptor,
  asReferrer,
  type Descriptor,
  type Digest,
  digestOf,
  encodeJson,
  hexOf,
  isConfigType,
  mediaTypes,
  type ParsedManifest,
  parseDigest,
  parseManifest,
  subjectOf,
} from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo, referenceIn } from "./api.ts";
import { type Conditions, withoutConditions } from "./conditions.ts";
import { getManifest, putManifest, type ReadManifest } from "./manifests.ts";
import { pagesOf } from "./pages.ts";

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
  const faults: unknown[] = [];
  for await (const { value, response } of pagesOf(repo.api, call, first)) {
    const wanted = isFiltered(response) ? undefined : options.artifactType;
    for (const descriptor of descriptorsOf(value, faults))
      if (wanted === undefined || descriptor.artifactType === wanted) yield descriptor;
  }
  // The others have been given out.
  if (faults[0] !== undefined) throw errorIn(call.reference, faults[0], { reference: call.reference });
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
    `referrers/${parseDigest(digest)}${artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`}`,
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
  // Harbor 2.7 refuses what it does not know, and does not say what it would take.
  const isUnknown = response.status === 401 && header(response.headers, "WWW-Authenticate") === undefined;
  if (!isUnknown && ![200, 400, 404, 405, 406, 501].includes(response.status))
    throw await repo.api.refusal(call, response);
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
  if (found === undefined || found === "subject" || found.parsed.kind !== "index") return;
  for (const entry of found.parsed.index.manifests) {
    // What says neither what it is for nor refers to the subject is a child that somebody took for a referrer.
    if (entry.platform !== undefined && !(await refersTo(repo, entry, subject.digest, options))) continue;
    const descriptor = artifactType === undefined ? entry : await withArtifactType(repo, entry, options);
    if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
  }
}

const refersTo = async (repo: Repo, { digest }: Descriptor, subject: Digest, options: Cancel): Promise<boolean> => {
  const { bytes, descriptor } = await getManifest(repo, digest, options);
  return subjectOf(parseManifest(bytes, descriptor.mediaType))?.digest === subject;
};

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

const descriptorsOf = ({ manifests }: Record<string, unknown>, faults: unknown[]): Descriptor[] =>
  (Array.isArray(manifests) ? manifests : []).flatMap((entry, i) => {
    try {
      return asDescriptor(entry, `manifests[${i}]`);
    } catch (error) {
      faults.push(error);
      return [];
    }
  });

/** Times that several writers may get in one another's way. */
const attempts = 10;

/**
 * The tag under which clients list what refers to a manifest, where the registry has no referrers API.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export const fallbackTag = (subject: Digest): string =>
  `${algorithmOf(subject).slice(0, 32)}-${hexOf(subject).slice(0, 64)}`.replace(/[^a-zA-Z0-9._-]/g, "-");

/**
 * Reads the list under the fallback tag, where there is one; the tag may stand for something else. `"subject"`: for the subject itself, where a
 * registry takes `sha256-HEX` for a digest.
 */
const readFallback = async (
  repo: Repo,
  subject: Digest,
  options: Cancel & { readonly lookUp?: boolean },
): Promise<{ readonly parsed: ParsedManifest; readonly etag: string | undefined } | "subject" | undefined> => {
  try {
    const { bytes, descriptor, etag } = await getManifest(repo, fallbackTag(subject), options);
    if (descriptor.digest === subject) return "subject";
    return { parsed: parseManifest(bytes, descriptor.mediaType), etag };
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
};

/**
 * Pushes a manifest under a tag or its digest. One that refers to another and whose registry does not say that it has
 * noted that (`OCI-Subject`) is entered into the list that clients keep.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
 */
export const pushManifest = async (
  repo: Repo,
  manifest: ReadManifest,
  name: string,
  options: WriteOptions & Conditions = {},
): Promise<void> => {
  const { subject } = await putManifest(repo, manifest, name, options);
  const parsed = options.parsed ?? understood(manifest);
  const unnoted = parsed && subjectOf(parsed);
  if (!unnoted || (subject !== undefined && (await keepsReferrers(repo, unnoted, options)))) return;
  const { descriptor } = manifest;
  await change(repo, unnoted.digest, withoutConditions(options), (entries) =>
    entries.some(({ digest }) => digest === descriptor.digest)
      ? undefined
      : [...entries, asReferrer(descriptor, parsed)],
  );
};

/** Some say `OCI-Subject` and have no list of referrers all the same. Who is not told counts as what it says. */
const keepsReferrers = async (repo: Repo, subject: Descriptor, options: Cancel): Promise<boolean> => {
  try {
    return await hasReferrersApi(repo, subject, options);
  } catch (error) {
    throwIfAborted(options.signal);
    if (isDrayError(error)) return true;
    throw error;
  }
};

/** What the registry took may still be nothing that we understand; then it refers to nothing. */
const understood = ({ descriptor, bytes }: ReadManifest): ParsedManifest | undefined => {
  try {
    return parseManifest(bytes, descriptor.mediaType);
  } catch (error) {
    if (isDrayError(error)) return undefined;
    throw error;
  }
};

/** Strikes a manifest that was deleted off the list of its subject. */
export const removeFromFallback = (repo: Repo, subject: Digest, referrer: Digest, options: Cancel): Promise<void> =>
  change(repo, subject, options, (entries) => {
    const others = entries.filter(({ digest }) => digest !== referrer);
    return others.length === entries.length ? undefined : others;
  });

/**
 * Reads, changes and writes the list until a reading shows that nothing is left to change: another writer may have read
 * before we wrote, and written after. Where the registry honours `If-Match` it refuses the later one; others show it only
 * when the list is read again. Entries and members that we do not know stay.
 */
const change = (
  repo: Repo,
  subject: Digest,
  options: WriteOptions,
  edit: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
): Promise<void> =>
  repo.turns.run(fallbackTag(subject), async () => {
    const tag = fallbackTag(subject);
    const reference = referenceIn(repo, tag);
    const { registry, settings } = repo.api;
    for (let attempt = 1; ; attempt++) {
      const found = await readFallback(repo, subject, { ...options, lookUp: true });
      if (found === "subject") {
        if (edit([]) === undefined) return;
        const message = `${registry} has no list of referrers and cannot keep one: it takes ${tag} for the digest ${subject}; what was pushed is there by its digest alone`;
        throw new DrayError("UNSUPPORTED", message, { reference, registry });
      }
      const { parsed } = found ?? {};
      if (parsed !== undefined && parsed.kind !== "index") {
        const message = `${reference} is no list of referrers, and is not replaced by one; give it another tag and push again`;
        throw new DrayError("EXISTS", message, { reference, registry });
      }
      const before = parsed?.index;
      const manifests = edit(before?.manifests ?? []);
      if (manifests === undefined) return;
      if (attempt > attempts) {
        const message = `others write ${reference} at the same time, and ${registry} keeps only the last; push again`;
        throw new DrayError("REGISTRY", message, { reference, registry, retryable: true });
      }
      if (attempt > 1) await settings.clock.sleep(settings.clock.random() * 20 * attempt, options.signal);
      const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, ...before, manifests });
      const mediaType = parsed?.mediaType ?? mediaTypes.ociIndex;
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
      const condition = found === undefined ? { ifNoneMatch: "*" } : { ifMatch: found.etag };
      try {
        await putManifest(repo, { descriptor, bytes }, tag, { ...options, ...condition });
      } catch (error) {
        // Somebody was faster: what they wrote is read next.
        if (!isDrayError(error) || error.status !== 412) throw error;
      }
    }
  });
