import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import type { FileSystem } from "dray/internal/files";
import { type Digest, digestOf } from "dray/oci";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver } from "../../src/storage/index.ts";
import { ask, fetch } from "./client.ts";
import { type Content, filled, image, index } from "./content.ts";
import { quickFiles } from "./quick-files.ts";

const long = process.env["DRAY_LONG_TESTS"] === "1";
const codes = ["EIO", "ENOENT", "EACCES", "ENOSPC", "ESTALE"] as const;
/** Runs for each kind of work and error, spread over its calls; all of them where there is time for it. */
const runs = long ? Number.POSITIVE_INFINITY : 2;

const { files } = quickFiles();

const shared = filled(400, 1);
const kept = image("kept", [shared, filled(300, 2)]);
const untagged = image("untagged", [shared]);
const both = index([kept, image("child", [filled(200, 3)])]);
const deleted = image("deleted", [shared, filled(100, 4)]);
const pushed = image("pushed", [shared, filled(600, 5)]);
const orphan = filled(50, 6);

/** Tags, and what they have to stand for. */
const named: readonly (readonly [repository: string, name: string, content: Content])[] = [
  ["app", "v1", kept],
  ["app", untagged.digest, untagged],
  ["team/other", "both", both],
];

const pushBlob = async (registry: Registry, repository: string, body: Uint8Array): Promise<number> =>
  (await ask(registry, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`, { body })).status;

/** What the client is told at the end, or at the first step that is refused. */
const push = async (registry: Registry, repository: string, content: Content, name?: string): Promise<number> => {
  for (const child of content.manifests) {
    const status = await push(registry, repository, child);
    if (status !== 201) return status;
  }
  for (const body of content.blobs) {
    const status = await pushBlob(registry, repository, body);
    if (status !== 201) return status;
  }
  const { digest, bytes: body, type } = content;
  return (await ask(registry, "PUT", `/v2/${repository}/manifests/${name ?? digest}`, { body, type })).status;
};

/** What is not there of a manifest, or not as it was. */
const faultsOf = async (registry: Registry, repository: string, name: string, content: Content): Promise<string[]> => {
  const faults: string[] = [];
  const look = async (path: string, digest: Digest, bytes: Uint8Array): Promise<void> => {
    const found = await fetch(registry, `/v2/${repository}/${path}`, digest);
    if (!(found instanceof Uint8Array) || Buffer.compare(found, bytes) !== 0)
      faults.push(
        `${repository}/${path}: ${typeof found === "string" ? found : found === undefined ? "gone" : "other"}`,
      );
  };
  await look(`manifests/${name}`, content.digest, content.bytes);
  for (const bytes of content.blobs) await look(`blobs/${digestOf(bytes)}`, digestOf(bytes), bytes);
  for (const child of content.manifests) faults.push(...(await faultsOf(registry, repository, child.digest, child)));
  return faults;
};

const opened = async (folder: string, fs: FileSystem): Promise<Registry> => {
  let now = Date.now();
  const driver = await filesystemDriver(folder, { fs });
  const registry = createRegistry({ driver, now: () => now, recheckAfter: 0, gc: { share: 1 } });
  now += 2 * 3_600_000;
  return registry;
};

/** What came of it: whether somebody was told that it failed, or that it was done. */
interface Outcome {
  readonly told: boolean;
  readonly done: boolean;
}

const answered = (status: number, good: number): Outcome => ({ told: status >= 500, done: status === good });

const failed = async (work: Promise<Outcome>): Promise<Outcome> => {
  try {
    return await work;
  } catch (error) {
    assert.ok(isDrayError(error, "DISK") || isDrayError(error, "NOT_FOUND"), String(error));
    return { told: true, done: false };
  }
};

const collect = (registry: Registry): Promise<Outcome> =>
  failed(
    registry
      .collect({ grace: 0, lease: 0, empty: true, orphans: true })
      .then(({ troubles, unswept, held, unreadable }) => {
        const told = troubles > 0 || unswept !== undefined || held.length > 0 || unreadable.length > 0;
        return { told, done: !told };
      }),
  );

interface Work {
  readonly act: (registry: Registry) => Promise<Outcome>;
  /** Whether the index knows the tree before anything fails. */
  readonly known: boolean;
  /** What has to be there where it was done. */
  readonly makes?: readonly [repository: string, name: string, content: Content];
  readonly takes?: readonly [repository: string, name: string];
}

const works: Record<string, Work> = {
  "a push": {
    act: async (registry) => answered(await push(registry, "app", pushed, "new"), 201),
    known: true,
    makes: ["app", "new", pushed],
  },
  "a push to a new repository": {
    act: async (registry) => answered(await push(registry, "fresh", pushed, "new"), 201),
    known: true,
    makes: ["fresh", "new", pushed],
  },
  "a deletion": {
    act: async (registry) => answered((await ask(registry, "DELETE", `/v2/app/manifests/gone`)).status, 202),
    known: true,
    takes: ["app", "gone"],
  },
  "garbage collection": { act: collect, known: true },
  "garbage collection by an index that is made meanwhile": { act: collect, known: false },
  verification: {
    act: (registry) =>
      failed(registry.verify({ rate: 0 }).then(({ findings }) => ({ told: findings > 0, done: findings === 0 }))),
    known: true,
  },
  "the way back": {
    act: (registry) => failed(registry.restore("app", deleted.digest).then(() => ({ told: false, done: true }))),
    known: true,
    makes: ["app", deleted.digest, deleted],
  },
};

describe("whatever one call of the file system says", () => {
  // What is tried again in the background keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  after(() => clearInterval(alive));
  let folder = "";
  let attempts = 0;
  before(async () => {
    folder = temporaryFolder("each-call");
    const registry = await opened(join(folder, "before"), files);
    for (const [repository, name, content] of named) assert.equal(await push(registry, repository, content, name), 201);
    assert.equal(await push(registry, "app", untagged, "gone"), 201);
    assert.equal(await push(registry, "app", deleted, "deleted"), 201);
    assert.equal((await ask(registry, "DELETE", `/v2/app/manifests/${deleted.digest}`)).status, 202);
    assert.equal(await pushBlob(registry, "app", orphan), 201);
    await registry.close();
  });

  const attempt = async (work: Work, fault: (count: number) => string | undefined, at: string) => {
    const data = join(folder, String(++attempts));
    execFileSync("cp", ["-a", join(folder, "before"), data]);
    let [armed, calls] = [false, 0];
    const fs = faultyFiles(files, () => (armed ? fault(++calls) : undefined));
    const registry = await opened(data, fs);
    if (work.known) await registry.context.reconciler.reconciled();
    armed = true;
    const outcome = await work.act(registry);
    armed = false;
    // What is there is there for who asks now, and after a start.
    const faults: string[] = [];
    for (const each of [registry, undefined]) {
      if (each === undefined) await registry.close();
      const asked = each ?? (await opened(data, files));
      for (const [repository, name, content] of named)
        faults.push(...(await faultsOf(asked, repository, name, content)));
      const { makes, takes } = work;
      if (outcome.done && makes !== undefined) faults.push(...(await faultsOf(asked, ...makes)));
      if (outcome.done && takes !== undefined) {
        const { status } = await ask(asked, "GET", `/v2/${takes[0]}/manifests/${takes[1]}`);
        if (status !== 404) faults.push(`${takes[1]} is there again: ${status}`);
      }
      if (each === undefined) await asked.close();
    }
    assert.deepEqual(faults, [], at);
    return { outcome, calls };
  };

  for (const [what, work] of Object.entries(works))
    it(`${what} loses nothing that is acknowledged or named, and says that it failed`, async () => {
      const { outcome, calls } = await attempt(work, () => undefined, "without a fault");
      assert.deepEqual(outcome, { told: false, done: true });
      const step = Math.max(1, calls / runs);
      let [silent, tried] = [0, 0];
      for (const [which, code] of codes.entries())
        for (let next = 1 + (which * step) / codes.length; next <= calls; next += step) {
          const at = `call ${Math.floor(next)} of ${calls}: ${code}`;
          const result = await attempt(work, (count) => (count === Math.floor(next) ? code : undefined), at);
          tried++;
          // That something is not there is no failure.
          if (code !== "ENOENT" && result.outcome.done) silent++;
        }
      console.log(`${what}: ${tried} of ${calls} calls failed, ${silent} of them did no harm`);
    });
});
