import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Memory } from "@dray/service/memory";
import { seededBytes } from "@dray/testkit/files";
import { bytesBody } from "dray/content";
import { isDrayError } from "dray/errors";
import type { AppendFile } from "dray/internal/files";
import { digestOf } from "dray/oci";
import { bodyByHand, inChunks } from "../../test/uploads-by-hand.ts";
import { repositoryPath, uploadData, uploadFolder, uploadStarted } from "../distribution-tree/paths.ts";
import type { Notice } from "../notice.ts";
import { type Driver, type MemoryFiles, memoryDriver } from "../storage/index.ts";
import { type Upload, Uploads } from "./index.ts";

const owner = "alice";
const day = 86_400_000;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Sessions in memory at a time that a test sets. */
const clocked = (
  wrap: (driver: Driver & MemoryFiles) => Driver = (driver) => driver,
): {
  uploads: Uploads;
  driver: Driver & MemoryFiles;
  clock: { time: number };
  notices: Notice[];
  again: () => Uploads;
} => {
  const clock = { time: Date.parse("2026-01-02T03:04:05.678Z") };
  const now = (): number => clock.time;
  const driver = memoryDriver({ now });
  const notices: Notice[] = [];
  const again = (): Uploads =>
    new Uploads({
      driver: wrap(driver),
      now,
      lease: 3_600_000,
      silence: 60_000,
      onNotice: (notice) => void notices.push(notice),
    });
  return { uploads: again(), driver, clock, notices, again };
};
const id = (n: number): string => `0b4a1a2c-6e5f-4f5e-9a55-${String(n).padStart(12, "0")}`;

