import assert from "node:assert/strict";
import { mkdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { header } from "dray/http";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath, currentLink, layerFolder, revisionFolder, typePath } from "../../src/distribution-tree/index.ts";
import type { Notice } from "../../src/notice.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver } from "../../src/storage/index.ts";
import { blob, blobDigest, image, imageDigest, imageWith, missing, other, otherDigest } from "./sample.ts";

interface Damaged {
  registry: Registry;
  readonly notices: Notice[];
  at(path: string): string;
  /** As after a start: nothing is remembered. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

const type = { "Content-Type": mediaTypes.ociManifest };
const upload = `/v2/app/blobs/uploads/?digest=${blobDigest}`;

/** A registry in a folder, with an image under a tag and a blob. */
const open = async (): Promise<Damaged> => {
  const folder = temporaryFolder("damage");
  const notices: Notice[] = [];
  const make = async (): Promise<Registry> =>
    createRegistry({
      driver: await filesystemDriver(folder, { durability: "relaxed" }),
      recheckAfter: 0,
      sparseImages: true,
      onNotice: (notice) => notices.push(notice),
    });
  const fixture: Damaged = {
    registry: await make(),
    notices,
    at: (path) => join(folder, path),
    restart: async () => {
      await fixture.registry.close();
      fixture.registry = await make();
    },
    end: () => fixture.registry.close(),
  };
  assert.equal((await exchange(fixture.registry, "POST", upload, { body: blob })).status, 201);
  await pushImage(fixture);
  return fixture;
};

const pushImage = async ({ registry }: Damaged): Promise<void> => {
  const answer = await exchange(registry, "PUT", "/v2/app/manifests/latest", { headers: type, body: image });
  assert.equal(answer.status, 201);
};

const names = ["latest", imageDigest];
/** What is served under each name is what the digest says, or nothing. */
const isGone = async ({ registry }: Damaged): Promise<void> => {
  for (const name of names)
    for (const method of ["GET", "HEAD"]) {
      const { status, bytes } = await exchange(registry, method, `/v2/app/manifests/${name}`);
      assert.deepEqual([status, new TextDecoder().decode(bytes).includes("schemaVersion")], [404, false]);
    }
};
const isThere = async ({ registry }: Damaged): Promise<void> => {
  for (const name of names) {
    const got = await exchange(registry, "GET", `/v2/app/manifests/${name}`);
    assert.equal(got.status, 200);
    assert.deepEqual(Buffer.from(got.bytes), Buffer.from(image));
  }
};

suite("a stored manifest that is damaged is never served, and pushing it again puts it right:", () => {
  const flipped = Uint8Array.from(image);
  flipped[20] = (flipped[20] ?? 0) ^ 1;
  const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
    "a bit": (path) => writeFile(path, flipped),
    "cut off": (path) => truncate(path, image.byteLength - 1),
    empty: (path) => truncate(path, 0),
    longer: (path) => writeFile(path, Buffer.concat([image, image])),
    "another manifest": (path) => writeFile(path, other),
    zeros: (path) => writeFile(path, new Uint8Array(image.byteLength)),
    gone: (path) => rm(path),
  };
  for (const [what, damage] of Object.entries(damages))
    test(what, async () => {
      const fixture = await open();
      await damage(fixture.at(blobPath(imageDigest)));
      await fixture.restart();
      await isGone(fixture);
      if (what !== "gone")
        assert.ok(fixture.notices.some(({ level, digest }) => level === "error" && digest === imageDigest));
      await pushImage(fixture);
      await isThere(fixture);
      await fixture.restart();
      await isThere(fixture);
      await fixture.end();
    });
});

suite("a link that is damaged leads nowhere, and pushing again puts it right:", () => {
  const contents: Readonly<Record<string, string>> = {
    empty: "",
    "cut off": imageDigest.slice(0, 40),
    garbage: "\0\0\0\0",
    "a path": "../../../../etc/passwd",
    capitals: imageDigest.toUpperCase(),
    "another digest": missing,
    "two digests": `${imageDigest}\n${otherDigest}`,
  };
  for (const [what, content] of Object.entries(contents)) {
    test(`a revision: ${what}`, async () => {
      const fixture = await open();
      await writeFile(fixture.at(`${revisionFolder("app", imageDigest)}/link`), content);
      await fixture.restart();
      await isGone(fixture);
      await pushImage(fixture);
      await isThere(fixture);
      await fixture.end();
    });
    test(`a tag: ${what}`, async () => {
      const fixture = await open();
      await writeFile(fixture.at(currentLink("app", "latest")), content);
      await fixture.restart();
      assert.equal((await exchange(fixture.registry, "GET", "/v2/app/manifests/latest")).status, 404);
      assert.equal((await exchange(fixture.registry, "GET", `/v2/app/manifests/${imageDigest}`)).status, 200);
      assert.equal((await exchange(fixture.registry, "GET", "/v2/app/tags/list")).status, 200);
      await pushImage(fixture);
      await isThere(fixture);
      // And it can be deleted, whatever it says.
      await writeFile(fixture.at(currentLink("app", "latest")), content);
      assert.equal((await exchange(fixture.registry, "DELETE", "/v2/app/manifests/latest")).status, 202);
      await fixture.end();
    });
    test(`a layer: ${what}`, async () => {
      const fixture = await open();
      await writeFile(fixture.at(`${layerFolder("app", blobDigest)}/link`), content);
      for (const method of ["GET", "HEAD"])
        assert.equal((await exchange(fixture.registry, method, `/v2/app/blobs/${blobDigest}`)).status, 404);
      assert.equal((await exchange(fixture.registry, "POST", upload, { body: blob })).status, 201);
      const got = await exchange(fixture.registry, "GET", `/v2/app/blobs/${blobDigest}`);
      assert.deepEqual(Buffer.from(got.bytes), Buffer.from(blob));
      await fixture.end();
    });
  }
});

