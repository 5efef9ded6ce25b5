import { posix } from "node:path";
import { bytesContent } from "dray/content";
import { DrayError } from "dray/errors";
import {
  appended,
  type Edited,
  edit,
  fileRemoved,
  fileWritten,
  type Image,
  type ImageFiles,
  imageFiles,
  type WriteFileOptions,
} from "dray/image";
import { LazyMap } from "dray/internal/async";
import { digester, formatPlatform } from "dray/oci";
import type { Call } from "../context.ts";
import type { Changing, ChangingOptions } from "./change-image.ts";
import { layered } from "./file-layer.ts";
import type { NewFile } from "./new-file.ts";

/** One file of an image that is changed, or of each image of an index, by a layer on top. */
export interface FileEdit extends WriteFileOptions {
  /** From the root of the image. */
  readonly path: string;
  /** What the image is called in messages. */
  readonly called: string;
}

/**
 * Gives a file what it is to hold. In an editor stands what it holds now, which of several images has to be the same in each: what was typed would
 * hide the rest.
 * @throws DrayError `USAGE` where it is not; what `fileWritten` throws
 */
export const fileEdited = async (
  call: Call<ChangingOptions>,
  changing: Changing,
  file: NewFile,
  wanted: FileEdit,
): Promise<Edited> => {
  const { path } = wanted;
  const filesOf = filesOnce(call, wanted);
  const there = file.isTyped ? await filesThere(call, changing, filesOf, wanted) : undefined;
  const content = await file.content(path, async () => (await there?.openIfThere(path)) ?? nothing);
  // Whoever leaves an editor without a word meant no empty file.
  const isUntouched = file.isTyped && there === undefined && content.size === 0;
  return layered(call, changing, `dray edit fs ${path}`, async (image) => {
    if (isUntouched) return [];
    const files = await filesOf(image);
    const entries = await fileWritten(files, path, content, wanted);
    if (entries.length > 0) await warnOfNames(call, files, path);
    return entries;
  });
};

/** Takes a path away. @throws DrayError `NOT_FOUND` where no image has it; what `fileRemoved` throws */
export const fileDeleted = async (
  call: Call<ChangingOptions>,
  changing: Changing,
  wanted: FileEdit,
): Promise<Edited> => {
  const { path, called } = wanted;
  const filesOf = filesOnce(call, wanted);
  const without: string[] = [];
  let seen = 0;
  await eachImage(call, changing, async (image) => {
    seen++;
    if (!(await has(await filesOf(image), path))) without.push(await platformOf(image));
  });
  if (seen === without.length)
    throw new DrayError(
      "NOT_FOUND",
      `${called} has no file ${path}; dray ls ${called}:${posix.dirname(path)} lists what may be there`,
      { reference: called },
    );
  if (without.length > 0) call.reporter.note(`there is no ${path} for ${without.sort().join(", ")}`);
  return layered(call, changing, `dray edit fs --delete ${path}`, async (image) => {
    const files = await filesOf(image);
    return (await has(files, path)) ? fileRemoved(files, path) : [];
  });
};

const has = async (files: ImageFiles, path: string): Promise<boolean> =>
  (await files.find(path, { follow: false })) !== undefined;

type FilesOf = (image: Image) => Promise<ImageFiles>;

/** The files of each image, whose layers are read once. */
const filesOnce = ({ signal }: Call, { called }: FileEdit): FilesOf => {
  const files = new LazyMap<string, ImageFiles>();
  return (image) => files.get(image.descriptor.digest, () => imageFiles(image, { called, signal }));
};

/** Looks at each image that would be changed. */
const eachImage = async (
  { options, signal }: Call<ChangingOptions>,
  { view }: Changing,
  look: (image: Image) => Promise<void>,
): Promise<void> => {
  const change = appended(async (image) => {
    await look(image);
    return [];
  });
  await edit(view, change, { platforms: options.platform, signal });
};

/** The files among which is the one that is shown; `undefined` where none of the images has it. */
const filesThere = async (
  call: Call<ChangingOptions>,
  changing: Changing,
  filesOf: FilesOf,
  { path, called }: FileEdit,
): Promise<ImageFiles | undefined> => {
  const platforms: string[] = [];
  const digests = new Set<string>();
  let there: ImageFiles | undefined;
  await eachImage(call, changing, async (image) => {
    const files = await filesOf(image);
    // What cannot be written is said before somebody has typed it.
    await fileWritten(files, path, new Uint8Array(0));
    const bytes = await files.openIfThere(path);
    platforms.push(await platformOf(image));
    if (bytes !== undefined) there = files;
    digests.add(bytes === undefined ? "" : changing.view.kind === "image" ? "one" : await digestOf(bytes));
  });
  if (digests.size > 1)
    throw new DrayError(
      "USAGE",
      `${path} is not the same in all images of ${called}; name one with --platform (${platforms.sort().join(", ")}), or give what it is to be in each on standard input`,
      { reference: called },
    );
  return there;
};

const digestOf = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = digester("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest();
};

const nothing: AsyncIterable<Uint8Array> = bytesContent(new Uint8Array(0)).open();

const platformOf = async (image: Image): Promise<string> => {
  const platform = await image.platform();
  return platform === undefined ? image.descriptor.digest : formatPlatform(platform);
};

/** That a file has other names is seen where this one is a link to them; a container that writes there parts them as well. */
const warnOfNames = async ({ reporter }: Call, files: ImageFiles, path: string): Promise<void> => {
  const entry = await files.find(path);
  if (entry?.type === "hardlink")
    reporter.warn(`${entry.path} was another name of ${entry.linkName}, which keeps what it holds`);
};
