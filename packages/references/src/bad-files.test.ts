import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDrayError } from "dray/errors";
import { findReferences, replaceReferences } from "./index.ts";

const looked = (name: string, text: string | Uint8Array): { messages: string[]; texts: string[]; codes: string[] } => {
  const { references, faults } = findReferences(name, typeof text === "string" ? Buffer.from(text) : text);
  return {
    messages: faults.map(({ message }) => message),
    codes: faults.map(({ code }) => code),
    texts: references.map((each) => each.text),
  };
};

describe("files that cannot be read", () => {
  test("a document that is no YAML is named with its line and column, and takes nothing from those beside it", () => {
    const pod = (image: string): string => `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${image}\n`;
    const { messages, texts } = looked(
      "all.yaml",
      `${pod("a:1")}---\nx: "open\n  y: [\n---\n${pod("b:1")}---\n\tz: 1\n---\n${pod("c:1")}`,
    );
    assert.deepEqual(texts, ["a:1", "b:1", "c:1"]);
    assert.equal(messages.length, 2);
    assert.match(messages[0] ?? "", /^all\.yaml:\d+:\d+: /);
    assert.match(messages[1] ?? "", /^all\.yaml:1[67]:\d+: .*[Tt]ab/);
  });

  test("JSON that ends early, and text that is no reference where one has to stand", () => {
    assert.deepEqual(looked(".devcontainer.json", '{\n  "image": "x:1",\n  "y" 1}').messages, [
      ".devcontainer.json:3:7: expected :",
    ]);
    const { messages, codes, texts } = looked("compose.yml", "services:\n  é: {image: Nginx}\n  b: {image: nginx}\n");
    assert.deepEqual([codes, texts], [["REFERENCE_INVALID"], ["nginx"]]);
    assert.match(messages[0] ?? "", /^compose\.yml:2:14: reference "Nginx"/);
    assert.match(looked("list.txt", "nginx:1\n").texts[0] ?? "", /nginx/);
    assert.deepEqual(looked("images.txt", "nginx:1 redis:2\n").messages, [
      "images.txt:1:8: a list has one reference on a line",
    ]);
  });

  test("nesting without end, bombs of aliases and merges, and large files end by a limit", () => {
    for (const text of ["[".repeat(20_000), "a: ".repeat(5_000), "- ".repeat(5_000), `{"a":`.repeat(2_000)]) {
      assert.deepEqual(looked("a.yaml", text).codes, ["LIMIT_EXCEEDED"]);
      assert.ok(looked("a.json", text).codes.length === 1);
    }
    const laughs = Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`).join("\n");
    assert.deepEqual(looked("values.yaml", `a0: &a0 {image: "nginx:1"}\n${laughs}\n`).texts, ["nginx:1"]);
    assert.deepEqual(looked("values.yaml", "a: &a {b: *a, image: nginx:1}\n").texts, ["nginx:1"]);
    const keys = Array.from({ length: 2000 }, (_, i) => `k${i}: 1`).join(", ");
    const merges = Array.from({ length: 2000 }, (_, i) => `m${i}: {<<: *k}`).join("\n");
    assert.deepEqual(looked("values.yaml", `k: &k {${keys}}\n${merges}\n`).codes, ["LIMIT_EXCEEDED"]);
    assert.deepEqual(looked("big.yaml", Buffer.alloc(65 * 1024 * 1024)).codes, ["LIMIT_EXCEEDED"]);
  });

  test("bytes of any kind are no fault of ours", () => {
    for (const name of ["Dockerfile", "compose.yml", "x.json", "x.txt", "x.container", "values.yaml", ".gitlab-ci.yml"])
      for (let seed = 1; seed < 40; seed++) {
        const bytes = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * i * seed + seed * 31) & 0xff));
        assert.ok(Array.isArray(findReferences(name, bytes).faults));
      }
  });

  test("what cannot be rewritten is refused with its place", () => {
    const refused = (name: string, text: string, to: string): string => {
      const bytes = Buffer.from(text);
      try {
        return Buffer.from(replaceReferences(findReferences(name, bytes), bytes, () => to)).toString();
      } catch (error) {
        if (isDrayError(error, "UNSUPPORTED")) return error.message;
        throw error;
      }
    };
    assert.match(refused("Dockerfile", "ARG V=1\nFROM x:$V\n", "y:1"), /^Dockerfile:2:6: "x:\$V" has variables/);
    assert.match(
      refused("kustomization.yaml", "images:\n- name: x\n  newTag: v1\n", "y:1"),
      /has no place for another name/,
    );
    assert.match(refused("values.yaml", "image: {repository: x, pullPolicy: a}\n", "x:1"), /has no place for the tag/);
    const digest = `sha256:${"0".repeat(64)}`;
    const values = "image: {registry: a.example, repository: x, tag: 1.2}\n";
    assert.equal(refused("values.yaml", values, `a.example/x:1.2@${digest}`), values.replace("1.2", `1.2@${digest}`));
    assert.equal(
      refused("values.yaml", values, "b.example/z:1.30"),
      'image: {registry: b.example, repository: z, tag: "1.30"}\n',
    );
    assert.equal(
      refused("k.yaml", "kind: Pod\napiVersion: v1\nspec: {containers: [{image: x}]}\n", "[::1]:5000/y").split("\n")[2],
      'spec: {containers: [{image: "[::1]:5000/y"}]}',
    );
  });

  test("a kind that there is not is refused, one that is given holds", () => {
    assert.throws(
      () => findReferences("x", Buffer.from(""), { kind: "make" as never }),
      /no kind of file is called "make"/,
    );
    assert.equal(findReferences("x", Buffer.from("FROM nginx:1\n"), { kind: "dockerfile" }).references.length, 1);
    const { references } = findReferences("compose.yml", Buffer.from("services: {a: {image: 'x:$T'}}"), {
      variables: { T: "2" },
    });
    assert.equal(references[0]?.reference?.tag, "2");
  });
});
