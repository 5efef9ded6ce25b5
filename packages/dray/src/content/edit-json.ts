import { DrayError } from "../errors.ts";
import { encodeJson, isObject, parseJson } from "../oci/index.ts";

/** A document's members, in their order, those that nobody here knows among them. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a document becomes. The one it gets is not to be written to. */
export type JsonChange = (document: JsonObject) => JsonObject;

/**
 * The bytes of a JSON document with something changed. Members that were left alone stay, in their order; where nothing was changed
 * the bytes stay as they are, white space and all, and with them their digest. New bytes have no white space, so that the same change
 * gives the same digest.
 * @param what names the document in an error, such as `index`
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 * @example
 * const bytes = editJson(manifest, "manifest", (document) => ({ ...document, annotations: { team: "a" } }));
 */
export const editJson = (bytes: Uint8Array, what: string, change: JsonChange): Uint8Array => {
  const document = parseJson(bytes, what);
  if (!isObject(document)) throw new DrayError("MANIFEST_INVALID", `the ${what} is no JSON object`);
  const before = JSON.stringify(document);
  const changed = change(document);
  return changed === document || JSON.stringify(changed) === before ? bytes : encodeJson(changed);
};
