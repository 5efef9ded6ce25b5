import assert from "node:assert/strict";
import { copyFileSync, existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { chanceOf } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { RegistryOptions } from "../../src/options.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver, memoryDriver } from "../../src/storage/index.ts";
import { type Leavings, type Recording, recordFiles } from "../power-cut/index.ts";
import { History } from "./history.ts";
import { brokenLinks, faultsIn } from "./inspect.ts";
import { Clients, scenario } from "./scenario.ts";

const long = process.env["DRAY_LONG_TESTS"] === "1";
/** Seeded choices of what is left, for each moment. */
const choices = long ? 12 : 1;
/** States that are started from on a real disk. */
const onDisk = long ? 400 : 20;
/** One state of so many is also gone on with. */
const goingOn = long ? 7 : 110;

/** Some lose half of everything, others little: a path is there only if each directory on it is. */
const lossOf = (seed: number): (() => number) => {
  const random = chanceOf(seed).next;
  return seed % 2 === 0 ? random : () => random() ** 0.2;
};

/** A registry for which all that lies there is old, and the promises from before its start have ended. */
const createLater = (options: RegistryOptions): Registry => {
  let now = Date.now();
  const registry = createRegistry({ ...options, now: () => now });
  now += 2 * 3_600_000;
  return registry;
};

interface Recorded {
  readonly recording: Recording;
  readonly history: History;
  /** Copies of the index, by the number of events there were. */
  readonly indexes: readonly { readonly after: number; readonly file: string }[];
}

const record = async (root: string, durability: "full" | "relaxed" = "full"): Promise<Recorded> => {
  const [data, file] = [join(root, "data"), join(root, "index.db")];
  await mkdir(data);
  const recording = await recordFiles(data);
  const driver = await filesystemDriver(data, { fs: recording.files, durability });
  const registry = createLater({ driver, index: file, recheckAfter: 0 });
  registry.start();
  const history = new History(() => recording.length);
  const indexes: { after: number; file: string }[] = [];
  for (const [i, [, step]] of scenario(registry, new Clients(registry, history)).entries()) {
    await step();
    const copy = join(root, `index-${i}.db`);
    for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    indexes.push({ after: recording.length, file: copy });
  }
  await registry.close();
  return { recording, history, indexes };
};

/** A registry in memory over what a cut left. */
const startedOn = (left: Leavings): Registry => {
  const driver = memoryDriver();
  for (const [path, content] of left) {
    if (path.startsWith("dray/") || path === "dray") continue;
    if (content !== "directory") driver.putSync(path, content);
    else {
      driver.putSync(`${path}/x`, new Uint8Array());
      driver.removeSync(`${path}/x`);
    }
  }
  return createLater({ driver });
};

/** The same for states that are the same, with the same that may be found in them. */
const fingerprint = (left: Leavings, history: History, cut: number): string => {
  const files = [...left].map(([path, bytes]) => `${path} ${bytes === "directory" ? "" : crc32(bytes)}`).sort();
  const things = [...history.after(cut)].map(({ may }) => [...may].join());
  return `${crc32(files.join())} ${crc32(things.join("|"))}`;
};

/** Whoever was not answered tries again, and garbage collection goes on where it was. */
const goOn = async (registry: Registry, history: History, cut: number): Promise<string[]> => {
  await registry.collect({ grace: 0, lease: 0 });
  const faults = await faultsIn(registry, history, { cut, collected: true });
  const again = new History(() => 0);
  for (const [, step] of scenario(registry, new Clients(registry, again))) await step();
  faults.push(...(await faultsIn(registry, again, { cut: 0, collected: true })));
  for await (const difference of registry.check()) faults.push(JSON.stringify(difference));
  return faults;
};

describe("a power cut under a whole registry", () => {
  let root = "";
  let recorded: Recorded;
  before(async () => {
    root = temporaryFolder("power");
    await mkdir(join(root, "full"));
    recorded = await record(join(root, "full"));
  });
  const chances = (cut: number): (() => number)[] => [
    () => 0,
    () => 1,
    ...Array.from({ length: choices }, (_, i) => lossOf(cut + i * 1000)),
  ];

  it("at any moment, whatever is lost of what was not synced, takes nothing acknowledged and leaves nothing half", async () => {
    const { recording, history } = recorded;
    const seen = new Set<string>();
    let states = 0;
    for (let cut = 0; cut <= recording.length; cut++)
      for (const [i, chance] of chances(cut).entries()) {
        states++;
        const left = recording.leavings({ after: cut, chance });
        const state = fingerprint(left, history, cut);
        if (seen.has(state)) continue;
        seen.add(state);
        const registry = startedOn(left);
        const faults = [...brokenLinks(left), ...(await faultsIn(registry, history, { cut }))];
        if (faults.length === 0 && seen.size % goingOn === 0) faults.push(...(await goOn(registry, history, cut)));
        assert.deepEqual(faults, [], `after event ${cut}, ${recording.describe(cut - 1)}, choice ${i}`);
        await registry.close();
      }
    assert.ok(seen.size > 500);
    console.log(
      `power cuts: ${states} states after ${recording.length} events, ${seen.size} of them unlike each other`,
    );
  });

  it("the same with an index that is old, torn, ahead of the tree or gone", async () => {
    const { recording, history, indexes } = recorded;
    const random = chanceOf(41).next;
    for (let i = 0; i < onDisk; i++) {
      const cut = Math.floor(random() * (recording.length + 1));
      const data = join(root, `disk-${i}`);
      await recording.materialise(data, { after: cut, chance: lossOf(i) });
      const file = join(root, `disk-${i}.db`);
      const kind = ["gone", "as it was", "ahead", "torn", "without its log"][i % 5] as string;
      await putIndex(
        kind,
        file,
        kind === "ahead" ? indexes.at(-1) : indexes.findLast(({ after }) => after <= cut),
        random,
      );
      const driver = await filesystemDriver(data, { durability: "relaxed" });
      const registry = createLater({ driver, index: file });
      registry.start();
      const faults = await faultsIn(registry, history, { cut });
      await registry.context.reconciler.reconciled();
      for await (const difference of registry.check()) faults.push(JSON.stringify(difference));
      faults.push(...(await goOn(registry, history, cut)));
      assert.deepEqual(faults, [], `after event ${cut}, ${recording.describe(cut - 1)}, index ${kind}, number ${i}`);
      await registry.close();
      await rm(data, { recursive: true });
    }
    console.log(`power cuts: ${onDisk} states started from on disk`);
  });

  it("takes what was acknowledged where nothing waits for the disk, so this test can fail", async () => {
    await mkdir(join(root, "relaxed"));
    const { recording, history } = await record(join(root, "relaxed"), "relaxed");
    const found: string[] = [];
    for (let cut = 0; cut <= recording.length; cut++) {
      const left = recording.leavings({ after: cut, chance: lossOf(cut) });
      const registry = startedOn(left);
      found.push(...brokenLinks(left), ...(await faultsIn(registry, history, { cut })));
      await registry.close();
    }
    for (const what of ["it may be", "is there without", "leads to nothing", "other bytes"])
      assert.ok(
        found.some((fault) => fault.includes(what)),
        what,
      );
  });
});

const putIndex = async (
  kind: string,
  file: string,
  from: { readonly file: string } | undefined,
  random: () => number,
): Promise<void> => {
  if (kind === "gone" || from === undefined) return;
  for (const suffix of kind === "without its log" ? [""] : ["", "-wal"]) {
    if (!existsSync(from.file + suffix)) continue;
    const bytes = await readFile(from.file + suffix);
    if (kind === "torn")
      for (let i = 0; i < 40; i++) bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
    await writeFile(
      file + suffix,
      kind === "torn" && random() < 0.5 ? bytes.subarray(0, random() * bytes.byteLength) : bytes,
    );
  }
};
