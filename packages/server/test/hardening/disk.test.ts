import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type Exchange, exchange, seededBytes } from "@dray/testkit";
import { type FileCall, faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { header } from "dray/http";
import { nodeFiles } from "dray/internal/files";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import type { Notice } from "../../src/notice.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver, memoryDriver } from "../../src/storage/index.ts";
import { checkAnswer } from "./answers.ts";
import { makeFixture } from "./fixture.ts";
import { blob, blobDigest, descriptorOf, image, imageDigest } from "./sample.ts";
import { watched } from "./watched.ts";

interface Image {
  readonly repository: string;
  /** Small enough for memory. */
  readonly config: Uint8Array;
  /** Large enough for a file of its own. */
  readonly layer: Uint8Array;
  readonly manifest: Uint8Array;
}

/** Each has other content, so that each push does all that a push does. */
const imageOf = (seed: string): Image => {
  const [config, layer] = [seededBytes(`config ${seed}`, 500), seededBytes(`layer ${seed}`, 100_000)];
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(mediaTypes.ociConfig, config),
    layers: [descriptorOf(mediaTypes.ociLayer, layer)],
  });
  return { repository: seed, config, layer, manifest };
};

/** One request, and what every answer keeps to. */
const ask = async (
  registry: Registry,
  method: string,
  target: string,
  options: { body?: Uint8Array; headers?: Record<string, string> } = {},
): Promise<Exchange> => {
  const answer = await exchange(registry, method, target, options);
  const what = `${method} ${target}: ${answer.status} ${new TextDecoder().decode(answer.bytes.subarray(0, 300))}`;
  checkAnswer({ method, target, origin: "", headers: [] }, answer, what);
  return answer;
};

/** Pushes an image as a client does, who gives up at the first refusal. Tells the statuses. */
const push = async (registry: Registry, { repository, config, layer, manifest }: Image): Promise<Exchange[]> => {
  const answers: Exchange[] = [];
  const step = async (...[method, target, options]: [string, string, Parameters<typeof ask>[3]?]): Promise<boolean> => {
    answers.push(await ask(registry, method, target, options));
    return (answers.at(-1)?.status ?? 500) < 300;
  };
  const location = (): string => header(answers.at(-1)?.headers ?? [], "Location") ?? "";
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const type = { "Content-Type": mediaTypes.ociManifest };
  void (
    (await step("POST", `${uploads}?digest=${digestOf(config)}`, { body: config })) &&
    (await step("POST", uploads)) &&
    (await step("PATCH", location(), { body: layer.subarray(0, 70_000) })) &&
    (await step("PATCH", location(), { body: layer.subarray(70_000) })) &&
    (await step("PUT", `${location()}?digest=${digestOf(layer)}`)) &&
    (await step("PUT", `/v2/${repository}/manifests/latest`, { body: manifest, headers: type }))
  );
  return answers;
};

/** What can be seen is whole. Tells whether the tag is there. */
const checkSeen = async (registry: Registry, { repository, config, layer, manifest }: Image): Promise<boolean> => {
  const found = await ask(registry, "GET", `/v2/${repository}/manifests/latest`);
  for (const bytes of [config, layer]) {
    const got = await ask(registry, "GET", `/v2/${repository}/blobs/${digestOf(bytes)}`);
    if (found.status === 200) assert.equal(got.status, 200);
    if (got.status === 200) assert.equal(Buffer.compare(got.bytes, bytes), 0);
  }
  if (found.status === 200) assert.equal(Buffer.compare(found.bytes, manifest), 0);
  else assert.equal(found.status, 404);
  return found.status === 200;
};

