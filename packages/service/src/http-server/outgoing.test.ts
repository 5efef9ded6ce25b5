import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { collect } from "dray/content";
import type { HttpResponse } from "dray/http";
import { listen } from "./listen.ts";
import { Outgoing } from "./outgoing.ts";

const [block, mebi] = [256 * 1024, 1024 * 1024];

test("what is beyond the bound of a turn goes out in later ones, in the order of asking", async () => {
  const outgoing = new Outgoing();
  const gone: number[] = [];
  const waited = Array.from({ length: 9 }, async (_, i) => {
    const later = outgoing.pass(block);
    assert.equal(later === undefined, i < 4, `${i}`);
    await later;
    gone.push(i);
  });
  await Promise.all(waited);
  assert.deepEqual(gone, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("bytes of more than a turn go alone, and after a quiet turn everything goes at once", async () => {
  const outgoing = new Outgoing();
  assert.equal(outgoing.pass(5 * mebi), undefined);
  const later = outgoing.pass(1);
  assert.notEqual(later, undefined);
  await later;
  for (let i = 0; i < 3; i++) await turn();
  assert.equal(outgoing.pass(1), undefined);
});

test("sixteen downloads whose bytes are always there leave room for other events after each mebibyte", async () => {
  const [clients, blocks] = [16, 4];
  const bytes = new Uint8Array(block);
  let [arrived, inTurn, most] = [0, 0, 0];
  const all = Promise.withResolvers<void>();
  const server = await listen(async ({ target }): Promise<HttpResponse> => {
    if (++arrived === clients) all.resolve();
    await all.promise;
    const pour = async (write: (chunk: Uint8Array) => Promise<void>): Promise<void> => {
      for (let i = 0; i < blocks; i++) {
        await write(bytes);
        most = Math.max(most, (inTurn += block));
      }
    };
    const none = async function* (): AsyncGenerator<Uint8Array> {};
    const body = { length: blocks * block, chunks: none(), pour, discard: async () => {} };
    return { status: 200, headers: [], url: target, body };
  });
  const { port } = server;
  let over = false;
  const count = (): void => {
    inTurn = 0;
    if (!over) setImmediate(count);
  };
  count();
  try {
    const lengths = Array.from({ length: clients }, () => download(port));
    assert.deepEqual(new Set(await Promise.all(lengths)), new Set([blocks * block]));
    assert.ok(most <= 3 * mebi, `${most} bytes`);
  } finally {
    over = true;
    await server.close();
  }
});

const download = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent: false }, (response) => {
      collect(response, 2 ** 30, "body").then(({ byteLength }) => resolve(byteLength), reject);
    }).on("error", reject);
  });
