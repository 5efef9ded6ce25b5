import { posix } from "node:path";
import type { Located, ReadableStore } from "dray/content";
import { DrayError, isDrayError, restated } from "dray/errors";
import { type Image, type ImageFiles, imageFiles } from "dray/image";
import { type FileLocation, openImage, parseFileLocation, parseLocation } from "dray/locations";
import { formatPlatform, type Platform } from "dray/oci";
import type { Call } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { openedToRead } from "../images.ts";
import { calling } from "../typed-as.ts";
import { type CacheOptions, withCache } from "./cache.ts";

/** A file that was named, and the files of its image. */
export interface NamedFile {
  readonly files: ImageFiles;
  readonly image: Image;
  readonly path: string;
  /** Does something with a file of it; where it is not there, the error says how to list what is. */
  readonly finding: <T>(work: () => Promise<T>) => Promise<T>;
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
  const images = new Map<string, Promise<OpenedFiles>>();
  const openedOnce = async (location: string): Promise<OpenedFiles> => {
    const image = await calling(location, async () =>
      openImage(await openedImage(call, location), { platform: onePlatform(options), signal }),
    );
    return { image, files: await imageFiles(image, { called: location, signal }) };
  };
  const platform = options.platform?.[0];
  const chosen = platform === undefined ? "" : ` --platform ${formatPlatform(platform as Platform)}`;
  return async (file) => {
    const { image, path } = file;
    const found = images.get(image) ?? openedOnce(image);
    images.set(image, found);
    const { files, image: view } = await found;
    const finding: NamedFile["finding"] = async (work) => {
      try {
        return await calling(image, work);
      } catch (error) {
        if (!isDrayError(error, "NOT_FOUND", "USAGE") || error.reference !== view.descriptor.digest) throw error;
        const [where, what] = error.code === "USAGE" ? [path, "it"] : [await nearest(files, path), "what is there"];
        throw restated(error, error.code, `${error.message}; dray ls${chosen} ${image}:${where} lists ${what}`);
      }
    };
    return { ...(await found), path, finding };
  };
};

type OpenedFiles = Pick<NamedFile, "files" | "image">;

/** The directory on the way to a path that is there. */
const nearest = async (files: ImageFiles, path: string): Promise<string> => {
  for (let at = posix.dirname(path); at !== "/"; at = posix.dirname(at)) {
    const entry = await files.stat(at).catch(() => undefined);
    if (entry?.type === "directory") return at;
  }
  return "/";
};