test("an alias of a manifest is served only where its bytes have the digest that was asked for", async () => {
  const fixture = await open();
  const answer = await exchange(fixture.registry, "PUT", "/v2/app/manifests/other", { headers: type, body: other });
  assert.equal(answer.status, 201);
  await writeFile(fixture.at(`${revisionFolder("app", imageDigest)}/link`), otherDigest);
  await fixture.restart();
  await isGone(fixture);
  await fixture.end();
});

test("a blob whose stored size differs is replaced by the next push, whatever way it comes", async () => {
  for (const size of [0, 100, blob.byteLength + 1]) {
    const fixture = await open();
    const path = fixture.at(blobPath(blobDigest));
    for (const way of ["at once", "by a session"]) {
      await writeFile(path, Buffer.alloc(size, "x"));
      if (way === "at once") {
        assert.equal((await exchange(fixture.registry, "POST", upload, { body: blob })).status, 201);
      } else {
        const begun = await exchange(fixture.registry, "POST", "/v2/app/blobs/uploads/");
        const target = begun.header("Location") ?? "";
        assert.equal((await exchange(fixture.registry, "PATCH", target, { body: blob })).status, 202);
        assert.equal((await exchange(fixture.registry, "PUT", `${target}?digest=${blobDigest}`)).status, 201);
      }
      assert.deepEqual(await readFile(path), Buffer.from(blob));
    }
    await fixture.end();
  }
});

test("a blob that is cut off while it is read breaks the answer, and is never shorter than announced", async () => {
  const fixture = await open();
  const target = `/v2/app/blobs/${blobDigest}`;
  const { status, headers, body } = await fixture.registry({ method: "GET", origin: "http://a", target, headers: [] });
  assert.deepEqual([status, header(headers, "Content-Length")], [200, String(blob.byteLength)]);
  await truncate(fixture.at(blobPath(blobDigest)), 10);
  await assert.rejects(
    async () => {
      for await (const _ of body.chunks);
    },
    { code: "DISK" },
  );
  await fixture.end();
});

test("a type that somebody put beside a manifest can begin no header", async () => {
  for (const said of ["text/html\r\nSet-Cookie: a=b", "\u001b[2J", "x".repeat(10_000), "", "ä"]) {
    const fixture = await open();
    const path = fixture.at(typePath("app", imageDigest));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, said);
    await fixture.restart();
    const got = await exchange(fixture.registry, "GET", "/v2/app/manifests/latest");
    assert.deepEqual([got.status, got.header("Content-Type")], [200, mediaTypes.ociManifest]);
    await fixture.end();
  }
});

test("a foreign manifest whose own type has control characters is served under one that has none", async () => {
  const fixture = await open();
  const bytes = encodeJson(imageWith({ mediaType: "text/html\r\nX-Evil: yes" }));
  const digest = digestOf(bytes);
  for (const [path, content] of [
    [blobPath(digest), bytes],
    [`${revisionFolder("app", digest)}/link`, digest],
    [currentLink("app", "foreign"), digest],
  ] as const) {
    await mkdir(dirname(fixture.at(path)), { recursive: true });
    await writeFile(fixture.at(path), content);
  }
  const got = await exchange(fixture.registry, "GET", "/v2/app/manifests/foreign");
  assert.deepEqual([got.status, got.header("Content-Type")], [200, mediaTypes.ociManifest]);
  assert.deepEqual(Buffer.from(got.bytes), Buffer.from(bytes));
  await fixture.end();
});

test("gc keeps the layers of a manifest that can be read in two ways, and says so", async () => {
  const fixture = await open();
  // Another program took it: to Go these are its layers.
  const bytes = encodeJson({
    ...imageWith({ layers: undefined }),
    Layers: [{ mediaType: mediaTypes.ociLayer, digest: blobDigest, size: blob.byteLength }],
  });
  const digest = digestOf(bytes);
  for (const [path, content] of [
    [blobPath(digest), bytes],
    [`${revisionFolder("app", digest)}/link`, digest],
  ] as const) {
    await mkdir(dirname(fixture.at(path)), { recursive: true });
    await writeFile(fixture.at(path), content);
  }
  const old = new Date("2000-01-01");
  for (const path of [blobPath(blobDigest), `${layerFolder("app", blobDigest)}/link`])
    await utimes(fixture.at(path), old, old);
  await fixture.registry.close();
  const driver = await filesystemDriver(fixture.at(""), { durability: "relaxed" });
  fixture.registry = createRegistry({ driver, gc: { lease: 0, grace: 1000 } });
  const { unreadable, layers, blobs } = await fixture.registry.collect();
  assert.deepEqual(unreadable, [{ repository: "app", digest }]);
  assert.deepEqual([layers, blobs], [0, 0]);
  await fixture.end();
});
