import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "dray/content";
import { chunksToFile, fileContent, nodeFiles } from "dray/internal/files";
import type { Call } from "../context.ts";
import { isTyped, whileTyping } from "./typed-file.ts";

/** Gives what a file of an image is to hold. */
export interface NewFile {
  /** Whether somebody changes what there is, in an editor, and needs to be given that. */
  readonly isTyped: boolean;
  /** @param path of the file in the image @param current what it holds there; asked only where that is shown */
  content(
    path: string,
    current: () => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<Content & { readonly size: number }>;
}

/**
 * Lets somebody change a file of an image: whoever types gets it in `$EDITOR`, under its own name, and a script gives all of the new one on standard
 * input. It lies on the disk meanwhile, whatever its size.
 * @throws DrayError as `whileTyping`
 */
export const withNewFile = async (call: Call, work: (file: NewFile) => Promise<void>): Promise<void> => {
  if (isTyped(call))
    return whileTyping(call, (letType) =>
      work({
        isTyped: true,
        content: async (path, current) =>
          sized(
            await letType(nameFor(path), async (file) => {
              await chunksToFile(nodeFiles, file, await current());
            }),
          ),
      }),
    );
  const folder = await mkdtemp(join(tmpdir(), "dray-edit-"));
  call.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "stdin");
  await chunksToFile(nodeFiles, file, call.stdin() as AsyncIterable<Uint8Array>);
  // A job without a terminal has nothing on standard input, and perhaps meant something else.
  if ((await stat(file)).size === 0) call.reporter.note("standard input was empty, and so is the new file");
  return work({ isTyped: false, content: () => sized(file) });
};

const sized = async (file: string): Promise<Content & { readonly size: number }> => ({
  ...fileContent(nodeFiles, file),
  size: (await stat(file)).size,
});

/** An editor knows by the name how to colour what it shows. A shell reads it, too. */
const nameFor = (path: string): string => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /^[\w.][\w.+-]{0,99}$/.test(name) ? name : "file";
};
