import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isDrayError } from "dray/errors";
import { type DigestAlgorithm, digestOf } from "dray/oci";
import type { Driver } from "../storage/index.ts";
import { uploadData, uploadFolder, uploadStarted } from "../tree/paths.ts";
import { type BodyByHand, bodyByHand, inChunks, patterned } from "./by-hand.ts";
import { createUploads, OutOfOrder, type Upload, type Uploads } from "./index.ts";

const owner = "alice";
const repository = "team/app";
const outOfOrder = (offset: number) => (error: unknown) => error instanceof OutOfOrder && error.offset === offset;
const failed = (code: Parameters<typeof isDrayError>[1]) => (error: unknown) => isDrayError(error, code as "DISK");

/** What upload sessions do over every driver, as tests. */
export const uploadsContract = (name: string, make: () => Promise<{ driver: Driver; end(): Promise<void> }>): void => {
  describe(name, () => {
    let driver: Driver;
    let end = async (): Promise<void> => {};
    const begun: Uploads[] = [];
    before(async () => {
      const made = await make();
      driver = made.driver;
      end = () => made.end();
    });
    after(async () => {
      for (const uploads of begun) await uploads.close();
      await end();
    });

    /** As after a restart: what it knows lies in the tree. */
    const start = (options: { silence?: number } = {}): Uploads => {
      const uploads = createUploads({ driver, now: Date.now, lease: 60_000, silence: 20, ...options });
      begun.push(uploads);
      return uploads;
    };
    const begin = (options: { silence?: number; algorithm?: DigestAlgorithm } = {}): Promise<Upload> =>
      start(options).begin(repository, { owner, ...options });
    const found = async (uploads: Uploads, id: string, who = owner): Promise<Upload> => {
      const upload = await uploads.find(repository, id, who);
      assert.ok(upload !== undefined, `upload ${id} is not found`);
      return upload;
    };
    const contentOf = async (path: string): Promise<Uint8Array> => {
      const file = await driver.open(path);
      assert.ok(file !== undefined, `${path} is not there`);
      try {
        const bytes = new Uint8Array(file.size);
        assert.equal(await file.read(bytes, 0), file.size);
        return bytes;
      } finally {
        await file.close();
      }
    };
    /** The session holds these bytes and nothing else, and knows it. */
    const holds = async (upload: Upload, bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Promise<void> => {
      assert.deepEqual(await upload.digest(algorithm), { digest: digestOf(bytes, algorithm), size: bytes.byteLength });
      const content = await upload.finish(contentOf, async (whole) => whole.slice());
      assert.equal(Buffer.compare(content, bytes), 0);
      assert.equal(await driver.stat(uploadFolder(repository, upload.id)), undefined);
    };

    describe("one client", () => {
      for (const size of [0, 1, 65_536, 65_537, 262_144, 1_000_000])
        test(`brings ${size} bytes, at once and in pieces`, async () => {
          const bytes = patterned(size);
          const whole = await begin();
          assert.equal(await whole.append(inChunks(bytes), { last: true }), size);
          await holds(whole, bytes);
          const inPieces = await begin();
          const pieces = [0, Math.floor(size / 3), Math.floor(size / 2), size];
          for (const [i, to] of pieces.entries()) {
            const at = pieces[i - 1] ?? 0;
            assert.equal(await inPieces.append(inChunks(bytes.subarray(at, to)), { at }), to);
            assert.equal(await inPieces.offset(), to);
          }
          await holds(inPieces, bytes);
        });

      test("brings all of a little blob in one request, which never touches the storage", async () => {
        const upload = await begin();
        await upload.append(inChunks(patterned(1000)), { last: true });
        await upload.digest("sha256");
        assert.equal(await driver.stat(uploadFolder(repository, upload.id)), undefined);
        assert.equal(
          await upload.finish(
            async () => "a file",
            async () => "bytes",
          ),
          "bytes",
        );
      });

      test("may want a file nevertheless, also of nothing", async () => {
        for (const bytes of [patterned(1000), new Uint8Array()]) {
          const upload = await begin();
          await upload.append(inChunks(bytes), { last: true });
          assert.equal(Buffer.compare(await upload.finish(contentOf), bytes), 0);
        }
      });

      test("leaves files as distribution's between requests", async () => {
        const upload = await begin();
        await upload.append(inChunks(patterned(10)), {});
        const started = new TextDecoder().decode(await driver.read(uploadStarted(repository, upload.id)));
        assert.match(started, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.equal((await driver.stat(uploadData(repository, upload.id)))?.size, 10);
        for (const file of (await driver.list(uploadFolder(repository, upload.id))) ?? [])
          assert.match(file, /^[A-Za-z0-9._-]+$/);
      });

      test("hears where the session is when it is elsewhere", async () => {
        const upload = await begin();
        await upload.append(inChunks(patterned(100)), { at: 0 });
        for (const at of [0, 99, 101])
          await assert.rejects(upload.append(inChunks(patterned(9)), { at }), outOfOrder(100));
        await holds(upload, patterned(100));
      });

      for (const algorithm of ["sha256", "sha512"] as const)
        test(`gets sha512 with ${algorithm} announced`, async () => {
          const upload = await begin({ algorithm });
          await upload.append(inChunks(patterned(300_000)), {});
          assert.equal((await upload.digest("sha256")).digest, digestOf(patterned(300_000)));
          await holds(upload, patterned(300_000), "sha512");
        });

      test("goes on after a digest that was not the expected one", async () => {
        const upload = await begin();
        await upload.append(inChunks(patterned(200_000)), {});
        await upload.digest("sha256");
        await upload.append(inChunks(patterned(1000, 2)), { at: 200_000 });
        await assert.rejects(upload.finish(contentOf), outOfOrder(201_000));
        await holds(upload, Buffer.concat([patterned(200_000), patterned(1000, 2)]));
      });

      test("brings more than it may", async () => {
        const upload = await begin();
        await assert.rejects(upload.append(inChunks(patterned(300), 100), { limit: 250 }), failed("LIMIT_EXCEEDED"));
        assert.equal(await upload.offset(), 200);
      });

      test("cancels", async () => {
        const uploads = start();
        const upload = await uploads.begin(repository, { owner });
        await upload.append(inChunks(patterned(100_000)), {});
        await upload.cancel();
        assert.equal(await driver.stat(uploadFolder(repository, upload.id)), undefined);
        assert.equal(await uploads.find(repository, upload.id, owner), undefined);
        assert.equal(uploads.open, 0);
        for (const call of [upload.offset(), upload.append(inChunks(patterned(1)), {}), upload.cancel()])
          await assert.rejects(call, failed("NOT_FOUND"));
      });
    });

    describe("a body that ends early", () => {
      for (const last of [false, true])
        for (const size of [1000, 300_000])
          test(`${size} bytes ${last ? "of all" : "of a piece"} stay`, async () => {
            const upload = await begin();
            const body = bodyByHand();
            const cut = new Error("the client is gone");
            const append = upload.append(body, { last });
            await body.push(patterned(size));
            body.fail(cut);
            await assert.rejects(append, (error) => error === cut);
            assert.equal((await driver.stat(uploadData(repository, upload.id)))?.size, size);
            const again = await found(start(), upload.id);
            assert.equal(await again.offset(), size);
          });

      test("by a signal", async () => {
        const upload = await begin();
        const body = bodyByHand();
        const ending = new AbortController();
        const append = upload.append(body, { signal: ending.signal });
        await body.push(patterned(70_000));
        ending.abort();
        await assert.rejects(append, failed("ABORTED"));
        await holds(upload, patterned(70_000));
        const late = await begin();
        await assert.rejects(late.append(body, { signal: ending.signal }), failed("ABORTED"));
      });
    });

    describe("after a restart", () => {
      for (const algorithm of ["sha256", "sha512"] as const)
        for (const size of [1000, 100_000, 1_500_000])
          test(`goes on behind ${size} bytes, ${algorithm} announced`, async () => {
            const bytes = patterned(size + 50_000);
            const upload = await begin({ algorithm });
            await upload.append(inChunks(bytes.subarray(0, size)), {});
            const uploads = start();
            const [again, same] = await Promise.all([found(uploads, upload.id), found(uploads, upload.id)]);
            assert.equal(again, same);
            assert.equal(await again.offset(), size);
            await again.append(inChunks(bytes.subarray(size)), { at: size });
            await holds(again, bytes, algorithm);
          });

      test("a stop puts away what is open, and whoever writes is cut off", async () => {
        const uploads = start();
        const [empty, busy] = [await uploads.begin(repository, { owner }), await uploads.begin(repository, { owner })];
        const body = bodyByHand();
        const append = busy.append(body, { last: true });
        await body.push(patterned(5000));
        const [ended] = await Promise.allSettled([append, uploads.close()]);
        assert.ok(ended.status === "rejected" && isDrayError(ended.reason, "ABORTED"));
        await assert.rejects(uploads.begin(repository, { owner }), failed("ABORTED"));
        const next = start();
        assert.equal(await (await found(next, empty.id)).offset(), 0);
        const again = await found(next, busy.id);
        assert.equal(await again.offset(), 5000);
        await holds(again, patterned(5000));
      });

      test("a session of distribution is anybody's", async () => {
        const id = "0b4a1a2c-6e5f-4f5e-9a55-0123456789ab";
        await driver.write(uploadData(repository, id), patterned(100_000));
        await driver.write(uploadStarted(repository, id), new TextEncoder().encode("2024-05-06T07:08:09Z"));
        await driver.write(`${uploadFolder(repository, id)}/hashstates/sha256/100000`, patterned(108));
        const upload = await found(start(), id, "bob");
        assert.equal(await upload.offset(), 100_000);
        await upload.append(inChunks(patterned(7)), { at: 100_000 });
        await holds(upload, Buffer.concat([patterned(100_000), patterned(7)]));
      });
    });

    describe("nobody else finds it:", () => {
      test("another owner, another repository, before and after a restart", async () => {
        const uploads = start();
        const upload = await uploads.begin(repository, { owner });
        await upload.append(inChunks(patterned(10)), {});
        for (const place of [uploads, start()]) {
          assert.equal(await place.find(repository, upload.id, "bob"), undefined);
          assert.equal(await place.find(repository, upload.id, ""), undefined);
          assert.equal(await place.find("team/other", upload.id, owner), undefined);
          assert.equal((await found(place, upload.id)).id, upload.id);
          assert.equal(await place.find("team/other", upload.id, owner), undefined);
        }
      });

      test("whose owner cannot be read", async () => {
        const upload = await begin();
        await upload.append(inChunks(patterned(10)), {});
        for (const damaged of ["", "{", "[]", '{"owner":1}']) {
          await driver.write(`${uploadFolder(repository, upload.id)}/session.json`, new TextEncoder().encode(damaged));
          for (const who of ["", owner]) assert.equal(await start().find(repository, upload.id, who), undefined);
        }
      });
    });

    describe("two clients:", () => {
      /** A session with a writer who has brought some bytes. */
      const written = async (
        bytes: Uint8Array,
        silence = 20,
      ): Promise<{ upload: Upload; body: BodyByHand; append: Promise<number> }> => {
        const upload = await begin({ silence });
        const body = bodyByHand();
        const append = upload.append(body, { at: 0 });
        // Whoever is cut off is looked at later.
        append.catch(() => {});
        await body.push(bytes);
        return { upload, body, append };
      };

      test("who comes second while the first one moves is refused", async () => {
        const { upload, body, append } = await written(patterned(100_000), 60_000);
        for (const options of [{ at: 0 }, { at: 100_000 }, {}]) {
          const second = upload.append(inChunks(patterned(9, 9)), options);
          await Promise.all([body.push(patterned(1000, 2)), assert.rejects(second, OutOfOrder)]);
        }
        body.end();
        assert.equal(await append, 103_000);
        const piece = patterned(1000, 2);
        await holds(upload, Buffer.concat([patterned(100_000), piece, piece, piece]));
      });

      test("who waited for the first one's end goes on only where that is", async () => {
        const { upload, body, append } = await written(patterned(1000), 60_000);
        const seconds = [
          upload.append(inChunks(patterned(9, 9)), {}),
          upload.append(inChunks(patterned(9, 9)), { at: 0 }),
        ];
        body.end();
        assert.equal(await append, 1000);
        for (const second of seconds) await assert.rejects(second, outOfOrder(1000));
        await holds(upload, patterned(1000));
      });

      for (const size of [1000, 300_000])
        test(`a connection silent after ${size} bytes is taken over`, async () => {
          const { upload, body, append } = await written(patterned(size));
          assert.equal(await upload.append(inChunks(patterned(1000, 2)), { at: size }), size + 1000);
          await assert.rejects(append, outOfOrder(size));
          // What comes late comes to nobody.
          void body.push(patterned(50, 3));
          await holds(upload, Buffer.concat([patterned(size), patterned(1000, 2)]));
        });

      test("many who would take over: one does", async () => {
        const { upload, append } = await written(patterned(1000));
        const others = await Promise.allSettled(
          [1, 2, 3, 4].map((seed) => upload.append(inChunks(patterned(100, seed)), { at: 1000 })),
        );
        await assert.rejects(append, outOfOrder(1000));
        const taken = others.flatMap(({ status }, i) => (status === "fulfilled" ? [i + 1] : []));
        assert.equal(taken.length, 1);
        for (const other of others) assert.ok(other.status === "fulfilled" || other.reason instanceof OutOfOrder);
        await holds(upload, Buffer.concat([patterned(1000), patterned(100, taken[0])]));
      });

      test("a question cuts off who is silent", async () => {
        const { upload, append } = await written(patterned(100_000));
        assert.equal(await upload.offset(), 100_000);
        await assert.rejects(append, outOfOrder(100_000));
      });

      test("a question leaves who moves alone", async () => {
        const { upload, body, append } = await written(patterned(1000), 100);
        let told: number | undefined;
        const asked = upload.offset().then((offset) => {
          told = offset;
        });
        let pushed = 0;
        while (told === undefined) {
          await body.push(patterned(10));
          pushed += 10;
          await new Promise((resolve) => void setImmediate(resolve));
        }
        await asked;
        assert.ok(told >= 1000 && told <= 1000 + pushed, `${told} was told`);
        assert.equal((await driver.stat(uploadData(repository, upload.id)))?.size !== undefined, true);
        body.end();
        assert.equal(await append, 1000 + pushed);
      });

      test("cancelling does not wait for who writes", async () => {
        const { upload, append } = await written(patterned(100_000), 60_000);
        await upload.cancel();
        await assert.rejects(append, failed("NOT_FOUND"));
        assert.equal(await driver.stat(uploadFolder(repository, upload.id)), undefined);
      });
    });

    describe("an end that fails", () => {
      const refusal = new Error("refused");
      const refuse = (): Promise<never> => Promise.reject(refusal);

      test("leaves the session where its data is", async () => {
        for (const size of [1000, 100_000]) {
          const upload = await begin();
          await upload.append(inChunks(patterned(size)), { last: true });
          await assert.rejects(upload.finish(refuse, refuse), (error) => error === refusal);
          await holds(upload, patterned(size));
        }
      });

      test("ends it where the data has gone", async () => {
        const uploads = start();
        const upload = await uploads.begin(repository, { owner });
        await upload.append(inChunks(patterned(100_000)), {});
        const taken = upload.finish(async (path) => {
          await driver.move(path, "docker/moved");
          throw refusal;
        });
        await assert.rejects(taken, (error) => error === refusal);
        assert.equal(await uploads.find(repository, upload.id, owner), undefined);
        assert.equal(await driver.stat(uploadFolder(repository, upload.id)), undefined);
      });
    });

    test("64 sessions at the same time", async () => {
      const uploads = start();
      const one = async (seed: number): Promise<void> => {
        const bytes = patterned(seed * 5000, seed);
        const upload = await uploads.begin(repository, { owner });
        await upload.append(inChunks(bytes.subarray(0, seed * 2500), 10_000), {});
        await upload.append(inChunks(bytes.subarray(seed * 2500), 10_000), { last: true });
        await holds(upload, bytes);
      };
      await Promise.all(Array.from({ length: 64 }, (_, i) => one(i + 1)));
      assert.equal(uploads.open, 0);
    });
  });
};
