/** Odd layers: what is exported, extracted and walked is one tree, and the one that umoci unpacks. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type TarEntry, tar as tarOf } from "@dray/testkit";
import { findPeer, finish } from "@dray/testkit/peers";
import { copy, exportTar } from "dray";
import { extract, type Image, imageFiles, imageFrom } from "dray/image";
import { chunksToFile, nodeFiles } from "dray/internal/files";
import { layoutStore } from "dray/layout";
import { missing, type Sandbox, workshop } from "../dray.ts";

const [umoci, tar] = [findPeer("umoci"), findPeer("tar")];
const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

interface Row {
  /** Bottom first; a line for each entry: `dir/`, `file=content`, `hard=>target`, `soft->target`. */
  readonly layers: readonly string[];
  /** What umoci makes of it that is another tree, or why none. */
  readonly umoci?: string;
  /** It is refused, by whatever asks. */
  readonly isRefused?: boolean;
}

const rows: Readonly<Record<string, Row>> = {
  "a hard link": { layers: ["a=1 b=>a"] },
  "a hard link to a layer below": { layers: ["a=1", "b=>a"] },
  "a hard link whose target is replaced above": { layers: ["a=1 b=>a", "a=2"] },
  "two whose target is removed above": { layers: ["a=1 b=>a c=>b", ".wh.a"] },
  "a hard link before its target is replaced in its layer": { layers: ["a=1 b=>a a=2"] },
  "a hard link to below, before its target is replaced": { layers: ["a=1", "b=>a a=2"] },
  "a hard link to below, after its target is replaced": { layers: ["a=1", "a=2 b=>a"] },
  "a hard link to below, after its target is replaced, and again above": { layers: ["a=1", "a=2 b=>a", "a=3"] },
  "a hard link to a hard link of a layer below": { layers: ["a=1", "b=>a", "c=>b", "a=2"] },
  "a hard link that replaces a file": { layers: ["a=1 b=2", "b=>a"] },
  "a hard link that a file replaces": { layers: ["a=1 b=>a b=2"] },
  "a hard link that a layer above replaces": { layers: ["a=1 b=>a", "b=2"] },
  "a hard link to a symbolic link": { layers: ["a=1 s->a h=>s", "s=2"] },
  "a hard link behind a symbolic link of its layer": { layers: ["d/ d/a=1 l->d b=>l/a"] },
  "an absolute hard link": { layers: ["d/ d/a=1 b=>/d/a"] },
  "a hard link with dots in it": { layers: ["d/ d/a=1 b=>./d/../d//a"] },
  "a hard link to itself": { layers: ["a=1 a=>a"], umoci: "fails: it takes the file away first" },
  "a hard link before its target": { layers: ["b=>a a=1"], umoci: "fails: the target is not there yet" },
  "a hard link to nothing": { layers: ["a=1 b=>c"], isRefused: true },
  "a hard link to a directory": { layers: ["d/ b=>d"], isRefused: true },
  "a hard link that leads out": { layers: ["a=1 b=>../a"], isRefused: true, umoci: "keeps it inside" },
  "a name that leads out": { layers: ["../a=1"], isRefused: true, umoci: "keeps it inside" },
  "a name that leads out from a directory": { layers: ["d/ d/../../a=1"], isRefused: true, umoci: "keeps it inside" },
  "names with dots": { layers: ["./a=1 d/../b=2 c/./d//e=3"] },
  "absolute names": { layers: ["/a=1 //d/ /d/b=2"] },
  "directories without an entry": { layers: ["a/b/c=1 d/e/f=x g=2"] },
  "a symbolic link as a directory of its layer": { layers: ["d/ l->d l/a=1"] },
  "a link upwards as a directory": { layers: ["d/ x/ x/l->../../../d x/l/a=1"] },
  "an absolute link as a directory": { layers: ["d/ l->/d l/a=1"] },
  "links to links as a directory": { layers: ["d/ k->d l->k l/a=1"] },
  "a symbolic link of a layer below as a directory": { layers: ["d/ l->d", "l/a=1"], umoci: "follows it" },
  "a link that becomes a directory": { layers: ["d/ d/a=1 l->d", "l/ l/b=2"] },
  "a directory that becomes a link": { layers: ["d/ d/a=1 e/ e/b=2", "d->e"] },
  "links in a circle as a directory": { layers: ["a->b b->a a/x=1"], isRefused: true },
  "an opaque directory before its entries": { layers: ["d/ d/a=1", "d/ d/.wh..wh..opq= d/b=2"] },
  "an opaque directory behind its entries": { layers: ["d/ d/a=1", "d/ d/b=2 d/.wh..wh..opq="] },
  "an opaque directory that has no entry": { layers: ["d/ d/a=1 d/e/ d/e/f=1", "d/.wh..wh..opq= d/b=2"] },
  "an opaque directory, filled above": { layers: ["d/ d/a=1", "d/ d/.wh..wh..opq=", "d/ d/b=2"] },
  "an opaque root": { layers: ["a=1 d/ d/b=1", "c=2 .wh..wh..opq="] },
  "a whiteout of a directory that its layer makes again": { layers: ["d/ d/a=1", ".wh.d= d/ d/b=2"] },
  "a directory and then its whiteout": { layers: ["d/ d/a=1", "d/ d/b=2 .wh.d="] },
  "a file and then its whiteout": { layers: ["a=1", "a=2 .wh.a="] },
  "a whiteout and then its file": { layers: ["a=1", ".wh.a= a=2"] },
  "a whiteout of what is not there": { layers: ["a=1", ".wh.b="] },
  "a whiteout below one": { layers: ["d/ d/e/ d/e/f=1 d/g=1", "d/.wh.e= .wh.d="] },
  "a whiteout, and the file again above": { layers: ["a=1", ".wh.a=", "a=3"] },
  "a whiteout of nothing": { layers: ["a=1 .wh.="], isRefused: true },
  "names that only look like whiteouts": { layers: ["a.wh.b=1 wh.c=2 .wh=3"] },
  "a file twice": { layers: ["a=1 a=2"] },
  "a directory twice": { layers: ["d/ d/a=1 d/ d/b=2"] },
  "a file and then a directory": { layers: ["a=1 a/ a/b=2"] },
  "a directory, empty, and then a file": { layers: ["a/ a=1"] },
  "a directory, filled, and then a file": {
    layers: ["a/ a/b=1 a=2"],
    isRefused: true,
    umoci: "takes the directory away",
  },
  "a file, a directory, a file, layer by layer": { layers: ["a=1", "a/ a/b=2", "a=3"] },
  "a path below a file": { layers: ["a=1 a/b=2"], isRefused: true },
  "a path below a file of a layer below": { layers: ["a=1", "a/b=2"], umoci: "fails" },
};

