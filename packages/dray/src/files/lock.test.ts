import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { type DrayError, isDrayError } from "../errors.ts";
import { type Lock, lock, nodeFiles } from "./index.ts";
import { thisProcess } from "./process-identity.ts";

describe("a lock", () => {
  let dir = "";
  let path = "";
  const children: ChildProcess[] = [];
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
  });
  beforeEach(() => {
    dir = temporaryFolder("lock");
    path = join(dir, "thing");
  });

  const take = (): Promise<Lock> => lock(nodeFiles, path, "the thing");
  const isLocked = (who: RegExp) => (error: unknown) =>
    isDrayError(error, "LOCKED") && who.test(error.message) && error.message.includes("the thing") && error.retryable;

  /** Another process that takes the lock, says so, and does what the script says then. */
  const holder = async (then: string, stderr: "inherit" | "ignore" = "inherit"): Promise<ChildProcess> => {
    const script = `
      import { lock, nodeFiles } from ${JSON.stringify(fileURLToPath(new URL("./index.ts", import.meta.url)))};
      const held = await lock(nodeFiles, ${JSON.stringify(path)}, "the thing");
      console.log("held");
      ${then}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", stderr],
    });
    children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    return child;
  };

  it("makes its directory, keeps others of this process out, and leaves nothing when released", async () => {
    path = join(dir, "deep", "thing");
    const held = await take();
    await assert.rejects(take(), isLocked(/this process/));
    assert.equal((await readdir(join(dir, "deep"))).length, 1);
    await held.release();
    await (await take()).release();
    assert.deepEqual(await readdir(join(dir, "deep")), []);
  });

  it("concerns one path and no other", async () => {
    const held = await take();
    const other = await lock(nodeFiles, `${path}2`, "another");
    const inner = await lock(nodeFiles, join(dir, "thi"), "a third");
    await Promise.all([held, other, inner].map((each) => each.release()));
  });

  it("names the process that holds it, and is taken over when that was killed", async () => {
    const child = await holder("setInterval(() => {}, 1000);");
    await assert.rejects(take(), isLocked(new RegExp(`process ${child.pid} on .*remove .*thing\\.lock-${child.pid}-`)));
    child.kill("SIGKILL");
    await once(child, "exit");
    const held = await take();
    assert.equal((await readdir(dir)).length, 1);
    await held.release();
  });

  it("is released when its process exits by itself, or by process.exit", async () => {
    for (const end of ["", "process.exit(3);", "throw new Error('expected in this test');"]) {
      const child = await holder(end, "ignore");
      if (child.exitCode === null) await once(child, "exit");
      assert.deepEqual(await readdir(dir), [], end);
    }
  });

  const { pid, started, machine } = thisProcess();
  const claim = (holds: { pid?: number; started?: string; machine?: string }): string =>
    join(dir, `thing.lock-${holds.pid ?? pid}-${holds.started ?? started}-${holds.machine ?? machine}-0badcafe`);

  it("is not held by a process that got the pid of a dead one", {
    skip: started === "0" && "the system tells no start times",
  }, async () => {
    await writeFile(claim({ started: "1" }), "here");
    await (await take()).release();
    assert.deepEqual(await readdir(dir), []);
  });

  it("is held by a process of another machine as long as that shows signs of life", async () => {
    const foreign = claim({ pid: 1, machine: "0123456789ab" });
    await writeFile(foreign, "elsewhere");
    await assert.rejects(take(), isLocked(/process 1 on elsewhere/));
    const past = new Date(Date.now() - 3_600_000);
    await utimes(foreign, past, past);
    await (await take()).release();
    assert.deepEqual(await readdir(dir), []);
  });

  it("is none in a copy of its folder, made while it was held, and stays one where that is moved or has two names", async () => {
    const [original, copy] = [join(dir, "original"), join(dir, "copy")];
    path = join(original, "thing");
    const child = await holder("setInterval(() => {}, 1000);");
    const mine = await lock(nodeFiles, join(original, "mine"), "mine");
    await cp(original, copy, { recursive: true, preserveTimestamps: true });
    assert.equal((await readdir(copy)).length, 2);
    for (const name of ["thing", "mine"]) await (await lock(nodeFiles, join(copy, name), name)).release();
    assert.deepEqual(await readdir(copy), []);
    await assert.rejects(take(), isLocked(new RegExp(`process ${child.pid} on [^\n]*;`)));
    await symlink(original, join(dir, "link"));
    path = join(dir, "link", "thing");
    await assert.rejects(take(), isLocked(new RegExp(`process ${child.pid} on `)));
    await rename(original, join(dir, "moved"));
    path = join(dir, "moved", "thing");
    await assert.rejects(take(), isLocked(new RegExp(`process ${child.pid} on `)));
    await mine.release();
  });

  it("goes to one at a time, whoever sweeps away the claim of a dead one", async () => {
    let holders = 0;
    let most = 0;
    let turns = 0;
    await writeFile(claim({ started: "1" }), "here");
    const contender = async (): Promise<void> => {
      for (;;) {
        try {
          const held = await take();
          most = Math.max(most, ++holders);
          await new Promise(setImmediate);
          turns++;
          holders--;
          return await held.release();
        } catch (error) {
          if (!isDrayError(error, "LOCKED")) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, contender));
    assert.equal(most, 1);
    assert.equal(turns, 6);
    assert.deepEqual(await readdir(dir), []);
  });

  it("whatever call fails while it is taken or released, the next one gets it", async () => {
    let calls = 0;
    const whole = await lock(
      faultyFiles(nodeFiles, ({ count }) => void (calls = count)),
      path,
      "the thing",
    );
    await whole.release();
    assert.ok(calls >= 6, `${calls} calls`);
    for (let at = 1; at <= calls; at++)
      for (const dead of [false, true]) {
        const faulty = faultyFiles(nodeFiles, ({ count }) => ((dead ? count >= at : count === at) ? "EIO" : undefined));
        try {
          await (await lock(faulty, path, "the thing")).release();
        } catch (error) {
          assert.ok(isDrayError(error, "DISK"), String(error));
        }
        await (await take()).release();
        assert.deepEqual(await readdir(dir), []);
      }
  });

  it("in a directory that may not be written says so", async () => {
    const readonly = faultyFiles(nodeFiles, ({ operation }) => (operation === "open" ? "EACCES" : undefined));
    await assert.rejects(
      lock(readonly, path, "the thing"),
      (error: DrayError) =>
        error.code === "DISK" && error.message.startsWith("cannot write the thing: permission denied"),
    );
  });
});
