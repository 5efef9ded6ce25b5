/** What dray lists and prints of the files of images is what umoci unpacks and crane exports; one cache serves crane and dray, parallel processes and killed ones. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type Listener, listen, memoryRegistry, put, sampleImage, seededBytes } from "@dray/testkit";
import { findPeer, succeed } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "../dray.ts";

const [crane, umoci, tar] = [findPeer("crane"), findPeer("umoci"), findPeer("tar")];

const run = promisify(execFile);

/** Fills the folder of a layer. */
type Layer = (at: (...names: string[]) => string) => Promise<void>;

const file = async (path: string, text: string | Uint8Array = path, mode = 0o644): Promise<void> => {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
};

/** Images by what is odd about them, as layers from the bottom up. */
const images: Readonly<Record<string, readonly Layer[]>> = {
  plain: [
    async (at) => {
      await file(at("etc", "passwd"), "root:x:0:0\n");
      await file(at("bin", "su"), "su", 0o4755);
      await file(at("bin", "wall"), "wall", 0o2755);
      await symlink("su", at("bin", "sh"));
      await symlink("/etc/passwd", at("absolute"));
      await mkdir(at("tmp"));
      await chmod(at("tmp"), 0o1777);
      await file(at("large"), seededBytes("large", 5_000_000));
      await file(at("empty"), "");
    },
  ],
  "gone and changed": [
    async (at) => {
      for (const name of ["a", "b", "c"]) await file(at("d", name));
      await file(at("e", "f", "g"));
      await file(at("x", "y"));
    },
    async (at) => {
      await file(at("d", ".wh.a"), "");
      await file(at("d", "b"), "changed", 0o600);
      await file(at("e", ".wh.f"), "");
    },
    async (at) => {
      await file(at("e", "f", "again"));
      await file(at(".wh.x"), "");
    },
  ],
  "opaque directories": [
    async (at) => {
      for (const name of ["one", "two"]) await file(at("etc", "conf.d", name));
      await file(at("etc", "kept"));
    },
    async (at) => {
      await file(at("etc", "conf.d", ".wh..wh..opq"), "");
      await file(at("etc", "conf.d", "three"));
    },
  ],
  "files and directories in each other's place": [
    async (at) => {
      await file(at("a"), "a file");
      await file(at("b", "in", "it"));
      await symlink("b", at("c"));
    },
    async (at) => {
      await file(at(".wh.a"), "");
      await file(at(".wh.b"), "");
      await file(at(".wh.c"), "");
    },
    async (at) => {
      await file(at("a", "in", "it"));
      await file(at("b"), "a file");
      await file(at("c", "real"));
    },
  ],
  "hard links": [
    async (at) => {
      await file(at("usr", "bin", "tool"), "tool", 0o755);
      await link(at("usr", "bin", "tool"), at("usr", "bin", "alias"));
      await link(at("usr", "bin", "tool"), at("a-first"));
    },
    async (at) => file(at("other")),
  ],
  "odd names": [
    async (at) => {
      await file(at("n".repeat(200)));
      await file(at(...Array.from({ length: 12 }, (_, i) => `folder-${"x".repeat(20)}-${i}`), "deep"));
      for (const name of ["with space", "é漢字", "-dash", "new\nline", "colon:/x", "back\\slash", "tab\t"])
        await file(at("odd", name));
    },
  ],
  "sparse files": [
    async (at) => {
      await file(at("sparse"), "begins");
      await truncate(at("sparse"), 3_000_000);
      await file(at("after"));
    },
  ],
};

interface Listed {
  readonly path: string;
  readonly type: string;
  readonly mode: string;
  readonly size: number;
  readonly linkName?: string;
}

