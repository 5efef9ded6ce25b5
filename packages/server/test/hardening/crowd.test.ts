import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Exchange, exchange, seededBytes } from "@dray/testkit";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath, blobsRoot, uploadsPath } from "../../src/distribution-tree/index.ts";
import type { Registry } from "../../src/registry.ts";
import { filesOf, openFixture, places } from "./places.ts";
import { image, imageWith, other } from "./sample.ts";

const type = { "Content-Type": mediaTypes.ociManifest };
const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));
const locationOf = (answer: Exchange): string => answer.header("Location") ?? "";

/** Ways to push a blob, with the last answer. */
const pushes: readonly ((registry: Registry, repository: string, bytes: Uint8Array) => Promise<Exchange>)[] = [
  (registry, repository, body) =>
    exchange(registry, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`, { body }),
  async (registry, repository, body) => {
    const begun = await exchange(registry, "POST", `/v2/${repository}/blobs/uploads/`);
    return exchange(registry, "PUT", `${locationOf(begun)}?digest=${digestOf(body)}`, { body });
  },
  async (registry, repository, body) => {
    const half = body.byteLength >> 1;
    const begun = await exchange(registry, "POST", `/v2/${repository}/blobs/uploads/`);
    await exchange(registry, "PATCH", locationOf(begun), { body: body.subarray(0, half) });
    const headers = { "Content-Range": `${half}-${body.byteLength - 1}` };
    await exchange(registry, "PATCH", locationOf(begun), { body: body.subarray(half), headers });
    return exchange(registry, "PUT", `${locationOf(begun)}?digest=${digestOf(body)}`);
  },
];

for (const [where, open] of Object.entries(places))
  suite(where, () => {
    for (const [size, bytes] of [
      ["small", seededBytes("small", 1000)],
      ["large", seededBytes("large", 300_000)],
    ] as const)
      for (const [target, repositoryOf] of [
        ["one repository", () => "app"],
        ["50 repositories", (i: number) => `team/app-${i}`],
      ] as const)
        test(`50 writers of one ${size} blob to ${target}: all 201, one file, every link`, async () => {
          const { registry, driver, end } = await openFixture(open);
          const digest = digestOf(bytes);
          const answers = await times(50, (i) => {
            const push = pushes[i % pushes.length] as (typeof pushes)[number];
            return push(registry, repositoryOf(i), bytes);
          });
          assert.deepEqual(
            answers.map(({ status }) => status),
            answers.map(() => 201),
          );
          assert.deepEqual(await filesOf(driver, blobsRoot), [blobPath(digest)]);
          for (const [i, answer] of answers.entries()) {
            assert.equal(locationOf(answer), `/v2/${repositoryOf(i)}/blobs/${digest}`);
            const got = await exchange(registry, "GET", locationOf(answer));
            assert.equal(Buffer.compare(got.bytes, bytes), 0);
            assert.deepEqual(await filesOf(driver, uploadsPath(repositoryOf(i))), []);
          }
          await end();
        });

    test("20 writers of one tag and readers: always one of those written, whole, and the index agrees in the end", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      const manifests = new Map(
        Array.from({ length: 20 }, (_, i) => encodeJson(imageWith({ annotations: { which: `${i}` } }))).map((bytes) => [
          digestOf(bytes),
          bytes,
        ]),
      );
      await exchange(registry, "PUT", "/v2/app/manifests/latest", { headers: type, body: image });
      manifests.set(digestOf(image), image);
      let writing = true;
      const read = async (): Promise<number> => {
        let reads = 0;
        for (; writing; reads++) {
          const got = await exchange(registry, reads % 2 === 0 ? "GET" : "HEAD", "/v2/app/manifests/latest");
          assert.equal(got.status, 200);
          const digest = got.header("Docker-Content-Digest") as Digest;
          assert.ok(manifests.has(digest), digest);
          if (reads % 2 === 0) assert.equal(digestOf(got.bytes), digest);
          await new Promise(setImmediate);
        }
        return reads;
      };
      const readers = [read(), read(), read()];
      for (let round = 0; round < 3; round++)
        await Promise.all(
          [...manifests.values()].map(async (body) => {
            // The first one is there already, and must not be the last.
            if (body === image) return;
            const { status } = await exchange(registry, "PUT", "/v2/app/manifests/latest", { headers: type, body });
            assert.equal(status, 201);
          }),
        );
      writing = false;
      for (const reads of await Promise.all(readers)) assert.ok(reads > 0);
      const last = (await exchange(registry, "GET", "/v2/app/manifests/latest")).header("Docker-Content-Digest");
      assert.equal((await registry.context.tree.tag("app", "latest"))?.digest, last);
      assert.equal(registry.context.metadata.tag("app", "latest")?.digest, last);
      for await (const difference of registry.check()) assert.fail(JSON.stringify(difference));
      await end();
    });

    test("20 writers that each add one under If-Match: none is lost", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      const counter = (count: number): Uint8Array => encodeJson(imageWith({ annotations: { count: `${count}` } }));
      const target = "/v2/app/manifests/counter";
      await exchange(registry, "PUT", target, { headers: { ...type, "If-None-Match": "*" }, body: counter(0) });
      let refused = 0;
      await times(20, async () => {
        for (;;) {
          const now = await exchange(registry, "GET", target);
          const { annotations } = now.json() as { annotations: { count: string } };
          const headers = { ...type, "If-Match": now.header("ETag") ?? "" };
          const { status } = await exchange(registry, "PUT", target, {
            headers,
            body: counter(Number(annotations.count) + 1),
          });
          if (status === 201) return;
          assert.equal(status, 412);
          refused++;
        }
      });
      assert.deepEqual(Buffer.from((await exchange(registry, "GET", target)).bytes), Buffer.from(counter(20)));
      assert.ok(refused > 0, "nobody met anybody");
      await end();
    });

    test("20 writers that create a tag under If-None-Match: one does", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      const answers = await times(20, (i) =>
        exchange(registry, "PUT", "/v2/app/manifests/new", {
          headers: { ...type, "If-None-Match": "*" },
          body: encodeJson(imageWith({ annotations: { which: `${i}` } })),
        }),
      );
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      assert.equal(answers.filter(({ status }) => status === 412).length, 19);
      await end();
    });

    test("a tag that moved is not deleted by whoever saw what it was before", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      const target = "/v2/app/manifests/latest";
      const [first, second] = [`"${digestOf(image)}"`, `"${digestOf(other)}"`];
      for (let round = 0; round < 50; round++) {
        await exchange(registry, "PUT", target, { headers: type, body: image });
        const put = (): Promise<Exchange> => exchange(registry, "PUT", target, { headers: type, body: other });
        const remove = async (): Promise<Exchange> => {
          for (let turns = round % 7; turns > 0; turns--) await new Promise(setImmediate);
          return exchange(registry, "DELETE", target, { headers: { "If-Match": first } });
        };
        const [a, b] = round % 2 === 0 ? [put(), remove()] : [remove(), put()];
        const statuses = [(await a).status, (await b).status].sort((x, y) => x - y);
        // Whichever came first, what was pushed stays.
        assert.ok(["201,202", "201,412"].includes(statuses.join()), statuses.join());
        assert.equal((await exchange(registry, "HEAD", target)).header("ETag"), second);
      }
      await end();
    });

    test("one session and two writers: no byte of the one among those of the other, and never a fault", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      const bytesOf = (letter: string, size: number): Uint8Array => new TextEncoder().encode(letter.repeat(size));
      for (let round = 0; round < 30; round++) {
        const size = round % 3 === 0 ? 500 : 200_000;
        const target = locationOf(await exchange(registry, "POST", "/v2/app/blobs/uploads/"));
        const at = round % 2 === 0 ? { "Content-Range": `0-${size - 1}` } : undefined;
        const patch = (letter: string): Promise<Exchange> =>
          exchange(registry, "PATCH", target, {
            body: bytesOf(letter, size),
            ...(at === undefined ? {} : { headers: at }),
          });
        const answers = await Promise.all([patch("a"), patch("b")]);
        const taken = answers.flatMap(({ status }, i) => (status === 202 ? ["ab".charAt(i)] : []));
        for (const { status } of answers) assert.ok(status === 202 || status === 416, `${status}`);
        assert.ok(taken.length > 0);
        if (at !== undefined) assert.equal(taken.length, 1);
        const wholes = [taken, taken.toReversed()].map(
          (letters) =>
            bytesOf(letters[0] ?? "", size).byteLength > 0 && letters.map((letter) => letter.repeat(size)).join(""),
        );
        const found = await exchange(registry, "GET", target);
        assert.equal(found.header("Range"), `0-${taken.length * size - 1}`);
        const statuses = await Promise.all(
          wholes.map(async (whole) => {
            const digest = digestOf(new TextEncoder().encode(whole || ""));
            return (await exchange(registry, "PUT", `${target}?digest=${digest}`)).status;
          }),
        );
        // The first to say a digest ends the session: it is right, or the session is gone.
        assert.ok(
          statuses.every((status) => [201, 400, 404, 416].includes(status)),
          statuses.join(),
        );
        if (taken.length === 1) assert.ok(statuses.includes(201), statuses.join());
      }
      await end();
    });

    test("one session ended by many at once: one answer each, and never a fault", async () => {
      const { registry, end } = await openFixture(open, { sparseImages: true });
      for (let round = 0; round < 20; round++) {
        const target = locationOf(await exchange(registry, "POST", "/v2/app/blobs/uploads/"));
        const body = seededBytes(`ended ${round}`, round % 2 === 0 ? 100 : 100_000);
        await exchange(registry, "PATCH", target, { body });
        const digest = digestOf(body);
        const answers = await Promise.all([
          exchange(registry, "PUT", `${target}?digest=${digest}`),
          exchange(registry, "GET", target),
          exchange(registry, "PATCH", target, { body: "x" }),
          exchange(registry, "PUT", `${target}?digest=${digest}`),
          exchange(registry, "DELETE", target),
          exchange(registry, "GET", target),
          exchange(registry, "PATCH", target, { body: "x" }),
        ]);
        const statuses = answers.map(({ status }) => status).join();
        for (const { status } of answers) assert.ok([201, 202, 204, 400, 404, 416].includes(status), statuses);
        assert.equal((await exchange(registry, "GET", target)).status, 404, statuses);
        const got = await exchange(registry, "GET", `/v2/app/blobs/${digest}`);
        assert.equal(got.status, statuses.includes("201") ? 200 : 404, statuses);
        if (got.status === 200) assert.equal(Buffer.compare(got.bytes, body), 0);
      }
      await end();
    });
  });
