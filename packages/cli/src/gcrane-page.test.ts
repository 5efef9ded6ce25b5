/** docs/gcrane.md names every command and flag that gcrane has beyond crane, and leads from each to a test that shows it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findPeer } from "@dray/testkit/peers";
import { allCommands } from "../test/all-commands.ts";
import { docPage, docRows, namedIn, toldByHelp, unfounded, unshown } from "../test/doc-page.ts";
import { branches } from "./commands/index.ts";

const page = docPage("gcrane.md");
const rows = docRows(page.rowsBelow("Every command and flag of gcrane's own"));

describe("the page on gcrane", () => {
  test("leads from each command and flag to a test that has it", () => {
    assert.ok(rows.length >= 9);
    assert.deepEqual(unshown(page, rows), [], "the tests that the page leads to do not have these");
  });

  test("gives each difference its reason, and a test that is there", () => {
    const differences = page.rowsBelow("What differs");
    assert.ok(differences.length >= 10);
    assert.deepEqual(unfounded(page, differences), [], "these have no reason, or lead to no test");
  });

  test("names what is here", async () => {
    const commands = await allCommands();
    const groups = new Set(branches.filter(({ load }) => load === undefined).map(({ name }) => name));
    for (const { command, short, flag } of rows) {
      const found = commands.get(command);
      const has =
        flag === undefined
          ? found !== undefined || groups.has(command)
          : found?.options.some((option) => option.long === flag && (short === undefined || option.short === short));
      assert.ok(has, `${command} ${flag ?? ""}`);
    }
  });
});

const [gcrane, crane] = [findPeer("gcrane"), findPeer("crane")];

test("the page on gcrane has what gcrane's help has and crane's has not", {
  skip: (gcrane === undefined || crane === undefined) && "there is no gcrane here, or no crane",
}, async () => {
  const [told, cranes] = [await toldByHelp(gcrane as string), await toldByHelp(crane as string)];
  const here = new Set(rows.map(namedIn));
  for (const each of told) assert.ok(here.has(each) || cranes.has(each), `${each} is on neither page`);
  for (const each of here) assert.ok(told.has(each), `${each} is nothing of gcrane's`);
});