suite("a disk that fails under the push of an image, at each call of the file system:", () => {
  const codes = ["ENOSPC", "EIO", "EMFILE"] as const;
  for (const lasts of [false, true])
    test(lasts ? "that one and all that come after it" : "that one alone", async () => {
      const folder = temporaryFolder("disk");
      const unfinished = join(folder, "dray/tmp");
      let fault: (call: FileCall) => string | undefined = () => undefined;
      const start = async (): Promise<Registry> =>
        createRegistry({
          driver: await filesystemDriver(folder, { fs: faultyFiles(nodeFiles, (call) => fault(call)) }),
          recheckAfter: 0,
        });
      let registry = await start();
      let failed = 0;
      for (let nth = 1; ; nth++) {
        const code = codes[nth % codes.length] as (typeof codes)[number];
        const status = code === "EIO" ? 500 : 503;
        const wanted = imageOf(`r${nth}`);
        let calls = 0;
        let hit: FileCall | undefined;
        let synced = true;
        fault = (call) => {
          calls++;
          if (lasts ? calls < nth : calls !== nth) return undefined;
          hit ??= call;
          if (call.operation === "sync") synced = false;
          return code;
        };
        const answers = await push(registry, wanted);
        fault = () => undefined;
        if (hit === undefined) {
          assert.deepEqual(
            answers.map((answer) => answer.status),
            [201, 202, 202, 202, 201, 201],
          );
          break;
        }
        const what = `${code}, ${hit.operation} as call ${nth}`;
        const last = answers.at(-1);
        assert.ok(last !== undefined);
        if (last.status >= 300) {
          failed++;
          // What a sync left in doubt is final: that is not over in a minute.
          const expected: number[] = synced ? [status] : [status, 500];
          assert.ok(expected.includes(last.status), `${what}: ${last.status}`);
          assert.equal(last.header("Retry-After") !== undefined, last.status === 503, what);
        }
        // A file that cannot be removed either goes at the next start.
        if (!lasts) assert.deepEqual(await readdir(unfinished), [], what);
        const seen = await checkSeen(registry, wanted);
        assert.ok(seen || last.status >= 300, `${what}: acknowledged and gone`);
        if (!synced) {
          const refused = await ask(registry, "POST", `/v2/app/blobs/uploads/?digest=${blobDigest}`, {
            body: blob,
          });
          assert.ok(refused.status >= 500, what);
        }
        if (!synced || lasts) {
          await registry.close();
          registry = await start();
          assert.deepEqual(await readdir(unfinished), [], what);
        }
        // It goes on: what failed can be done again.
        const again = await push(registry, wanted);
        assert.equal(again.at(-1)?.status, 201, what);
        assert.ok(await checkSeen(registry, wanted), what);
      }
      assert.ok(failed > 20, `${failed} pushes failed`);
      await registry.close();
    });
});

test("below the mark of free space pushes get 503, while pulls, deletes and gc go on", async () => {
  // What comes takes room, too.
  const enough = 1_000_000;
  let free = enough;
  const driver = watched(memoryDriver(), () => {});
  const fixture = await makeFixture(
    { ...driver, space: async () => ({ free, total: 10 * enough }) },
    { freeSpace: 1000, gc: { grace: -1, lease: 0 }, sparseImages: true },
  );
  free = 999;
  const full = { status: 503, code: "UNAVAILABLE", shows: { "Retry-After": /^\d+$/ } } as const;
  const type = { "Content-Type": mediaTypes.ociManifest };
  await fixture.ask({ ask: "POST /v2/{app}/blobs/uploads/", ...full });
  await fixture.ask({ ask: "POST /v2/{app}/blobs/uploads/?digest={blob}", body: blob, ...full });
  await fixture.ask({ ask: "POST /v2/{app}/blobs/uploads/?mount={missing}", ...full });
  await fixture.ask({ ask: "PATCH /v2/{app}/blobs/uploads/{session}", body: "x", ...full });
  await fixture.ask({ ask: "PUT /v2/{app}/blobs/uploads/{session}?digest={blob}", ...full });
  await fixture.ask({ ask: "PUT /v2/{app}/manifests/new", headers: type, body: image, ...full });
  await fixture.ask({ ask: "GET /v2/{app}/manifests/new", status: 404 });
  await fixture.ask({ ask: "GET /v2/{app}/blobs/uploads/{session}", status: 204, shows: { Range: "0-4" } });
  await fixture.ask({ ask: "GET /v2/{app}/manifests/latest", status: 200, says: image });
  await fixture.ask({ ask: "GET /v2/{app}/blobs/{blob}", status: 200, says: blob });
  await fixture.ask({ ask: "GET /v2/{app}/tags/list", status: 200 });
  await fixture.ask({ ask: "DELETE /v2/{app}/blobs/uploads/{session}", status: 204 });
  await fixture.ask({ ask: "DELETE /v2/{app}/manifests/latest", status: 202 });
  await fixture.ask({ ask: "DELETE /v2/{app}/manifests/{image}", status: 202 });
  await fixture.ask({ ask: "DELETE /v2/{app}/blobs/{blob}", status: 202 });
  const { blobs } = await fixture.registry.collect();
  assert.ok(blobs >= 2, `${blobs}`);
  free = enough;
  await fixture.ask({ ask: "PUT /v2/{app}/manifests/new", headers: type, body: image, status: 201 });
  await fixture.ask({ ask: "POST /v2/{app}/blobs/uploads/?digest={blob}", body: blob, status: 201 });
  await fixture.registry.close();
});

