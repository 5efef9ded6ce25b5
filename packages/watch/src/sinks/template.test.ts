import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, happened } from "../../test/events.ts";
import { readTemplate, sinkOf, templateFields } from "./index.ts";
import { cut, jsonBytes, utf8 } from "./message.ts";

test("a template says the fields of an event, and nothing in it is escaped", async () => {
  const event = happened('app:1.0<&"', 0, "tag.moved");
  const said = async (text: string): Promise<string> => (await readTemplate(text))(event);
  assert.equal(
    await said("{{image}} {{action}} {{&tag}} {{{tag}}}"),
    'registry.example/app:1.0<&" moved 1.0<&" 1.0<&"',
  );
  assert.equal(
    await said("{{#moved}}{{shortPrevious}} → {{shortDigest}}{{/moved}}{{#added}}new{{/added}}"),
    "bbbbbbbbbbbb → aaaaaaaaaaaa",
  );
  assert.equal(await said("{{^removed}}{{digest}}{{/removed}}{{! a remark }}"), digestOf("a"));
  assert.equal(
    (await readTemplate("[{{previous}}{{digest}}]"))(happened("app:1", 0, "tag.removed")),
    `[${digestOf("b")}]`,
  );
  const all = await said(
    Object.keys(templateFields)
      .map((field) => `${field}={{${field}}}`)
      .join("\n"),
  );
  for (const line of all.split("\n")) assert.match(line, /^(?:added=false|removed=false|\w+=.+)$/);
});

test("a field that no event has, a partial and a tag that is not closed are refused when they are set", async () => {
  const wrong: [string, RegExp][] = [
    ["{{imgae}}", /says imgae, which no event has; there are id, type/],
    ["{{#moved}}{{{ digset }}}{{/moved}}", /digset/],
    ["{{#nothing}}x{{/nothing}}", /nothing/],
    ["{{image.name}}", /image\.name/],
    ["{{toString}}", /toString/],
    ["{{.}}", /says \./],
    ["{{> footer}}", /takes in footer/],
    ["{{image", /cannot be read/],
    ["{{#moved}}", /cannot be read/],
  ];
  for (const [text, words] of wrong) {
    await assert.rejects(
      readTemplate(text),
      (error: Error & { code?: string }) => error.code === "CONFIG_INVALID" && words.test(error.message),
      text,
    );
    await assert.rejects(sinkOf({ type: "ntfy", name: "a", topic: "a", text }), { code: "CONFIG_INVALID" });
    await assert.rejects(sinkOf({ type: "slack", name: "a", url: "https://slack.example/", title: text }), {
      code: "CONFIG_INVALID",
    });
  }
});

test("a text is cut between two characters, by what is counted", () => {
  assert.equal(cut("abcdef", 6), "abcdef");
  assert.equal(cut("abcdefg", 6), "abcde…");
  assert.equal(cut("🚀🚀🚀", 5), "🚀🚀…");
  assert.equal(cut("ééé", 5, utf8), "é…");
  assert.equal(cut('""""', 7, jsonBytes), '""…');
});
