import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Calls whose lists are as long as the source says: values of a statement's columns, words of a table. */
const written = /(?:statements\.(?:all|get|run)|#of\(sql\)\.(?:all|get|run)|\bchoice)$/;

/** Texts, patterns and comments without what is in them: brackets there close nothing. */
const bare = (source: string): string =>
  source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*(?=[\s).,;\]])/g,
    (found) => " ".repeat(found.length).replaceAll(" ", (_, at: number) => (found[at] === "\n" ? "\n" : " ")),
  );

/** Lines where a list is spread into the arguments of a call. A function that takes the rest of its arguments is none. */
const spreads = (source: string): number[] => {
  const text = bare(source);
  const lines: number[] = [];
  for (let at = text.indexOf("..."); at >= 0; at = text.indexOf("...", at + 3)) {
    let depth = 0;
    let open = at - 1;
    for (; open >= 0; open--) {
      const sign = text[open] as string;
      if (")]}".includes(sign)) depth++;
      else if ("([{".includes(sign) && depth-- === 0) break;
    }
    const callee = text.slice(Math.max(0, open - 100), Math.max(0, open)).trimEnd();
    if (text[open] !== "(" || !/[\w)\]>]$/.test(callee) || written.test(callee)) continue;
    let close = at;
    for (depth = 0; close < text.length; close++) {
      const sign = text[close] as string;
      if ("([{".includes(sign)) depth++;
      else if (")]}".includes(sign) && depth-- === 0) break;
    }
    if (/^\s*(?::[^;]*?)?(?:=>|\{)/.test(text.slice(close + 1, close + 200))) continue;
    lines.push(text.slice(0, at).split("\n").length);
  }
  return lines;
};

test("calls with a list spread into their arguments are found, and nothing else", () => {
  assert.deepEqual(spreads("waiting.push(...names);\nMath.max(0,\n  ...numbers);"), [1, 3]);
  assert.deepEqual(spreads("const f = (...all: string[]): void => {};\n[...a];\nf({ ...b });\nf([...c]);"), []);
});

// An engine puts each of them on its stack: with some ten thousand the call throws RangeError, and whatever made it ends.
test("no list is spread into arguments, however long it may become", () => {
  const files = globSync("{server,service}/src/**/*.ts", { cwd: root }).filter((file) => !file.endsWith(".test.ts"));
  assert.ok(files.length > 100);
  const found = files.flatMap((file) =>
    spreads(readFileSync(`${root}/${file}`, "utf8")).map((line) => `${file}:${line}`),
  );
  assert.deepEqual(found, []);
});