test("where not a byte is left, deletes and gc go on, also of what no tag keeps", async () => {
  let isFull = false;
  const takes: ReadonlySet<string> = new Set(["write", "makeDirectory", "rename"]);
  const fs = faultyFiles(nodeFiles, ({ operation }) => (isFull && takes.has(operation) ? "ENOSPC" : undefined));
  const notices: Notice[] = [];
  let now = Date.now();
  const registry = createRegistry({
    driver: await filesystemDriver(temporaryFolder("brimful"), { fs }),
    recheckAfter: 0,
    now: () => now,
    onNotice: (notice) => notices.push(notice),
    gc: { grace: 0, lease: 0, untagged: 1000 },
  });
  const images = ["by-tag", "by-digest"].map(imageOf);
  for (const each of images) assert.equal((await push(registry, each)).at(-1)?.status, 201);
  isFull = true;
  assert.equal((await push(registry, imageOf("more"))).at(-1)?.status, 503);
  const [byTag, byDigest] = images as [Image, Image];
  const digest = digestOf(byDigest.manifest);
  assert.equal((await ask(registry, "DELETE", "/v2/by-tag/manifests/latest")).status, 202);
  assert.equal((await ask(registry, "DELETE", `/v2/by-digest/manifests/${digest}`)).status, 202);
  const [told] = notices.filter(({ repository }) => repository === "by-digest");
  assert.match(
    told?.message ?? "",
    /^the tag latest is deleted, and the disk is too full to note what it stood for: it can be put back by its digest alone$/,
  );
  assert.equal(told?.digest, digest);
  for (const each of images) assert.equal(await checkSeen(registry, each), false);
  now += 3_600_000;
  await registry.collect();
  now += 3_600_000;
  const { troubles } = await registry.collect();
  assert.equal(troubles, 0);
  for (const { repository, layer } of [byTag, byDigest])
    assert.equal((await ask(registry, "GET", `/v2/${repository}/blobs/${digestOf(layer)}`)).status, 404, repository);
  isFull = false;
  assert.equal((await push(registry, byTag)).at(-1)?.status, 201);
  assert.deepEqual(await Array.fromAsync(registry.check()), []);
  await registry.close();
});

test("a client is told nothing of where the disk failed, and the operator is, without what the client may have as a secret", async () => {
  const notices: string[] = [];
  const driver = watched(memoryDriver(), () => {});
  const registry = createRegistry({
    driver: {
      ...driver,
      read: async () => {
        throw Object.assign(new Error("EIO: i/o error, open '/srv/secret-place/\u001b[2J'"), { code: "EIO" });
      },
    },
    onNotice: ({ message }) => notices.push(message),
  });
  const target = `/v2/app/manifests/${imageDigest}?token=s3cr3t`;
  const got = await ask(registry, "GET", `/v2/app/blobs/${blobDigest}?token=s3cr3t\u001b[2J`, {
    headers: { Authorization: "Basic czNjcjN0" },
  });
  assert.equal(got.status, 500);
  assert.doesNotMatch(new TextDecoder().decode(got.bytes), /secret-place|EIO/);
  await ask(registry, "GET", target);
  assert.equal(notices.length > 0, true);
  for (const notice of notices) {
    assert.doesNotMatch(notice, /s3cr3t|czNjcjN0/);
    assert.doesNotMatch(notice, /[\u0000-\u001f]/);
  }
  await registry.close();
});
