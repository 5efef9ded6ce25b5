import assert from "node:assert/strict";
import { test } from "node:test";
import { readEntries } from "./entries.ts";

const hash = `$2y$05$${"a".repeat(53)}`;
const text = `# users\r\nann:${hash}\r\nbob:${hash}\r\n`;

test("users are read in whatever encoding the file was written", () => {
  const wide = Buffer.from(`\ufeff${text}`, "utf16le");
  const forms = { plain: text, marked: `\ufeff${text}`, wide, "wide the other way": Buffer.from(wide).swap16() };
  for (const [name, content] of Object.entries(forms)) {
    const notices: string[] = [];
    const { hashes, cost } = readEntries(Buffer.from(content as string), "users", ({ message }) =>
      notices.push(message),
    );
    assert.deepEqual([[...hashes.keys()], cost, notices], [["ann", "bob"], 5, []], name);
  }
});