const entryOf = (line: string): TarEntry => {
  const [, path = "", how, rest = ""] = /^(.*?)(=>|->|=)(.*)$/s.exec(line) ?? [undefined, line];
  if (how === "=>") return { path, kind: "hardlink", target: rest };
  if (how === "->") return { path, kind: "symlink", target: rest };
  return how === "=" ? { path, kind: "file", bytes: Buffer.from(rest) } : { path, kind: "directory" };
};

/** A tree as lines: directories, links, and files with all names that they have. */
const listed = (
  paths: readonly { readonly path: string; readonly says: string; readonly file: number | string | undefined }[],
): string =>
  paths
    .map(({ path, says, file }) => {
      const names = paths.filter((other) => file !== undefined && other.file === file).map((other) => other.path);
      return `${path} ${says} ${names.sort().join(",")}`;
    })
    .sort()
    .join("\n");

const onDisk = (root: string): string => {
  const found: { path: string; says: string; file: number | undefined }[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(root, folder))) {
      const path = join(folder, name);
      const at = join(root, path);
      const facts = lstatSync(at);
      const says = facts.isSymbolicLink()
        ? `-> ${readlinkSync(at)}`
        : facts.isFile()
          ? `= ${readFileSync(at, "utf8")}`
          : "directory";
      found.push({ path, says, file: facts.isDirectory() ? undefined : facts.ino });
      if (facts.isDirectory()) walk(path);
    }
  };
  walk("");
  return listed(found);
};

const walked = async (image: Image): Promise<string> => {
  const files = await imageFiles(image);
  const says = new Map<string, string>();
  const found: { path: string; says: string; file: string | undefined }[] = [];
  const linked: { readonly path: string; readonly to: string }[] = [];
  const text = async (path: string): Promise<string> => `= ${Buffer.from(await files.read(path)).toString()}`;
  for await (const { path, type, linkName } of files.walk()) {
    if (type === "hardlink") linked.push({ path, to: linkName });
    else says.set(path, type === "directory" ? type : type === "symlink" ? `-> ${linkName}` : await text(path));
  }
  for (const [path, what] of says)
    if (path !== "/") found.push({ path: path.slice(1), says: what, file: what === "directory" ? undefined : path });
  for (const { path, to } of linked) {
    const what = says.get(to) ?? "nothing";
    if (what.startsWith("= ")) assert.equal(await text(path), what);
    found.push({ path: path.slice(1), says: what, file: to });
  }
  return listed(found);
};

describe("odd layers", { skip: missing(["umoci", umoci], ["tar", tar]), concurrency: 2 }, () => {
  let shop: Sandbox;
  before(async () => {
    shop = await workshop();
  });
  after(() => shop.close());

  const unpacked = async (image: Image, dir: string): Promise<string> => {
    const store = layoutStore(join(dir, "layout"));
    const source = { store: image.store, name: image.descriptor.digest, location: "memory" };
    await copy(source, { store, name: "x", location: "layout" });
    await store.close();
    const flags = [...(isRoot ? [] : ["--rootless"]), "--image", `${join(dir, "layout")}:x`, join(dir, "bundle")];
    const { code } = await finish([umoci as string, "unpack", ...flags]);
    return code === 0 ? onDisk(join(dir, "bundle/rootfs")) : "umoci fails";
  };

  for (const [i, [name, { layers, umoci: theirs, isRefused = false }]] of Object.entries(rows).entries())
    test(name, async () => {
      const image = await imageFrom({
        config: { os: "linux", architecture: "amd64" },
        layers: layers.map((lines) => ({ content: tarOf(lines.split(" ").map(entryOf)) })),
      });
      const dir = shop.path(String(i));
      await mkdir(join(dir, "tar"), { recursive: true });
      const exported = async (): Promise<string> => {
        await chunksToFile(nodeFiles, join(dir, "export.tar"), exportTar(image));
        await run(tar as string, ["-xf", join(dir, "export.tar"), "-C", join(dir, "tar")]);
        return onDisk(join(dir, "tar"));
      };
      const extracted = async (): Promise<string> => {
        await extract(image, join(dir, "extract"));
        return onDisk(join(dir, "extract"));
      };
      const answers: string[] = [];
      for (const answer of [exported, extracted, () => walked(image)])
        answers.push(await answer().catch((error: unknown) => `refused: ${(error as Error).message}`));
      const [one = ""] = answers;
      assert.deepEqual(answers, [one, one, one]);
      assert.equal(one.startsWith("refused: "), isRefused, one);
      const judged = await unpacked(image, dir);
      if (theirs === undefined) assert.equal(isRefused ? "umoci fails" : one, judged);
      else assert.notEqual(isRefused ? "umoci fails" : one, judged, `umoci does the same now: ${theirs}`);
    });
});
