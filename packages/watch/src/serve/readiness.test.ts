import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { ask, served } from "../../test/serving.ts";
import { openFile } from "../file/index.ts";
import { Readiness } from "./readiness.ts";

test("a watch is not ready while its file cannot be written, and after long without a list of tags", async () => {
  const path = join(temporaryFolder("watch-ready"), "watch.db");
  const file = await openFile(path, { rooms: [], wait: 0 });
  const clock = fakeClock();
  let watched = 0;
  const readiness = new Readiness({ file, watched: () => watched, longest: 60_000, clock });
  const failing = async () => (await readiness.look()).failing;
  assert.deepEqual(await readiness.look(), { told: { file: "ok", looks: "ok" }, failing: {} });

  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  await clock.advance(11_000);
  assert.match((await failing())["file"] ?? "", /another process/);
  other.exec("ROLLBACK");
  other.close();
  await clock.advance(11_000);
  assert.deepEqual(await failing(), {});
  readiness.failed(new Error("the disk is full"));
  assert.deepEqual(await failing(), { file: "the disk is full" });

  readiness.ended({ missing: [{ what: "tags", code: "NOT_FOUND", message: "one tag" }] });
  assert.deepEqual(await failing(), {});
  await clock.advance(121_000);
  assert.deepEqual(await failing(), {}, "nothing is watched");
  watched = 1;
  readiness.ended({ missing: [{ what: "list", code: "NETWORK", message: "down" }] });
  const { told, failing: found } = await readiness.look();
  assert.deepEqual(told, { file: "ok", looks: "failing" });
  assert.match(found["looks"] ?? "", /^no list of tags was read since 20/);
  readiness.ended({ missing: [] });
  assert.deepEqual(await failing(), {});
  file.close();
});

test("the service tells of its checks", async () => {
  const { serving, close } = await served("");
  const { status, json } = await ask(serving.origin, "/readyz");
  assert.deepEqual([status, json], [200, { status: "ready", file: "ok", looks: "ok", lifecycle: "up" }]);
  await close();
});
