import { DrayError } from "../errors.ts";
import { encodeJson, isObject, parseJson } from "../oci/index.ts";

/** A document's members, in their order, those that nobody here knows among them. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a document becomes. The one it gets is not to be written to. */
export type JsonChange = (document: JsonObject) => JsonObject;

/**
 * The bytes of a JSON document with something changed. Members that were left alone stay, in their order, numbers of more digits than
 * JavaScript keeps among them; where nothing was changed the bytes stay as they are, white space and all, and with them their digest. New bytes have no white space, so that the same change
 * gives the same digest.
 * @param what names the document in an error, such as `index`
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 * @example
 * const bytes = editJson(manifest, "manifest", (document) => ({ ...document, annotations: { team: "a" } }));
 */
export const editJson = (bytes: Uint8Array, what: string, change: JsonChange): Uint8Array => {
  const document = asWritten(parseJson(bytes, what), bytes);
  if (!isObject(document)) throw new DrayError("MANIFEST_INVALID", `the ${what} is no JSON object`);
  const before = JSON.stringify(document);
  const changed = change(document);
  return changed === document || JSON.stringify(changed) === before ? bytes : encodeJson(changed);
};

/** The document with each number that parsing would round as it is written. Others read numbers of 64 bits, and refuse what rounding makes of the largest. */
const asWritten = (document: unknown, bytes: Uint8Array): unknown => {
  const text = new TextDecoder().decode(bytes);
  return longNumber.test(text) ? exactJson.parse(text, kept) : document;
};

/** What may be such a number; shorter ones are kept by parsing, too. */
const longNumber = /[:,[]\s*-?[0-9][0-9.eE+-]{14}/;

const kept = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value !== "number" || Number.isSafeInteger(value) || source === undefined || String(value) === source
    ? value
    : exactJson.rawJSON(source);

/** What the runtimes have of JSON that TypeScript has no types for yet. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: typeof kept): unknown;
  rawJSON(source: string): unknown;
};
