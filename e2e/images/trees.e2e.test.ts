/** The tree of an image as crane exports it and as we do, extracted by GNU tar; where crane is wrong, umoci is the judge. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { findPeer, finish, succeed } from "@dray/testkit/peers";
import { exportTar, openImage } from "dray";
import { chunksToFile, nodeFiles } from "dray/internal/files";
import { missing, type Sandbox, workshop } from "../dray.ts";
import { fingerprint } from "./unpacked.ts";

const [crane, tar, umoci] = [findPeer("crane"), findPeer("tar"), findPeer("umoci")];
const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

/** A layer: a shell script that makes its files in an empty directory, and names that are taken out of the tar again, or put behind it. */
type LayerScript = string | { readonly script: string; readonly without?: readonly string[]; readonly again?: string };

interface Row {
  readonly layers: readonly LayerScript[];
  /** Flags for the tars of the layers. */
  readonly flags?: readonly string[];
  readonly root?: boolean;
  /** What crane does wrong. The tree is then compared with umoci's. */
  readonly crane?: string;
  /** Compression of the layers. */
  readonly compression?: "none" | "gzip" | "zstd";
}

const tree = "mkdir -p a/b c; echo 1 >a/f; echo 2 >a/b/g; echo 3 >c/h; ln -s ../c/h a/l";

