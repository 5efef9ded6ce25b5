import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type FileCall, faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { type FileSystem, nodeFiles } from "dray/internal/files";
import { filesystemDriver } from "./filesystem-driver.ts";
import { lockVolume } from "./volume-lock.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("a volume", () => {
  let root = "";
  let folder = "";
  before(() => {
    root = temporaryFolder("volume");
  });
  let volumes = 0;
  beforeEach(() => {
    folder = join(root, `${++volumes}`, "not", "there");
  });

  it("is made where it is missing, with the modes that distribution uses", async () => {
    const umask = process.umask(0o022);
    try {
      const driver = await filesystemDriver(folder);
      await driver.write("docker/registry/v2/a/link", text("x"));
      const receiver = await driver.receive("docker/registry/v2/b/data", "sha256");
      await receiver.close();
      for (const path of ["docker", "docker/registry/v2/a", "docker/registry/v2/b"])
        assert.equal((await stat(join(folder, path))).mode & 0o777, 0o755, path);
      for (const path of ["docker/registry/v2/a/link", "docker/registry/v2/b/data"])
        assert.equal((await stat(join(folder, path))).mode & 0o777, 0o644, path);
      await driver.close();
    } finally {
      process.umask(umask);
    }
  });

  it("has nothing in the tree but what was written, at every call of the file system", async () => {
    const tags = "docker/registry/v2/repositories/a/_manifests/tags";
    const seen = new Set<string>();
    const look = (): void => {
      looks.push(
        readdir(join(folder, tags)).then(
          (names) => names.forEach((name) => seen.add(name)),
          () => {},
        ),
      );
    };
    const looks: Promise<void>[] = [];
    const fs = faultyFiles(nodeFiles, () => {
      look();
      return undefined;
    });
    const driver = await filesystemDriver(folder, { fs });
    for (const tag of ["one", "two"]) await driver.write(`${tags}/${tag}/current/link`, text(tag));
    await driver.remove(`${tags}/one`);
    await Promise.all(looks);
    assert.deepEqual([...seen].sort(), ["one", "two"]);
    assert.deepEqual((await readdir(folder)).sort(), ["docker", "dray"]);
    await driver.close();
  });

  it("loses at the start what an earlier process left unfinished, and nothing else", async () => {
    await mkdir(join(folder, "dray/tmp/sub"), { recursive: true });
    await writeFile(join(folder, "dray/tmp/17"), "half");
    await writeFile(join(folder, "dray/tmp/sub/18"), "half");
    await writeFile(join(folder, "dray/index.db"), "kept");
    await mkdir(join(folder, "docker/tmp"), { recursive: true });
    await writeFile(join(folder, "docker/tmp/19"), "kept");
    const driver = await filesystemDriver(folder);
    assert.deepEqual(await readdir(join(folder, "dray/tmp")), []);
    assert.equal(await readFile(join(folder, "dray/index.db"), "utf8"), "kept");
    assert.equal(new TextDecoder().decode(await driver.read("docker/tmp/19")), "kept");
    await driver.close();
  });

  it("goes on after an earlier process left what cannot be removed, a file for the folder of files, or a name that is used", async () => {
    await mkdir(join(folder, "dray/tmp/17"), { recursive: true });
    const told: string[] = [];
    const stays = ({ operation, path }: FileCall): string | undefined =>
      (operation === "unlink" || operation === "rmdir") && path.endsWith("tmp/17") ? "EPERM" : undefined;
    const driver = await filesystemDriver(folder, {
      fs: faultyFiles(nodeFiles, stays),
      onNotice: (message) => told.push(message),
    });
    assert.deepEqual(told, [`${folder}/dray/tmp/17, which an earlier process left, cannot be removed (EPERM)`]);
    for (let i = 0; i < 20; i++) await driver.write(`a/${i}`, text("x"));
    await driver.close();
    await rm(join(folder, "dray/tmp"), { recursive: true });
    await writeFile(join(folder, "dray/tmp"), "");
    const next = await filesystemDriver(folder);
    await next.write("a/b", text("x"));
    await next.close();
  });

  it("that is emptied while it is served takes the next push, and is still held", async () => {
    const driver = await filesystemDriver(folder, { lock: lockVolume });
    await driver.write("docker/a", text("x"));
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
    await driver.write("docker/b", text("y"));
    assert.deepEqual((await readdir(folder)).sort(), ["docker", "dray"]);
    await assert.rejects(filesystemDriver(folder, { lock: lockVolume }), { code: "LOCKED" });
    await rm(folder, { recursive: true });
    await driver.write("docker/c", text("z"));
    assert.equal(new TextDecoder().decode(await driver.read("docker/c")), "z");
    await driver.close();
  });

  it("is only read where that is wanted: by several beside a writer, making nothing", async () => {
    const nothing = await filesystemDriver(folder, { readOnly: true });
    assert.equal(await nothing.list("docker"), undefined);
    await assert.rejects(stat(folder), { code: "ENOENT" });
    const reader = await filesystemDriver(folder, { readOnly: true });
    const writer = await filesystemDriver(folder, { lock: lockVolume });
    await writer.write("docker/a", text("x"));
    for (const each of [nothing, reader]) {
      assert.equal(new TextDecoder().decode(await each.read("docker/a")), "x");
      for (const change of [
        () => each.write("docker/a", text("y")),
        () => each.remove("docker/a"),
        () => each.move("docker/a", "docker/b"),
        () => each.touch("docker/a"),
        () => each.receive("docker/c", "sha256"),
      ])
        await assert.rejects(change, { code: "DENIED", message: /only read by this process/ });
    }
    await writer.close();
    // One of them becomes the writer.
    await reader.volume.take();
    await reader.write("docker/a", text("z"));
    await reader.close();
    await nothing.close();
  });

  it("keeps its folder in use, so that no file system gives it another number meanwhile", async () => {
    await mkdir(folder, { recursive: true });
    let [used, renumbered] = [0, 0];
    const fs: FileSystem = {
      ...nodeFiles,
      open: async (path, ...rest) => {
        const file = await nodeFiles.open(path, ...rest);
        if (path !== folder) return file;
        used++;
        const close = file.close.bind(file);
        return Object.assign(file, {
          close: async () => {
            used--;
            await close();
          },
        });
      },
      stat: async (path) => {
        const facts = await nodeFiles.stat(path);
        return path === folder && used === 0 ? Object.assign(facts, { ino: ++renumbered }) : facts;
      },
    };
    for (const readOnly of [true, false]) {
      const driver = await filesystemDriver(folder, { fs, readOnly });
      await driver.refuseGone?.();
      await driver.close();
      assert.equal(used, 0);
    }
    assert.notEqual((await fs.stat(folder)).ino, (await fs.stat(folder)).ino);
  });

  it("waits for a holder that is ending, for as long as it may, and says so once", async () => {
    const told: string[] = [];
    const first = await filesystemDriver(folder, { lock: lockVolume, who: "`dray serve gc`" });
    const waiting = filesystemDriver(folder, {
      lock: lockVolume,
      patience: 50_000,
      onNotice: (message) => {
        told.push(message);
        void first.close();
      },
    });
    await (await waiting).close();
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^waiting up to 50 s: the volume .* is held by `dray serve gc` \(process/);
  });

  it("belongs to its owner, whatever root made of it", {
    skip: process.getuid?.() === 0 ? false : "needs root, to give",
  }, async () => {
    await mkdir(join(folder, "docker"), { recursive: true });
    await chown(join(folder, "docker"), 12_345, 23_456);
    const driver = await filesystemDriver(folder, { lock: lockVolume });
    await driver.write("docker/registry/v2/a/link", text("x"));
    await (await driver.receive("docker/registry/v2/b/data", "sha256")).close();
    for (const path of [
      "dray",
      "dray/tmp",
      "dray/volume.lock",
      "docker/registry/v2/a",
      "docker/registry/v2/a/link",
      "docker/registry/v2/b/data",
    ]) {
      const { uid, gid } = await stat(join(folder, path));
      assert.deepEqual([uid, gid], [12_345, 23_456], path);
    }
    await driver.close();
  });

  it("is served by one at a time, who is named, and by the next when that one has closed", async () => {
    const driver = await filesystemDriver(folder);
    await assert.rejects(
      filesystemDriver(folder),
      (error) =>
        isDrayError(error, "LOCKED") && error.message.includes(`the volume ${folder} is in use by this process`),
    );
    await driver.close();
    await driver.close();
    await (await filesystemDriver(folder)).close();
  });

  it("is taken over from a process that was killed", async () => {
    const script = `
      import { filesystemDriver } from ${JSON.stringify(fileURLToPath(new URL("./filesystem-driver.ts", import.meta.url)))};
      const driver = await filesystemDriver(${JSON.stringify(folder)});
      await driver.write("a/link", new Uint8Array([1, 2, 3]));
      console.log("served");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await assert.rejects(
      filesystemDriver(folder),
      (error) => isDrayError(error, "LOCKED") && error.message.includes(`process ${child.pid}`),
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    const driver = await filesystemDriver(folder);
    assert.deepEqual([...((await driver.read("a/link")) ?? [])], [1, 2, 3]);
    await driver.close();
  });

  const places = ["", "dray", "docker", "docker/registry/v2/blobs/sha256"];
  for (const place of places)
    it(`that may not be written (${place || "its folder"}) is refused with owner and remedy, and not locked`, async () => {
      await mkdir(join(folder, "docker/registry/v2/blobs/sha256"), { recursive: true });
      const at = join(folder, place);
      const fault = ({ operation, path }: FileCall): string | undefined =>
        (operation === "access" && path === at) || (place === "" && operation === "mkdir" && path.startsWith(folder))
          ? "EACCES"
          : undefined;
      const { uid } = await stat(folder);
      await assert.rejects(filesystemDriver(folder, { fs: faultyFiles(nodeFiles, fault) }), (error) => {
        assert.ok(isDrayError(error, "DISK"));
        assert.ok(error.message.includes(`cannot write ${at} of the volume ${folder}`), error.message);
        assert.ok(error.message.includes(uid === 0 ? "belongs to root" : `belongs to user ${uid}`), error.message);
        assert.ok(error.message.includes(`chown -R ${process.getuid?.()}:`), error.message);
        return true;
      });
      await (await filesystemDriver(folder)).close();
    });

  it("that holds directories nobody may read below its trunk is taken, with a warning; what is none of the tree's is passed over", async () => {
    const [part, foreign] = ["docker/registry/v2/blobs/sha256/ab", "docker/registry/v2/repositories/@eaDir"];
    for (const place of [part, foreign]) await mkdir(join(folder, place), { recursive: true });
    const notices: string[] = [];
    const fs = faultyFiles(nodeFiles, ({ operation, path }) =>
      operation === "access" && (path.endsWith(part) || path.endsWith(foreign)) ? "EACCES" : undefined,
    );
    await (await filesystemDriver(folder, { fs, onNotice: (message) => void notices.push(message) })).close();
    assert.equal(notices.length, 1);
    assert.ok(notices[0]?.includes(part), notices[0]);
  });

  it("of a mount that others share is taken, lost+found and all", async () => {
    await mkdir(join(folder, "lost+found"), { recursive: true });
    const fs = faultyFiles(nodeFiles, ({ path }) => (path.includes("lost+found") ? "EACCES" : undefined));
    await (await filesystemDriver(folder, { fs })).close();
  });

  it("may be a link, and links in it are removed and not followed", async () => {
    const outside = join(root, "outside");
    await mkdir(join(outside, "below"), { recursive: true });
    await writeFile(join(outside, "below/file"), "stays");
    await mkdir(folder, { recursive: true });
    await symlink(folder, `${folder}-link`);
    const driver = await filesystemDriver(`${folder}-link`);
    await driver.write("a/b/file", text("goes"));
    await symlink(join(outside, "below"), join(folder, "a/link"));
    await symlink(join(outside, "below/file"), join(folder, "a/b/link"));
    await symlink(outside, join(folder, "direct"));
    assert.equal(new TextDecoder().decode(await driver.read("a/link/file")), "stays");
    await driver.remove("a");
    await driver.remove("direct");
    assert.deepEqual(await driver.list("a"), undefined);
    assert.equal(await readFile(join(outside, "below/file"), "utf8"), "stays");
    await driver.close();
  });

  it("waits for the disk as often as its durability needs", async () => {
    for (const [durability, lasting, expected] of [
      ["full", true, 1 + 3 + 1 + 2],
      ["full", false, 0],
      ["relaxed", true, 0],
    ] as const) {
      const at = `${folder}-${durability}-${lasting}`;
      let syncs = 0;
      let counting = false;
      const fs = faultyFiles(nodeFiles, ({ operation }) => {
        if (counting && operation === "sync") syncs++;
        return undefined;
      });
      const driver = await filesystemDriver(at, { fs, durability });
      counting = true;
      // The file and three directories; then, with all of them known, the file and its directory; its directory when it goes.
      await driver.write("a/b/one", text("1"), { durable: lasting });
      await driver.write("a/b/two", text("2"), { durable: lasting });
      await driver.remove("a/b/one", { durable: lasting });
      assert.equal(syncs, expected, `${durability}, ${lasting}`);
      await driver.close();
    }
  });

  it("lets callers at the same time share syncs of their directory", async () => {
    let syncs = 0;
    const fs = faultyFiles(nodeFiles, ({ operation, path }) => {
      if (operation === "sync" && path.endsWith("/links")) syncs++;
      return undefined;
    });
    const driver = await filesystemDriver(folder, { fs });
    await Promise.all(Array.from({ length: 64 }, (_, i) => driver.write(`links/${i}`, text("x"))));
    assert.ok(syncs >= 1 && syncs < 40, `${syncs} syncs`);
    await driver.close();
  });

  it("tells its space", async () => {
    const driver = await filesystemDriver(folder);
    const space = await driver.space?.();
    assert.ok(space !== undefined && space.free > 0 && space.free <= space.total);
    await driver.close();
  });
});
