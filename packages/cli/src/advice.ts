import { type DrayError, isDrayError } from "dray/errors";
import { parseLocation } from "dray/locations";
import { familiar, formatReference, type Reference } from "dray/oci";
import { liesHere, namesNoRegistry } from "./local-names.ts";
import { itsRepositories, registryIn } from "./named-registry.ts";

/**
 * What the words that were typed have to do with an error, where the error cannot know: a tag that was not said, a registry that was not named.
 * Empty where there is nothing to add.
 */
export const adviceOn = async (error: DrayError, words: readonly string[]): Promise<string> => {
  if (error.code === "REFERENCE_INVALID") return ofBareRegistry(words);
  const meant = error.registry === undefined ? undefined : referenceOf(error.reference ?? "");
  // An error about a registry alone names that: it is no image of Docker Hub.
  if (meant === undefined || error.reference?.startsWith(`${meant.registry}/`) !== true) return "";
  const typed = words.find((word) => isName(word, meant));
  const onHub = typed === undefined || !namesNoRegistry(typed) ? "" : await ofHub(error, typed);
  return [onHub, ofTags(error, meant, typed)].filter(Boolean).join("; ");
};

/** Whoever named a registry and no repository may want to know what there is. */
const ofBareRegistry = (words: readonly string[]): string => {
  const host = words
    .filter((word) => word.endsWith("/"))
    .map(registryIn)
    .find((each) => each !== undefined);
  return host === undefined ? "" : itsRepositories(host).slice(2);
};

/** Whoever forgot the registry's name was answered by one that has never heard of the image. */
const ofHub = async (error: DrayError, typed: string): Promise<string> => {
  if (!isDrayError(error, "NETWORK", "UNAUTHORIZED", "DENIED", "NOT_FOUND") || (await liesHere(typed)) !== undefined)
    return "";
  const isFile = /\.(?:tar|tgz|tar\.gz)$/.test(typed);
  const host = isFile ? undefined : registryIn(typed);
  return [
    `"${typed}" names no registry, so Docker Hub was asked`,
    // It does not tell strangers what there is.
    isDrayError(error, "UNAUTHORIZED", "DENIED") ? ", which answers so to what it does not have, too" : "",
    isFile ? `; a file is written as docker-archive:${typed} or oci-archive:${typed}` : "",
    host === undefined ? "" : itsRepositories(host),
  ].join("");
};

/** A tag that is not there is looked for among those that are. */
const ofTags = (error: DrayError, meant: Reference, typed: string | undefined): string => {
  if (error.registryCode !== "MANIFEST_UNKNOWN" || meant.tag === undefined || meant.digest !== undefined) return "";
  const isAssumed = typed !== undefined && referenceOf(typed, "")?.tag === undefined;
  const repository = familiar({ registry: meant.registry, repository: meant.repository });
  return `${isAssumed ? `no tag was said, which means ${meant.tag}; ` : ""}dray ls ${repository} lists its tags`;
};

const isName = (word: string, meant: Reference): boolean => {
  const parsed = referenceOf(word);
  if (parsed === undefined) return false;
  const whole = formatReference(parsed);
  // A list of tags is asked of a repository alone.
  return (
    whole === formatReference(meant) || (meant.tag === undefined && whole.startsWith(`${formatReference(meant)}:`))
  );
};

const referenceOf = (text: string, defaultTag?: string): Reference | undefined => {
  try {
    const location = parseLocation(text, defaultTag === undefined ? {} : { defaultTag });
    return location.kind === "registry" ? location.reference : undefined;
  } catch {
    return undefined;
  }
};
