import { type Attached, attachedTo, loadManifest, type ReadableStore } from "dray/content";
import {
  annotationKeys,
  annotationsOf,
  childrenOf,
  type Descriptor,
  isManifestLike,
  type ParsedManifest,
} from "dray/oci";
import { signatureTypes } from "../tree/index.ts";

/** What was found attached to an image. */
export interface AttachedFacts {
  readonly signature: boolean;
  readonly sbom: boolean;
}

/** Types and predicates of SBOMs. */
const sbomTypes = /spdx|cyclonedx|syft|sbom/i;
/** What a bundle of sigstore is about, where it says so: without that it is a signature, and so is what cosign signs. */
const bundlePredicate = "dev.sigstore.bundle.predicateType";
/** Annotations by which layers say what they attest. */
const predicates = ["in-toto.io/predicate-type", "predicateType"];

/**
 * Looks for a signature or an SBOM: referrers, cosign's tags, and the attestations that BuildKit puts into an index. It ends with the first of each kind that
 * is wanted. Whose signature it is, nobody checks.
 */
export const findAttached = async (
  store: ReadableStore,
  { root, parsed }: { readonly root: Descriptor; readonly parsed: ParsedManifest },
  wanted: AttachedFacts,
  signal: AbortSignal,
): Promise<AttachedFacts> => {
  const found = { signature: false, sbom: false };
  const isDone = (): boolean => (found.signature || !wanted.signature) && (found.sbom || !wanted.sbom);
  const entries = parsed.kind === "index" && wanted.sbom ? parsed.index.manifests : [];
  for (const entry of entries) {
    if (isDone()) break;
    if (entry.annotations?.[annotationKeys.attestationType] !== "attestation-manifest") continue;
    found.sbom = await attestsSbom(store, entry, signal);
  }
  if (isDone()) return found;
  for await (const each of attachedTo(store, root, { signal })) {
    found.signature ||= isSignature(each);
    found.sbom ||=
      wanted.sbom && (isSbom(each) || (mayAttest(each) && (await attestsSbom(store, each.descriptor, signal))));
    if (isDone()) break;
  }
  return found;
};

const typeOf = ({ descriptor }: Attached): string => descriptor.artifactType ?? "";

const isSignature = (each: Attached): boolean => {
  if (each.name !== undefined) return each.name.endsWith(".sig");
  const about = each.descriptor.annotations?.[bundlePredicate];
  return signatureTypes.test(typeOf(each)) && (about === undefined || about.includes("cosign/sign"));
};

const isSbom = (each: Attached): boolean =>
  each.name?.endsWith(".sbom") === true ||
  sbomTypes.test(typeOf(each)) ||
  sbomTypes.test(each.descriptor.annotations?.[bundlePredicate] ?? "");

const mayAttest = (each: Attached): boolean => each.name?.endsWith(".att") === true || typeOf(each).includes("in-toto");

/** Whether the predicates of an attestation are SBOMs, as its layers say. */
const attestsSbom = async (store: ReadableStore, descriptor: Descriptor, signal: AbortSignal): Promise<boolean> => {
  if (!isManifestLike(descriptor.mediaType)) return false;
  const { parsed } = await loadManifest(store, descriptor, { signal });
  const said = [annotationsOf(parsed), ...childrenOf(parsed).map(({ annotations }) => annotations)];
  return said.some((annotations) => predicates.some((key) => sbomTypes.test(annotations?.[key] ?? "")));
};
