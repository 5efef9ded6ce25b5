import assert from "node:assert/strict";
import { test } from "node:test";
import { findReferences } from "./index.ts";

const textsOf = (name: string, text: string): (string | undefined)[] =>
  findReferences(name, Buffer.from(text)).references.map(({ reference }) => reference?.tag);

const compose = (image: string): string => `services:\n  a:\n    image: ${image}\n  b:\n    image: redis:7\n`;

test("variables in variables of any depth are no reference, and take nothing from what is beside them", () => {
  const deep = `${"${A:-".repeat(50_000)}x:1${"}".repeat(50_000)}`;
  const { references, faults } = findReferences("compose.yml", Buffer.from(compose(deep)));
  assert.deepEqual(
    references.map(({ text }) => text),
    ["redis:7"],
  );
  assert.match(faults[0]?.message ?? "", /^compose\.yml:3:12: .*characters/);
  assert.deepEqual(textsOf("compose.yml", compose(`${"${A:-".repeat(500)}x:1${"}".repeat(500)}`)), ["1", "7"]);
  assert.deepEqual(textsOf("Dockerfile", `FROM ${deep}\nFROM redis:7\n`), ["7"]);
});

test("arguments that are made of arguments do not grow without end", () => {
  const lines = Array.from({ length: 60 }, (_, i) => `ARG A${i + 1}=$A${i}$A${i}$A${i}$A${i}`);
  assert.deepEqual(textsOf("Dockerfile", ["ARG A0=aaaa", ...lines, "FROM $A60", "FROM redis:7"].join("\n")), [
    undefined,
    "7",
  ]);
});

test("templates that are not closed, and many that are, take one look at the text", () => {
  const open = `# ${"{{".repeat(1_000_000)}\n`;
  assert.deepEqual(textsOf("compose.yml", open + compose("x:1")), ["1", "7"]);
  const expressions = `# ${"${{ ".repeat(500_000)}\n`;
  assert.deepEqual(textsOf("compose.yml", `${expressions}${compose("x:1")}# }}\n`), ["1", "7"]);
  const blocks = `# ${": {{nindent ".repeat(200_000)}\n`;
  assert.deepEqual(textsOf("compose.yml", blocks + compose("x:1")), ["1", "7"]);
});
