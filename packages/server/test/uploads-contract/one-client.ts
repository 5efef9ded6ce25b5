import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { digestOf } from "dray/oci";
import { uploadData, uploadFolder, uploadStarted } from "../../src/distribution-tree/paths.ts";
import { inChunks } from "../uploads-by-hand.ts";
import { failed, outOfOrder, owner, repository, type UploadsHarness } from "./harness.ts";

/** A client that brings what it said. */
export const oneClient = (harness: UploadsHarness): void => {
  describe("one client", () => {
    for (const size of [0, 1, 65_536, 65_537, 262_144, 1_000_000])
      test(`brings ${size} bytes, at once and in pieces`, async () => {
        const bytes = seededBytes(1, size);
        const whole = await harness.begin();
        assert.equal(await whole.append(inChunks(bytes), { last: true }), size);
        await harness.holds(whole, bytes);
        const inPieces = await harness.begin();
        const pieces = [0, Math.floor(size / 3), Math.floor(size / 2), size];
        for (const [i, to] of pieces.entries()) {
          const at = pieces[i - 1] ?? 0;
          assert.equal(await inPieces.append(inChunks(bytes.subarray(at, to)), { at }), to);
          assert.equal(await inPieces.offset(), to);
        }
        await harness.holds(inPieces, bytes);
      });

    test("brings all of a little blob in one request, which never touches the storage", async () => {
      const upload = await harness.begin();
      await upload.append(inChunks(seededBytes(1, 1000)), { last: true });
      await upload.digest("sha256");
      assert.equal(await harness.driver.stat(uploadFolder(repository, upload.id)), undefined);
      assert.equal(
        await upload.finish(
          async () => "a file",
          async () => "bytes",
        ),
        "bytes",
      );
    });

    test("may want a file nevertheless, also of nothing", async () => {
      for (const bytes of [seededBytes(1, 1000), new Uint8Array()]) {
        const upload = await harness.begin();
        await upload.append(inChunks(bytes), { last: true });
        assert.equal(Buffer.compare(await upload.finish(harness.contentOf), bytes), 0);
      }
    });

    test("leaves files as distribution's between requests", async () => {
      const upload = await harness.begin();
      await upload.append(inChunks(seededBytes(1, 10)), {});
      const started = new TextDecoder().decode(await harness.driver.read(uploadStarted(repository, upload.id)));
      assert.match(started, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal((await harness.driver.stat(uploadData(repository, upload.id)))?.size, 10);
      for (const file of (await harness.driver.list(uploadFolder(repository, upload.id))) ?? [])
        assert.match(file, /^[A-Za-z0-9._-]+$/);
    });

    test("hears where the session is when it is elsewhere", async () => {
      const upload = await harness.begin();
      await upload.append(inChunks(seededBytes(1, 100)), { at: 0 });
      for (const at of [0, 99, 101])
        await assert.rejects(upload.append(inChunks(seededBytes(1, 9)), { at }), outOfOrder(100));
      await harness.holds(upload, seededBytes(1, 100));
    });

    for (const algorithm of ["sha256", "sha512"] as const)
      test(`gets sha512 with ${algorithm} announced`, async () => {
        const upload = await harness.begin({ algorithm });
        await upload.append(inChunks(seededBytes(1, 300_000)), {});
        assert.equal((await upload.digest("sha256")).digest, digestOf(seededBytes(1, 300_000)));
        await harness.holds(upload, seededBytes(1, 300_000), "sha512");
      });

    test("goes on after a digest that was not the expected one", async () => {
      const upload = await harness.begin();
      await upload.append(inChunks(seededBytes(1, 200_000)), {});
      await upload.digest("sha256");
      await upload.append(inChunks(seededBytes(2, 1000)), { at: 200_000 });
      await assert.rejects(upload.finish(harness.contentOf), outOfOrder(201_000));
      await harness.holds(upload, Buffer.concat([seededBytes(1, 200_000), seededBytes(2, 1000)]));
    });

    // In memory, in a file, and from the one into the other.
    for (const [there, more] of [
      [0, 300],
      [100, 300],
      [100, 200_000],
      [200_000, 300],
      [200_000, 2_000_000],
    ] as const)
      test(`brings more than it may, ${more} bytes behind ${there}: none of them stays`, async () => {
        const upload = await harness.begin();
        const whole = seededBytes(1, there + more);
        await upload.append(inChunks(whole.subarray(0, there), 10_000), {});
        await assert.rejects(
          upload.append(inChunks(seededBytes(2, more), Math.ceil(more / 3)), { limit: more - 1 }),
          failed("LIMIT_EXCEEDED"),
        );
        assert.equal(await upload.offset(), there);
        await upload.append(inChunks(whole.subarray(there), 10_000), { at: there, limit: more });
        await harness.holds(upload, whole);
      });

    test("cancels", async () => {
      const uploads = harness.start();
      const upload = await uploads.begin(repository, { owner });
      await upload.append(inChunks(seededBytes(1, 100_000)), {});
      await upload.cancel();
      assert.equal(await harness.driver.stat(uploadFolder(repository, upload.id)), undefined);
      assert.equal(await uploads.find(repository, upload.id, owner), undefined);
      assert.equal(uploads.open, 0);
      for (const call of [upload.offset(), upload.append(inChunks(seededBytes(1, 1)), {}), upload.cancel()])
        await assert.rejects(call, failed("NOT_FOUND"));
    });
  });

  test("64 sessions at the same time", async () => {
    const uploads = harness.start();
    const one = async (seed: number): Promise<void> => {
      const bytes = seededBytes(seed, seed * 5000);
      const upload = await uploads.begin(repository, { owner });
      await upload.append(inChunks(bytes.subarray(0, seed * 2500), 10_000), {});
      await upload.append(inChunks(bytes.subarray(seed * 2500), 10_000), { last: true });
      await harness.holds(upload, bytes);
    };
    await Promise.all(Array.from({ length: 64 }, (_, i) => one(i + 1)));
    assert.equal(uploads.open, 0);
  });
};
