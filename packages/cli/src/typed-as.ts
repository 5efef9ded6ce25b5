import { type DrayError, type ErrorCode, isDrayError, restated } from "dray/errors";
import type { Image, ImageIndex } from "dray/image";
import { formatPlatform, isDigest } from "dray/oci";

/** What may be wrong with an image itself, which the library calls by its digest. */
const ofContent: readonly ErrorCode[] = [
  "ARCHIVE_INVALID",
  "CHECK_FAILED",
  "DIGEST_MISMATCH",
  "LIMIT_EXCEEDED",
  "MANIFEST_INVALID",
  "NOT_FOUND",
  "SIZE_MISMATCH",
  "UNSUPPORTED",
];

/**
 * An error about an image, in the words by which that was named: whoever typed a tag knows no digest. What names a file, a registry or another image
 * stays as it is. @param view what was found under the name
 */
export const typedAs = async (error: unknown, name: string, view?: Image | ImageIndex): Promise<unknown> => {
  if (!isDrayError(error, ...ofContent)) return error;
  const { code, message } = error;
  if (error.registryCode === "BLOB_UNKNOWN")
    return restated(error, code, `${name}: part of it is missing, push it again: ${message}`);
  if (isAboutElse(error)) return error;
  for (const [digest, called] of await namesOf(name, view)) {
    // What the error is about comes first; what it lists stays.
    const said = message.replace(new RegExp(`^(.* of )?${digest}(?=[ :])`), (_, before = "") => before + called);
    if (said !== message) return restated(error, code, said);
  }
  return message.includes(name) ? error : restated(error, code, `${name}: ${message}`);
};

const isAboutElse = ({ registry, reference }: DrayError): boolean =>
  registry !== undefined || (reference !== undefined && !isDigest(reference));

/** How the digests of a view are said: its own, and those of its entries by their platforms. */
const namesOf = async (name: string, view: Image | ImageIndex | undefined): Promise<Map<string, string>> => {
  const names = new Map<string, string>();
  if (view === undefined) return names;
  names.set(view.descriptor.digest, name);
  if (view.kind === "index")
    for (const { digest, platform } of (await view.index()).manifests)
      if (!names.has(digest))
        names.set(digest, `${name} (${platform === undefined ? digest : formatPlatform(platform)})`);
  return names;
};

/** Does something with an image, whose errors call it as it was typed. */
export const calling = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw await typedAs(error, name);
  }
};