describe("files of images", { skip: missing(["crane", crane], ["umoci", umoci], ["tar", tar]), concurrency: 2 }, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();
  const names = Object.keys(images);
  const layers = new Map<string, readonly string[]>();
  const reference = (name: string): string => `${server.host}/files/${names.indexOf(name)}:1`;

  before(async () => {
    shop = await workshop();
    server = await listen(registry.handler);
    for (const [i, name] of names.entries()) {
      const tars: Uint8Array[] = [];
      for (const [j, fill] of (images[name] ?? []).entries()) {
        const folder = shop.path("layers", String(i), String(j));
        await mkdir(folder, { recursive: true });
        await fill((...path) => join(folder, ...path));
        // umoci knows sparse files of pax alone.
        const format = i % 2 === 0 ? "--format=pax" : "--format=gnu";
        const words = [
          "-cf",
          "-",
          "-S",
          format,
          "--sort=name",
          "--owner=7",
          "--group=8",
          "--numeric-owner",
          "-C",
          folder,
          ".",
        ];
        tars.push(execFileSync(tar as string, words, { maxBuffer: 1e8 }));
      }
      const image = sampleImage({ tars });
      put(registry, `files/${i}`, "1", image);
      layers.set(
        name,
        [...image.layers, image.config].map(({ digest }) => digest),
      );
    }
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  const listed = async (name: string): Promise<readonly Listed[]> =>
    JSON.parse(await shop.ok(["ls", "-R", "-o", "json", `${reference(name)}:/`])).files;
  const unpacked = async (name: string): Promise<string> => {
    const at = shop.path(`unpacked-${names.indexOf(name)}`);
    await shop.ok(["copy", reference(name), `oci:${at}:x`]);
    await succeed([umoci as string, "unpack", "--rootless", "--image", `${at}:x`, `${at}-bundle`]);
    return `${at}-bundle/rootfs`;
  };

  for (const name of names)
    test(`${name}: the same tree as umoci's, and each file the same bytes`, async () => {
      const [files, root] = [await listed(name), await unpacked(name)];
      assert.equal(files[0]?.path, "/");
      for (const entry of files)
        assert.deepEqual(
          Object.entries(entry).filter(([key]) => key === "uid" || key === "gid"),
          [
            ["uid", 7],
            ["gid", 8],
          ],
        );
      const seen = files.slice(1).map(({ path, type, mode, size, linkName }) => {
        if (type === "symlink") return `${path} link ${linkName}`;
        return `${path} ${type === "directory" ? `directory ${mode}` : `file ${mode} ${size}`}`;
      });
      const there: string[] = [];
      for (const path of await readdir(root, { recursive: true })) {
        const facts = await lstat(join(root, path));
        const mode = (facts.mode & 0o7777).toString(8).padStart(4, "0");
        if (facts.isSymbolicLink()) there.push(`/${path} link ${await readlink(join(root, path))}`);
        else there.push(`/${path} ${facts.isDirectory() ? `directory ${mode}` : `file ${mode} ${facts.size}`}`);
      }
      assert.deepEqual([...seen].sort(), there.sort());
      const plain = files.filter(({ type }) => type === "file" || type === "hardlink");
      assert.ok(plain.length > 0);
      const expected = await Promise.all(plain.map(({ path }) => readFile(join(root, path))));
      const [program = "", ...words] = shop.line(["cat", ...plain.map(({ path }) => `${reference(name)}:${path}`)]);
      const { stdout: printed } = await run(program, words, {
        env: { PATH: process.env["PATH"], HOME: shop.dir },
        encoding: "buffer",
        maxBuffer: 1e8,
      });
      assert.ok(printed.equals(Buffer.concat(expected)));
      const copied = shop.path(`copied-${names.indexOf(name)}`);
      await shop.ok(["cp", `${reference(name)}:/`, copied]);
      await succeed(["diff", "-r", "--no-dereference", copied, root]);
    });

  // crane writes a hard link before its target, and names what it exports of an opaque directory.
  for (const name of names.filter((each) => each !== "hard links"))
    test(`${name}: the names that crane exports, as GNU tar lists them`, async () => {
      const archive = shop.path(`export-${names.indexOf(name)}.tar`);
      await succeed([crane as string, "export", "--insecure", reference(name), archive]);
      const out = execFileSync(tar as string, ["-tf", archive, "--quoting-style=escape"], {
        maxBuffer: 1e8,
        env: { ...process.env, LC_ALL: "C.UTF-8" },
      });
      const plain = (text: string): string =>
        text.replace(/\\([nt\\])/g, (_, each: string) => ({ n: "\n", t: "\t" })[each] ?? each);
      const lines = out
        .toString()
        .split("\n")
        .map((line) =>
          plain(line)
            .replace(/^(?:\.?\/)?/, "/")
            .replace(/(?<=.)\/$/, ""),
        );
      const exported = new Set(lines.filter((path) => path !== "/" && path !== "/."));
      const files = (await listed(name)).map(({ path }) => path).filter((path) => path !== "/");
      assert.deepEqual([...exported].sort(), files.sort());
    });

  test("a cache that crane has filled serves dray, and the other way round", async () => {
    for (const [first, second] of [
      ["crane", "dray"],
      ["dray", "crane"],
    ] as const) {
      const [place, out] = [shop.path(`cache-of-${first}`), shop.path(`out-of-${first}.tar`)];
      const pull = async (program: "crane" | "dray", to: string): Promise<void> => {
        if (program === "dray") await shop.ok(["pull", "-c", place, reference("plain"), to]);
        else await succeed([crane as string, "pull", "--insecure", "-c", place, reference("plain"), to]);
      };
      await pull(first, out);
      registry.log.entries.length = 0;
      await pull(second, `${out}.again`);
      const layer = layers.get("plain")?.[0] ?? "none";
      assert.deepEqual(
        registry.log.entries.filter(({ method, target }) => method === "GET" && target.endsWith(layer)),
        [],
        `${first}, then ${second}`,
      );
    }
  });

  test("a cache is whole under processes side by side, with a bound, some of them killed", async () => {
    const place = shop.path("shared");
    const words = ["cat", "--cache_path", place, "--cache-size", "6MB", `${reference("plain")}:/large`];
    for (let round = 0; round < 2; round++) {
      const killed = Array.from({ length: 3 }, (_, i) => {
        const child = shop.start(words);
        child.stdout?.resume();
        setTimeout(() => child.kill("SIGKILL"), 150 + 100 * i);
        return once(child, "close");
      });
      const others = [0, 1].map(async () => {
        const { code, stderr } = await shop.dray([
          "ls",
          "--cache_path",
          place,
          "--cache-size",
          "6MB",
          `${reference("odd names")}:/odd`,
        ]);
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /damaged/);
      });
      await Promise.all([...killed, ...others]);
    }
    const printed = await shop.ok([...words.slice(0, -1), `${reference("plain")}:/etc/passwd`]);
    assert.equal(printed, "root:x:0:0\n");
    const { blobs } = JSON.parse(await shop.ok(["cache", "ls", "--cache_path", place, "-o", "json"]));
    const bytes = blobs.reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    assert.ok(bytes <= 6 * 1024 * 1024, `${bytes} bytes`);
  });
});
