import assert from "node:assert/strict";
import { access, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { mount, mountMemory, noMounts, unmount } from "../../test/mounts.ts";
import { filesystemDriver, lockVolume } from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("a volume that is mounted below its root", { skip: noMounts }, () => {
  let root = "";
  let folder = "";
  let mounts: string[] = [];
  before(() => {
    root = temporaryFolder("mounted");
  });
  let volumes = 0;
  beforeEach(() => {
    folder = join(root, `${++volumes}`);
    mounts = [];
  });
  afterEach(() => mounts.reverse().forEach(unmount));
  const memoryAt = (path: string): void => {
    const at = join(folder, path);
    mountMemory(at);
    mounts.push(at);
  };
  const blob = "docker/registry/v2/blobs/sha256/aa/aaaa/data";
  const upload = "docker/registry/v2/repositories/a/_uploads/1/data";

  for (const level of ["docker", "docker/registry", "docker/registry/v2"])
    it(`at ${level} takes pushes, and what is ours lies with it`, async () => {
      memoryAt(level);
      const driver = await filesystemDriver(folder, { lock: lockVolume });
      await driver.write("docker/registry/v2/repositories/a/link", text("link"));
      await (await driver.receive(upload, "sha256")).close();
      await driver.move(upload, blob);
      await driver.write("dray/schedule/gc", text("now"));
      const names = await readdir(join(folder, level, "dray"));
      for (const name of ["schedule", "tmp", "volume.holder", "volume.lock"]) assert.ok(names.includes(name), name);
      assert.equal(driver.volume.own, join(folder, level, "dray"));
      await assert.rejects(access(join(folder, "dray")), { code: "ENOENT" });
      await assert.rejects(filesystemDriver(folder, { lock: lockVolume }), { code: "LOCKED" });
      await driver.close();
    });

  it("by the same file system twice is one that nothing can be moved across", async () => {
    await mkdir(join(folder, "docker/registry/v2"), { recursive: true });
    await mkdir(join(folder, "elsewhere"));
    mount("--bind", join(folder, "elsewhere"), join(folder, "docker/registry"));
    mounts.push(join(folder, "docker/registry"));
    const driver = await filesystemDriver(folder);
    await driver.write("docker/registry/v2/repositories/a/link", text("link"));
    assert.equal(driver.volume.own, join(folder, "docker/registry/dray"));
    await driver.close();
  });

  for (const part of ["blobs", "repositories"])
    it(`is refused where ${part} alone lie elsewhere, by name and at the start, and is read all the same`, async () => {
      await mkdir(join(folder, "docker/registry/v2/repositories"), { recursive: true });
      await mkdir(join(folder, "docker/registry/v2/blobs"), { recursive: true });
      memoryAt(`docker/registry/v2/${part}`);
      await assert.rejects(filesystemDriver(folder), {
        code: "DISK",
        message: new RegExp(
          `docker/registry/v2/${part} lies on another file system than .*: keep blobs and repositories`,
        ),
      });
      const driver = await filesystemDriver(folder, { readOnly: true });
      assert.deepEqual(await driver.list("docker/registry/v2/blobs"), []);
      await driver.close();
    });

  it("that is unmounted while it is served is not made again in its place", async () => {
    memoryAt("");
    const driver = await filesystemDriver(folder, { lock: lockVolume });
    await driver.write(blob, text("bytes"));
    unmount(folder);
    await assert.rejects(driver.write(blob, text("bytes")), { code: "DISK", message: /is gone: another file system/ });
    await assert.rejects(driver.volume.keep(), { code: "DISK" });
    assert.deepEqual(await readdir(folder), []);
    await driver.close();
  });

  it("that can only be read is read, and nothing is made", async () => {
    memoryAt("");
    const writer = await filesystemDriver(folder);
    await writer.write(blob, text("bytes"));
    await writer.close();
    mount("-o", "remount,ro", folder);
    for (const readOnly of [true, false]) {
      const told: string[] = [];
      const driver = await filesystemDriver(folder, { readOnly, onNotice: (message) => told.push(message) });
      assert.equal(new TextDecoder().decode(await driver.read(blob)), "bytes");
      assert.equal(driver.volume.writes, false);
      await assert.rejects(driver.write(blob, text("other")), { code: "DENIED" });
      await assert.rejects(driver.volume.take(), { code: "DISK", message: /read-only/ });
      assert.equal(told.length, readOnly ? 0 : 1);
      await driver.close();
    }
    assert.equal(await readFile(join(folder, blob), "utf8"), "bytes");
  });
});
