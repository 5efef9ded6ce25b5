import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { happened } from "../../test/events.ts";
import { cloudEventOf } from "../events/index.ts";
import { sinkOf } from "./index.ts";

const signal = new AbortController().signal;

test("a command gets the event on standard input and in variables, and no shell reads a tag", async () => {
  const folder = temporaryFolder("watch-command");
  const script = join(folder, "hook.sh");
  writeFileSync(
    script,
    `#!/bin/sh\ncat >> "$1/stdin"\nenv | grep ^DRAY_EVENT_ | sort >> "$1/env"\necho "$2" >> "$1/words"\n`,
    { mode: 0o755 },
  );
  const words = [script, folder, "$(touch pwned); a  b"];
  const sink = await sinkOf(
    { type: "command", name: "compose", command: words },
    { environment: { PATH: process.env["PATH"] } },
  );
  const event = happened("app:$(id)", 0, "tag.moved");
  assert.equal(await sink.send([event], signal), undefined);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "stdin"), "utf8")), cloudEventOf(event));
  assert.equal(readFileSync(join(folder, "words"), "utf8"), "$(touch pwned); a  b\n");
  const { id, digest, previous, time } = event;
  assert.deepEqual(readFileSync(join(folder, "env"), "utf8").trim().split("\n"), [
    `DRAY_EVENT_DIGEST=${digest}`,
    `DRAY_EVENT_ID=${id}`,
    "DRAY_EVENT_IMAGE=registry.example/app:$(id)",
    `DRAY_EVENT_PREVIOUS=${previous}`,
    "DRAY_EVENT_REPOSITORY=registry.example/app",
    "DRAY_EVENT_TAG=$(id)",
    `DRAY_EVENT_TIME=${time}`,
    "DRAY_EVENT_TYPE=tag.moved",
  ]);
  await sink.send([event, happened("app:2")], signal);
  assert.equal(readFileSync(join(folder, "words"), "utf8").trim().split("\n").length, 3, "a run for each event");
  assert.ok(!existsSync(join(folder, "pwned")));
});

test("a command that fails, is not there or never ends is tried later", async () => {
  const run = async (...command: string[]): Promise<void> => {
    const sink = await sinkOf({ type: "command", name: "compose", command });
    await sink.send([happened("app:1")], AbortSignal.timeout(3000));
  };
  await assert.rejects(run("sh", "-c", "echo first >&2; echo no such service >&2; exit 3"), {
    code: "SINK",
    message: "sh ended with 3: no such service",
  });
  await assert.rejects(run("no-such-program-of-anybody"), { code: "SINK", message: /is not in PATH/ });
  const sink = await sinkOf({ type: "command", name: "compose", command: ["sleep", "60"] });
  await assert.rejects(sink.send([happened("app:1")], AbortSignal.timeout(50)), { code: "TIMEOUT" });
});
