import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatReference } from "dray/oci";
import { files } from "../test/files.ts";
import { type FoundReference, findReferences, replaceReferences } from "./index.ts";

/** As the table of files has it. */
const said = ({ kind, path, text, reference, variables }: FoundReference): string => {
  const resolved = variables === undefined ? "" : ` -> ${reference === undefined ? "?" : formatReference(reference)}`;
  return `${kind} ${path} ${text}${resolved}`;
};

/** Whether there is a place for another name and another tag. */
const takesAnother = ({ rewritable, parts }: FoundReference): boolean =>
  rewritable && ["reference", "tag"].some((wanted) => parts.some(({ part }) => part === wanted));

const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

/** How the same file may be written. */
const forms: readonly (readonly [name: string, write: (text: string) => Uint8Array])[] = [
  ["as it is", (text) => Buffer.from(text)],
  ["with CRLF", (text) => Buffer.from(text.replace(/\r?\n/g, "\r\n"))],
  ["with a mark", (text) => Buffer.from(`\ufeff${text}`)],
  ["in UTF-16", utf16],
  ["in UTF-16, the other order", (text) => utf16(text).swap16()],
];

describe("references in files", () => {
  for (const [name, text, expected] of files)
    for (const [form, write] of forms)
      test(`${name} ${form}`, () => {
        const { references, faults } = findReferences(name, write(text));
        const messages = faults.map(({ message }) => message).filter((message) => !/a\$b/.test(message));
        assert.deepEqual(messages, []);
        assert.deepEqual(references.map(said).sort(), [...expected].sort());
      });

  test("each reference becomes another one, and nothing else of the file changes", () => {
    const other = "other.example:5000/new/name:9.9";
    for (const [name, text] of files)
      for (const [form, write] of forms) {
        const bytes = write(text);
        const before = findReferences(name, bytes);
        for (const [index, found] of before.references.entries()) {
          if (!takesAnother(found)) continue;
          const after = replaceReferences(before, bytes, (each) => (each === found ? other : undefined));
          const again = findReferences(name, after);
          const where = `${name} ${form}: ${found.text}`;
          assert.equal(formatReference(again.references[index]?.reference ?? assert.fail(where)), other, where);
          assert.deepEqual(
            again.references.map(said).filter((_, at) => at !== index),
            before.references.map(said).filter((_, at) => at !== index),
            where,
          );
          if (found.parts[0]?.part !== "reference") continue;
          const { offset, length } = found;
          assert.deepEqual(Buffer.from(after.subarray(0, offset)), Buffer.from(bytes.subarray(0, offset)), where);
          const rest = Buffer.from(bytes.subarray(offset + length));
          assert.deepEqual(Buffer.from(after.subarray(after.byteLength - rest.byteLength)), rest, where);
        }
      }
  });
});
