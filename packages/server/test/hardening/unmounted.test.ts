import assert from "node:assert/strict";
import { mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { HealthChecks } from "@dray/service/observe";
import { exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { Clock } from "dray/http";
import { defined } from "dray/internal/defined";
import { digestOf, mediaTypes } from "dray/oci";
import type { Notice } from "../../src/notice.ts";
import { registryHealth } from "../../src/observing/index.ts";
import { createRegistry } from "../../src/registry.ts";
import { filesystemDriver } from "../../src/storage/index.ts";
import { diskUsage } from "../../src/usage/index.ts";
import { mountMemory, noMounts, unmount } from "../mounts.ts";
import {
  blob,
  blobDigest,
  config,
  image,
  imageDigest,
  layer,
  missing,
  other,
  otherDigest,
  repository,
} from "./sample.ts";

const day = 86_400_000;

/** Whoever asks for the health is never told what it was. */
const restless = (): Clock => {
  let time = 0;
  return {
    now: () => (time += day),
    random: () => 0,
    sleep: (_, signal) => new Promise((_, no) => signal?.addEventListener("abort", no)),
  };
};

/** How a disk goes from below a registry, and comes back. */
interface Place {
  readonly root: string;
  /** Whether somebody took the folder away, and no disk: then the next push makes it again. */
  readonly isRemoved?: boolean;
  away(): Promise<void>;
  back(): Promise<void>;
}

const places: Record<string, (folder: string) => Promise<Place>> = {
  "another folder in its place": async (folder) => {
    const [root, aside] = [join(folder, "data"), join(folder, "aside")];
    await mkdir(root);
    return {
      root,
      away: async () => {
        await rename(root, aside);
        await mkdir(root);
      },
      back: async () => {
        await rm(root, { recursive: true });
        await rename(aside, root);
      },
    };
  },
  "nothing in its place": async (folder) => {
    const [root, aside] = [join(folder, "data"), join(folder, "aside")];
    await mkdir(root);
    return { root, isRemoved: true, away: () => rename(root, aside), back: () => rename(aside, root) };
  },
  "a link that leads nowhere": async (folder) => {
    const [root, disk, aside] = [join(folder, "data"), join(folder, "disk"), join(folder, "aside")];
    await mkdir(join(root, "docker/registry"), { recursive: true });
    await mkdir(disk);
    await symlink(disk, join(root, "docker/registry/v2"));
    return { root, away: () => rename(disk, aside), back: () => rename(aside, disk) };
  },
};

describe("a volume that goes away while it is served", () => {
  for (const [what, make] of Object.entries(places))
    test(`leaves ${what}: nobody is told that anything is not there, and it heals`, async () => {
      const place = await make(temporaryFolder("unmounted"));
      const notices: Notice[] = [];
      let now = Date.now();
      const driver = await filesystemDriver(place.root);
      const registry = createRegistry({
        driver,
        recheckAfter: 0,
        now: () => now,
        onNotice: (notice) => notices.push(notice),
        gc: { grace: 0, lease: 1000, untagged: 0 },
        quotas: ["**=1GiB"],
        freeSpace: 1,
      });
      const ask = (line: string, body?: Uint8Array) => {
        const [method = "", target = ""] = line.split(" ");
        const headers = body === undefined ? {} : { "Content-Type": mediaTypes.ociManifest };
        return exchange(registry, method, target, defined({ headers, body }));
      };
      const status = async (line: string, body?: Uint8Array): Promise<number> => (await ask(line, body)).status;
      const health = new HealthChecks(registryHealth({ driver, name: "filesystem" }, { clock: restless() }));
      const readyz = async (): Promise<number> =>
        (
          await health.middleware(async () => assert.fail())({
            method: "GET",
            origin: "",
            target: "/readyz",
            headers: [],
          })
        ).status;
      const at = `/v2/${repository}`;
      for (const bytes of [config, layer, blob])
        assert.equal(await status(`POST ${at}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes), 201);
      assert.equal(await status(`PUT ${at}/manifests/latest`, image), 201);
      assert.equal(await status(`PUT ${at}/manifests/stable`, image), 201);
      registry.start();
      await registry.context.reconciler.reconciled();
      now += day;

      await place.away();
      const left = async (): Promise<string> => {
        const names: string[] = await readdir(place.root, { recursive: true }).catch(() => []);
        return names.sort().join();
      };
      const before = await left();
      const pushes = [`POST ${at}/blobs/uploads/`, `POST ${at}/blobs/uploads/?mount=${blobDigest}&from=${repository}`];
      for (const line of [
        `GET ${at}/manifests/latest`,
        `GET ${at}/manifests/${imageDigest}`,
        `GET ${at}/manifests/nothing`,
        `GET ${at}/blobs/${blobDigest}`,
        `GET ${at}/tags/list`,
        `GET ${at}/referrers/${imageDigest}`,
        "GET /v2/never/seen/tags/list",
        `DELETE ${at}/manifests/latest`,
        `DELETE ${at}/manifests/${imageDigest}`,
        `DELETE ${at}/blobs/${blobDigest}`,
        ...(place.isRemoved === true ? [] : pushes),
      ]) {
        const answer = await ask(line);
        assert.equal(answer.status, 503, line);
        assert.equal((answer.json() as { errors: [{ code: string }] }).errors[0].code, "UNAVAILABLE", line);
        assert.equal(answer.header("Retry-After"), "30", line);
      }
      assert.equal(await status(`HEAD ${at}/blobs/${blobDigest}`), 503);
      if (place.isRemoved !== true) {
        assert.equal(await status(`POST ${at}/blobs/uploads/?digest=${blobDigest}`, blob), 503);
        assert.equal(await status(`PUT ${at}/manifests/new`, other), 503);
      }
      assert.equal(await readyz(), 503);
      const { tree, uploads, reconciler } = registry.context;
      const looked: Record<string, () => Promise<unknown>> = {
        gc: () => registry.collect({ empty: true, orphans: true }),
        verify: () => registry.verify(),
        restore: () => registry.restore(repository, otherDigest),
        check: () => Array.fromAsync(registry.check()),
        rebuild: () => registry.rebuild(),
        refresh: () => reconciler.refresh(),
        du: () => diskUsage({ tree, driver }),
        purge: () => uploads.purge(now),
      };
      for (const [name, look] of Object.entries(looked))
        await assert.rejects(look(), { code: "DISK", message: /is gone: .* mount the volume again/ }, name);
      await assert.rejects(driver.volume.keep(), /is gone/);
      assert.equal(await left(), before);

      await place.back();
      assert.equal(await readyz(), 200);
      assert.deepEqual((await ask(`GET ${at}/tags/list`)).json(), { name: repository, tags: ["latest", "stable"] });
      assert.equal(await status(`GET ${at}/manifests/latest`), 200);
      assert.equal(await status(`HEAD ${at}/blobs/${blobDigest}`), 200);
      assert.equal(await status(`HEAD ${at}/blobs/${missing}`), 404);
      assert.equal(await status("GET /v2/never/seen/tags/list"), 404);
      assert.deepEqual((await ask("GET /v2/_catalog")).json(), { repositories: [repository] });
      assert.equal(await status(`PUT ${at}/manifests/new`, other), 201);
      await registry.context.reconciler.reconciled();
      assert.deepEqual(await Array.fromAsync(registry.check()), []);
      const collected = await registry.collect({ lease: 0 });
      assert.deepEqual([collected.manifests, collected.unswept], [0, undefined]);
      assert.equal(await status(`GET ${at}/manifests/${imageDigest}`), 200);
      await registry.close();
    });

  test("a root that somebody removed is made again by the next push, however many come at once", async () => {
    for (let round = 0; round < 10; round++) {
      const root = join(temporaryFolder("unmounted"), "data");
      const registry = createRegistry({ driver: await filesystemDriver(root), recheckAfter: 0, freeSpace: 1 });
      await rm(root, { recursive: true });
      const pushes = [blob, config, layer].map((body) =>
        exchange(registry, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`, { body }),
      );
      for (const { status } of await Promise.all(pushes)) assert.equal(status, 201);
      await registry.close();
    }
  });

  test("a disk in earnest, also one that holds a single repository", { skip: noMounts }, async () => {
    for (const mounted of ["", "docker/registry/v2/repositories/team"]) {
      const folder = temporaryFolder("unmounted");
      const root = join(folder, "data");
      const at = join(root, mounted);
      mountMemory(at);
      try {
        const driver = await filesystemDriver(root, mounted === "" ? {} : { readOnly: true });
        await driver.refuseGone?.();
        unmount(at);
        await assert.rejects(async () => driver.refuseGone?.(), { code: "DISK", message: /another file system is at/ });
        await driver.close();
      } finally {
        unmount(at);
      }
    }
  });
});

test("a repository behind a link to a disk that was unmounted is nowhere called absent, loses no blob to garbage collection, and is whole when that is back", async () => {
  const folder = temporaryFolder("unmounted-repository");
  const [disk, aside] = [join(folder, "disk"), join(folder, "aside")];
  const repositories = join(folder, "data/docker/registry/v2/repositories");
  await mkdir(disk);
  await mkdir(repositories, { recursive: true });
  await symlink(disk, join(repositories, repository.split("/")[0] ?? ""));
  const notices: Notice[] = [];
  const driver = await filesystemDriver(join(folder, "data"));
  const gc = { grace: 0, lease: 0, share: 1 };
  const onNotice = (notice: Notice): void => void notices.push(notice);
  const registry = createRegistry({ driver, gc, recheckAfter: 0, onNotice });
  const at = `/v2/${repository}`;
  const headers = { "Content-Type": mediaTypes.ociManifest };
  for (const bytes of [config, layer])
    await exchange(registry, "POST", `${at}/blobs/uploads/?digest=${digestOf(bytes)}`, { body: bytes });
  assert.equal((await exchange(registry, "PUT", `${at}/manifests/latest`, { headers, body: image })).status, 201);
  await exchange(registry, "POST", `/v2/other/blobs/uploads/?digest=${blobDigest}`, { body: blob });
  await rename(disk, aside);
  await mkdir(disk);
  const where = /is a link that leads to a folder with nothing in it; mount what it leads to/;
  const asked = ["manifests/latest", `manifests/${imageDigest}`, `blobs/${digestOf(layer)}`];
  for (const method of ["GET", "HEAD"])
    for (const what of [...asked, "tags/list", `referrers/${imageDigest}`]) {
      notices.length = 0;
      const answer = await exchange(registry, method, `${at}/${what}`);
      assert.equal(answer.status, 503, `${method} ${what}`);
      assert.equal(answer.header("Retry-After"), "30");
      assert.match(notices.map(({ message }) => message).join(), where);
      assert.equal(notices[0]?.repository, repository);
    }
  // What is behind no link is there or not, as ever.
  assert.equal((await exchange(registry, "GET", `/v2/other/blobs/${blobDigest}`)).status, 200);
  notices.length = 0;
  for (const what of [...asked, "tags/list"])
    for (const name of ["other", "nobody/has"])
      assert.equal((await exchange(registry, "GET", `/v2/${name}/${what}`)).status, 404, `${name} ${what}`);
  assert.equal(notices.length, 0);
  const { blobs, unswept } = await registry.collect({ grace: -1 });
  assert.equal(blobs, 0);
  assert.match(unswept ?? "", where);
  assert.ok(notices.some(({ message }) => message.startsWith("gc swept no blobs")));
  await rm(disk, { recursive: true });
  assert.equal((await exchange(registry, "GET", `${at}/manifests/latest`)).status, 503, "it leads nowhere");
  await rename(aside, disk);
  assert.equal((await exchange(registry, "GET", `${at}/manifests/latest`)).status, 200);
  assert.equal((await exchange(registry, "GET", `${at}/blobs/${digestOf(layer)}`)).status, 200);
  await registry.close();
  await driver.close();
});
