import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { digestOf, mediaTypes } from "dray/oci";
import {
  blobFolder,
  blobPath,
  layerFolder,
  layersPath,
  repositoryPath,
  revisionFolder,
  tagFolder,
  uploadFolder,
} from "../../src/distribution-tree/index.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { type Driver, filesystemDriver } from "../../src/storage/index.ts";
import type { Case } from "./case.ts";
import { digests } from "./cases/digests.ts";
import { names } from "./cases/names.ts";
import { sessions } from "./cases/sessions.ts";
import { makeFixture } from "./fixture.ts";
import { blob, blobDigest, image, imageDigest } from "./sample.ts";

/** Every file below a folder with its content; links are not followed. */
const contentOf = async (folder: string, path = ""): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) Object.assign(found, { [`${at}/`]: "" }, await contentOf(folder, at));
    else found[at] = entry.isSymbolicLink() ? "a link" : await readFile(join(folder, at), "latin1");
  }
  return found;
};

test("whatever names, digests and sessions are made up, nothing beside the root is touched", async () => {
  const folder = temporaryFolder("outside");
  const root = join(folder, "a/b/c/root");
  for (const path of ["passwd", "a/etc/passwd", "a/b/_manifests/tags/latest/current/link", "a/b/c/latest"]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), "not yours");
  }
  const before = await contentOf(folder);
  const driver = await filesystemDriver(root, { durability: "relaxed" });
  const fixture = await makeFixture(driver);
  const asked = [...names, ...digests, ...sessions].filter(
    ({ status, before: steps, settings, changes }: Case) =>
      status >= 400 && steps === undefined && settings === undefined && changes === undefined,
  );
  assert.ok(asked.length > 700, `${asked.length}`);
  for (const one of asked) await fixture.ask(one);
  await fixture.registry.close();
  const inRoot = (path: string): boolean => path.startsWith("a/b/c/root/");
  const beside = Object.entries(await contentOf(folder)).filter(([path]) => !inRoot(path));
  assert.deepEqual(Object.fromEntries(beside), before);
  assert.deepEqual((await readdir(root)).sort(), ["docker", "dray"]);
  assert.deepEqual(await readdir(join(root, "docker/registry/v2/repositories")), ["team"]);
});

interface Linked {
  readonly registry: Registry;
  readonly driver: Driver;
  readonly root: string;
  /** A folder beside the root, and what is in it. */
  readonly elsewhere: string;
  unchanged(): Promise<void>;
}

/** A registry that collects whatever nothing uses, and a folder that is none of its own. */
const linked = async (): Promise<Linked> => {
  const folder = temporaryFolder("outside");
  const [root, elsewhere] = [join(folder, "root"), join(folder, "elsewhere")];
  await mkdir(join(elsewhere, "index/sha256"), { recursive: true });
  for (const name of ["data", "startedat", "link", "index/sha256/link"])
    await writeFile(join(elsewhere, name), "2000-01-01T00:00:00Z");
  const old = new Date("2000-01-01");
  await utimes(join(elsewhere, "data"), old, old);
  const driver = await filesystemDriver(root, { durability: "relaxed" });
  const registry = createRegistry({ driver, sparseImages: true, gc: { grace: -1, lease: 0 } });
  const before = await contentOf(elsewhere);
  return {
    registry,
    driver,
    root,
    elsewhere,
    unchanged: async () => assert.deepEqual(await contentOf(elsewhere), before),
  };
};

const link = async ({ root, elsewhere }: Linked, path: string, to = elsewhere): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await symlink(to, join(root, path));
};
const isThere = async ({ root }: Linked, path: string): Promise<boolean> =>
  (await readdir(dirname(join(root, path)))).includes(path.split("/").at(-1) ?? "");

const push = async (registry: Registry): Promise<void> => {
  const headers = { "Content-Type": mediaTypes.ociManifest };
  assert.equal((await exchange(registry, "PUT", "/v2/app/manifests/latest", { headers, body: image })).status, 201);
};

test("a blob's folder that is a link: gc takes the link", async () => {
  const fixture = await linked();
  await link(fixture, blobFolder(blobDigest));
  const { blobs } = await fixture.registry.collect({ empty: true });
  assert.equal(blobs, 1);
  assert.equal(await isThere(fixture, blobFolder(blobDigest)), false);
  await fixture.unchanged();
  await fixture.registry.close();
});

test("a blob's data that is a link: a push replaces the link, and deleting and gc take it", async () => {
  const fixture = await linked();
  const upload = `/v2/app/blobs/uploads/?digest=${blobDigest}`;
  await link(fixture, blobPath(blobDigest), join(fixture.elsewhere, "data"));
  assert.equal((await exchange(fixture.registry, "POST", upload, { body: blob })).status, 201);
  await fixture.unchanged();
  const target = `/v2/app/blobs/${blobDigest}`;
  assert.deepEqual((await exchange(fixture.registry, "GET", target)).bytes, blob);
  await rm(join(fixture.root, blobPath(blobDigest)));
  await link(fixture, blobPath(blobDigest), join(fixture.elsewhere, "data"));
  assert.equal((await exchange(fixture.registry, "DELETE", target)).status, 202);
  assert.equal((await fixture.registry.collect()).blobs, 1);
  await fixture.unchanged();
  await fixture.registry.close();
});

