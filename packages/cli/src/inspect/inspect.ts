import { hasTags, type Located, loadManifest, type ReadableStore, selectOne } from "dray/content";
import { type DrayError, isDrayError } from "dray/errors";
import { type ImageConfig, type Layer, platformOf, viewOfLoaded } from "dray/image";
import {
  annotationsOf,
  artifactTypeOf,
  type Descriptor,
  type Digest,
  formatPlatform,
  isConfigType,
  type WantedPlatform,
} from "dray/oci";
import { type TreeNode, treeOf } from "../tree/index.ts";

/** All of it. These are also the members of the JSON document. */
export interface Inspected {
  /** What it is called where it lies: on a registry in full and by digest, else the location and its other names there. */
  readonly names: readonly string[];
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest or index itself. */
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Images of an index. */
  readonly platforms?: readonly TreeNode[] | undefined;
  /** The one image, or the one chosen of an index. */
  readonly image?: InspectedImage | undefined;
  /** What refers to any of it: signatures, attestations, SBOMs. */
  readonly referrers: readonly TreeNode[];
}

/** One image, or an artifact of the same form. */
export interface InspectedImage {
  readonly digest: string;
  readonly platform?: string | undefined;
  /** Bytes of configuration and layers, as they lie there. */
  readonly contentSize: number;
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly labels?: Readonly<Record<string, unknown>> | undefined;
  /** As the image says it: `Env`, `Entrypoint`, `Cmd`, `User` and so on; labels are beside it. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly layers: readonly InspectedLayer[];
}

export interface InspectedLayer {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly diffID?: string | undefined;
  /** The step of its history that made it. */
  readonly createdBy?: string | undefined;
  readonly title?: string | undefined;
}

export interface InspectOptions {
  /** Which image of an index is shown whole. Default: linux/amd64, else its first one. */
  readonly platform: WantedPlatform | undefined;
  readonly signal: AbortSignal;
  /** What errors call it. */
  readonly called?: string;
}

/** Names of a layout or archive that are looked at. */
const mostNames = 100;

/**
 * Reads all there is to know, and no layer.
 * @param names how content of this digest is called there; gives `undefined` for a place whose own names are looked through
 * @throws DrayError where the root itself cannot be read, or has not the platform asked for
 */
export const inspect = async (
  { store, name, location }: Located<ReadableStore>,
  options: InspectOptions & { readonly names: (digest: string) => readonly string[] | undefined },
): Promise<{ readonly inspected: Inspected; readonly faults: readonly DrayError[] }> => {
  const root = await store.resolve(name, options);
  const { root: tree, faults } = await treeOf(store, root, options);
  const { parsed } = await loadManifest(store, root, options);
  const platforms = tree.kind === "index" ? imagesBelow(tree) : undefined;
  const inspected = {
    names: options.names(root.digest) ?? (await namesIn(store, location, root, options)),
    digest: root.digest,
    mediaType: root.mediaType,
    size: root.size,
    artifactType: parsed.kind === "schema1" ? undefined : ownType(artifactTypeOf(parsed)),
    annotations: annotationsOf(parsed),
    platforms: platforms?.map((node) => ({ ...node, referrers: undefined })),
    image: await imageIn(store, root, platforms, { ...options, called: location }),
    referrers: referrersIn(tree, undefined),
  };
  return { inspected, faults };
};

const imagesBelow = (node: TreeNode): TreeNode[] =>
  (node.manifests ?? []).flatMap((child) =>
    child.kind === "index" ? imagesBelow(child) : child.kind === "attestation" ? [] : [child],
  );

/** An image without a type of its own has that of its configuration, which says nothing. */
const ownType = (type: string | undefined): string | undefined =>
  type === undefined || isConfigType(type) ? undefined : type;

/** Those of the root and, with what they are about, of what lies below it; attestations that BuildKit has put beside the images, too. */
const referrersIn = (node: TreeNode, about: string | undefined): TreeNode[] => [
  ...(node.referrers ?? []).map((each) => ({ ...each, about: each.about ?? about })),
  ...(node.manifests ?? []).flatMap((child) =>
    child.kind === "attestation" ? [child] : referrersIn(child, child.digest),
  ),
];

const namesIn = async (
  store: ReadableStore,
  location: string,
  root: Descriptor,
  { signal }: InspectOptions,
): Promise<string[]> => {
  const names: string[] = [location];
  if (!hasTags(store)) return names;
  let looked = 0;
  for await (const tag of store.tags({ signal })) {
    if (++looked > mostNames) break;
    const found = await store.resolve(tag, { signal }).catch(() => undefined);
    if (found?.digest === root.digest && !location.endsWith(`:${tag}`)) names.push(tag);
  }
  return names;
};

const imageIn = async (
  store: ReadableStore,
  root: Descriptor,
  platforms: readonly TreeNode[] | undefined,
  options: InspectOptions,
): Promise<InspectedImage | undefined> => {
  const chosen = platforms === undefined ? root : await chosenOf(store, root, platforms, options);
  if (chosen === undefined) return undefined;
  const loaded = await loadManifest(store, chosen, options);
  if (loaded.parsed.kind !== "manifest") return undefined;
  const view = viewOfLoaded(store, loaded, options);
  if (view.kind !== "image") return undefined;
  const { config: from, layers: content } = loaded.parsed.manifest;
  const config: ImageConfig | undefined = isConfigType(from.mediaType) ? await view.config() : undefined;
  const platform = (config && platformOf(config)) ?? chosen.platform;
  const { Labels: labels, ...rest } = config?.config ?? {};
  return {
    digest: chosen.digest,
    platform: platform && formatPlatform(platform),
    contentSize: [from, ...content].reduce((sum, { size }) => sum + size, 0),
    created: config?.created,
    author: config?.author,
    labels: labels ?? undefined,
    config: config === undefined ? undefined : rest,
    annotations: loaded.parsed.manifest.annotations,
    layers: described(await view.layers(), config),
  };
};

/** @throws DrayError `NOT_FOUND` for a platform that was asked for */
const chosenOf = async (
  store: ReadableStore,
  root: Descriptor,
  platforms: readonly TreeNode[],
  options: InspectOptions,
): Promise<Descriptor | undefined> => {
  try {
    const wanted = options.platform ?? { os: "linux", architecture: "amd64" };
    return (await selectOne(store, root, wanted, options)).root;
  } catch (error) {
    if (options.platform !== undefined || !isDrayError(error, "NOT_FOUND")) throw error;
    const first = platforms.find(({ kind }) => kind === "image");
    return first && { digest: first.digest as Digest, mediaType: first.mediaType, size: first.size };
  }
};

/** History names a step for each layer, where it has as many of them. */
const described = (layers: readonly Layer[], config: ImageConfig | undefined): InspectedLayer[] => {
  const steps = (Array.isArray(config?.history) ? config.history : []).filter((step) => step?.empty_layer !== true);
  return layers.map(({ descriptor: { digest, mediaType, size, annotations }, diffID }, i) => ({
    digest,
    mediaType,
    size,
    diffID,
    createdBy: steps.length === layers.length ? steps[i]?.created_by : undefined,
    title: annotations?.["org.opencontainers.image.title"],
  }));
};