describe("a purge", () => {
  test("removes what nobody added to, in memory and in the tree", async () => {
    const { uploads, driver, clock, again } = clocked();
    const old = await uploads.begin("a", { owner });
    const { id: addedTo } = await uploads.begin("a", { owner });
    const lost = await again().begin("b/c", { owner });
    await lost.append(inChunks(seededBytes(1, 10)), {});
    await uploads.begin("a", { owner });
    clock.time += 2 * day;
    const young = await uploads.begin("a", { owner });
    const added = await uploads.find("a", addedTo, owner);
    assert.ok(added !== undefined);
    await added.append(inChunks(seededBytes(1, 10)), {});
    assert.equal(await uploads.purge(clock.time - day), 3);
    assert.equal(uploads.open, 2);
    assert.equal(await added.offset(), 10);
    assert.equal(await young.offset(), 0);
    assert.equal(await uploads.find("a", old.id, owner), undefined);
    assert.deepEqual(driver.listSync(`${repositoryPath("b/c")}/_uploads`), []);
    assert.deepEqual(driver.listSync(`${repositoryPath("a")}/_uploads`), [added.id]);
    assert.equal(await uploads.purge(clock.time - day), 0);
    // One in memory alone.
    clock.time += 1;
    await young.cancel();
    const idle = await uploads.begin("a", { owner });
    assert.equal(await uploads.purge(clock.time + 1), 2);
    await assert.rejects(idle.offset(), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("goes by the time of the data, then by when it began, then by the folder", async () => {
    const { uploads, driver, clock } = clocked();
    const { time } = clock;
    const begun = (n: number, at: number): void =>
      driver.putSync(uploadStarted("a", id(n)), text(new Date(at).toISOString()));
    driver.putSync(uploadData("a", id(1)), seededBytes(1, 9), { mtime: time - 3 * day });
    begun(1, time);
    driver.putSync(uploadData("a", id(2)), seededBytes(1, 9), { mtime: time });
    begun(2, time - 3 * day);
    begun(3, time - 3 * day);
    begun(4, time);
    driver.putSync(uploadStarted("a", id(5)), text("yesterday"), { mtime: time - 3 * day });
    driver.putSync(`${uploadFolder("a", id(6))}/hashstates/sha256/9`, seededBytes(1, 9));
    assert.equal(await uploads.purge(time - day), 2);
    assert.deepEqual(driver.listSync(`${repositoryPath("a")}/_uploads`)?.sort(), [2, 4, 5, 6].map(id));
    clock.time += 2 * day;
    assert.equal(await uploads.purge(clock.time - day), 4);
  });

  test("touches nothing that is no session", async () => {
    const { uploads, driver, clock } = clocked();
    for (const name of ["x", "notes.txt", id(1).toUpperCase(), `${id(1)}.tmp`])
      driver.putSync(`${repositoryPath("a")}/_uploads/${name}/data`, seededBytes(1, 9));
    driver.putSync(`${repositoryPath("a")}/_layers/${id(1)}/data`, seededBytes(1, 9));
    clock.time += 9 * day;
    assert.equal(await uploads.purge(clock.time), 0);
    assert.equal(driver.listSync(`${repositoryPath("a")}/_uploads`)?.length, 4);
  });

  test("leaves alone who writes", async () => {
    const { uploads, clock } = clocked();
    const upload = await uploads.begin("a", { owner });
    const body = bodyByHand();
    const append = upload.append(body, {});
    await body.push(seededBytes(1, 10));
    clock.time += 9 * day;
    assert.equal(await uploads.purge(clock.time), 0);
    body.end();
    assert.equal(await append, 10);
  });

  test("is not stopped by what is broken", async () => {
    const broken = uploadFolder("a", id(2));
    const refuse = (path: string): void => {
      if (path.startsWith(broken) || path === `${repositoryPath("b")}/_uploads`) throw new Error(`${path} is broken`);
    };
    const { uploads, driver, clock, notices } = clocked((base) => ({
      ...delegate(base),
      stat: async (path) => (refuse(path), base.stat(path)),
      list: async (path) => (refuse(path), base.list(path)),
    }));
    for (const n of [1, 2, 3]) driver.putSync(uploadData("a", id(n)), seededBytes(1, 9));
    for (const repository of ["b", "b/c", "c"]) driver.putSync(uploadData(repository, id(1)), seededBytes(1, 9));
    clock.time += 9 * day;
    assert.equal(await uploads.purge(clock.time), 4);
    assert.equal(notices.length, 2);
    assert.equal((await driver.stat(broken))?.directory, true);
  });
});

/** An object of its own with a driver's methods. */
const delegate = (base: Driver): Driver => ({
  read: (path) => base.read(path),
  open: (path) => base.open(path),
  stat: (path) => base.stat(path),
  list: (path) => base.list(path),
  write: (path, bytes, options) => base.write(path, bytes, options),
  makeDirectory: (path) => base.makeDirectory(path),
  move: (from, to, options) => base.move(from, to, options),
  remove: (path, options) => base.remove(path, options),
  removeEmpty: (path) => base.removeEmpty(path),
  touch: (path) => base.touch(path),
  receive: (path, algorithm) => base.receive(path, algorithm),
  close: () => base.close(),
});

describe("who is open", () => {
  test("counts for one lease after the last that happened", async () => {
    const { uploads, clock, again } = clocked();
    assert.equal(uploads.isOpenIn("a"), false);
    const upload = await uploads.begin("a", { owner });
    assert.equal(uploads.isOpenIn("a"), true);
    assert.equal(uploads.isOpenIn("a/b"), false);
    clock.time += 3_599_999;
    assert.equal(uploads.isOpenIn("a"), true);
    await upload.append(inChunks(seededBytes(1, 10)), {});
    clock.time += 3_599_999;
    assert.equal(uploads.isOpenIn("a"), true);
    clock.time += 1;
    assert.equal(uploads.isOpenIn("a"), false);
    const next = again();
    assert.equal(next.isOpenIn("a"), false);
    const found = await next.find("a", upload.id, owner);
    assert.equal(next.isOpenIn("a"), true);
    await found?.cancel();
    assert.equal(next.isOpenIn("a"), false);
  });

  test("counts for no lease where bytes are on their way alone", async () => {
    const { uploads, clock } = clocked();
    const upload = await uploads.begin("a", { owner });
    await upload.append(inChunks(seededBytes(1, 10)), {});
    clock.time += 1;
    assert.deepEqual([uploads.isOpenIn("a"), uploads.isOpenIn("a", 0), uploads.isOpenIn("a", 2)], [true, false, true]);
    const gate = Promise.withResolvers<void>();
    async function* waiting(): AsyncGenerator<Uint8Array> {
      await gate.promise;
      yield seededBytes(2, 10);
    }
    const appending = upload.append(waiting(), {});
    clock.time += 1;
    assert.deepEqual([uploads.isOpenIn("a", 0), uploads.isOpenIn("b", 0)], [true, false]);
    gate.resolve();
    await appending;
  });

  test("counts while bytes come", async () => {
    const { uploads, clock } = clocked();
    const upload = await uploads.begin("a", { owner });
    const body = bodyByHand();
    const append = upload.append(body, {});
    for (let i = 0; i < 5; i++) {
      clock.time += 3_000_000;
      await body.push(seededBytes(1, 10));
      assert.equal(uploads.isOpenIn("a"), true);
    }
    body.end();
    assert.equal(await append, 50);
  });

  test("is listed, wherever it lies", async () => {
    const { uploads, driver, clock } = clocked();
    const inMemory = await uploads.begin("a", { owner });
    const inTree = await uploads.begin("a/b", { owner });
    await inTree.append(inChunks(seededBytes(1, 100_000)), {});
    driver.putSync(uploadData("c", id(1)), seededBytes(1, 9));
    driver.putSync(uploadStarted("c", id(1)), text("2024-05-06T07:08:09Z"));
    const listed = await Array.fromAsync(uploads.list());
    const added = async (repository: string, name: string) => (await driver.stat(uploadData(repository, name)))?.mtime;
    assert.deepEqual(
      listed.sort((one, other) => (one.repository < other.repository ? -1 : 1)),
      [
        { repository: "a", id: inMemory.id, size: 0, addedAt: clock.time },
        { repository: "a/b", id: inTree.id, size: 100_000, addedAt: await added("a/b", inTree.id) },
        { repository: "c", id: id(1), size: 9, addedAt: await added("c", id(1)) },
      ],
    );
  });
});

describe("an idle session", () => {
  /** Sessions with a count of the receivers that are open. */
  const counted = (): ReturnType<typeof clocked> & { receivers: Set<AppendFile> } => {
    const receivers = new Set<AppendFile>();
    const counting = clocked((base) => ({
      ...delegate(base),
      receive: async (path, algorithm) => {
        const receiver = await base.receive(path, algorithm);
        const close = receiver.close.bind(receiver);
        receivers.add(receiver);
        receiver.close = () => {
          receivers.delete(receiver);
          return close();
        };
        return receiver;
      },
    }));
    return { ...counting, receivers };
  };
  const written = async (uploads: Uploads, size: number): Promise<Upload> => {
    const upload = await uploads.begin("a", { owner });
    if (size > 0) await upload.append(inChunks(seededBytes(1, size)), {});
    return upload;
  };

  test("is put away after ten minutes, and goes on when it is asked for", async () => {
    const { uploads, clock, receivers } = counted();
    const [empty, upload] = [await written(uploads, 0), await written(uploads, 100_000)];
    clock.time += 599_000;
    await uploads.begin("a", { owner });
    assert.equal(receivers.size, 1);
    clock.time += 1000;
    await uploads.begin("a", { owner });
    const again = await uploads.find("a", upload.id, owner);
    assert.ok(again !== undefined && again !== upload);
    await assert.rejects(upload.append(inChunks(seededBytes(1, 1)), {}), (error) => isDrayError(error, "ABORTED"));
    assert.equal(receivers.size, 1);
    assert.equal(await again.append(inChunks(seededBytes(1, 5)), { at: 100_000 }), 100_005);
    const whole = Buffer.concat([seededBytes(1, 100_000), seededBytes(1, 5)]);
    assert.equal((await again.digest("sha256")).digest, digestOf(whole));
    assert.equal(await (await uploads.find("a", empty.id, owner))?.offset(), 0);
  });

  test("lets go of its file at once when its client vanishes, and goes on when somebody comes back", async () => {
    const { uploads, receivers } = counted();
    const uploaded = await Promise.all(Array.from({ length: 20 }, () => uploads.begin("a", { owner })));
    const gone = new AbortController();
    let came = 0;
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield seededBytes(1, 100_000);
      came++;
      await new Promise(() => {});
    }
    const appended = uploaded.map((upload) => upload.append(stalled(), { signal: gone.signal }));
    const over = Promise.allSettled(appended);
    while (came < 20) await new Promise(setImmediate);
    assert.equal(receivers.size, 20);
    gone.abort();
    await over;
    while (receivers.size > 0) await new Promise(setImmediate);
    const [upload] = uploaded;
    assert.equal(await upload?.append(inChunks(seededBytes(1, 5)), { at: 100_000 }), 100_005);
    const whole = Buffer.concat([seededBytes(1, 100_000), seededBytes(1, 5)]);
    assert.equal((await upload?.digest("sha256"))?.digest, digestOf(whole));
  });

  test("is put away with few others at a time, however many there are: each is open files for a moment", async () => {
    let [writing, most] = [0, 0];
    const { uploads, clock } = clocked((base) => ({
      ...delegate(base),
      write: async (path, bytes) => {
        most = Math.max(most, ++writing);
        await new Promise(setImmediate);
        writing--;
        return base.write(path, bytes);
      },
    }));
    for (let i = 0; i < 300; i++) await uploads.begin("a", { owner });
    clock.time += 600_000;
    await uploads.begin("a", { owner });
    while (uploads.open > 1) await new Promise(setImmediate);
    for (let i = 0; i < 300; i++) await uploads.begin("a", { owner });
    await uploads.close();
    assert.equal(uploads.open, 0);
    assert.ok(most > 1 && most <= 16, `${most} at a time`);
  });

  test("is not put away while somebody writes", async () => {
    const { uploads, clock } = counted();
    const upload = await uploads.begin("a", { owner });
    const body = bodyByHand();
    const append = upload.append(body, {});
    await body.push(seededBytes(1, 10));
    clock.time += day;
    await uploads.begin("a", { owner });
    body.end();
    assert.equal(await append, 10);
  });

  test("makes room where there are many", async () => {
    const { uploads, clock, receivers } = counted();
    for (let i = 0; i < 600; i++) await written(uploads, 1);
    assert.equal(receivers.size, 600);
    clock.time += 60_000;
    const last = await written(uploads, 1);
    while (receivers.size > 512) await new Promise(setImmediate);
    assert.equal(await last.offset(), 1);
  });
});

test("what is no UUID never comes near the storage", async () => {
  const touched = new Proxy({} as Driver, {
    get: (_, method) => () => assert.fail(`${String(method)} was called`),
  });
  const uploads = new Uploads({ driver: touched, now: Date.now, lease: 1, silence: 1 });
  const good = id(1);
  for (const bad of [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "%2e%2e",
    "x",
    good.toUpperCase(),
    `${good}/`,
    `${good}\0`,
    good.slice(1),
    `${good}0`,
    `{${good}}`,
    good.replaceAll("-", ""),
  ])
    assert.equal(await uploads.find("a", bad, owner), undefined);
});

test("a beginning waits in memory only where there is room for it, and is no longer counted when it ends", async () => {
  const driver = memoryDriver();
  const memory = new Memory(100_000);
  const uploads = new Uploads({ driver, now: Date.now, lease: 1000, silence: 1000, beginnings: memory.share(0) });
  const begun = async (): Promise<Upload> => {
    const upload = await uploads.begin("a", { owner: "" });
    await upload.append(bytesBody(new Uint8Array(60_000)).chunks, { last: true });
    return upload;
  };
  const [first, second] = [await begun(), await begun()];
  assert.equal(memory.used, 60_000);
  const stored = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { id } of uploads.list()) if (await driver.stat(uploadData("a", id))) names.push(id);
    return names;
  };
  assert.deepEqual(await stored(), [second.id]);
  await first.cancel();
  assert.equal(memory.used, 0);
  const third = await begun();
  assert.equal((await third.content()).byteLength, 60_000);
  await third.digest("sha256");
  await third.finish(
    async () => {},
    async () => {},
  );
  assert.equal(memory.used, 0);
  await uploads.close();
});
