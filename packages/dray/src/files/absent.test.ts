import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { dockerHttpHeaders } from "../auth/index.ts";
import { certsD } from "../http/index.ts";
import { isAbsent } from "./absent.ts";

const asksThreads = (): boolean => process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq"));

test("what is not there is known without a thread, and so nothing of docker's or podman's takes one where neither is", async () => {
  const home = temporaryFolder("absent");
  await mkdir(join(home, "certs.d"));
  await writeFile(join(home, "file"), "x");
  assert.equal(isAbsent(join(home, "certs.d")), false);
  assert.equal(isAbsent(join(home, "file")), false);
  assert.equal(isAbsent(join(home, "none/at/all")), true);
  // A way that leads through a file: runtimes differ in what they call that, and whoever reads it is told.
  assert.equal([true, false].includes(isAbsent(join(home, "file/below"))), true);
  const dirs = ["certs.d", "none", "none/at/all"].map((name) => join(home, name));
  const asked = [certsD("r.example", { dirs }), dockerHttpHeaders({ env: { HOME: home } })];
  assert.equal(asksThreads(), false);
  assert.deepEqual(await Promise.all(asked), [undefined, []]);
});
