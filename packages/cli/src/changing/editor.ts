import { readFile, writeFile } from "node:fs/promises";
import { collect, editJson, type JsonObject } from "dray/content";
import { largestManifest } from "dray/oci";
import type { Call } from "../context.ts";
import { isTyped, whileTyping } from "./typed-file.ts";

/** Gives a document to whoever is to change it, and what it became. @param what names it in messages, such as `manifest` */
export type LetEdit = (document: Uint8Array, what: string) => Promise<JsonObject>;

/**
 * Lets somebody change a document: whoever types gets it in `$EDITOR`, with white space, and a script gives the new one on standard input. Where
 * anything fails after something was typed, that is kept, and it is said where.
 * @throws DrayError `USAGE` for an editor that fails; `MANIFEST_INVALID` for what is no JSON object; what `work` throws
 */
export const withEditor = async (call: Call, work: (letEdit: LetEdit) => Promise<void>): Promise<void> => {
  if (isTyped(call))
    return whileTyping(call, (letType) =>
      work(async (document, what) => {
        const text = `${JSON.stringify(asDocument(document, what), undefined, 2)}\n`;
        const file = await letType(`${what}.json`, (path) => writeFile(path, text, { mode: 0o600 }));
        return asDocument(await readFile(file), what);
      }),
    );
  return work(async (_, what) => {
    const where = `${what} on standard input`;
    const chunks = call.stdin() as AsyncIterable<Uint8Array>;
    return asDocument(await collect(chunks, largestManifest, `the ${where}`), where);
  });
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
