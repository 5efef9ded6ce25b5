import assert from "node:assert/strict";
import { rename, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { type FileSystem, nodeFiles } from "dray/internal/files";
import type { Notice } from "../observe/index.ts";
import { WatchedFile } from "./watched-file.ts";

const folder = temporaryFolder("watched");
let count = 0;

const scene = async (content: string) => {
  const path = join(folder, `file${++count}`);
  await writeFile(path, content);
  const clock = { now: Date.now() + 3_600_000 };
  const notices: Notice[] = [];
  const calls = { stat: 0, readFile: 0 };
  const files: FileSystem = {
    ...nodeFiles,
    stat: (name) => {
      calls.stat++;
      return nodeFiles.stat(name);
    },
    readFile: (name) => {
      calls.readFile++;
      return nodeFiles.readFile(name);
    },
  };
  const read = (bytes: Uint8Array): { text: string } => {
    const text = new TextDecoder().decode(bytes);
    if (text === "bad") throw new Error("it is bad");
    return { text };
  };
  const onNotice = (notice: Notice): void => void notices.push(notice);
  const file = await WatchedFile.open(path, read, { files, now: () => clock.now, onNotice });
  const look = async (): Promise<string> => {
    await file.fresh();
    return file.value.text;
  };
  return { path, file, clock, notices, calls, look };
};

test("looked at once a second, read when it is another", async () => {
  const { path, file, clock, calls, look } = await scene("one");
  for (let time = 0; time < 5; time++) assert.equal(await look(), "one");
  assert.deepEqual(calls, { stat: 1, readFile: 1 });
  assert.equal(file.fresh(), undefined, "nothing to wait for");
  clock.now += 1000;
  assert.equal(await look(), "one");
  assert.deepEqual(calls, { stat: 2, readFile: 1 });
  await writeFile(`${path}.new`, "two");
  await rename(`${path}.new`, path);
  assert.equal(await look(), "one");
  clock.now += 1000;
  assert.equal(await look(), "two");
});

test("whoever comes while it is looked at waits for the same look", async () => {
  const { path, clock, calls, look } = await scene("one");
  await writeFile(path, "other");
  clock.now += 1000;
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, look))), new Set(["other"]));
  assert.equal(calls.readFile, 2);
});

test("a file that is younger than two seconds is read again, since its time may hide a second change", async () => {
  const { path, clock, file, look } = await scene("one");
  const time = new Date(Math.floor(clock.now / 1000) * 1000);
  await utimes(path, time, time);
  clock.now += 1000;
  assert.equal(await look(), "one");
  const before = file.value;
  await writeFile(path, "two");
  await utimes(path, time, time);
  clock.now += 1000;
  assert.equal(await look(), "two");
  assert.notEqual(file.value, before);
});

test("the same bytes are the same value", async () => {
  const { path, clock, file, look } = await scene("one");
  const before = file.value;
  await writeFile(`${path}.new`, "one");
  await rename(`${path}.new`, path);
  clock.now += 1000;
  await look();
  await file.reload();
  assert.equal(file.value, before);
});

test("what cannot be read or understood stays as it was, with one warning for each reason", async () => {
  const { path, clock, file, notices, look } = await scene("one");
  const next = async (): Promise<string> => {
    clock.now += 1000;
    return look();
  };
  await unlink(path);
  assert.deepEqual([await next(), await next()], ["one", "one"]);
  await writeFile(path, "bad");
  assert.deepEqual([await next(), await next()], ["one", "one"]);
  await file.reload();
  assert.deepEqual(
    notices.map(({ message }) => message.slice(path.length)),
    [
      ` stays in force as it was last read: cannot read ${path}: it does not exist (ENOENT)`,
      " stays in force as it was last read: it is bad",
    ],
  );
  await writeFile(path, "two");
  assert.equal(await next(), "two");
});

test("a clock that was set back does not stop the looks", async () => {
  const { path, clock, look } = await scene("one");
  await writeFile(path, "other");
  clock.now -= 60_000;
  assert.equal(await look(), "other");
});
