import assert from "node:assert/strict";
import { test } from "node:test";
import { CommanderError } from "commander";
import { DrayError, exitCodes } from "dray/errors";
import { failureOf } from "./failure.ts";
import { OutputClosed } from "./output.ts";

const context = { command: "dray ls", verbose: false, interrupted: false };

test("every failure is one line and an exit code; words that make no sense get a hint", () => {
  const rows: readonly [unknown, Partial<typeof context>, number, string[]][] = [
    [new DrayError("NOT_FOUND", "there is no x"), {}, 5, ["Error: there is no x"]],
    [new DrayError("USAGE", "Say which."), {}, 2, ["Error: Say which; see dray ls --help"]],
    [new DrayError("REFERENCE_INVALID", "no"), {}, 2, ["Error: no"]],
    [new DrayError("PARTIAL", "1 of 2"), {}, 3, ["Error: 1 of 2"]],
    [new DrayError("ABORTED", "whatever"), {}, 130, ["Error: interrupted"]],
    [new DrayError("NETWORK", "socket closed"), { interrupted: true }, 130, ["Error: interrupted"]],
    [new Error("a bug\nin two lines\u001b"), {}, 1, ["Error: a bug\\nin two lines\\u001b"]],
    ["a string", {}, 1, ["Error: a string"]],
    [undefined, {}, 1, ["Error: undefined"]],
    [new OutputClosed("gone"), {}, 0, []],
    [new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), {}, 0, []],
  ];
  for (const [error, circumstances, exitCode, lines] of rows)
    assert.deepEqual(failureOf(error, { ...context, ...circumstances }), { exitCode, lines }, String(error));
});

test("where in the code it happened only with --verbose, causes included", () => {
  const cause = new TypeError("x is no function");
  const { lines } = failureOf(new DrayError("DISK", "cannot write", { cause }), { ...context, verbose: true });
  assert.equal(lines[0], "Error: cannot write");
  assert.ok(
    lines.length > 4 && lines.includes("Caused by:") && lines.some((line) => line.includes("x is no function")),
  );
});

test("the exit codes that the README promises", () => {
  const used = new Set(Object.values(exitCodes));
  assert.deepEqual(
    [...used].sort((a, b) => a - b),
    [1, 2, 3, 5, 6, 7, 130],
  );
});
