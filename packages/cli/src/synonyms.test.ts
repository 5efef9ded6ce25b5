/** What people type: words of other tools lead to ours, and help tells everything that it should. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { allCommands } from "../test/all-commands.ts";
import { rehearse } from "../test/rehearse.ts";
import { branches } from "./commands/index.ts";
import { endFlags, sharedFlags } from "./flags.ts";
import { programOf } from "./program.ts";
import { commandElsewhere, hints, notYet } from "./synonyms.ts";

const home = temporaryFolder("typed");
const typed = (line: string) => rehearse(home, line === "" ? [] : line.split(" "));

describe("words of other tools", () => {
  test("lead to the right one, and do nothing", async () => {
    const rows: readonly [line: string, says: RegExp][] = [
      ["login ghcr.io", /'login'; here it is dray auth login REGISTRY; see dray --help/],
      ["login -u me ghcr.io", /here it is dray auth login REGISTRY/],
      ["logout", /dray auth logout REGISTRY/],
      ["tags r.test/a", /'tags'; here it is dray ls REPOSITORY/],
      ["list r.test/a", /dray ls REPOSITORY/],
      ["list-tags docker://r.test/a", /dray ls REPOSITORY/],
      ["images", /dray ls REPOSITORY for tags, dray catalog REGISTRY/],
      ["rm r.test/a:1", /dray delete IMAGE/],
      ["rmi r.test/a:1", /dray delete IMAGE/],
      ["save -o x.tar r.test/a:1", /dray pull IMAGE FILE/],
      ["load -i x.tar", /dray push FILE IMAGE/],
      ["sync a b", /dray copy -a SOURCE DESTINATION/],
      ["discover r.test/a:1", /dray tree IMAGE/],
      ["auth list", /dray auth explain REGISTRY; see dray auth --help/],
      ["manifest fetch r.test/a:1", /dray manifest IMAGE/],
      ["tag ls r.test/a", /dray ls REPOSITORY/],
      ["garbage-collect config.yml", /dray serve gc/],
      ["cache rm", /here it is dray cache prune --all; see dray cache --help/],
      ["cache list", /here it is dray cache ls/],
      ["annotate r.test/a", /dray mutate --annotation KEY=VALUE IMAGE/],
      ["ls --tls-verify=false r.test/a", /here it is --skip-tls-verify .*--plain-http .*--insecure/],
      ["--tls-verify=false ls r.test/a", /--insecure/],
      ["cp --src-tls-verify=false a b", /here it is --src-insecure/],
      ["cp --from-plain-http a b", /here it is --src-plain-http/],
      ["cp -R a b", /'-R'; here it is --referrers/],
      ["untagged r.test/a", /dray gc REPOSITORY/],
      ["cp --all a b", /copied whole.*--all-tags/],
      ["cp --multi-arch all a b", /copied whole/],
      ["cp --src-creds=me:secret a b", /'--src-creds'; here it is --src-username NAME with --src-password-stdin/],
      ["cp --dest-creds me:secret a b", /--dest-username/],
      ["ls --creds me:secret r.test/a", /here it is --username NAME with --password-stdin/],
      ["config --override-os linux r.test/a", /here it is --platform OS\/ARCH/],
      ["cp --retry-times 3 a b", /here it is --retry COUNT/],
      ["tree --format json a", /here it is --output json/],
      ["digest -V", /here it is dray version/],
      ["digest -r a", /unknown option '-r'; see dray digest --help/],
      ["ls --limt 1 r.test/a", /Did you mean --limit\?/],
      ["lss", /Did you mean ls\?/],
      ["toString", /unknown command 'toString'; see dray --help/],
      ["-v", /name a command; -v is --verbose.*dray version/],
      ["auth -q", /name a command; see dray auth --help/],
      ["help nosuch", /unknown command 'nosuch'; see dray --help/],
      ["nosuch --help", /unknown command 'nosuch'/],
      ["help auth nosuch", /unknown command 'nosuch'; see dray auth --help/],
      ["help rm", /dray delete IMAGE/],
    ];
    for (const [line, says] of rows) {
      const { exitCode, stdout, stderr } = await typed(line);
      assert.match(stderr, /^Error: [^\n]*\n$/, line);
      assert.match(stderr, says, line);
      assert.doesNotMatch(stderr, /secret/, line);
      assert.equal(exitCode, 2, line);
      assert.equal(stdout, "", line);
    }
  });

  test("each hint names commands and flags that are there", async () => {
    const commands = await allCommands();
    const known = new Set([...commands.values()].flatMap(({ options }) => options.map(({ long }) => long)));
    for (const hint of hints) {
      for (const flag of hint.match(/--[a-z-]+/g) ?? []) assert.ok(known.has(flag), `${hint}: ${flag}`);
      for (const [, name = ""] of hint.matchAll(
        /dray ((?:auth |registry |serve |index |edit |layout |cache )?[a-z]+)/g,
      ))
        assert.ok(
          [name, name.split(" ")[0] ?? ""].some((each) => commands.has(each)),
          `${hint}: ${name}`,
        );
    }
    const names = [...branches.map(({ name }) => name), ...branches.flatMap(({ aliases = [] }) => aliases)];
    for (const name of names) assert.equal(commandElsewhere(name), undefined, `${name} is a command`);
  });

  test("what is not there yet is no command that docs/crane.md has", () => {
    const page = readFileSync(new URL("../../../docs/crane.md", import.meta.url), "utf8");
    assert.match(page, /^\| `edit fs` \|/m);
    for (const name of notYet) assert.ok(!page.includes(`| \`${name}\` |`), name);
  });

  test("--version is version", async () => {
    const { version } = await import("./version.ts");
    assert.deepEqual(await typed("--version"), await typed("version"));
    assert.equal((await typed("--version")).stdout, `${version}\n`);
    assert.match((await typed("--version -o json")).stdout, /"schemaVersion":1/);
  });
});

describe("help", () => {
  test("explains the global flags once, below the commands, with defaults and units", async () => {
    for (const line of ["", "--help", "-h", "help"]) {
      const { exitCode, stdout } = await typed(line);
      assert.equal(exitCode, 0, line);
      assert.ok(stdout.indexOf("Commands:") < stdout.indexOf("Global Options:"), line);
      for (const { long } of sharedFlags()) assert.match(stdout, new RegExp(`^ +(?:-., )?${long}\\b`, "m"), line);
      for (const says of [
        /--timeout[^-]*\(default 60s/,
        /--retry[^-]*\(default 4\)/,
        /--max-wait[^-]*\(default\s+15m/,
        /500ms, 30s, 5m/,
      ])
        assert.match(stdout, says);
    }
  });

  test("fits 80 columns where nobody says how many there are, but for what is copied", async () => {
    for (const path of ["", ...(await allCommands()).keys()]) {
      const { stdout } = await typed(`${path} --help`.trim());
      const [said = ""] = stdout.split(/^Examples?:$/m);
      for (const line of said.split("\n")) assert.ok(line.length <= 80, `${path}: ${line}`);
    }
  });

  test("of each command has examples that it understands, and the global flags in one line", async () => {
    const shared = sharedFlags().map(({ long }) => long ?? "");
    for (const [path, command] of await allCommands()) {
      const { exitCode, stdout } = await typed(`${path} --help`);
      assert.equal(exitCode, 0, path);
      const [, text = ""] =
        /\nExamples?:\n((?: {2}.*\n)+)\nIt takes the global flags too.*: dray --help\n$/.exec(stdout) ?? [];
      assert.notEqual(text, "", `${path}:\n${stdout}`);
      assert.doesNotMatch(stdout, /--(?:src|dest)-[a-z]/, path);
      for (const flag of shared.filter((name) =>
        command.options.some(({ long, helpGroupHeading }) => long === name && helpGroupHeading),
      ))
        assert.doesNotMatch(stdout, new RegExp(`^ +(?:-., )?${flag}\\b`, "m"), path);
      for (const line of text.trim().split("\n")) {
        const [, words = ""] = /\bdray ([^|<>)]*)/.exec(line) ?? [];
        const ran: string[] = [];
        const program = programOf({
          branches,
          writeOut: () => {},
          act: async (_, acted) => void ran.push(acted.name()),
          onCommand: () => {},
        });
        await program.parseAsync(words.trim().replaceAll("'", "").split(" "), { from: "user" });
        assert.deepEqual(ran, [command.name()], line);
      }
    }
  });

  test("of copy says what each end may have of its own", async () => {
    const { stdout } = await typed("cp --help");
    for (const { long = "" } of endFlags("src"))
      assert.match(stdout.slice(stdout.indexOf("--src-…")), new RegExp(`\\b${long.replace("--src-", "")}\\b`));
  });
});

test("no message of the library names a flag or a command of this one", async () => {
  const commands = await allCommands();
  const ours = new Set(
    [...commands.values()]
      .flatMap(({ options }) => options.map(({ long }) => long))
      .filter((flag) => flag !== undefined),
  );
  const words = [...commands.keys()].map((path) => path.replace(/ .*/, ""));
  const isOurs = new RegExp(`\\bdray (?:${[...new Set(words)].join("|")})\\b`);
  const library = join(import.meta.dirname, "../../dray/src");
  const files = (await readdir(library, { recursive: true })).filter((name) => /(?<!\.test)\.ts$/.test(name));
  assert.ok(files.length > 100 && ours.has("--insecure") && ours.has("--platform"));
  for (const name of files) {
    // What made a layer is no message.
    const code = (await readFile(join(library, name), "utf8")).replace(
      /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|.*created_?by.*/gim,
      "",
    );
    const flags = [...code.matchAll(/["'`\s(](--[a-z]+(?:-[a-z]+)*)/g)].map(([, flag]) => flag as string);
    assert.deepEqual([...flags.filter((flag) => ours.has(flag)), isOurs.exec(code)?.[0]], [undefined], name);
  }
});
