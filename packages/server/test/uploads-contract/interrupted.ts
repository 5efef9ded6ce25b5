import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { uploadData, uploadFolder, uploadStarted } from "../../src/distribution-tree/paths.ts";
import { bodyByHand, inChunks } from "../uploads-by-hand.ts";
import { failed, owner, repository, type UploadsHarness } from "./harness.ts";

/** Clients, servers and ends that fail in the middle. */
export const interrupted = (harness: UploadsHarness): void => {
  describe("a body that ends early", () => {
    for (const last of [false, true])
      for (const size of [1000, 300_000])
        test(`${size} bytes ${last ? "of all" : "of a piece"} stay`, async () => {
          const upload = await harness.begin();
          const body = bodyByHand();
          const cut = new Error("the client is gone");
          const append = upload.append(body, { last });
          await body.push(seededBytes(1, size));
          body.fail(cut);
          await assert.rejects(append, (error) => error === cut);
          assert.equal((await harness.driver.stat(uploadData(repository, upload.id)))?.size, size);
          const again = await harness.found(harness.start(), upload.id);
          assert.equal(await again.offset(), size);
        });

    test("by a signal", async () => {
      const upload = await harness.begin();
      const body = bodyByHand();
      const ending = new AbortController();
      const append = upload.append(body, { signal: ending.signal });
      await body.push(seededBytes(1, 70_000));
      ending.abort();
      await assert.rejects(append, failed("ABORTED"));
      await harness.holds(upload, seededBytes(1, 70_000));
      const late = await harness.begin();
      await assert.rejects(late.append(body, { signal: ending.signal }), failed("ABORTED"));
    });
  });

  describe("after a restart", () => {
    for (const algorithm of ["sha256", "sha512"] as const)
      for (const size of [1000, 100_000, 1_500_000])
        test(`goes on behind ${size} bytes, ${algorithm} announced`, async () => {
          const bytes = seededBytes(1, size + 50_000);
          const upload = await harness.begin({ algorithm });
          await upload.append(inChunks(bytes.subarray(0, size)), {});
          const uploads = harness.start();
          const [again, same] = await Promise.all([
            harness.found(uploads, upload.id),
            harness.found(uploads, upload.id),
          ]);
          assert.equal(again, same);
          assert.equal(await again.offset(), size);
          await again.append(inChunks(bytes.subarray(size)), { at: size });
          await harness.holds(again, bytes, algorithm);
        });

    test("a stop puts away what is open, and whoever writes is cut off", async () => {
      const uploads = harness.start();
      const [empty, busy] = [await uploads.begin(repository, { owner }), await uploads.begin(repository, { owner })];
      const body = bodyByHand();
      const append = busy.append(body, { last: true });
      await body.push(seededBytes(1, 5000));
      const [ended] = await Promise.allSettled([append, uploads.close()]);
      assert.ok(ended.status === "rejected" && isDrayError(ended.reason, "ABORTED"));
      await assert.rejects(uploads.begin(repository, { owner }), failed("ABORTED"));
      const next = harness.start();
      const begun = await harness.found(next, empty.id);
      assert.equal(await begun.offset(), 0);
      await begun.append(inChunks(seededBytes(1, 20)), { last: true });
      await harness.holds(begun, seededBytes(1, 20));
      const again = await harness.found(next, busy.id);
      assert.equal(await again.offset(), 5000);
      await harness.holds(again, seededBytes(1, 5000));
    });

    test("a session of distribution is anybody's", async () => {
      const id = "0b4a1a2c-6e5f-4f5e-9a55-0123456789ab";
      await harness.driver.write(uploadData(repository, id), seededBytes(1, 100_000));
      await harness.driver.write(uploadStarted(repository, id), new TextEncoder().encode("2024-05-06T07:08:09Z"));
      await harness.driver.write(`${uploadFolder(repository, id)}/hashstates/sha256/100000`, seededBytes(1, 108));
      const upload = await harness.found(harness.start(), id, "bob");
      assert.equal(await upload.offset(), 100_000);
      await upload.append(inChunks(seededBytes(1, 7)), { at: 100_000 });
      await harness.holds(upload, Buffer.concat([seededBytes(1, 100_000), seededBytes(1, 7)]));
    });
  });

  describe("an end that fails", () => {
    const refusal = new Error("refused");
    const refuse = (): Promise<never> => Promise.reject(refusal);

    test("leaves the session where its data is", async () => {
      for (const size of [1000, 100_000]) {
        const upload = await harness.begin();
        await upload.append(inChunks(seededBytes(1, size)), { last: true });
        await assert.rejects(upload.finish(refuse, refuse), (error) => error === refusal);
        await harness.holds(upload, seededBytes(1, size));
      }
    });

    test("ends it where the data has gone", async () => {
      const uploads = harness.start();
      const upload = await uploads.begin(repository, { owner });
      await upload.append(inChunks(seededBytes(1, 100_000)), {});
      const taken = upload.finish(async (path) => {
        await harness.driver.move(path, "docker/moved");
        throw refusal;
      });
      await assert.rejects(taken, (error) => error === refusal);
      assert.equal(await uploads.find(repository, upload.id, owner), undefined);
      assert.equal(await harness.driver.stat(uploadFolder(repository, upload.id)), undefined);
    });
  });
};
