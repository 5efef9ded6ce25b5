import assert from "node:assert/strict";
import { test } from "node:test";
import { CommanderError } from "commander";
import { DrayError, exitCodes, type Remedy } from "dray/errors";
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
    [new OutputClosed("gone"), {}, 141, []],
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

test("every remedy of the library has words that name this command's flags", () => {
  const words = {
    "log-in": "log in with: dray auth login r.test (dray auth explain r.test tells what was tried)",
    "trust-authority": "trust its authority with --ca-file FILE",
    "trust-certificate": "trust it with --ca-file FILE",
    "skip-tls-verify": "--insecure skips the check",
    "plain-http": "use plain http with --insecure, or another port",
    "choose-platform": "take what is there with --platform OS/ARCH",
    "convert-with-loss": "or convert with loss by --lossy",
    "oci-media-types": "give it OCI's media types as well, with --media-types oci",
    "name-old-base": "name the base that it was built on with --old_base",
    "follow-plain-http": "--insecure follows it, and checks what comes by its digest",
    "client-certificate": "give one with --cert FILE --key FILE",
    "raise-timeout": "try again, or wait longer with --timeout",
    "raise-max-wait": "log in for a higher limit, wait longer with --max-wait, or try again later",
    "allow-private": "if that is meant, allow it with --allow-private 10.0.0.1",
    "pull-image": "dray ls docker-daemon: lists its images, dray copy app:1 docker-daemon:app:1 brings this one",
    "leave-referrers": "leave out --referrers",
  } satisfies Record<Remedy, string>;
  for (const [remedy, said] of Object.entries(words)) {
    const facts = { remedy: remedy as Remedy, registry: "r.test", host: "10.0.0.1", reference: "app:1" };
    assert.deepEqual(failureOf(new DrayError("TLS", "no", facts), context).lines, [`Error: no; ${said}`]);
  }
  const several = new DrayError("USAGE", "several", { remedy: "choose-platform" });
  assert.match(failureOf(several, context).lines[0] ?? "", /^Error: several; name one with --platform OS\/ARCH; see /);
  const byId = new DrayError("NOT_FOUND", "no", { remedy: "pull-image", reference: "0123456789ab" });
  assert.deepEqual(failureOf(byId, context).lines, ["Error: no; dray ls docker-daemon: lists its images"]);
  const unable = new DrayError("REGISTRY", "no", { remedy: "raise-max-wait", status: 503 });
  assert.match(failureOf(unable, context).lines[0] ?? "", /^Error: no; wait longer with --max-wait/);
});
