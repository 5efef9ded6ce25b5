import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { digestOf } from "dray/oci";
import { driverContract } from "../../test/driver-contract/driver-contract.ts";
import { memoryDriver } from "./memory-driver.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

driverContract("a driver in memory", async () => ({ driver: memoryDriver(), end: async () => {} }));

describe("what only the driver in memory does", () => {
  it("shows and takes files without waiting, the same ones", async () => {
    const memory = memoryDriver();
    memory.putSync("a/b", text("b"), { mtime: 1234 });
    assert.equal((await memory.stat("a/b"))?.mtime, 1234);
    await memory.write("a/c", text("c"));
    assert.deepEqual(memory.listSync("a"), ["b", "c"]);
    assert.deepEqual(memory.getSync("a/c"), text("c"));
    memory.removeSync("a/b");
    assert.equal(await memory.read("a/b"), undefined);
    assert.throws(
      () => memory.putSync("../a", text("")),
      (error) => isDrayError(error, "LOCATION_INVALID"),
    );
  });

  it("gives each change a time of its own, even when the clock stands", async () => {
    const memory = memoryDriver({ now: () => 1_800_000_000_000 });
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      await memory.write(`folder/${i % 3}`, text("x"));
      seen.add((await memory.stat("folder"))?.mtime ?? 0);
      memory.removeSync(`folder/${i % 3}`);
      seen.add((await memory.stat("folder"))?.mtime ?? 0);
    }
    assert.equal(seen.size, 2000);
    assert.ok(Math.max(...seen) < 1_800_000_000_100);
  });

  it("serves content that is made while it is read", async () => {
    const memory = memoryDriver();
    const size = 5 * 1024 ** 3;
    memory.putSync("large", {
      size,
      read: (into, position) => {
        const length = Math.min(into.byteLength, 1000, size - position);
        for (let i = 0; i < length; i++) into[i] = (position + i) % 251;
        return length;
      },
    });
    const file = await memory.open("large");
    assert.equal(file?.size, size);
    const into = new Uint8Array(5000);
    assert.equal(await file.read(into, size - 4000), 4000);
    assert.equal(into[0], (size - 4000) % 251);
    assert.equal(into[3999], (size - 1) % 251);
  });

  it("keeps of what it receives only size and digest, if told so", async () => {
    const memory = memoryDriver({ sink: true });
    const receiver = await memory.receive("up/data", "sha256");
    const expected = new Uint8Array(1_000_000).fill(5);
    for (let i = 0; i < 10; i++) await receiver.append(expected.subarray(0, 100_000));
    assert.equal(await receiver.flush(), expected.byteLength);
    assert.equal(await receiver.digest("sha256"), digestOf(expected));
    await receiver.close();
    await memory.move("up/data", "blob/data");
    assert.equal((await memory.stat("blob/data"))?.size, expected.byteLength);
    const file = await memory.open("blob/data");
    await assert.rejects(
      async () => file?.read(new Uint8Array(10), 0),
      (error) => isDrayError(error, "UNSUPPORTED"),
    );
    await memory.write("small", text("kept"));
    assert.deepEqual(memory.getSync("small"), text("kept"));
  });
});
