/** docs/crane.md names every command and flag that crane has, and every one of ours, and leads from each to a test that shows it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findPeer } from "@dray/testkit/peers";
import { allCommands } from "../test/all-commands.ts";
import { type DocRow, docPage, docRows, namedIn, toldByHelp, unfounded, unshown } from "../test/doc-page.ts";
import { branches } from "./commands/index.ts";
import { sharedFlags } from "./flags.ts";

const page = docPage("crane.md");

/** What is written in a cell as words of a command line. */
const flagsIn = (cell: string): string[] =>
  [...cell.matchAll(/`(?:-\w, )?(--[a-z][\w-]*)`/g)].map(([, flag = ""]) => flag);

const craneRows = docRows(page.rowsBelow("Every command and flag of crane"));
/** crane has a command for each shell, and here it is a word behind one. */
const ours = (command: string): string => command.replace(/^completion \w+$/, "completion");
const isThere = ({ here }: DocRow): boolean => !here.startsWith("not there");

describe("the page on crane", () => {
  test("leads from each command and flag to a test that has it", () => {
    assert.ok(craneRows.length > 100);
    assert.deepEqual(
      unshown(page, craneRows.filter(isThere)),
      [],
      "the tests that the page leads to do not have these",
    );
  });

  test("gives each difference its reason, and a test that is there", () => {
    const rows = [...page.rowsBelow("Everywhere"), ...page.rowsBelow("Command by command")];
    assert.ok(rows.length > 80);
    assert.deepEqual(unfounded(page, rows), [], "these have no reason, or lead to no test");
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
      page
        .rowsBelow("What is here alone")
        .map(([name = "", what = "", shown = ""]) => [name.replaceAll("`", ""), { what, shown }]),
    );
    for (const [name, { shown }] of added)
      for (const path of page.testsOf(shown)) assert.ok(page.isThere(path), `${name}: ${path} is not there`);
    const cranes = new Set(
      craneRows.filter(isThere).map(({ command, flag }) => `${ours(command)} ${flag ?? ""}`.trim()),
    );
    const shared = sharedFlags().map(({ long = "" }) => long);
    const own = new Map<string, readonly string[]>([["every command", shared]]);
    for (const [path, { options }] of await allCommands())
      own.set(
        path,
        options.flatMap(({ long }) => long ?? []).filter((long) => !shared.includes(long)),
      );
    const aliases = new Set(["cp", "index ls", "index rm"]);
    for (const [path, flags] of own) {
      if (aliases.has(path) || path.startsWith("serve ")) continue;
      const more = flags.filter((flag) => !cranes.has(path === "every command" ? flag : `${path} ${flag}`));
      const row = added.get(path);
      if (more.length > 0 || !(cranes.has(path) || path === "every command")) {
        assert.ok(row !== undefined, `docs/crane.md says nothing of ${path} ${more.join(" ")}`);
        assert.ok(page.testsOf(row.shown).length > 0, `${path}: no test`);
      }
      assert.deepEqual(flagsIn(row?.what ?? "").sort(), more.sort(), `docs/crane.md on ${path}`);
    }
    for (const name of added.keys()) assert.ok(own.has(name), `${name} is no command`);
  });
});

const crane = findPeer("crane");
/** Those that its help does not list. */
const hidden = ["edit", "edit config", "edit fs", "edit manifest", "layout", "layout gc"];
const hiddenFlags = ["registry serve --blobs-to-disk"];

test("the page on crane has what crane's help has", {
  skip: crane === undefined && "there is no crane here",
}, async () => {
  const told = await toldByHelp(crane as string);
  for (const path of hidden)
    if (!told.has(path)) for (const each of await toldByHelp(crane as string, path.split(" "))) told.add(each);
  for (const path of hiddenFlags) told.add(path);
  const named = craneRows.map(namedIn);
  assert.deepEqual(named.sort(), [...told].sort());
});
