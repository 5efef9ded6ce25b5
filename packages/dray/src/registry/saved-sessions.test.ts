import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { nodeFiles } from "../files/index.ts";
import { type SavedSessions, savedSessions, stateDirectory } from "./saved-sessions.ts";

const day = 24 * 60 * 60 * 1000;
const name = { registry: "r.example:5000", repository: "a/b", content: "sha256:0" };
const session = { location: "/v2/a/b/blobs/uploads/1?_state=x", chunkSize: 1024 };

describe("saved upload sessions", () => {
  let root: string;
  before(() => {
    root = temporaryFolder("sessions");
  });
  let count = 0;
  const fresh = (): string => join(root, String(count++));
  const fileIn = async (dir: string): Promise<string> => {
    const [only, ...others] = await readdir(join(dir, "uploads"));
    assert.ok(only !== undefined && others.length === 0);
    return join(dir, "uploads", only);
  };
  /** As after a kill: the file names a process that is gone. */
  const orphan = async (dir: string): Promise<void> => {
    const file = await fileIn(dir);
    const record = JSON.parse(await readFile(file, "utf8")) as { process: { started: string } };
    record.process.started = "1";
    await writeFile(file, JSON.stringify(record));
  };

  test("what a killed process saved is found, once", async () => {
    const dir = fresh();
    await savedSessions(dir).save(name, session);
    assert.equal((await stat(await fileIn(dir))).mode & 0o777, 0o600);
    await orphan(dir);
    const found = await Promise.all([savedSessions(dir).take(name), savedSessions(dir).take(name)]);
    assert.deepEqual(
      found.filter((each) => each !== undefined),
      [session],
    );
    assert.deepEqual(await readdir(join(dir, "uploads")), []);
  });

  test("another registry, repository or content is another upload", async () => {
    const dir = fresh();
    await savedSessions(dir).save(name, session);
    await orphan(dir);
    const sessions = savedSessions(dir);
    for (const other of [{ registry: "r.example" }, { repository: "a" }, { content: "sha256:1" }])
      assert.equal(await sessions.take({ ...name, ...other }), undefined);
    assert.deepEqual(await sessions.take(name), session);
  });

  test("a session that is in use is not taken; one that was left is", async () => {
    const dir = fresh();
    const sessions = savedSessions(dir);
    await sessions.save(name, session);
    assert.equal(await sessions.take(name), undefined);
    sessions.leave(name);
    assert.deepEqual(await sessions.take(name), session);
    await sessions.save(name, session);
    await sessions.forget(name);
    assert.equal(await sessions.take(name), undefined);
    assert.deepEqual(await readdir(join(dir, "uploads")), []);
  });

  test("what is too old is ignored, and removed at the next occasion", async () => {
    const dir = fresh();
    await savedSessions(dir, { now: () => Date.now() - 8 * day }).save(name, session);
    await orphan(dir);
    assert.equal(await savedSessions(dir).take(name), undefined);
    assert.equal(
      await savedSessions(dir, { now: () => Date.now() + 8 * day }).take({ ...name, content: "x" }),
      undefined,
    );
    assert.deepEqual(await readdir(join(dir, "uploads")), []);
  });

  for (const damaged of ["", "{", "[]", '{"version":2}', '{"version":1,"location":1}'])
    test(`a damaged file is no session: ${damaged}`, async () => {
      const dir = fresh();
      await savedSessions(dir).save(name, session);
      await writeFile(await fileIn(dir), damaged);
      assert.equal(await savedSessions(dir).take(name), undefined);
    });

  test("where nothing can be written, a push goes on with one warning", async () => {
    const warnings: string[] = [];
    const refused = Object.assign(new Error("read-only"), { code: "EROFS" });
    const fs = { ...nodeFiles, makeDirectory: () => Promise.reject(refused) };
    const sessions: SavedSessions = savedSessions(fresh(), { fs, onWarning: (message) => warnings.push(message) });
    await sessions.save(name, session);
    await sessions.save({ ...name, content: "sha256:1" }, session);
    await sessions.forget(name);
    assert.equal(warnings.length, 1);
  });
});

test("where state lies", () => {
  assert.equal(stateDirectory({ XDG_STATE_HOME: "/s", HOME: "/h" }), "/s/dray");
  assert.equal(stateDirectory({ XDG_STATE_HOME: "s", HOME: "/h" }), "/h/.local/state/dray");
  assert.equal(stateDirectory({ HOME: "/h" }), "/h/.local/state/dray");
});
