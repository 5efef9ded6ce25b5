import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../../test/rehearse.ts";
import { branches } from "../commands/index.ts";
import { type Completion, complete, completionLines, type Live } from "./complete.ts";
import { completionScript, shells } from "./scripts.ts";

const tags = ["1.0", "1.1", "2.0", "latest"];
const asked: string[] = [];
const live: Live = {
  tags: async (repository) => {
    asked.push(repository);
    if (repository.startsWith("gone/")) throw new Error("no such host");
    return tags;
  },
  repositories: async (registry, start) => {
    asked.push(`${registry} ${start}`);
    if (registry.startsWith("gone.")) throw new Error("no such host");
    return ["team/app", "team/tool", "other"];
  },
};
const completed = async (...words: string[]): Promise<Completion> => complete(branches, words, {}, live);
const wordsOf = async (...words: string[]) => (await completed(...words)).candidates.map(({ word }) => word);

test("what may stand where somebody is typing", async () => {
  const rows: readonly [typed: string[], expected: string[]][] = [
    [["c"], ["cache", "cat", "catalog", "completion", "config", "copy"]],
    [["dig"], ["digest"]],
    [["--insecure", "dig"], ["digest"]],
    [["--ca-file", "x", "dig"], ["digest"]],
    [
      ["auth", "log"],
      ["login", "logout"],
    ],
    [["auth", "--quiet", "e"], ["explain"]],
    [["nope", "x"], []],
    [["--ca"], ["--ca-file"]],
    [["ls", "--full"], ["--full-ref"]],
    [
      ["cp", "--src-c"],
      ["--src-ca-file", "--src-cert"],
    ],
    [
      ["auth", "login", "--no"],
      ["--no-check", "--no-mirrors"],
    ],
    [
      ["ls", "--sort", ""],
      ["semver", "natural", "created"],
    ],
    [["latest", "--digest", "a"], ["always"]],
    [
      ["latest", "--require", ""],
      ["signature", "sbom"],
    ],
    [["latest", "--calver-"], ["--calver-format"]],
    [["ls", "--sort", "n"], ["natural"]],
    [["ls", "--sort=n"], ["--sort=natural"]],
    [
      ["ls", "-o", ""],
      ["text", "json"],
    ],
    [["--progress", "p"], ["plain"]],
    [
      ["manifest", "--platform", "linux/a"],
      ["linux/amd64", "linux/arm64", "linux/arm/v7"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish", "powershell"],
    ],
    [
      ["completion", '""'],
      ["bash", "zsh", "fish", "powershell"],
    ],
    [["completion", "bash", ""], []],
    [
      ["digest", "localhost:5000/app:1"],
      ["localhost:5000/app:1.0", "localhost:5000/app:1.1"],
    ],
    [["digest", "--insecure", "app:l"], ["app:latest"]],
    [["digest", "--full-ref", "app:"], tags.map((tag) => `app:${tag}`)],
    [["digest", "localhost:5000"], []],
    [["digest", "gone/app:"], []],
    [["digest", "app:1", "app:"], []],
    [["cp", "app:2", "other:2"], ["other:2.0"]],
    [["tag", "app:2", "l"], []],
    [
      ["pull", "a:1", "b:1"],
      ["b:1.0", "b:1.1"],
    ],
    [
      ["digest", "localhost:5000/te"],
      ["localhost:5000/team/app", "localhost:5000/team/tool"],
    ],
    [["ls", "r.example/team/a"], ["r.example/team/app"]],
    [["blob", "r.example/o"], ["r.example/other"]],
    [
      ["pull", "r.example/"],
      ["r.example/team/app", "r.example/team/tool", "r.example/other"],
    ],
    [["digest", "gone.example/"], []],
    [["digest", "team/a"], []],
    [["digest", "../team/a"], []],
    [
      ["digest", "oci"],
      ["oci:", "oci-archive:"],
    ],
    [["cp", "app:1", "docker"], ["docker-archive:"]],
    [["digest", "oci:mirror.d:l"], ["oci:mirror.d:latest"]],
    [
      ["manifest", "--platform", "a/b/c/d", "app:1"],
      ["app:1.0", "app:1.1"],
    ],
  ];
  for (const [typed, expected] of rows) assert.deepEqual(await wordsOf(...typed), expected, typed.join(" "));
  assert.ok(!asked.includes("localhost"), "a port is no tag");
});

test("names of files are for the shell", async () => {
  const rows: readonly [typed: string[], kind: string][] = [
    [["push", ""], "files"],
    [["push", "./im"], "files"],
    [["push", "--image-refs", ""], "files"],
    [["digest", "--tarball", ""], "files"],
    [["digest", "--tarball="], "files"],
    [["--authfile", ""], "files"],
    [["cp", "--src-ca-file", ""], "files"],
    [["pull", "app:1", "out"], "files"],
    [["serve", ""], "files"],
    [["serve", "./con"], "files"],
    [["serve", "--data", ""], "files"],
    [["serve", "check-config", "con"], "files"],
    [["cp", "app:1"], "words"],
    [["cp", ""], "words-open"],
    [["pull", "out"], "words-open"],
    [["manifest", ""], "words-open"],
    [["catalog", ""], "words"],
    [["digest", "localhost:5000/"], "words-open"],
    [["ls", "localhost:5000/"], "words"],
  ];
  for (const [typed, kind] of rows) assert.equal((await completed(...typed)).kind, kind, typed.join(" "));
});

test("after oci: and its like come the names in a folder", async (t) => {
  const folder = temporaryFolder("paths");
  for (const name of ["mirror", "more/deep", ".git"]) await mkdir(join(folder, name), { recursive: true });
  for (const name of ["my.tar", "more/deep/a.tar"]) await writeFile(join(folder, name), "");
  const from = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(from));
  const rows: readonly [typed: string[], expected: string[]][] = [
    [
      ["cp", "oci:"],
      ["oci:mirror/", "oci:more/"],
    ],
    [
      ["digest", "oci-archive:m"],
      ["oci-archive:mirror/", "oci-archive:more/", "oci-archive:my.tar"],
    ],
    [["cp", "app:1", "docker-archive:more/deep/"], ["docker-archive:more/deep/a.tar"]],
    [["push", "docker-archive:my"], ["docker-archive:my.tar"]],
    [["ls", "oci:./mi"], ["oci:./mirror/"]],
    [["validate", "oci:.g"], ["oci:.git/"]],
    [["tree", `oci:${folder}/mir`], [`oci:${folder}/mirror/`]],
    [["tree", "oci:nowhere/"], []],
  ];
  for (const [typed, expected] of rows) assert.deepEqual(await wordsOf(...typed), expected, typed.join(" "));
});

