import { DrayError } from "../errors.ts";
import { asDescriptor, type Descriptor, type Digest, isDigest, isObject } from "../oci/index.ts";
import { goJson } from "./go-json.ts";

/** One image of `manifest.json`, which lists what an archive holds. Names of files are as written. */
export interface SavedImage {
  readonly config: string;
  /** Names; `null` where there are none. */
  readonly repoTags: readonly string[] | null;
  /** Files of the layers, the lowest first. */
  readonly layers: readonly string[];
  /** What else is known of a layer, by its diffID: where foreign layers come from; since Docker 25, the layers of the OCI layout. */
  readonly layerSources: ReadonlyMap<Digest, Descriptor>;
}

/** File of the list. */
export const manifestFile = "manifest.json";

/**
 * Reads the list.
 * @throws DrayError `ARCHIVE_INVALID` saying what is wrong
 */
export const parseSavedImages = (value: unknown): SavedImage[] => {
  if (!Array.isArray(value)) throw invalid("is no list of images");
  return value.map((image: unknown, i) => {
    if (!isObject(image)) throw invalid(`[${i}] is no image`);
    const config = image["Config"];
    if (typeof config !== "string" || config === "") throw invalid(`[${i}] names no config`);
    return {
      config,
      repoTags: names(image["RepoTags"], `[${i}].RepoTags`),
      layers: names(image["Layers"], `[${i}].Layers`) ?? [],
      layerSources: sources(image["LayerSources"], `[${i}].LayerSources`),
    };
  });
};

const invalid = (fault: string): DrayError => new DrayError("ARCHIVE_INVALID", `${manifestFile} ${fault}`);

const names = (value: unknown, where: string): string[] | null => {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string"))
    throw invalid(`${where} is no list of names`);
  return value as string[];
};

const sources = (value: unknown, where: string): Map<Digest, Descriptor> => {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw invalid(`${where} is no object`);
  const found = new Map<Digest, Descriptor>();
  for (const [diffID, descriptor] of Object.entries(value))
    if (isDigest(diffID)) found.set(diffID, asDescriptor(descriptor, `${manifestFile} ${where}`));
  return found;
};

/** Writes the list. */
export const formatSavedImages = (images: readonly SavedImage[]): Uint8Array =>
  new TextEncoder().encode(
    goJson(
      images.map(({ config, repoTags, layers, layerSources }) => ({
        Config: config,
        RepoTags: repoTags,
        Layers: layers,
        LayerSources:
          layerSources.size === 0 ? undefined : new Map([...layerSources].map(([id, d]) => [id, ordered(d)])),
      })),
    ),
  );

/** A descriptor with its members in Go's order; those Go does not know come last. */
const ordered = ({
  mediaType,
  size,
  digest,
  data,
  urls,
  annotations,
  platform,
  artifactType,
  ...others
}: Descriptor): object => ({
  mediaType,
  size,
  digest,
  data,
  urls,
  annotations: annotations && new Map(Object.entries(annotations)),
  platform,
  artifactType,
  ...others,
});
