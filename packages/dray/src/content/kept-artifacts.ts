import { forEachConcurrent } from "../async/index.ts";
import { isDrayError } from "../errors.ts";
import {
  annotationKeys,
  type Descriptor,
  type Digest,
  type Index,
  isIndexType,
  isManifestType,
  subjectOf,
} from "../oci/index.ts";
import { loadManifest } from "./manifest.ts";
import type { ReadableStore, ReadOptions } from "./store.ts";

/** Artifacts that are read at the same time. */
const readAtOnce = 16;

/** Positions of entries of an index, with those of artifacts in it whose subject is one of these, and of what is about those in turn. */
export const withArtifacts = async (
  store: ReadableStore,
  { manifests }: Index,
  kept: ReadonlySet<number>,
  options?: Pick<ReadOptions, "signal" | "onEvent">,
): Promise<ReadonlySet<number>> => {
  const subjects = new Map<number, Digest>();
  await forEachConcurrent(manifests.entries(), readAtOnce, async ([at, entry]) => {
    const subject = kept.has(at) || !mayBeAbout(entry) ? undefined : await subjectIn(store, entry, options);
    if (subject !== undefined) subjects.set(at, subject);
  });
  const all = new Set(kept);
  const digests = new Set([...kept].map((at) => manifests[at]?.digest));
  for (let before = -1; before !== all.size; ) {
    before = all.size;
    for (const [at, subject] of subjects)
      if (digests.has(subject)) {
        all.add(at);
        digests.add(manifests[at]?.digest);
      }
  }
  return all;
};

/** An image for a platform says nothing about another one, and an attestation says in the index what it is about. */
const mayBeAbout = ({ platform, mediaType, annotations }: Descriptor): boolean =>
  (platform === undefined || platform.architecture === "unknown") &&
  (isManifestType(mediaType) || isIndexType(mediaType)) &&
  annotations?.[annotationKeys.attestationDigest] === undefined;

const subjectIn = async (
  store: ReadableStore,
  entry: Descriptor,
  options?: Pick<ReadOptions, "signal" | "onEvent">,
): Promise<Digest | undefined> => {
  try {
    return subjectOf((await loadManifest(store, entry, options)).parsed)?.digest;
  } catch (error) {
    // An index may name what its registry does not have, and nobody knows what that is about.
    if (isDrayError(error, "NOT_FOUND", "MANIFEST_INVALID")) return undefined;
    throw error;
  }
};