test("a line is a word, a tab and what it means, whatever a registry put into it", () => {
  const candidates = [{ word: "a", meaning: "first\nline" }, { word: "\u001b[31mb" }];
  assert.deepEqual(completionLines({ kind: "words", candidates }), ["words", "a\tfirst\\nline", "\\u001b[31mb"]);
});

test("flags and commands say what they mean", async () => {
  for (const typed of [[""], ["--"], ["auth", ""], ["ls", "--"], ["cp", "--"]]) {
    const { candidates } = await completed(...typed);
    assert.ok(candidates.length > 3);
    for (const { word, meaning } of candidates) assert.ok(meaning, `${typed.join(" ")} ${word}`);
  }
});

test("the scripts know their shell", () => {
  for (const shell of shells) {
    const script = completionScript(shell, { descriptions: true });
    assert.match(script, /__complete/);
    assert.doesNotMatch(script, /@[A-Z]+@|undefined/);
    assert.notEqual(script, completionScript(shell, { descriptions: false }) + (shell === "bash" ? "x" : ""));
  }
});

test("completion prints the script of a shell, with --no-descriptions one that shows words alone", async () => {
  const home = temporaryFolder("completion");
  for (const shell of shells)
    for (const flags of [[], ["--no-descriptions"]]) {
      const { stdout } = await rehearse(home, ["completion", shell, ...flags]);
      assert.equal(stdout, completionScript(shell, { descriptions: flags.length === 0 }));
    }
  // bash shows none in either case.
  const differing = shells.filter(
    (shell) => completionScript(shell, { descriptions: true }) !== completionScript(shell, { descriptions: false }),
  );
  assert.deepEqual(differing, ["zsh", "fish", "powershell"]);
});
