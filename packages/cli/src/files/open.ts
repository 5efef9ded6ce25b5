import type { Located, ReadableStore } from "dray/content";
import { DrayError } from "dray/errors";
import { type Image, type ImageFiles, imageFiles } from "dray/image";
import { type FileLocation, openImage, parseFileLocation, parseLocation } from "dray/locations";
import type { Call } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { openedToRead } from "../images.ts";
import { type CacheOptions, withCache } from "./cache.ts";

/** A file that was named, and the files of its image. */
export interface NamedFile {
  readonly files: ImageFiles;
  readonly image: Image;
  readonly path: string;
}

/** Words that have to name a file in an image. @throws DrayError `USAGE` */
export const namedFile = (text: string): FileLocation => {
  const file = parseFileLocation(text);
  if (file !== undefined) return file;
  throw new DrayError(
    "USAGE",
    `"${text}" names no file in an image: write IMAGE:/PATH, such as alpine:3.20:/etc/os-release`,
    {
      reference: text,
    },
  );
};

/** A location with its layers kept, where it is on a registry: what lies on the disk needs no second place there. */
export const openedImage = async (call: Call<CacheOptions>, location: string): Promise<Located<ReadableStore>> => {
  const located: Located<ReadableStore> = await openedToRead(call, location);
  return parseLocation(location).kind === "registry" ? { ...located, store: withCache(call, located.store) } : located;
};

/** The files of the images that are named, each image opened once. */
export const openFiles = (call: Call<CacheOptions>): ((file: FileLocation) => Promise<NamedFile>) => {
  const { signal, options } = call;
  const images = new Map<string, Promise<Omit<NamedFile, "path">>>();
  const openedOnce = async (location: string): Promise<Omit<NamedFile, "path">> => {
    const image = await openImage(await openedImage(call, location), {
      platform: onePlatform(options),
      signal,
    });
    return { image, files: await imageFiles(image, { called: location, signal }) };
  };
  return async ({ image, path }) => {
    const files = images.get(image) ?? openedOnce(image);
    images.set(image, files);
    return { ...(await files), path };
  };
};
