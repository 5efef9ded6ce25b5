import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "@dray/testkit/files";
import { branches } from "../commands/index.ts";
import { type Completion, complete, completionLines } from "./complete.ts";
import { completionScript, shells } from "./scripts.ts";

const run = promisify(execFile);

const tags = ["1.0", "1.1", "2.0", "latest"];
const asked: string[] = [];
const liveTags = async (repository: string): Promise<readonly string[]> => {
  asked.push(repository);
  if (repository.startsWith("gone/")) throw new Error("no such host");
  return tags;
};
const completed = async (...words: string[]): Promise<Completion> => complete(branches, words, {}, liveTags);
const wordsOf = async (...words: string[]) => (await completed(...words)).candidates.map(({ word }) => word);

test("what may stand where somebody is typing", async () => {
  const rows: readonly [typed: string[], expected: string[]][] = [
    [["c"], ["catalog", "completion", "config", "copy"]],
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
    [["auth", "login", "--no"], ["--no-check"]],
    [
      ["ls", "--sort", ""],
      ["semver", "natural", "created"],
    ],
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
    [["push", "--image-refs", ""], "files"],
    [["digest", "--tarball", ""], "files"],
    [["--authfile", ""], "files"],
    [["cp", ""], "files"],
    [["cp", "app:1"], "words"],
    [["manifest", ""], "words"],
    [["catalog", ""], "words"],
  ];
  for (const [typed, kind] of rows) assert.equal((await completed(...typed)).kind, kind, typed.join(" "));
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

const bash = await run("bash", ["--version"]).then(
  () => true,
  () => false,
);

test("bash completes with the script", { skip: bash ? false : "there is no bash here" }, async () => {
  const folder = temporaryFolder("completion");
  const script = join(folder, "script");
  await writeFile(script, completionScript("bash", { descriptions: true }));
  await run("bash", ["-n", script]);
  // A stand-in that shows what it was asked and offers two tags.
  const dray = join(folder, "dray");
  await writeFile(
    dray,
    `#!/bin/sh\nprintf '%s|' "$@" > ${folder}/asked\nprintf 'words\\nhost:5000/app:1.0\\tone\\nhost:5000/app:1.1\\n'\n`,
  );
  await chmod(dray, 0o755);
  const line = `${dray} digest host:5000/app:1`;
  // bash splits words at colons before it asks.
  const harness = `source ${script}; COMP_LINE='${line}'; COMP_POINT=${line.length}; COMP_WORDS=(${dray} digest host : 5000/app : 1); COMP_CWORD=6; __dray_complete; printf '%s\\n' "\${COMPREPLY[@]}"; cat ${folder}/asked`;
  const { stdout } = await run("bash", ["-c", harness]);
  assert.deepEqual(stdout.split("\n"), ["1.0", "1.1", "__complete|digest|host:5000/app:1|"]);
});
