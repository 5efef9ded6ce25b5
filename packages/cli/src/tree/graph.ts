import { attachedTo, loadManifest, type ReadableStore } from "dray/content";
import { mapOrdered } from "dray/internal/async";
import {
  annotationKeys,
  artifactTypeOf,
  type Descriptor,
  formatPlatform,
  isManifestLike,
  type ParsedManifest,
} from "dray/oci";

/** A manifest and what belongs to it. These are also the members of the JSON document. */
export interface TreeNode {
  readonly kind: "index" | "image" | "artifact" | "attestation" | "signature" | "schema1" | "blob";
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** The tag under which it was found, where its place is a tag. */
  readonly tag?: string | undefined;
  readonly platform?: string | undefined;
  readonly artifactType?: string | undefined;
  /** What an attestation says: the types of its predicates. */
  readonly predicateTypes?: readonly string[] | undefined;
  /** The digest an attestation of BuildKit is about. */
  readonly about?: string | undefined;
  readonly layers?: number | undefined;
  /** Bytes of configuration and layers, as they lie on the registry. */
  readonly contentSize?: number | undefined;
  readonly manifests?: readonly TreeNode[] | undefined;
  /** What refers to it: signatures, attestations, SBOMs. */
  readonly referrers?: readonly TreeNode[] | undefined;
}

/** Manifests asked for at the same time on each level. */
const atOnce = 4;

/** How a node was met. */
interface Place {
  readonly tag?: string | undefined;
  readonly attached?: boolean;
}

/** Reads a manifest and all that belongs to it: children, referrers and their referrers, signatures by tag. */
export const treeOf = async (
  store: ReadableStore,
  root: Descriptor,
  options: { signal: AbortSignal },
): Promise<TreeNode> => nodeOf({ store, options, seen: new Set() }, root, {});

interface Walk {
  readonly store: ReadableStore;
  readonly options: { signal: AbortSignal };
  /** Digests on the tree already: a referrer of a referrer may lead back. */
  readonly seen: Set<string>;
}

const nodeOf = async (walk: Walk, descriptor: Descriptor, place: Place): Promise<TreeNode> => {
  const { store, options, seen } = walk;
  const { digest, mediaType, size, platform } = descriptor;
  const named = platform === undefined || platform.os === "unknown" ? undefined : formatPlatform(platform);
  const facts = { digest, mediaType, size, tag: place.tag, platform: named };
  if (!isManifestLike(descriptor.mediaType)) return { kind: "blob", ...facts };
  const { parsed } = await loadManifest(store, descriptor, options);
  const own = { kind: kindOf(parsed, descriptor, place), ...facts, ...described(parsed, descriptor) };
  if (seen.has(descriptor.digest)) return own;
  seen.add(descriptor.digest);
  const children = parsed.kind === "index" ? parsed.index.manifests : [];
  const manifests = await gathered(children, (child) => nodeOf(walk, child, {}));
  const referrers = await gathered(attachedTo(store, descriptor, options), (found) =>
    nodeOf(walk, found.descriptor, { attached: true, tag: found.name }),
  );
  return {
    ...own,
    manifests: parsed.kind === "index" ? manifests : undefined,
    referrers: referrers.length === 0 ? undefined : referrers,
  };
};

const gathered = async <T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<TreeNode>,
): Promise<TreeNode[]> => Array.fromAsync(mapOrdered(items, atOnce, work));

const signatureTypes = /simplesigning|dev\.sigstore\.bundle|cncf\.notary\.signature|dev\.cosign\.artifact\.sig/;

const kindOf = (parsed: ParsedManifest, descriptor: Descriptor, { tag, attached }: Place): TreeNode["kind"] => {
  if (parsed.kind === "schema1") return "schema1";
  if (descriptor.annotations?.[annotationKeys.attestationType] === "attestation-manifest") return "attestation";
  if (tag?.endsWith(".sig")) return "signature";
  if (tag?.endsWith(".att")) return "attestation";
  if (parsed.kind === "index") return "index";
  const types = [artifactTypeOf(parsed) ?? "", ...parsed.manifest.layers.map(({ mediaType }) => mediaType)];
  if (types.some((type) => signatureTypes.test(type))) return "signature";
  if (types.some((type) => type.includes("in-toto"))) return "attestation";
  return attached === true || parsed.manifest.artifactType ? "artifact" : "image";
};

const predicateType = "in-toto.io/predicate-type";

const described = (parsed: ParsedManifest, descriptor: Descriptor): Partial<TreeNode> => {
  const artifactType = parsed.kind === "schema1" ? undefined : artifactTypeOf(parsed);
  const about = descriptor.annotations?.[annotationKeys.attestationDigest];
  if (parsed.kind !== "manifest") return { artifactType, about };
  const { config, layers } = parsed.manifest;
  const predicateTypes = layers.flatMap(({ annotations }) => annotations?.[predicateType] ?? []);
  return {
    artifactType,
    about,
    predicateTypes: predicateTypes.length === 0 ? undefined : predicateTypes,
    layers: layers.length,
    contentSize: layers.reduce((sum, { size }) => sum + size, config.size),
  };
};