test("an operator may keep a blob on another disk: what a link leads to is read", async () => {
  const fixture = await linked();
  const { registry, root, elsewhere } = fixture;
  const upload = `/v2/app/blobs/uploads/?digest=${blobDigest}`;
  assert.equal((await exchange(registry, "POST", upload, { body: blob })).status, 201);
  await writeFile(join(elsewhere, "moved"), blob);
  await rm(join(root, blobPath(blobDigest)));
  await link(fixture, blobPath(blobDigest), join(elsewhere, "moved"));
  assert.deepEqual((await exchange(registry, "GET", `/v2/app/blobs/${blobDigest}`)).bytes, blob);
  await registry.close();
});

test("a manifest that is a link to something else is never served", async () => {
  const fixture = await linked();
  const { registry, root, elsewhere, driver } = fixture;
  await push(registry);
  await rm(join(root, blobPath(imageDigest)));
  await link(fixture, blobPath(imageDigest), join(elsewhere, "data"));
  const other = createRegistry({ driver });
  for (const name of ["latest", imageDigest])
    assert.equal((await exchange(other, "GET", `/v2/app/manifests/${name}`)).status, 404);
  await other.close();
});

test("a tag that is a link: deleting it takes the link", async () => {
  const fixture = await linked();
  await push(fixture.registry);
  await link(fixture, tagFolder("app", "evil"));
  // Its link says nothing that is a digest.
  assert.equal((await exchange(fixture.registry, "GET", "/v2/app/manifests/evil")).status, 404);
  await exchange(fixture.registry, "DELETE", "/v2/app/manifests/evil");
  await fixture.unchanged();
  // A tag in a folder elsewhere that looks like one.
  await mkdir(join(fixture.elsewhere, "../tag/current"), { recursive: true });
  await writeFile(join(fixture.elsewhere, "../tag/current/link"), imageDigest);
  await link(fixture, tagFolder("app", "moved"), join(fixture.elsewhere, "../tag"));
  assert.equal((await exchange(fixture.registry, "DELETE", "/v2/app/manifests/moved")).status, 202);
  assert.equal(await isThere(fixture, tagFolder("app", "moved")), false);
  assert.equal(await readFile(join(fixture.elsewhere, "../tag/current/link"), "utf8"), imageDigest);
  await fixture.registry.close();
});

test("an upload that is a link: cancelling, purging and gc take the link", async () => {
  const ids = ["0", "1", "2"].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`);
  const [first = "", second = "", third = ""] = ids;
  const fixture = await linked();
  for (const id of [first, second]) await link(fixture, uploadFolder("app", id));
  const target = `/v2/app/blobs/uploads/${first}`;
  assert.equal((await exchange(fixture.registry, "DELETE", target)).status, 204);
  assert.equal(await fixture.registry.context.uploads.purge(Date.now() - 1000), 1);
  await link(fixture, uploadFolder("app", third));
  assert.equal((await fixture.registry.collect()).uploads, 1);
  for (const id of ids) assert.equal(await isThere(fixture, uploadFolder("app", id)), false);
  await fixture.unchanged();
  await fixture.registry.close();
});

test("links to themselves, to nothing and out of the root: gc and the catalog come to an end", async () => {
  const fixture = await linked();
  await push(fixture.registry);
  for (const path of [`${repositoryPath("app")}/round`, blobFolder(blobDigest), tagFolder("app", "round")])
    await link(fixture, path, join(fixture.root, path));
  await link(fixture, `${repositoryPath("app")}/nowhere`, join(fixture.root, "nothing"));
  await link(fixture, repositoryPath("out"), fixture.elsewhere);
  await fixture.registry.collect();
  assert.equal((await exchange(fixture.registry, "GET", "/v2/app/manifests/round")).status, 404);
  // What lies behind a link that leads nowhere is not called absent.
  assert.equal((await exchange(fixture.registry, "GET", "/v2/app/round/tags/list")).status, 503);
  const catalog = await exchange(fixture.registry, "GET", "/v2/_catalog");
  assert.deepEqual((catalog.json() as { repositories: string[] }).repositories, ["app"]);
  await fixture.unchanged();
  assert.equal(digestOf((await exchange(fixture.registry, "GET", "/v2/app/manifests/latest")).bytes), imageDigest);
  await fixture.registry.close();
});

describe("what lies behind a link to a disk that is not mounted keeps its data", () => {
  const parts: Record<string, string> = {
    "a repository": repositoryPath("app"),
    "its manifests": `${repositoryPath("app")}/_manifests`,
    "its revisions": `${repositoryPath("app")}/_manifests/revisions`,
    "one of them": revisionFolder("app", imageDigest),
    "its link": `${revisionFolder("app", imageDigest)}/link`,
    "its layers": layersPath("app"),
    "one of those": layerFolder("app", blobDigest),
    "its tags": `${repositoryPath("app")}/_manifests/tags`,
  };
  for (const [what, path] of Object.entries(parts))
    test(what, async () => {
      const fixture = await linked();
      const { registry, root } = fixture;
      const upload = `/v2/app/blobs/uploads/?digest=${blobDigest}`;
      assert.equal((await exchange(registry, "POST", upload, { body: blob })).status, 201);
      await push(registry);
      await rm(join(root, path), { recursive: true });
      await link(fixture, path, join(root, "not-mounted"));
      await registry.rebuild();
      const { blobs, unswept, held } = await registry.collect();
      assert.equal(blobs, 0);
      assert.ok(unswept !== undefined || held.length > 0 || path.startsWith(layersPath("app")), what);
      for (const digest of [blobDigest, imageDigest]) assert.ok(await isThere(fixture, blobFolder(digest)), digest);
      await registry.close();
    });
});
