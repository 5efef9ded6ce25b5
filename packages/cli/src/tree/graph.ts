import { type Attached, attachedTo, loadManifest, type ReadableStore } from "dray/content";
import { DrayError, isDrayError, reasonOf, throwIfAborted } from "dray/errors";
import { mapOrdered } from "dray/internal/async";
import {
  annotationKeys,
  artifactTypeOf,
  childrenOf,
  type Descriptor,
  formatPlatform,
  isManifestLike,
  type ParsedManifest,
} from "dray/oci";

/** A manifest and what belongs to it. These are also the members of the JSON document. */
export interface TreeNode {
  readonly kind: "index" | "image" | "artifact" | "attestation" | "signature" | "schema1" | "blob" | "missing";
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
  /** Why it could not be read. */
  readonly error?: string | undefined;
  /** What refers to it: signatures, attestations, SBOMs. */
  readonly referrers?: readonly TreeNode[] | undefined;
}

/** Manifests asked for at the same time on each level. */
const atOnce = 4;
/** A graph is a few levels deep, and a list a few hundred long: what is invented without end is not followed further. */
const [deepest, most] = [16, 20_000];

/** How a node was met. */
interface Place {
  readonly depth: number;
  readonly tag?: string | undefined;
  readonly attached?: boolean;
}

/** A tree, and what of it could not be read. */
export interface Tree {
  readonly root: TreeNode;
  readonly faults: readonly DrayError[];
}

/**
 * Reads a manifest and all that belongs to it: children, referrers and their referrers, signatures by tag. What is not there, as in an index that
 * keeps some platforms alone, is marked, and hides nothing else.
 * @throws DrayError where the root itself cannot be read
 */
export const treeOf = async (
  store: ReadableStore,
  root: Descriptor,
  options: { signal: AbortSignal },
): Promise<Tree> => {
  const faults: DrayError[] = [];
  return { root: await nodeOf({ store, options, seen: new Set(), faults }, root, { depth: 0 }), faults };
};

interface Walk {
  readonly store: ReadableStore;
  readonly options: { signal: AbortSignal };
  /** Digests on the tree already: a referrer of a referrer may lead back. */
  readonly seen: Set<string>;
  readonly faults: DrayError[];
}

const nodeOf = async (walk: Walk, descriptor: Descriptor, place: Place): Promise<TreeNode> => {
  const { store, options, seen } = walk;
  const { depth } = place;
  const { digest, mediaType, size, platform } = descriptor;
  const named = platform === undefined || platform.os === "unknown" ? undefined : formatPlatform(platform);
  const facts = { digest, mediaType, size, tag: place.tag, platform: named };
  if (!isManifestLike(descriptor.mediaType)) return { kind: "blob", ...facts };
  const { parsed } = await loadManifest(store, descriptor, options);
  const own = { kind: kindOf(parsed, descriptor, place), ...facts, ...described(parsed, descriptor) };
  if (seen.has(descriptor.digest)) return own;
  seen.add(descriptor.digest);
  if (depth >= deepest || seen.size > most) {
    const why = depth >= deepest ? `it is ${deepest} levels deep` : `it has more than ${most} manifests`;
    note(walk, new DrayError("LIMIT_EXCEEDED", `the tree is cut off below ${digest}: ${why}`, { reference: digest }));
    return own;
  }
  const children = parsed.kind === "index" ? parsed.index.manifests : [];
  const manifests = await gathered(children, (child) => below(walk, child, { depth: depth + 1 }));
  const referrers = await gathered(await attachedIn(walk, descriptor), (found) =>
    below(walk, found.descriptor, { attached: true, tag: found.name, depth: depth + 1 }),
  );
  return {
    ...own,
    manifests: parsed.kind === "index" ? manifests : undefined,
    referrers: referrers.length === 0 ? undefined : referrers,
  };
};

/** A node below another one: that it cannot be read is no reason to leave out the others. */
const below = async (walk: Walk, descriptor: Descriptor, place: Place): Promise<TreeNode> => {
  try {
    return await nodeOf(walk, descriptor, place);
  } catch (error) {
    note(walk, error);
    const { digest, mediaType, size, platform, artifactType } = descriptor;
    const named = platform === undefined || platform.os === "unknown" ? undefined : formatPlatform(platform);
    const facts = { digest, mediaType, size, tag: place.tag, platform: named, artifactType };
    return { kind: "missing", ...facts, error: reasonOf(error) };
  }
};

const attachedIn = async (walk: Walk, descriptor: Descriptor): Promise<Attached[]> => {
  const found: Attached[] = [];
  try {
    for await (const each of attachedTo(walk.store, descriptor, walk.options))
      if (found.push(each) > most)
        throw new DrayError(
          "LIMIT_EXCEEDED",
          `more than ${most} manifests refer to ${descriptor.digest}; the rest is left out`,
        );
  } catch (error) {
    note(walk, error);
  }
  return found;
};

/** @throws what is no fault of the content */
const note = ({ faults, options }: Walk, error: unknown): void => {
  throwIfAborted(options.signal);
  if (!isDrayError(error) || error.code === "ABORTED") throw error;
  faults.push(error);
};

const gathered = async <T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<TreeNode>,
): Promise<TreeNode[]> => Array.fromAsync(mapOrdered(items, atOnce, work));

/** Types of content that is a signature. */
export const signatureTypes: RegExp =
  /simplesigning|dev\.sigstore\.bundle|cncf\.notary\.signature|dev\.cosign\.artifact\.sig/;

const kindOf = (parsed: ParsedManifest, descriptor: Descriptor, { tag, attached }: Place): TreeNode["kind"] => {
  if (parsed.kind === "schema1") return "schema1";
  if (descriptor.annotations?.[annotationKeys.attestationType] === "attestation-manifest") return "attestation";
  if (tag?.endsWith(".sig")) return "signature";
  if (tag?.endsWith(".att")) return "attestation";
  if (parsed.kind === "index") return "index";
  const content = parsed.kind === "artifact" ? parsed.artifact.blobs : parsed.manifest.layers;
  const types = [artifactTypeOf(parsed) ?? "", ...content.map(({ mediaType }) => mediaType)];
  if (types.some((type) => signatureTypes.test(type))) return "signature";
  if (types.some((type) => type.includes("in-toto"))) return "attestation";
  return attached === true || parsed.kind === "artifact" || parsed.manifest.artifactType ? "artifact" : "image";
};

const predicateType = "in-toto.io/predicate-type";

const described = (parsed: ParsedManifest, descriptor: Descriptor): Partial<TreeNode> => {
  const artifactType = parsed.kind === "schema1" ? undefined : artifactTypeOf(parsed);
  const about = descriptor.annotations?.[annotationKeys.attestationDigest];
  if (parsed.kind === "index" || parsed.kind === "schema1") return { artifactType, about };
  const content = childrenOf(parsed);
  const layers = parsed.kind === "artifact" ? content : parsed.manifest.layers;
  const predicateTypes = layers.flatMap(({ annotations }) => annotations?.[predicateType] ?? []);
  return {
    artifactType,
    about,
    predicateTypes: predicateTypes.length === 0 ? undefined : predicateTypes,
    layers: layers.length,
    contentSize: content.reduce((sum, { size }) => sum + size, 0),
  };
};
