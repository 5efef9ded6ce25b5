import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { chanceOf } from "@dray/testkit";
import { faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import type { Driver } from "../../src/storage/driver.ts";
import { type FilesystemDriverOptions, filesystemDriver } from "../../src/storage/filesystem-driver.ts";
import { type Cut, type Leavings, type Recording, recordFiles } from "./index.ts";

/** One change of one path: begun and acknowledged when the recording was so long. */
interface Step {
  readonly path: string;
  /** `undefined`: removed. */
  readonly bytes: Uint8Array | undefined;
  readonly begun: number;
  acknowledged: number;
}

/** Drives a driver and remembers what may be found after a cut. Each path is changed by one caller at a time. */
class History {
  readonly steps: Step[] = [];
  readonly #driver: Driver;
  readonly #recording: Recording;

  constructor(driver: Driver, recording: Recording) {
    this.#driver = driver;
    this.#recording = recording;
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    return this.#step([[path, bytes]], () => this.#driver.write(path, bytes));
  }

  remove(folder: string, paths: readonly string[]): Promise<void> {
    return this.#step(
      paths.map((path) => [path, undefined]),
      () => this.#driver.remove(folder),
    );
  }

  async receive(upload: string, path: string, bytes: Uint8Array, alone = false): Promise<void> {
    const receiver = await this.#driver.receive(upload, "sha256");
    for (let at = 0; at < bytes.byteLength; at += 70_000) await receiver.append(bytes.subarray(at, at + 70_000));
    await receiver.flush();
    await receiver.close();
    await this.#step([[path, bytes]], () => this.#driver.move(upload, path, { alone }));
  }

  async #step(changes: readonly [string, Uint8Array | undefined][], work: () => Promise<void>): Promise<void> {
    const begun = this.#recording.length;
    const steps = changes.map(([path, bytes]): Step => ({ path, bytes, begun, acknowledged: Infinity }));
    this.steps.push(...steps);
    await work();
    for (const step of steps) step.acknowledged = this.#recording.length;
  }

  /** What is wrong in what a cut left; `undefined`: nothing. */
  fault(left: Leavings, cut: number): string | undefined {
    for (const path of new Set(this.steps.map((step) => step.path))) {
      const steps = this.steps.filter((step) => step.path === path && step.begun <= cut);
      const sure = steps.findLast((step) => step.acknowledged <= cut);
      const possible = sure === undefined ? [undefined, ...steps.map(({ bytes }) => bytes)] : [];
      for (const step of steps)
        if (sure !== undefined && steps.indexOf(step) >= steps.indexOf(sure)) possible.push(step.bytes);
      const found = left.get(path);
      if (found === "directory" || !possible.some((bytes) => equal(bytes, found)))
        return `${path} is ${found === undefined ? "not there" : `wrong (${found.length})`}, ${steps.length} steps, sure of ${steps.indexOf(sure as Step)}`;
    }
    const known = new Set(this.steps.map((step) => step.path));
    for (const [path, content] of left)
      if (content !== "directory" && !path.startsWith("dray/") && !path.startsWith("uploads/") && !known.has(path))
        return `${path} was never written`;
    return undefined;
  }
}

const equal = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;

/** Never zero, so that whatever is lost shows. */
const filled = (length: number, seed: number): Uint8Array => seededBytes(seed, length).map((byte) => byte || 1);

/** Callers side by side in shared folders: new and replaced files, uploads, removals. */
const busy = async (history: History): Promise<void> => {
  const caller = async (id: number): Promise<void> => {
    const random = chanceOf(id).next;
    const small = (): Uint8Array => filled(1 + Math.floor(random() * 300), Math.floor(random() * 1000));
    await history.write(`shared/links/${id}/link`, small());
    await history.receive(`uploads/${id}/data`, `blobs/${id % 2}/${id}/data`, filled(150_000 + id, id), id % 2 === 0);
    await history.write(`shared/tags/t${id}/current/link`, small());
    await history.write(`shared/tags/t${id}/index/link`, small());
    await history.write(`shared/tags/t${id}/current/link`, small());
    const tag = [`shared/tags/t${id}/current/link`, `shared/tags/t${id}/index/link`];
    await history.remove(`shared/tags/t${id}`, tag);
    await history.write(`shared/tags/t${id}/current/link`, small());
    await history.receive(`uploads/${id}b/data`, `blobs/${id % 2}/${id}/data`, filled(1000, id + 9), id > 2);
    await history.remove(`shared/links/${id}/link`, [`shared/links/${id}/link`]);
  };
  await Promise.all([1, 2, 3, 4].map(caller));
};

