import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { uploadData, uploadFolder } from "../../src/distribution-tree/paths.ts";
import { OutOfOrder, type Upload } from "../../src/uploads/index.ts";
import { type BodyByHand, bodyByHand, inChunks } from "../uploads-by-hand.ts";
import { failed, outOfOrder, owner, repository, type UploadsHarness } from "./harness.ts";

/** Clients that want the same session. */
export const twoClients = (harness: UploadsHarness): void => {
  describe("nobody else finds it:", () => {
    test("another owner, another repository, before and after a restart", async () => {
      const uploads = harness.start();
      const upload = await uploads.begin(repository, { owner });
      await upload.append(inChunks(seededBytes(1, 10)), {});
      for (const place of [uploads, harness.start()]) {
        assert.equal(await place.find(repository, upload.id, "bob"), undefined);
        assert.equal(await place.find(repository, upload.id, ""), undefined);
        assert.equal(await place.find("team/other", upload.id, owner), undefined);
        assert.equal((await harness.found(place, upload.id)).id, upload.id);
        assert.equal(await place.find("team/other", upload.id, owner), undefined);
      }
    });

    test("whose owner cannot be read", async () => {
      const upload = await harness.begin();
      await upload.append(inChunks(seededBytes(1, 10)), {});
      for (const damaged of ["", "{", "[]", '{"owner":1}']) {
        await harness.driver.write(
          `${uploadFolder(repository, upload.id)}/session.json`,
          new TextEncoder().encode(damaged),
        );
        for (const who of ["", owner]) assert.equal(await harness.start().find(repository, upload.id, who), undefined);
      }
    });
  });

  describe("two clients:", () => {
    /** A session with a writer who has brought some bytes. */
    const written = async (
      bytes: Uint8Array,
      silence = 20,
    ): Promise<{ upload: Upload; body: BodyByHand; append: Promise<number> }> => {
      const upload = await harness.begin({ silence });
      const body = bodyByHand();
      const append = upload.append(body, { at: 0 });
      // Whoever is cut off is looked at later.
      append.catch(() => {});
      await body.push(bytes);
      return { upload, body, append };
    };

    test("who comes second while the first one moves is refused", async () => {
      const { upload, body, append } = await written(seededBytes(1, 100_000), 60_000);
      for (const options of [{ at: 0 }, { at: 100_000 }, {}]) {
        const second = upload.append(inChunks(seededBytes(9, 9)), options);
        await Promise.all([body.push(seededBytes(2, 1000)), assert.rejects(second, OutOfOrder)]);
      }
      body.end();
      assert.equal(await append, 103_000);
      const piece = seededBytes(2, 1000);
      await harness.holds(upload, Buffer.concat([seededBytes(1, 100_000), piece, piece, piece]));
    });

    test("who waited for the first one's end goes on only where that is", async () => {
      const { upload, body, append } = await written(seededBytes(1, 1000), 60_000);
      const seconds = [
        upload.append(inChunks(seededBytes(9, 9)), {}),
        upload.append(inChunks(seededBytes(9, 9)), { at: 0 }),
      ];
      body.end();
      assert.equal(await append, 1000);
      for (const second of seconds) await assert.rejects(second, outOfOrder(1000));
      await harness.holds(upload, seededBytes(1, 1000));
    });

    for (const size of [1000, 300_000])
      test(`a connection silent after ${size} bytes is taken over`, async () => {
        const { upload, body, append } = await written(seededBytes(1, size));
        assert.equal(await upload.append(inChunks(seededBytes(2, 1000)), { at: size }), size + 1000);
        await assert.rejects(append, outOfOrder(size));
        // What comes late comes to nobody.
        void body.push(seededBytes(3, 50));
        await harness.holds(upload, Buffer.concat([seededBytes(1, size), seededBytes(2, 1000)]));
      });

    test("many who would take over: one does", async () => {
      const { upload, append } = await written(seededBytes(1, 1000));
      const others = await Promise.allSettled(
        [1, 2, 3, 4].map((seed) => upload.append(inChunks(seededBytes(seed, 100)), { at: 1000 })),
      );
      await assert.rejects(append, outOfOrder(1000));
      const taken = others.flatMap(({ status }, i) => (status === "fulfilled" ? [i + 1] : []));
      assert.equal(taken.length, 1);
      for (const other of others) assert.ok(other.status === "fulfilled" || other.reason instanceof OutOfOrder);
      await harness.holds(upload, Buffer.concat([seededBytes(1, 1000), seededBytes(taken[0] ?? "nobody", 100)]));
    });

    test("a question cuts off who is silent", async () => {
      const { upload, append } = await written(seededBytes(1, 100_000));
      assert.equal(await upload.offset(), 100_000);
      await assert.rejects(append, outOfOrder(100_000));
    });

    test("a question leaves who moves alone", async () => {
      const { upload, body, append } = await written(seededBytes(1, 1000), 100);
      let told: number | undefined;
      const asked = upload.offset().then((offset) => {
        told = offset;
      });
      let pushed = 0;
      while (told === undefined) {
        await body.push(seededBytes(1, 10));
        pushed += 10;
        await new Promise((resolve) => void setImmediate(resolve));
      }
      await asked;
      assert.ok(told >= 1000 && told <= 1000 + pushed, `${told} was told`);
      assert.equal((await harness.driver.stat(uploadData(repository, upload.id)))?.size !== undefined, true);
      body.end();
      assert.equal(await append, 1000 + pushed);
    });

    test("cancelling does not wait for who writes", async () => {
      const { upload, append } = await written(seededBytes(1, 100_000), 60_000);
      await upload.cancel();
      await assert.rejects(append, failed("NOT_FOUND"));
      assert.equal(await harness.driver.stat(uploadFolder(repository, upload.id)), undefined);
    });
  });
};
