import { DrayError } from "dray/errors";
import { parseReference } from "dray/oci";
import type { FileReferences, FoundReference, WrittenPart } from "./found.ts";

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/**
 * The bytes of a file with other references in the places of those that were found; everything else stays, byte by byte.
 * @param file what `findReferences` found in these very bytes
 * @param to what is to stand there, in the words that are to be written; `undefined` leaves a reference as it is
 * @throws DrayError UNSUPPORTED for a reference that cannot be rewritten, or a map that has no place for a part of the new one
 * @throws DrayError REFERENCE_INVALID for a text that is no reference
 * @example
 * const pinned = replaceReferences(file, bytes, ({ text }) => (text === "nginx" ? "nginx:1.27" : undefined));
 */
export const replaceReferences = (
  file: FileReferences,
  bytes: Uint8Array,
  to: (found: FoundReference) => string | undefined,
): Uint8Array => {
  const edits = file.references.flatMap((found) => {
    const text = to(found);
    return text === undefined || text === found.text ? [] : editsOf(file.name, found, text);
  });
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isWideSwapped = bytes[0] === 0xfe && bytes[1] === 0xff;
  const encoded = (text: string): Uint8Array =>
    isWide ? Buffer.from(text, "utf16le") : isWideSwapped ? Buffer.from(text, "utf16le").swap16() : Buffer.from(text);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { offset, length, text } of edits.sort((one, other) => one.offset - other.offset)) {
    pieces.push(bytes.subarray(at, offset), encoded(text));
    at = offset + length;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
};

const editsOf = (name: string, found: FoundReference, text: string): Edit[] => {
  const reference = parseReference(text, { defaultTag: "" });
  const refuse = (why: string): never => {
    throw new DrayError("UNSUPPORTED", `${name}:${found.line}:${found.column}: ${why}`);
  };
  if (found.variables !== undefined) refuse(`"${found.text}" has variables, so it cannot be rewritten in place`);
  const [only] = found.parts;
  if (only?.part === "reference") return [edit(only, text)];
  const part = (wanted: WrittenPart["part"]): WrittenPart | undefined =>
    found.parts.find((each) => each.part === wanted);
  const [registry, repository, tag, digest] = [part("registry"), part("repository"), part("tag"), part("digest")];
  const before = found.reference;
  const isMoved = reference.registry !== before?.registry || reference.repository !== before.repository;
  const edits: Edit[] = [];
  if (isMoved) {
    if (repository === undefined) refuse(`${found.path} has no place for another name: give it one`);
    else edits.push(edit(repository, registry === undefined ? nameOf(text) : reference.repository));
    if (registry !== undefined) edits.push(edit(registry, reference.registry));
  }
  if (digest !== undefined) {
    const isHex = digest.length === 64;
    edits.push(edit(digest, (reference.digest ?? "").replace(isHex ? /^sha256:/ : /^$/, "")));
  }
  // A chart puts name and tag together, so a digest may stand behind the tag.
  const behind = digest === undefined && reference.digest !== undefined ? `@${reference.digest}` : "";
  if (tag !== undefined) edits.push(edit(tag, `${reference.tag ?? before?.tag ?? ""}${behind}`));
  else if (behind !== "" || (reference.tag !== undefined && reference.tag !== before?.tag))
    refuse(`${found.path} has no place for the tag of ${text}: give it one`);
  return edits;
};

/** Name and registry in the form in which they were said. */
const nameOf = (text: string): string => text.replace(/@.*$/, "").replace(/:[^:/]*$/, "");

/** Text that YAML would take for a number, a truth or a list needs quotes. */
const needsQuotes = /^(?:~|null|true|false|yes|no|on|off|y|n|[-+.]?\d[\d_.,:eE+-]*|0[xo][\da-f_]+|\d+(?:e\d+)?|\[.*)$/i;

const edit = ({ offset, length, style }: WrittenPart, text: string): Edit => ({
  offset,
  length,
  text: style === "plain" && (text === "" || needsQuotes.test(text)) ? `"${text}"` : text,
});
