/** docs/crane.md names every command and flag that crane has, and every one of ours, and leads from each to a test that shows it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { findPeer } from "@dray/testkit/peers";
import { allCommands } from "../test/all-commands.ts";
import { branches } from "./commands/index.ts";
import { sharedFlags } from "./flags.ts";

const here = new URL("../../../docs/crane.md", import.meta.url);
const page = readFileSync(here, "utf8");

/** The rows of the tables below a title, cell by cell. */
const rowsBelow = (title: string): string[][] => {
  const section = page.split(/^## /m).find((each) => each.startsWith(`${title}\n`)) ?? "";
  const lines = section
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:command|crane|dray|what) \|/.test(line));
  return lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

/** The tests that a cell leads to. */
const testsOf = (cell: string): string[] => [...cell.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = ""]) => path);
const textOf = (path: string): string => readFileSync(new URL(path, here), "utf8");

/** What is written in a cell as words of a command line. */
const flagsIn = (cell: string): string[] =>
  [...cell.matchAll(/`(?:-\w, )?(--[a-z][\w-]*)`/g)].map(([, flag = ""]) => flag);

/** A command or a flag of crane, and what the page says of it. */
interface CraneRow {
  readonly command: string;
  readonly short: string | undefined;
  readonly flag: string | undefined;
  readonly here: string;
  readonly shown: string;
}

const craneRows = rowsBelow("Every command and flag of crane").map(([words = "", here = "", shown = ""]): CraneRow => {
  const [, command = "", short, flag] = /^`([a-z ]*?) ?(?:(?:(-\w), )?(--[\w-]+))?`$/.exec(words) ?? [];
  return { command, short, flag, here, shown };
});
/** crane has a command for each shell, and here it is a word behind one. */
const ours = (command: string): string => command.replace(/^completion \w+$/, "completion");
const isThere = ({ here }: CraneRow): boolean => !here.startsWith("not there");

describe("the page on crane", () => {
  test("leads from each command and flag to a test that has it", () => {
    assert.ok(craneRows.length > 100);
    const without: string[] = [];
    for (const { command, short, flag, shown } of craneRows.filter(isThere)) {
      const what = `${command} ${flag ?? ""}`;
      const tests = testsOf(shown);
      assert.ok(tests.length > 0, `${what}: no test`);
      for (const path of tests) assert.ok(existsSync(new URL(path, here)), `${what}: ${path} is not there`);
      const text = tests.map(textOf).join("\n");
      const said =
        flag === undefined ? [command.split(" ").at(-1) ?? ""] : [flag, ...(short === undefined ? [] : [short])];
      if (!said.some((word) => new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(text))) without.push(what);
    }
    assert.deepEqual(without, [], "the tests that the page leads to do not have these");
  });

  test("gives each difference its reason, and a test that is there", () => {
    const rows = [...rowsBelow("Everywhere"), ...rowsBelow("Command by command")];
    assert.ok(rows.length > 80);
    const without = rows.filter((cells) => {
      const tests = testsOf(cells[4] ?? "");
      return (
        cells.length !== 5 ||
        cells.includes("") ||
        tests.length === 0 ||
        tests.some((path) => !existsSync(new URL(path, here)))
      );
    });
    assert.deepEqual(without, [], "these have no reason, or lead to no test");
  });

  test("says rightly which of them are here", async () => {
    const commands = await allCommands();
    const groups = new Set(branches.filter(({ load }) => load === undefined).map(({ name }) => name));
    for (const row of craneRows) {
      const { command, short, flag } = row;
      const found = commands.get(ours(command));
      const options = command === "" ? sharedFlags() : [...(found?.options ?? []), ...sharedFlags()];
      const has =
        flag === undefined
          ? found !== undefined || groups.has(command)
          : options.some((option) => option.long === flag && (short === undefined || option.short === short));
      assert.equal(has, isThere(row), `${command} ${flag ?? ""}: ${row.here}`);
    }
  });

  test("names what is here alone, and nothing that is not", async () => {
    const added = new Map(
      rowsBelow("What is here alone").map(([name = "", what = "", shown = ""]) => [
        name.replaceAll("`", ""),
        { what, shown },
      ]),
    );
    for (const [name, { shown }] of added)
      for (const path of testsOf(shown)) assert.ok(existsSync(new URL(path, here)), `${name}: ${path} is not there`);
    const cranes = new Set(
      craneRows.filter(isThere).map(({ command, flag }) => `${ours(command)} ${flag ?? ""}`.trim()),
    );
    const shared = sharedFlags().map(({ long = "" }) => long);
    const own = new Map<string, readonly string[]>([["every command", shared]]);
    for (const [path, { options }] of await allCommands())
      own.set(
        path,
        options.map(({ long = "" }) => long).filter((long) => !shared.includes(long)),
      );
    const aliases = new Set(["cp", "index ls", "index rm"]);
    for (const [path, flags] of own) {
      if (aliases.has(path) || path.startsWith("serve ")) continue;
      const more = flags.filter((flag) => !cranes.has(path === "every command" ? flag : `${path} ${flag}`));
      const row = added.get(path);
      if (more.length > 0 || !(cranes.has(path) || path === "every command")) {
        assert.ok(row !== undefined, `docs/crane.md says nothing of ${path} ${more.join(" ")}`);
        assert.ok(testsOf(row.shown).length > 0, `${path}: no test`);
      }
      assert.deepEqual(flagsIn(row?.what ?? "").sort(), more.sort(), `docs/crane.md on ${path}`);
    }
    for (const name of added.keys()) assert.ok(own.has(name), `${name} is no command`);
  });
});

const run = promisify(execFile);
const crane = findPeer("crane");
/** Those that its help does not list. */
const hidden = ["edit", "edit config", "edit fs", "edit manifest", "layout", "layout gc"];
const hiddenFlags = ["registry serve --blobs-to-disk"];

test("the page on crane has what crane's help has", {
  skip: crane === undefined && "there is no crane here",
}, async () => {
  const told = new Set<string>();
  const look = async (words: readonly string[]): Promise<void> => {
    const { stdout } = await run(crane as string, [...words, "--help"]);
    const [, own = ""] = /^Flags:\n((?: .*\n)*)/m.exec(stdout) ?? [];
    const path = words.join(" ");
    if (path !== "") told.add(path);
    for (const [, short, flag = ""] of own.matchAll(/^ +(?:(-\w), )? *(--[\w-]+)/gm))
      if (flag !== "--help") told.add(`${path} ${short === undefined ? "" : `${short}, `}${flag}`.trim());
    const [, below = ""] = /^Available Commands:\n((?: .*\n)*)/m.exec(stdout) ?? [];
    for (const [, name = ""] of below.matchAll(/^ +(\w+)/gm)) if (name !== "help") await look([...words, name]);
  };
  await look([]);
  for (const path of hidden) if (!told.has(path)) await look(path.split(" "));
  for (const path of hiddenFlags) told.add(path);
  const named = craneRows.map(({ command, short, flag }) =>
    [command, short === undefined ? flag : `${short}, ${flag}`]
      .filter((word) => word !== "" && word !== undefined)
      .join(" "),
  );
  assert.deepEqual(named.sort(), [...told].sort());
});