const rows: Readonly<Record<string, Row>> = {
  "one layer": { layers: [tree] },
  "one layer, not compressed": { layers: [tree], compression: "none" },
  "one layer by zstd": { layers: [tree, "echo 4 >i"], compression: "zstd" },
  "files of two layers": { layers: [tree, "mkdir a; echo new >a/f; echo 4 >a/i"] },
  "a file that is changed twice": { layers: ["echo 1 >f", "echo 2 >f", "echo 3 >f"] },
  "a whiteout": { layers: [tree, "mkdir a; touch a/.wh.f"] },
  "a whiteout of a directory": { layers: [tree, "touch .wh.a"] },
  "a whiteout of a link": { layers: [tree, "mkdir a; touch a/.wh.l"] },
  "a whiteout of nothing": { layers: [tree, "touch .wh.none"] },
  "a whiteout of what begins alike": { layers: ["echo 1 >ab; echo 2 >abc; mkdir abd; echo 3 >abd/f", "touch .wh.ab"] },
  "a whiteout that a layer above fills again": { layers: [tree, "touch .wh.c", "mkdir c; echo 5 >c/k"] },
  "an opaque directory": { layers: [tree, "mkdir a; touch a/.wh..wh..opq; echo 4 >a/i"] },
  "an opaque directory alone": { layers: [tree, "mkdir a; touch a/.wh..wh..opq"] },
  "an opaque directory in the midst": { layers: [tree, "mkdir -p a/b; touch a/b/.wh..wh..opq; echo 4 >a/b/n"] },
  "an opaque directory, filled above": { layers: [tree, "mkdir a; touch a/.wh..wh..opq", "mkdir a; echo 9 >a/z"] },
  "a directory that becomes a file": { layers: [tree, "echo file >a"] },
  "a directory that becomes a link": { layers: [tree, "ln -s c a"] },
  "a file that becomes a directory": { layers: ["echo 1 >a; echo 2 >b", "mkdir a; echo 2 >a/f"] },
  "a file, a directory and a file again": { layers: ["echo 1 >a", "mkdir a; echo 2 >a/f", "echo 3 >a"] },
  "a link that becomes a file": { layers: ["ln -s x a", "echo 1 >a"] },
  "hard links": { layers: ["echo 1 >a; ln a b; ln a c"] },
  "hard links beside others": { layers: ["echo 1 >a; ln a b", "echo 2 >d; ln d e"] },
  "hard links that are removed": { layers: ["echo 1 >a; ln a b; ln a c", "touch .wh.b .wh.c"] },
  modes: { layers: ["for m in 000 111 400 644 777; do echo $m >f$m; chmod $m f$m; mkdir d$m; chmod $m d$m; done"] },
  "set-uid, set-gid and sticky": {
    layers: ["echo 1 >u; chmod 4755 u; echo 2 >g; chmod 2750 g; mkdir t; chmod 1777 t"],
  },
  "modes that change": {
    layers: ["mkdir d; echo 1 >d/f; chmod 700 d", "mkdir d; chmod 755 d; echo 2 >d/g; chmod 600 d/g"],
  },
  owners: { layers: ["echo 1 >a; chown 1000:1001 a; mkdir d; chown 7 d; ln -s a l; chown -h 5:6 l"], root: true },
  "owners of six digits": { layers: ["echo 1 >a; chown 3000000:4000000000 a"], root: true },
  "devices and pipes": { layers: ["mknod c c 1 3; mknod b b 8 1; mkfifo p"], root: true },
  "a device that becomes a file": { layers: ["mknod c c 1 3", "echo 1 >c"], root: true },
  "long names": {
    layers: [`n=$(printf 'n%.0s' $(seq 200)); mkdir $n; echo 1 >$n/$n; ln -s $n/$n $n/l; ln $n/$n $n/h`],
    flags: ["--format=gnu"],
  },
  "long names by pax": {
    layers: [`n=$(printf 'n%.0s' $(seq 200)); mkdir $n; echo 1 >$n/$n; ln -s $n/$n $n/l; ln $n/$n $n/h`],
    flags: ["--format=posix"],
  },
  "the form of 1988": { layers: [tree, "echo 1 >a; mkdir d"], flags: ["--format=ustar"] },
  "the form of 1979": { layers: [tree, "echo 1 >i"], flags: ["--format=v7"] },
  "names beyond ASCII": { layers: ["mkdir grüße; echo 1 >grüße/日本; ln -s 日本 grüße/l"] },
  "names with blanks, stars and line ends": {
    layers: ["echo 1 >'a b'; echo 2 >'*'; printf 4 >\"$(printf 'n\\nl')\""],
  },
  "names of any bytes": {
    layers: ["echo 1 >$(printf 'a\\351'); mkdir $(printf '\\377d'); echo 2 >$(printf '\\377d/x')"],
  },
  "times with a fraction": {
    layers: ["echo 1 >a; touch -d '2001-02-03 04:05:06.123456789' a"],
    flags: ["--format=posix"],
  },
  "times before 1970": { layers: ["echo 1 >a; touch -d '1950-01-01' a"], flags: ["--format=posix"] },
  "a capability": {
    layers: ["cp /bin/true ping; setcap cap_net_raw+ep ping"],
    flags: ["--format=posix", "--xattrs", "--xattrs-include=*"],
    root: true,
  },
  "a name that begins with a dash": { layers: ["echo 1 >./-f; mkdir ./--d"] },
  "an empty layer": { layers: [tree, "true", "echo 4 >i"] },
  "forty layers": {
    layers: Array.from(
      { length: 40 },
      (_, i) => `mkdir -p d/${i % 7}; echo ${i} >d/${i % 7}/f${i % 11}; touch d/.wh.${(i + 3) % 7}`,
    ),
  },
  "a large file": { layers: ["head -c 3000000 /dev/zero | tr '\\0' x >large; echo 1 >small"] },
  "absolute names": { layers: [{ script: "mkdir d; echo 1 >d/f" }], flags: ["--transform=s,^\\./,/,", "-P"] },
  "links that lead far away": { layers: ["ln -s /etc/passwd abs; mkdir -p x/y; ln -s ../../etc/passwd x/y/rel"] },
  "sparse files of the old form": {
    layers: ["truncate -s 5M holes; echo end >>holes; echo 1 >after"],
    flags: ["--format=gnu", "-S"],
  },
  "sparse files by pax": {
    layers: ["truncate -s 5M holes; echo end >>holes; echo 1 >after"],
    flags: ["--format=posix", "-S"],
  },
  "a name that begins with a backslash": { layers: ["echo 1 >'\\x'"], crane: "takes it for a path of Windows" },
  "a hard link to a layer below": {
    layers: ["echo 1 >a; echo 2 >y", { script: "echo 1 >a; ln a b", without: ["./a"] }],
    crane: "writes the link before what it leads to, and tar fails",
  },
  "a hard link to what is removed above": { layers: ["echo 1 >a; ln a b; ln a c", "touch .wh.a"], crane: "tar fails" },
  "a hard link to what is changed above": { layers: ["echo 1 >a; ln a b", "echo 2 >a"], crane: "the wrong content" },
  "a link that leads out of the root": { layers: ["ln -s ../../../x a; echo 1 >f"], crane: "the link is missing" },
  "a whiteout before its directory": {
    layers: [tree, { script: "touch .wh.c; mkdir -p z", again: "mkdir c; echo 7 >c/new" }],
    crane: "what the layer has itself is missing",
  },
  "a file twice in a layer": { layers: [{ script: "echo 1 >f", again: "echo 2 >f" }], crane: "the first one counts" },
  "a file removed and a directory in its place": {
    layers: ["mkdir d; echo 1 >d/old", "touch .wh.d", "mkdir d; echo 2 >d/new"],
  },
};

