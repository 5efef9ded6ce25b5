import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrayError } from "dray/errors";
import { type Digest, digestOf } from "dray/oci";
import { blobPath, Tree } from "../distribution-tree/index.ts";
import { type Driver, memoryDriver } from "../storage/index.ts";
import { type Finding, verifyBlobs } from "./verify.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const stored = async (driver: Driver, content: Uint8Array, algorithm: "sha256" | "sha512" = "sha256") => {
  const digest = digestOf(content, algorithm);
  await new Tree(driver).writeBlob(digest, content);
  return digest;
};

/** The same driver, except for one method. Its own methods are on the prototype. */
const changed = (driver: Driver, change: Partial<Driver>): Driver =>
  new Proxy(driver, {
    get: (target, name) => {
      const value = Reflect.get(change, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

describe("verifyBlobs", () => {
  it("finds nothing in a pool that is whole, of either algorithm and over many blocks", async () => {
    const driver = memoryDriver();
    const seen: Digest[] = [];
    const digests = [
      await stored(driver, bytesOf("small")),
      await stored(driver, new Uint8Array(0)),
      await stored(driver, new Uint8Array(3 * 1024 * 1024 + 1).fill(7)),
      await stored(driver, bytesOf("long"), "sha512"),
    ];
    const verified = await verifyBlobs({
      tree: new Tree(driver),
      share: 1,
      onFinding: (finding) => assert.fail(finding.message),
      onBlob: (digest) => seen.push(digest),
    });
    assert.deepEqual(seen, digests.toSorted());
    assert.deepEqual(
      { ...verified, seconds: 0 },
      { blobs: 4, bytes: 3 * 1024 * 1024 + 1 + 9, wrong: 0, unreadable: 0, seconds: 0 },
    );
  });

  it("tells of blobs that are changed, cut off, grown or unreadable, goes on, and removes none", async () => {
    const driver = memoryDriver();
    const good = await stored(driver, bytesOf("good"));
    const changedOne = await stored(driver, bytesOf("changed"));
    const cut = await stored(driver, bytesOf("cut off"));
    const grown = await stored(driver, bytesOf("grown"));
    const broken = await stored(driver, bytesOf("broken"));
    driver.putSync(blobPath(changedOne), bytesOf("chAnged"));
    driver.putSync(blobPath(cut), bytesOf("cut"));
    driver.putSync(blobPath(grown), bytesOf("grown up"));
    const refuses = changed(driver, {
      open: async (path) => {
        if (path === blobPath(broken)) throw new DrayError("DISK", `cannot read ${path}: EIO`);
        return driver.open(path);
      },
    });
    const findings: Finding[] = [];
    const verified = await verifyBlobs({
      tree: new Tree(refuses),
      share: 1,
      onFinding: (finding) => findings.push(finding),
    });
    assert.deepEqual([verified.blobs, verified.wrong, verified.unreadable], [4, 3, 1]);
    assert.deepEqual(
      new Map(findings.map(({ digest, what, actual }) => [digest, [what, actual]])),
      new Map([
        [changedOne, ["wrong", digestOf(bytesOf("chAnged"))]],
        [cut, ["wrong", digestOf(bytesOf("cut"))]],
        [grown, ["wrong", digestOf(bytesOf("grown up"))]],
        [broken, ["unreadable", undefined]],
      ]),
    );
    for (const digest of [good, changedOne, cut, grown, broken])
      assert.notEqual(driver.getSync(blobPath(digest)), undefined);
  });

  it("goes on behind a digest, and ends when it is told to", async () => {
    const driver = memoryDriver();
    for (let i = 0; i < 5; i++) await stored(driver, bytesOf(String(i)));
    const tree = new Tree(driver);
    const all: Digest[] = [];
    for await (const digest of tree.blobs()) all.push(digest);
    const seen: Digest[] = [];
    const abort = new AbortController();
    const reason = new Error("enough");
    const onBlob = (digest: Digest): void => {
      if (seen.push(digest) === 2) abort.abort(reason);
    };
    await assert.rejects(verifyBlobs({ tree, share: 1, signal: abort.signal, onBlob }), {
      code: "ABORTED",
      cause: reason,
    });
    assert.deepEqual(seen, all.slice(0, 2));
    await verifyBlobs({ tree, share: 1, after: seen[1] as Digest, onBlob: (digest) => seen.push(digest) });
    assert.deepEqual(seen, all);
  });
});
