import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type FileCall, faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { nodeFiles } from "dray/internal/files";
import { filesystemDriver } from "./filesystem-driver.ts";

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
