/** Real shells with the real scripts: keys are typed, and what the command then hears is looked at. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { branches } from "../commands/index.ts";
import { Output } from "../output.ts";
import { reporterFor } from "../progress/index.ts";
import { answer } from "./answer.ts";
import { completionScript, type Shell } from "./scripts.ts";

const lacks = (program: string, ...args: string[]): string | false =>
  spawnSync(program, args).status === 0 ? false : `there is no ${program} here`;
const noTerminal = lacks("script", "-qec", "true", "/dev/null");

describe("a shell completes", () => {
  const folder = temporaryFolder("shells");
  const from = process.cwd();
  let server: Listener;

  before(async () => {
    process.chdir(folder);
    for (const name of ["mirror", "more", "bin"]) await mkdir(name);
    for (const name of ["image.tar", "conf.yml"]) await writeFile(name, "");
    const registry = memoryRegistry();
    for (const tag of ["1.0", "2.0"]) put(registry, "team/app", tag, sampleImage({ seed: tag }));
    put(registry, "tools", "1", sampleImage({ seed: "tools" }));
    server = await listen(registry.handler);
  });
  after(async () => {
    process.chdir(from);
    await server.close();
  });

  /** What the command answers, without a limit on its time. */
  const answered = async (words: readonly string[]): Promise<string> => {
    const stdout = new PassThrough();
    const [env, signal, stderr] = [{ HOME: folder }, new AbortController().signal, new PassThrough()];
    const out = new Output(stdout, signal);
    const reporter = reporterFor("none", true, { stderr, env });
    const parts = { env, signal, out, stdout, stderr, reporter, named: String, stdin: () => Readable.from([]) };
    await answer(branches, words, parts, 60_000);
    await out.close();
    return text(stdout.end());
  };

  /** Lines as they are typed, a tab for the key, the words that the command hears then, and the line at a second press. */
  const rows = (): readonly (readonly [line: string, heard: readonly string[], second?: readonly string[]])[] => [
    ["push im\t", ["push", "image.tar"]],
    ["serve con\t", ["serve", "conf.yml"]],
    ["serve check-config con\t", ["serve", "check-config", "conf.yml"]],
    ["push --image-refs ./con\t", ["push", "--image-refs", "./conf.yml"]],
    ["digest --tarball=im\t", ["digest", "--tarball=image.tar"]],
    ["cp oci:mi\t", ["cp", "oci:mirror/"]],
    ["cp docker-archive:im\t", ["cp", "docker-archive:image.tar"]],
    ["digest oci-a\tim\t", ["digest", "oci-archive:image.tar"], ["digest oci-archive:im"]],
    [`digest ${server.host}/te\t:1\t`, ["digest", `${server.host}/team/app:1.0`], [`digest ${server.host}/team/app:1`]],
    [`ls ${server.host}/to\t`, ["ls", `${server.host}/tools`]],
    ["dig\t", ["digest"]],
    ["ls --full\t", ["ls", "--full-ref"]],
  ];

  /** A command that answers as ours does, and writes down what else it hears. */
  const standIn = async (): Promise<void> => {
    const asked = new Set(rows().flatMap(([line, , more = []]) => [line.split("\t")[0] ?? "", ...more]));
    const cases: string[] = [];
    for (const line of asked) {
      const file = join(folder, `answer-${cases.length}`);
      await writeFile(file, await answered(line.split(" ")));
      cases.push(`'__complete ${line}') cat ${file} ;;`);
    }
    const program = `#!/bin/sh
case "$*" in
${cases.join("\n")}
*) for word; do printf '%s\\n' "$word"; done >> ${folder}/heard; echo >> ${folder}/heard ;;
esac
`;
    await writeFile("bin/dray", program, { mode: 0o755 });
  };

  const shells: readonly (readonly [shell: Shell, start: string, file: string, setUp: string])[] = [
    ["bash", `bash --noprofile --rcfile ${folder}/rc -i`, "rc", ""],
    ["zsh", "zsh -i", ".zshrc", "autoload -U compinit; compinit -u -D"],
  ];
  for (const [shell, start, file, setUp] of shells)
    test(`${shell}, at a terminal`, { skip: noTerminal || lacks(shell, "-c", "true") }, async () => {
      await standIn();
      await writeFile("script", completionScript(shell, { descriptions: true }));
      await writeFile(file, `${setUp}\nsource ${folder}/script\nPS1='> '\n`);
      await rm("heard", { force: true });
      const env = { HOME: folder, ZDOTDIR: folder, TERM: "xterm", PATH: `${folder}/bin:${process.env["PATH"]}` };
      const child = spawn("script", ["-qec", start, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
      const shown = text(child.stdout);
      child.stdin.end(
        `${rows()
          .map(([line]) => `dray ${line}\n`)
          .join("")}exit\n`,
      );
      await once(child, "close");
      const heard = await readFile("heard", "utf8").catch(() => "");
      assert.deepEqual(
        heard
          .split("\n\n")
          .slice(0, -1)
          .map((each) => each.split("\n")),
        rows().map(([, each]) => each),
        await shown,
      );
    });

  test("fish", { skip: lacks("fish", "-c", "true") }, async () => {
    await standIn();
    await writeFile("script", completionScript("fish", { descriptions: false }));
    const env = { HOME: folder, TERM: "xterm", PATH: `${folder}/bin:${process.env["PATH"]}` };
    for (const [line, heard] of rows()) {
      const typed = line.split("\t")[0];
      const child = spawn("fish", ["--no-config", "-c", `source script; complete -C 'dray ${typed}'`], { env });
      const offered = (await text(child.stdout)).split("\n").map((each) => each.split("\t")[0] ?? "");
      assert.ok(
        offered.some((each) => each !== "" && heard.join(" ").includes(each)),
        `${line}: ${offered.join(" ")}`,
      );
    }
  });
});