describe("a power cut", () => {
  let root = "";
  before(() => {
    root = temporaryFolder("crash");
  });
  const record = async (
    name: string,
    work: (history: History) => Promise<void>,
    options: FilesystemDriverOptions = {},
  ): Promise<{ recording: Recording; history: History }> => {
    const folder = join(root, name);
    await mkdir(folder);
    const recording = await recordFiles(folder);
    const driver = await filesystemDriver(folder, { ...options, fs: recording.files });
    const history = new History(driver, recording);
    await work(history);
    await driver.close();
    return { recording, history };
  };

  const chances = (after: number): (() => number)[] => [
    () => 0,
    () => 1,
    ...[1, 2, 3, 4].map((seed) => chanceOf(after * 10 + seed).next),
  ];

  const faults = ({ recording, history }: { recording: Recording; history: History }): string[] => {
    const found: string[] = [];
    for (let after = 0; after <= recording.length; after++)
      for (const chance of chances(after)) {
        const fault = history.fault(recording.leavings({ after, chance }), after);
        if (fault !== undefined) found.push(`after ${after}, ${recording.describe(after - 1)}: ${fault}`);
      }
    return found;
  };

  it("at any moment of writes, moves and removals one after the other leaves old or new, whole, and what was acknowledged", async () => {
    const recorded = await record("sequence", async (history) => {
      await history.write("a/b/c/link", filled(100, 1));
      await history.write("a/b/c/link", filled(50, 2));
      await history.write("a/b/d/link", filled(70, 3));
      await history.receive("uploads/1/data", "blobs/ab/data", filled(300_000, 4));
      await history.receive("uploads/2/data", "blobs/ab/data", filled(200_000, 5), true);
      await history.receive("uploads/3/data", "blobs/cd/data", filled(200_000, 8), true);
      await history.remove("blobs/cd", ["blobs/cd/data"]);
      await history.receive("uploads/4/data", "blobs/cd/data", filled(100_000, 9), true);
      await history.remove("a/b/c", ["a/b/c/link"]);
      await history.write("a/b/c/link", filled(10, 6));
      await history.remove("a", ["a/b/c/link", "a/b/d/link"]);
      await history.write("a/b/c/link", filled(20, 7));
    });
    assert.ok(recorded.recording.length > 60, `${recorded.recording.length} events`);
    assert.deepEqual(faults(recorded), []);
  });

  it("at any moment of many callers at once leaves the same, and what is left can be started from", async () => {
    const recorded = await record("parallel", busy);
    const { recording, history } = recorded;
    assert.ok(recording.length > 300, `${recording.length} events`);
    assert.deepEqual(faults(recorded), []);
    const random = chanceOf(77).next;
    for (let i = 0; i < 25; i++) {
      const cut: Cut = { after: Math.floor(random() * recording.length), chance: chanceOf(i).next };
      const folder = join(root, `restart-${i}`);
      await recording.materialise(folder, cut);
      const driver = await filesystemDriver(folder);
      const left: Leavings = new Map();
      for (const path of new Set(history.steps.map((step) => step.path))) {
        const bytes = await driver.read(path);
        if (bytes !== undefined) left.set(path, bytes);
      }
      assert.equal(history.fault(left, cut.after), undefined);
      assert.deepEqual(await driver.list("dray/tmp"), []);
      await driver.write("shared/tags/new/current/link", filled(3, 3));
      await driver.close();
    }
  });

  it("loses what was acknowledged when nothing waits for the disk, so these tests can fail", async () => {
    const found = faults(await record("relaxed", busy, { durability: "relaxed" }));
    assert.ok(found.some((fault) => fault.includes("not there")));
    assert.ok(found.some((fault) => fault.includes("wrong")));
  });

  it("loses nothing when directories that were made by a process that was killed are written into", async () => {
    const folder = join(root, "killed");
    await mkdir(folder);
    const recording = await recordFiles(folder);
    const first = await filesystemDriver(folder, { durability: "relaxed", fs: recording.files });
    await first.write("a/b/c/one", filled(10, 1));
    await first.close();
    const second = await filesystemDriver(folder, { fs: recording.files });
    const history = new History(second, recording);
    await history.write("a/b/c/two", filled(10, 2));
    await second.close();
    const left = recording.leavings({ after: recording.length, chance: () => 0 });
    assert.ok(left.has("a/b/c/two"));
  });

  it("loses nothing that is touched instead of written again, whoever wrote it", async () => {
    const folder = join(root, "touched");
    await mkdir(folder);
    const recording = await recordFiles(folder);
    const first = await filesystemDriver(folder, { durability: "relaxed", fs: recording.files });
    await first.write("a/b/c/data", filled(1000, 1));
    await first.close();
    const second = await filesystemDriver(folder, { fs: recording.files });
    await second.touch("a/b/c/data");
    const left = recording.leavings({ after: recording.length, chance: () => 0 });
    assert.deepEqual(left.get("a/b/c/data"), filled(1000, 1));
    await second.close();
  });

  it("keeps what a rejected write left to see, once a later one is acknowledged", async () => {
    const folder = join(root, "owed");
    await mkdir(folder);
    const recording = await recordFiles(folder);
    let full = false;
    const fs = faultyFiles(recording.files, ({ operation, path }) =>
      full && operation === "open" && path.endsWith("/a/b") ? "EMFILE" : undefined,
    );
    const driver = await filesystemDriver(folder, { fs });
    full = true;
    await assert.rejects(driver.write("a/b/seen", filled(10, 1)), (error) => isDrayError(error, "DISK"));
    full = false;
    assert.ok((await driver.stat("a/b/seen")) !== undefined);
    await driver.write("a/c/links/to/it", filled(10, 2));
    const left = recording.leavings({ after: recording.length, chance: () => 0 });
    assert.ok(left.has("a/c/links/to/it"));
    assert.ok(left.has("a/b/seen"));
    await driver.close();
  });
});
