import assert from "node:assert/strict";
import { test } from "node:test";
import {
  document,
  type KeyTable,
  keyTable,
  namedOf,
  positive,
  readConfig,
  recordOf,
  SettingsInvalid,
  supported,
  text,
  variantOf,
} from "./index.ts";

const sink = variantOf("sink", "type", {
  chat: { url: { type: text, required: true } },
  push: { topic: { type: text, required: true }, priority: { type: positive } },
});
const table: KeyTable = keyTable(
  [
    supported("sinks", namedOf(sink), "places", { secret: true }),
    supported("quiet", recordOf("time of day", { from: { type: text, required: true } }), "hours"),
    supported("policy", document, "anything"),
  ],
  { prefixes: { "": "TEST" } },
);
const read = (said: string): unknown[] => {
  const { settings } = readConfig(table, ({ values }) => ["sinks", "quiet", "policy"].map((key) => values.maybe(key)), {
    text: said,
  });
  return settings;
};
const complaints = (said: string): string[] => {
  try {
    read(said);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsInvalid);
    return error.complaints.map(
      ({ message, origin }) => `${origin.kind === "file" ? `${origin.line}:${origin.column} ` : ""}${message}`,
    );
  }
};

test("records have their members, by what one of them says, under names of the operator's", () => {
  const [sinks, quiet, policy] = read(
    "sinks:\n  phone: { type: push, topic: a, priority: 4 }\n  team: { type: chat, url: https://a }\nquiet: { from: 22:00 }\npolicy: { semver: { range: ^1 }, list: [1, true, '2', ~] }",
  );
  assert.deepEqual(Object.fromEntries(sinks as Map<string, unknown>), {
    phone: { type: "push", topic: "a", priority: 4 },
    team: { type: "chat", url: "https://a" },
  });
  assert.deepEqual(quiet, { from: "22:00" });
  assert.deepEqual(policy, { semver: { range: "^1" }, list: [1, true, "2", null] });
});

test("whatever is wrong with a record is told at its place, all of it at once, and without a secret's value", () => {
  assert.deepEqual(
    complaints(
      "sinks:\n  a: { type: push, topik: x }\n  b: { type: fax }\n  c: {}\n  d e: { type: chat, url: x }\n  f: { type: push, topic: t, priority: none }",
    ),
    [
      "2:3 has a sink without topic",
      "2:20 has no key topik in a sink; did you mean topic?",
      "3:8 has no sink of that type; there are chat, push",
      "4:3 has a sink without type; it is one of chat, push",
      "5:3 has a name that is none; take letters, digits, - _ and .",
      "6:30 priority is not a whole number from 1 on",
    ],
  );
  assert.deepEqual(complaints("sinks: 7"), ["1:1 a scalar stands where a map belongs; write its keys"]);
  assert.deepEqual(complaints("quiet: { from: 1, to: 2 }"), ["1:19 has no key to in a time of day; choose among from"]);
});
