import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sqlite } from "@dray/service/sqlite";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { openFile, type RoomTables } from "./index.ts";

const room: RoomTables = {
  room: "sights",
  steps: ["CREATE TABLE sights (tag TEXT PRIMARY KEY, seen INTEGER) WITHOUT ROWID"],
};
const next: RoomTables = { room: "sights", steps: [...room.steps, "ALTER TABLE sights ADD COLUMN gone INTEGER"] };

test("what is written is there when the file is opened again, with the file's own id", async () => {
  const folder = temporaryFolder("watch-file");
  const path = join(folder, "below", "watch.db");
  const first = await openFile(path, { rooms: [room] });
  await first.write((on) => on.run("INSERT INTO sights VALUES (?, ?)", "1.0", 7));
  await assert.rejects(
    first.write((on) => {
      on.run("INSERT INTO sights VALUES (?, ?)", "2.0", 8);
      throw new Error("in the middle");
    }),
    /in the middle/,
  );
  first.close();
  const second = await openFile(path, { rooms: [room] });
  assert.deepEqual(second.statements.all("SELECT tag, seen FROM sights"), [["1.0", 7]]);
  assert.equal(second.id, first.id);
  second.close();
});

test("a file of an older program gets what is new, and one of a newer program is refused and left as it is", async () => {
  const folder = temporaryFolder("watch-file");
  const path = join(folder, "watch.db");
  const old = await openFile(path, { rooms: [room] });
  await old.write((on) => on.run("INSERT INTO sights VALUES ('1.0', 7)"));
  old.close();
  const now = await openFile(path, { rooms: [next] });
  assert.deepEqual(now.statements.all("SELECT tag, seen, gone FROM sights"), [["1.0", 7, null]]);
  now.close();
  await assert.rejects(
    openFile(path, { rooms: [room] }),
    (error) => isDrayError(error, "UNSUPPORTED") && /newer/.test(error.message),
  );
  const still = await openFile(path, { rooms: [next] });
  assert.equal(still.statements.all("SELECT * FROM sights").length, 1);
  still.close();
});

test("a damaged file is moved aside and told of, and what lay in it is still there", async () => {
  const folder = temporaryFolder("watch-file");
  const path = join(folder, "watch.db");
  (await openFile(path, { rooms: [room] })).close();
  const size = statSync(path).size;
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, Buffer.alloc(3000, 0x5a), 0, 3000, 100);
  closeSync(descriptor);
  const heard: string[] = [];
  const file = await openFile(path, { rooms: [room], onNotice: (message) => heard.push(message) });
  assert.deepEqual(file.statements.all("SELECT * FROM sights"), []);
  file.close();
  const aside = readdirSync(folder).filter((name) => /^watch\.db\.damaged-[^-]+-[^w]*Z$/.test(name));
  assert.equal(aside.length, 1);
  assert.equal(statSync(join(folder, aside[0] as string)).size, size);
  assert.equal(heard.length, 1);
  assert.match(heard[0] as string, /lies at .*damaged-/);
});

test("damage that shows in a page in the middle is told, and the next start moves the file aside", async () => {
  const folder = temporaryFolder("watch-file");
  const path = join(folder, "watch.db");
  const first = await openFile(path, { rooms: [room] });
  await first.write((on) => {
    for (let n = 0; n < 3000; n++) on.run("INSERT INTO sights VALUES (?, ?)", `tag-${String(n).padStart(6, "0")}`, n);
  });
  first.close();
  const descriptor = openSync(path, "r+");
  for (let at = 4 * 4096; at < statSync(path).size - 4096; at += 4096)
    writeSync(descriptor, Buffer.alloc(4096, 0xff), 0, 4096, at);
  closeSync(descriptor);
  const second = await openFile(path, { rooms: [room] });
  await assert.rejects(
    second.write((on) => on.run("UPDATE sights SET seen = seen + 1")),
    (error) => isDrayError(error, "DISK") && /damaged/.test(error.message),
  );
  second.close();
  const heard: string[] = [];
  (await openFile(path, { rooms: [room], onNotice: (message) => heard.push(message) })).close();
  assert.match(heard.join(), /found damaged while in use/);
  assert.ok(!existsSync(`${path}-damaged`));
});

test("what is no file of ours is left alone", async () => {
  const folder = temporaryFolder("watch-file");
  const text = join(folder, "notes.txt");
  writeFileSync(
    text,
    "not a database, but somebody's notes, of more than a hundred bytes, so that there is something of them to look at",
  );
  const other = join(folder, "other.db");
  const database = new (sqlite().DatabaseSync)(other);
  database.exec("CREATE TABLE accounts (id INTEGER); PRAGMA application_id=7");
  database.close();
  for (const path of [text, other, folder]) {
    const before = statSync(path);
    await assert.rejects(openFile(path, { rooms: [room] }), (error) => isDrayError(error, "CONFIG_INVALID"), path);
    assert.equal(statSync(path).mtimeMs, before.mtimeMs);
  }
});

test("while another process writes we wait, say so once, and give up with LOCKED", async () => {
  const folder = temporaryFolder("watch-file");
  const path = join(folder, "watch.db");
  let now = 0;
  let onSleep = (): void => {};
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      onSleep();
    },
  };
  const heard: string[] = [];
  const file = await openFile(path, { rooms: [room], clock, wait: 5_000, onNotice: (message) => heard.push(message) });
  const other = new (sqlite().DatabaseSync)(path);
  other.exec("BEGIN IMMEDIATE; INSERT INTO sights VALUES ('theirs', 1)");
  await assert.rejects(
    file.write((on) => on.run("INSERT INTO sights VALUES ('ours', 2)")),
    (error) => isDrayError(error, "LOCKED") && error.retryable,
  );
  assert.deepEqual(file.statements.all("SELECT * FROM sights"), [], "readers are not held up");
  onSleep = () => {
    other.exec("COMMIT");
    onSleep = () => {};
  };
  await file.write((on) => on.run("INSERT INTO sights VALUES ('ours', 2)"));
  assert.deepEqual(file.statements.all("SELECT tag FROM sights ORDER BY seen"), [["theirs"], ["ours"]]);
  assert.equal(heard.length, 1);
  other.close();
  file.close();
});
