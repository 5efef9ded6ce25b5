/** No request holds the event loop: an index of 26,000 entries is pushed, read, deleted, restored and walked, and whoever else asks is answered. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "@dray/testkit/files";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { HttpClient } from "./load/http.ts";
import { expect } from "./load/push.ts";
import { operate, type Served, startServer } from "./load/served.ts";

const entries = 26_000;
/** Milliseconds of the main thread's processor time between two turns of the event loop. */
const most = 50;
const skip = existsSync("/proc/thread-self/schedstat") ? false : "this system does not tell what a thread spent";

const subjectOf = (bytes: Uint8Array) => ({
  mediaType: mediaTypes.ociIndex,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

/** An index of manifests that are not here. */
const indexOf = (name: string, count: number, more: object = {}): Uint8Array =>
  encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: Array.from({ length: count }, (_, i) => ({
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(Buffer.from(`${name} ${i}`)),
      size: 400 + (i % 7),
    })),
    ...more,
  });

describe(`while an index of ${entries} entries`, { skip }, () => {
  const folder = temporaryFolder("turns");
  const turns = join(folder, "turns");
  const indexes = ["a", "b", "c", "d"].map((name) => indexOf(name, entries));
  const [first, second] = indexes as [Uint8Array, Uint8Array];
  const headers = { "Content-Type": mediaTypes.ociIndex };
  let server: Served;
  const clients: HttpClient[] = [];
  before(async () => {
    // Garbage is collected when it is asked for, and not by itself ten seconds after the start.
    const keys = ["dray.gc.grace=0s", "dray.gc.lease=0s", "dray.gc.interval=0"];
    server = await startServer(join(folder, "data"), keys, turns);
    assert.notEqual(await readFile(turns, "utf8"), "", "a start takes its time in one go, and that is seen");
    clients.push(...indexes.map(() => new HttpClient(server.origin)));
  });
  after(async () => {
    for (const each of clients) each.close();
    await server.kill();
  });

  const client = (at = 0): HttpClient => clients[at] as HttpClient;
  const put = (name: string, body: Uint8Array, at = 0) =>
    expect(client(at), "PUT", `/v2/r/manifests/${name}`, [201], { headers, body });
  const remove = (digest: Digest, at = 0) => expect(client(at), "DELETE", `/v2/r/manifests/${digest}`, [202]);

  /** Does something while somebody asks all the time, and tells the longest turn. */
  const busy = async (work: () => Promise<unknown>): Promise<void> => {
    await writeFile(turns, "");
    const asking = new HttpClient(server.origin);
    let done = false;
    const asked = (async (): Promise<number> => {
      for (let times = 1; ; times++) {
        await expect(asking, "GET", "/livez", [200]);
        if (done) return times;
        await sleep(3);
      }
    })();
    try {
      await work().finally(() => {
        done = true;
      });
      assert.ok((await asked) > 1);
    } finally {
      // Whatever failed: an open connection keeps the process from ending.
      done = true;
      await asked.catch(() => {});
      asking.close();
    }
    await sleep(100);
    const long = (await readFile(turns, "utf8")).split("\n").filter(Boolean).map(Number);
    assert.deepEqual(
      long.filter((milliseconds) => milliseconds > most),
      [],
    );
  };

  test("is pushed, again and again, and by several at once", () =>
    busy(async () => {
      for (let time = 0; time < 3; time++) await put(`t${time}`, first);
      await put(digestOf(first), first);
      await Promise.all(indexes.map((bytes, at) => put(`m${at}`, bytes, at)));
      await Promise.all(indexes.map((_, at) => put(`s${at}`, second, at)));
    }));

  test("is pulled and asked for", () =>
    busy(async () => {
      for (const method of ["GET", "HEAD"])
        await Promise.all(indexes.map((_, at) => expect(client(at), method, `/v2/r/manifests/m${at}`, [200])));
    }));

  test("is a referrer, or has one of many annotations, or of large ones", () =>
    busy(async () => {
      const large = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, "v".repeat(150_000)]));
      const many = Object.fromEntries(Array.from({ length: 150_000 }, (_, i) => [`k${i}`, "é"]));
      const subject = subjectOf(first);
      const referrers = [
        indexOf("e", entries - 1000, { subject }),
        indexOf("f", 1, { subject, annotations: large }),
        indexOf("g", 1, { subject, annotations: many }),
      ];
      for (const bytes of referrers) await put(digestOf(bytes), bytes);
      for (let last: string | undefined = ""; last !== undefined; ) {
        const page = await expect(client(), "GET", `/v2/r/referrers/${digestOf(first)}${last}`, [200]);
        last = /(\?[^>]+)>/.exec(String(page.headers.link))?.[1];
      }
    }));

  test("is walked by garbage collection and counted, deleted, restored and deleted once more", () =>
    busy(async () => {
      const name = digestOf(second);
      await operate(join(folder, "data"), async (operator) => {
        await operator.ask("gc", { dryRun: true }, { onProgress: () => {} });
        await operator.ask("check", {}, { onProgress: (difference) => assert.fail(JSON.stringify(difference)) });
        await operator.ask("du", {}, { onProgress: () => {} });
        await remove(name);
        await operator.ask("restore", { repository: "r", name }, {});
      });
      await Promise.all([first, second].map((bytes, at) => remove(digestOf(bytes), at)));
    }));
});
