import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect, editJson, type JsonObject } from "dray/content";
import { DrayError, errorIn, throwIfAborted } from "dray/errors";
import { largestManifest } from "dray/oci";
import type { Call } from "../context.ts";

/** Gives a document to whoever is to change it, and what it became. @param what names it in messages, such as `manifest` */
export type LetEdit = (document: Uint8Array, what: string) => Promise<JsonObject>;

/**
 * Lets somebody change a document: whoever types gets it in `$EDITOR`, with white space, and a script gives the new one on standard input. Where
 * anything fails after something was typed, that is kept, and it is said where.
 * @throws DrayError `USAGE` for an editor that fails; `MANIFEST_INVALID` for what is no JSON object; what `work` throws
 */
export const withEditor = async (call: Call, work: (letEdit: LetEdit) => Promise<void>): Promise<void> => {
  const stdin = call.stdin();
  if ((stdin as { readonly isTTY?: boolean }).isTTY !== true) {
    await work(async (_, what) => {
      const where = `${what} on standard input`;
      return asDocument(await collect(stdin as AsyncIterable<Uint8Array>, largestManifest, `the ${where}`), where);
    });
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "dray-edit-"));
  let given: { readonly file: string; readonly text: string } | undefined;
  try {
    await work(async (document, what) => {
      const file = join(folder, `${what}.json`);
      const text = `${JSON.stringify(asDocument(document, what), undefined, 2)}\n`;
      await writeFile(file, text, { mode: 0o600 });
      given = { file, text };
      await editorOn(call, file);
      throwIfAborted(call.signal);
      return asDocument(await readFile(file), what);
    });
  } catch (error) {
    // Nothing was, where the editor did not even start.
    if (given !== undefined && (await readFile(given.file, "utf8").catch(() => "")) !== given.text)
      throw errorIn(`what was typed is kept in ${given.file}`, error);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
};

/** The document with its numbers as they are written, long ones too. */
const asDocument = (bytes: Uint8Array, what: string): JsonObject => {
  let document: JsonObject = {};
  editJson(bytes, what, (found) => {
    document = found;
    return found;
  });
  return document;
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
