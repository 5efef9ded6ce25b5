import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import { DrayError } from "dray/errors";
import { encodeJson, mediaTypes } from "dray/oci";
import { loadSettings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import type { Registry } from "../registry.ts";
import type { Driver } from "../storage/index.ts";
import { openRegistry } from "./open-registry.ts";

const users = join(temporaryFolder("lockout"), "users");

/** Wrong passwords that are heard before nobody listens any more, as the configuration says. */
const heard = async (attempts: number): Promise<number> => {
  const text = [
    "version: 0.1",
    "storage: {inmemory: {}}",
    `auth: {htpasswd: {realm: registry, path: ${JSON.stringify(users)}}}`,
    `dray: {access: {lockout: {attempts: ${attempts}}}}`,
  ].join("\n");
  const { settings } = loadSettings({ text });
  const { access, registry } = await openRegistry(settings, { onNotice: () => {}, who: "a test" });
  const authorization = `Basic ${Buffer.from("ann:wrong").toString("base64")}`;
  const request = {
    method: "GET",
    origin: "http://registry.test",
    target: "/v2/",
    headers: [["Authorization", authorization]] as const,
    peer: "192.0.2.1:4000",
  };
  try {
    for (let asked = 0; asked < 20; asked++) {
      const verdict = await access.authorise(request, { known: true });
      assert.ok(!verdict.allowed);
      if (verdict.status === 429) return asked;
    }
    return Number.POSITIVE_INFINITY;
  } finally {
    await registry.close();
  }
};

test("as many wrong passwords are heard as dray.access.lockout.attempts says", async () => {
  await writeFile(users, `ann:${hashSync("right", 4)}\n`);
  assert.deepEqual([await heard(2), await heard(5)], [2, 5]);
});

const headers = { "Content-Type": mediaTypes.ociIndex };
const put = async (registry: Registry, path: string, note: string): Promise<string> => {
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { note } });
  const answer = await exchange(registry, "PUT", `/v2/${path}`, { headers, body });
  assert.equal(answer.status, 201);
  return answer.header("Docker-Content-Digest") ?? "";
};

test("who reads beside a writer serves each change at once, of tags, lists and what was deleted", async () => {
  const folder = join(temporaryFolder("beside"), "data");
  const text = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${JSON.stringify(folder)}}, delete: {enabled: true}}`;
  const open = (set: readonly string[]) => {
    const { settings } = loadSettings({ text, flags: { set } });
    return openRegistry(settings, { onNotice: () => {}, who: "a test", readOnly: settings.registry.readOnly });
  };
  const writer = await open([]);
  await put(writer.registry, "a/manifests/v1", "first");
  await put(writer.registry, "a/manifests/v2", "first");
  const reader = await open(['storage.maintenance={"readonly":{"enabled":true}}']);
  const ask = async (path: string) => exchange(reader.registry, "GET", `/v2/a/${path}`);
  const tags = async () => ((await ask("tags/list")).json() as { tags: string[] }).tags;
  assert.equal((await ask("manifests/v1")).status, 200);
  assert.equal((await ask("manifests/v2")).status, 200);
  assert.deepEqual(await tags(), ["v1", "v2"]);
  const second = await put(writer.registry, "a/manifests/v1", "second");
  assert.equal((await ask("manifests/v1")).header("Docker-Content-Digest"), second);
  await put(writer.registry, "a/manifests/v3", "second");
  assert.deepEqual(await tags(), ["v1", "v2", "v3"]);
  assert.equal((await exchange(writer.registry, "DELETE", "/v2/a/manifests/v2")).status, 202);
  assert.equal((await ask("manifests/v2")).status, 404);
  assert.deepEqual(await tags(), ["v1", "v3"]);
  assert.equal((await ask(`manifests/${second}`)).status, 200);
  assert.equal((await exchange(writer.registry, "DELETE", `/v2/a/manifests/${second}`)).status, 202);
  assert.equal((await ask(`manifests/${second}`)).status, 404);
  for (const { registry, driver } of [reader, writer]) {
    await registry.close();
    await driver.close();
  }
});

test("a repository that cannot be read is left out of the catalog, and told", async () => {
  const folder = join(temporaryFolder("unreadable"), "data");
  const text = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${JSON.stringify(folder)}}}`;
  const notices: Notice[] = [];
  const { settings } = loadSettings({ text });
  const broken = (driver: Driver): Driver => {
    const list = driver.list.bind(driver);
    const faulty: Driver["list"] = async (path) => {
      if (path.endsWith("/repositories/b")) throw new DrayError("DISK", `cannot list ${path}: permission denied`);
      return list(path);
    };
    return Object.assign(driver, { list: faulty });
  };
  const { registry, driver } = await openRegistry(settings, {
    onNotice: (notice) => notices.push(notice),
    around: broken,
    who: "a test",
  });
  for (const name of ["a", "b", "c"]) await put(registry, `${name}/manifests/v1`, name);
  registry.start();
  await registry.context.reconciler.settled();
  const catalog = await exchange(registry, "GET", "/v2/_catalog");
  assert.deepEqual([catalog.status, catalog.json()], [200, { repositories: ["a", "c"] }]);
  assert.ok(
    notices.some(({ level, message }) => level === "error" && /catalog leaves out .*repositories\/b/.test(message)),
  );
  assert.equal(registry.context.reconciler.isComplete, false, "the status says that the index is not whole");
  await registry.close();
  await driver.close();
});
