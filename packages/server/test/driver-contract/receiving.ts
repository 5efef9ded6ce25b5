import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { type DigestAlgorithm, digestOf } from "dray/oci";
import { same, type Tested, text } from "./tested.ts";

/** What grows at its end. */
export const receiving = (tested: Tested): void => {
  describe("receiving", () => {
    for (const algorithm of ["sha256", "sha512"] satisfies DigestAlgorithm[])
      for (const [size, chunk] of [
        [0, 1],
        [1, 1],
        [1000, 7],
        [131_072, 131_072],
        [131_073, 65_536],
        [3_000_001, 100_003],
      ] as const)
        it(`keeps and hashes (${algorithm}) ${size} bytes in chunks of ${chunk}, which stay the caller's`, async () => {
          const { driver, at } = tested;
          const bytes = seededBytes(1, size);
          const receiver = await driver.receive(`${at}/up/data`, algorithm);
          const given = new Uint8Array(chunk);
          for (let from = 0; from < size; from += chunk) {
            const part = bytes.subarray(from, from + chunk);
            given.set(part);
            await receiver.append(given.subarray(0, part.byteLength));
            given.fill(0);
          }
          assert.equal(await receiver.flush(), size);
          assert.equal(receiver.size, size);
          assert.equal(await receiver.digest(algorithm), digestOf(bytes, algorithm));
          await receiver.close();
          await receiver.close();
          same(await driver.read(`${at}/up/data`), bytes);
        });

    it("tells only what is written, and everything after flush", async () => {
      const { driver, at } = tested;
      const receiver = await driver.receive(`${at}/data`, "sha256");
      await receiver.append(text("abc"));
      assert.ok(receiver.size === 0 || receiver.size === 3);
      assert.equal(await receiver.flush(), 3);
      assert.equal((await driver.stat(`${at}/data`))?.size, 3);
      await receiver.append(text("def"));
      assert.equal(await receiver.flush(), 6);
      same(await driver.read(`${at}/data`), text("abcdef"));
      await receiver.close();
    });

    it("tells the digest in both algorithms, more than once, and goes on afterwards", async () => {
      const { driver, at } = tested;
      const receiver = await driver.receive(`${at}/data`, "sha256");
      await receiver.append(text("abc"));
      for (let i = 0; i < 2; i++)
        for (const algorithm of ["sha512", "sha256"] satisfies DigestAlgorithm[])
          assert.equal(await receiver.digest(algorithm), digestOf(text("abc"), algorithm));
      await receiver.append(text("def"));
      assert.equal(await receiver.digest("sha256"), digestOf(text("abcdef")));
      assert.equal(await receiver.flush(), 6);
      await receiver.close();
    });

    it("goes on behind what is there, and hashes that too", async () => {
      const { driver, at } = tested;
      const bytes = seededBytes(1, 2_500_000);
      await driver.write(`${at}/data`, bytes.subarray(0, 1_200_000));
      const receiver = await driver.receive(`${at}/data`, "sha256");
      assert.equal(receiver.size, 1_200_000);
      await receiver.append(bytes.subarray(1_200_000));
      assert.equal(await receiver.digest("sha256"), digestOf(bytes));
      await receiver.close();
      const again = await driver.receive(`${at}/data`, "sha512");
      assert.equal(await again.flush(), bytes.byteLength);
      assert.equal(await again.digest("sha512"), digestOf(bytes, "sha512"));
      await again.close();
      same(await driver.read(`${at}/data`), bytes);
    });

    it("answers calls in their order, though nobody waits between them", async () => {
      const { driver, at } = tested;
      const bytes = seededBytes(1, 1_000_000);
      const receiver = await driver.receive(`${at}/data`, "sha256");
      const calls: Promise<unknown>[] = [];
      for (let from = 0; from < bytes.byteLength; from += 50_000)
        calls.push(receiver.append(bytes.subarray(from, from + 50_000)));
      const [size, digest] = await Promise.all([receiver.flush(), receiver.digest("sha256"), ...calls]);
      assert.equal(size, bytes.byteLength);
      assert.equal(digest, digestOf(bytes));
      await receiver.close();
    });

    it("takes no more once closed, and the file can be moved", async () => {
      const { driver, at } = tested;
      const receiver = await driver.receive(`${at}/data`, "sha256");
      await receiver.append(text("abc"));
      await receiver.close();
      await assert.rejects(receiver.append(text("def")), (error) => isDrayError(error, "DISK"));
      await assert.rejects(receiver.flush(), (error) => isDrayError(error, "DISK"));
      await driver.move(`${at}/data`, `${at}/blob/data`);
      same(await driver.read(`${at}/blob/data`), text("abc"));
    });

    it("keeps many at once apart", async () => {
      const { driver, at } = tested;
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const bytes = seededBytes(i, 400_000 + i);
          const receiver = await driver.receive(`${at}/${i}/data`, i % 2 === 0 ? "sha256" : "sha512");
          for (let from = 0; from < bytes.byteLength; from += 30_000)
            await receiver.append(bytes.subarray(from, from + 30_000));
          assert.equal(await receiver.digest("sha256"), digestOf(bytes));
          await receiver.close();
          same(await driver.read(`${at}/${i}/data`), bytes);
        }),
      );
    });
  });
};