describe("trees, as crane exports them", {
  skip: missing(["crane", crane], ["tar", tar], ["umoci", umoci]),
  concurrency: 4,
}, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();
  const names = Object.keys(rows);
  const tagOf = (name: string): string => `c${names.indexOf(name)}`;

  before(async () => {
    shop = await workshop();
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  const layerOf = async (row: Row, layer: LayerScript, at: string): Promise<Uint8Array> => {
    const { script, without = [], again } = typeof layer === "string" ? { script: layer } : layer;
    const [dir, file] = [`${at}.d`, `${at}.tar`];
    const flags = row.flags ?? ["--format=gnu"];
    await mkdir(dir, { recursive: true });
    await run("sh", ["-ec", `umask 022; ${script}`], { cwd: dir });
    await run(tar as string, [...flags, "--sort=name", "-cf", file, "."], { cwd: dir });
    for (const name of without) await run(tar as string, ["--delete", "-f", file, name]);
    if (again !== undefined) {
      await mkdir(`${dir}2`);
      await run("sh", ["-ec", again], { cwd: `${dir}2` });
      await run("sh", ["-ec", `${tar} ${flags.join(" ")} --sort=name -rf ${file} *`], { cwd: `${dir}2` });
    }
    return readFile(file);
  };

  const extracted = async (file: string, dir: string): Promise<string> => {
    await mkdir(dir, { recursive: true });
    const done = await finish([tar as string, "--xattrs", "--xattrs-include=*", "-xpf", file, "-C", dir]);
    return done.code === 0 ? fingerprint(dir) : `tar: ${done.stderr}`;
  };

  /** Modes and attributes that the file system may not show. */
  const attributes = async (file: string): Promise<string[]> => {
    const { stdout } = await run(tar as string, ["--xattrs", "--xattrs-include=*", "-tvvf", file]);
    return stdout
      .split("\n")
      .filter((line) => /^ +x: /.test(line))
      .sort();
  };

  for (const [name, row] of Object.entries(rows))
    test(name, { skip: row.root === true && !isRoot ? "needs root" : false }, async () => {
      const [dir, tag] = [shop.path(tagOf(name)), tagOf(name)];
      const tars: Uint8Array[] = [];
      for (const [i, layer] of row.layers.entries()) tars.push(await layerOf(row, layer, join(dir, `layer${i}`)));
      put(registry, "demo/trees", tag, sampleImage({ seed: name, tars, compression: row.compression ?? "gzip" }));
      const image = `${server.host}/demo/trees:${tag}`;
      const [theirs, ours] = [join(dir, "crane.tar"), join(dir, "dray.tar")];
      // A process of its own for each takes most of the time, and shows the same.
      if (names.indexOf(name) % 8 === 0) await shop.ok(["export", image, ours]);
      else await chunksToFile(nodeFiles, ours, exportTar(await openImage(image)));
      const { code } = await finish([crane as string, "export", image, theirs], { env: { HOME: shop.dir } });
      const mine = await extracted(ours, join(dir, "dray"));
      const cranes = code === 0 ? await extracted(theirs, join(dir, "crane")) : "crane fails";
      assert.ok(!mine.startsWith("tar: "), mine);
      if (row.crane === undefined) {
        assert.equal(mine, cranes);
        assert.deepEqual(await attributes(ours), await attributes(theirs));
        return;
      }
      assert.notEqual(mine, cranes, `crane is right now: ${row.crane}`);
      await shop.ok(["cp", image, `oci:${join(dir, "layout")}:x`]);
      const rootless = isRoot ? [] : ["--rootless"];
      await succeed([
        umoci as string,
        "unpack",
        ...rootless,
        "--image",
        `${join(dir, "layout")}:x`,
        join(dir, "bundle"),
      ]);
      assert.equal(mine, fingerprint(join(dir, "bundle/rootfs")));
    });

  test("at least fifty images were compared", () => assert.ok(names.length >= 50, String(names.length)));
});
