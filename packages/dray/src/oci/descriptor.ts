import { DrayError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";
import { isObject, isOptional, isText, isTextMap, isTexts, type Parsed, shown, texts, withoutNulls } from "./json.ts";
import { isForeignLayerType } from "./media-types.ts";
import type { Platform } from "./platform.ts";

/** Text by key, as descriptors and manifests carry it. */
export type Annotations = Readonly<Record<string, string>>;

/**
 * A typed, sized name of content.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Annotations;
  /** The content itself, base64. */
  readonly data?: string;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

/**
 * Checks that a JSON value is a descriptor and returns it, unknown members and all. A member that is `null` counts as
 * left out, as it does for the Go programs that write most of them, and a media type that is left out as empty.
 * @param where names the place in an error, such as `layers[2]`.
 * @throws DrayError `MANIFEST_INVALID`
 */
export const asDescriptor = (value: unknown, where: string): Parsed<Descriptor> => {
  const fault = descriptorFault(value);
  if (fault !== undefined) throw new DrayError("MANIFEST_INVALID", `${where}: ${fault}`);
  const descriptor = withoutNulls(value as Parsed<Descriptor>, optionalMembers);
  const { annotations } = descriptor;
  const typed = isText(descriptor.mediaType) ? descriptor : { ...(descriptor as Parsed<Descriptor>), mediaType: "" };
  const noted = annotations === undefined ? undefined : texts(annotations);
  return noted === undefined || noted === annotations ? typed : { ...typed, annotations: noted };
};

const optionalMembers = ["urls", "annotations", "data", "platform", "artifactType"];

const descriptorFault = (value: unknown): string | undefined => {
  if (!isObject(value)) return "is no descriptor object";
  if (!isOptional(value["mediaType"], isText)) return `mediaType ${shown(value["mediaType"])} is no string`;
  if (!isDigest(value["digest"])) return `digest ${shown(value["digest"])} is missing or invalid`;
  if (!Number.isSafeInteger(value["size"]) || (value["size"] as number) < 0)
    return `size ${shown(value["size"])} must be a number of bytes`;
  if (!isOptional(value["urls"], isTexts)) return "urls is no list of strings";
  if (!isOptional(value["annotations"], isTextMap)) return "annotations is no object of strings";
  if (!isOptional(value["data"], isText)) return "data is no string";
  if (!isOptional(value["artifactType"], isText)) return "artifactType is no string";
  return isOptional(value["platform"], isPlatformObject) ? undefined : "platform is no object of strings";
};

const isPlatformObject = (value: unknown): boolean =>
  isObject(value) &&
  ["os", "architecture", "variant", "os.version"].every((member) => isOptional(value[member], isText)) &&
  isOptional(value["os.features"], isTexts);

/** The descriptor of the content alone: what two descriptors of the same bytes agree on. */
export const bare = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

/**
 * Whether its bytes lie elsewhere by licence, and it says where. A layer of such a type without `urls` is nowhere but where it is read:
 * whoever left it out would have lost it.
 */
export const liesElsewhere = ({ mediaType, urls }: Descriptor): boolean =>
  isForeignLayerType(mediaType) && urls !== undefined && urls.length > 0;
