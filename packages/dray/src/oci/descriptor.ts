import { DrayError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

export type Annotations = Readonly<Record<string, string>>;

/**
 * A typed, sized name of content. Members that we do not know are kept.
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
  readonly [member: string]: unknown;
}

/**
 * Checks that a JSON value is a descriptor and returns it, unknown members and all.
 * @param where names the place in an error, such as `layers[2]`.
 * @throws DrayError `MANIFEST_INVALID`
 */
export const asDescriptor = (value: unknown, where: string): Descriptor => {
  const fault = descriptorFault(value);
  if (fault !== undefined) throw new DrayError("MANIFEST_INVALID", `${where}: ${fault}`);
  return value as Descriptor;
};

const descriptorFault = (value: unknown): string | undefined => {
  if (!isObject(value)) return "is no descriptor object";
  if (typeof value["mediaType"] !== "string") return "mediaType is missing";
  if (!isDigest(value["digest"])) return `digest ${JSON.stringify(value["digest"] ?? null)} is missing or invalid`;
  if (!Number.isSafeInteger(value["size"]) || (value["size"] as number) < 0)
    return `size ${JSON.stringify(value["size"] ?? null)} must be a number of bytes`;
  const annotations = value["annotations"];
  if (annotations !== undefined && annotations !== null && !isObject(annotations)) return "annotations is no object";
  const platform = value["platform"];
  if (platform !== undefined && platform !== null && !isObject(platform)) return "platform is no object";
  const urls = value["urls"];
  if (urls !== undefined && urls !== null && !(Array.isArray(urls) && urls.every((url) => typeof url === "string")))
    return "urls is no list of strings";
  return undefined;
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The descriptor of the content alone: what two descriptors of the same bytes agree on. */
export const bare = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });
