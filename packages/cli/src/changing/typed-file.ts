import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrayError, errorIn, throwIfAborted } from "dray/errors";
import { fileContent, nodeFiles } from "dray/internal/files";
import { digester } from "dray/oci";
import type { Call } from "../context.ts";
import type { Screen } from "../screen.ts";

/**
 * Whether somebody is there who types, as crane decides: where only what is printed goes elsewhere, the new content still comes from standard
 * input, and whoever sits there is told so.
 */
export const isTyped = ({ stdin, stdout, reporter }: Call): boolean => {
  if ((stdin() as Screen).isTTY !== true) return false;
  if (stdout.isTTY === true) return true;
  reporter.note(
    "the output is no terminal, so no editor is opened: type all of the new content, and end it with Ctrl-D",
  );
  return false;
};

/** Puts a file before whoever types, and gives its path when the editor has ended. @param fill writes what it begins with */
export type LetType = (name: string, fill: (file: string) => Promise<void>) => Promise<string>;

/**
 * Lets somebody change a file in `$EDITOR`, and do something with it. Where anything fails after something was typed, that is kept, and it is
 * said where.
 * @throws DrayError `USAGE` for an editor that fails; what `work` throws
 */
export const whileTyping = async (call: Call, work: (letType: LetType) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "dray-edit-"));
  let given: { readonly file: string; readonly digest: string } | undefined;
  try {
    await work(async (name, fill) => {
      const file = join(folder, name);
      await fill(file);
      given = { file, digest: await digestOfFile(file) };
      await editorOn(call, file);
      throwIfAborted(call.signal);
      return file;
    });
  } catch (error) {
    // Nothing was, where the editor did not even start.
    if (given !== undefined && (await digestOfFile(given.file).catch(() => given?.digest)) !== given.digest)
      throw errorIn(`what was typed is kept in ${given.file}`, error);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
};

const digestOfFile = async (file: string): Promise<string> => {
  const hash = digester("sha256");
  for await (const chunk of fileContent(nodeFiles, file).open()) hash.update(chunk);
  return hash.digest();
};

/** As git and crane find it; it may have words of its own. It has the terminal until it ends. */
const editorOn = async ({ env }: Call, file: string): Promise<void> => {
  const editor = env["VISUAL"] || env["EDITOR"] || "vi";
  const line = process.platform === "win32" ? `${editor} "${file}"` : `${editor} '${file.replaceAll("'", `'\\''`)}'`;
  const child = spawn(line, { stdio: "inherit", shell: true });
  const [code, killedBy] = (await once(child, "exit")) as [number | null, string | null];
  if (code !== 0)
    throw new DrayError(
      "USAGE",
      `the editor ${editor} ended with ${killedBy ?? code}, so nothing was changed; $EDITOR names another one`,
    );
};
