import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { imageOf, imageOfTars, type Line, layerTar } from "../../../test/tree-image.ts";
import { DrayError, type ErrorCode, isDrayError } from "../../errors.ts";
import { digestOf } from "../../oci/index.ts";
import type { Image } from "../views.ts";
import { imageFiles } from "./image-files.ts";
import { LayerPaths } from "./layer-paths.ts";
import { PathTable } from "./path-table.ts";
import { treeEntries } from "./tree-entries.ts";

/** The tree in the notation of the layers. */
const treeOf = async (image: Image): Promise<string[]> => {
  const lines: string[] = [];
  for await (const { path, type, linkName, body } of treeEntries(image)) {
    let content = "";
    for await (const chunk of body) content += Buffer.from(chunk).toString();
    const mark: Readonly<Record<string, string>> = {
      directory: `${path}/`,
      hardlink: `${path}=>${linkName}`,
      symlink: `${path}->${linkName}`,
      file: `${path}=${content}`,
    };
    lines.push(mark[type] ?? `${path} ${type}`);
  }
  return lines;
};

const trees: readonly (readonly [what: string, layers: readonly (readonly Line[])[], tree: readonly string[]])[] = [
  ["no layers", [], []],
  ["the uppermost file", [["a=1", "b=1"], ["a=2"]], ["a=2", "b=1"]],
  ["names are cleaned", [["./a=1", "/b=1", "c//d=1", "e/../f=1", "./"]], ["a=1", "b=1", "c/d=1", "f=1", "./"]],
  [
    "the uppermost attributes of a directory",
    [
      ["d/", "d/a=1"],
      ["d/", "d/b=1"],
    ],
    ["d/", "d/b=1", "d/a=1"],
  ],
  ["a directory without an entry keeps those below", [["d/", "d/a=1"], ["d/b=1"]], ["d/b=1", "d/", "d/a=1"]],
  ["a whiteout of a file", [["a=1", "b=1"], [".wh.a"]], ["b=1"]],
  ["a whiteout of a directory", [["d/", "d/e/f=1", "da=1"], [".wh.d"]], ["da=1"]],
  ["a whiteout after its directory", [["d/a=1"], ["d/", "d/b=2", ".wh.d"]], ["d/", "d/b=2"]],
  [
    "a whiteout before its directory",
    [
      ["d/", "d/a=1"],
      [".wh.d", "d/b=2"],
    ],
    ["d/b=2"],
  ],
  ["a whiteout of what its own layer has", [["a=1"], ["a=2", ".wh.a"]], ["a=2"]],
  ["a whiteout is for the layers below alone", [["a=1"], [".wh.a"], ["a=3"]], ["a=3"]],
  ["a whiteout of what is not there", [[".wh.x", "a=1"], [".wh.y"]], ["a=1"]],
  [
    "an opaque directory",
    [
      ["d/", "d/a=1", "d/e/f=1"],
      ["d/b=2", "d/.wh..wh..opq"],
    ],
    ["d/b=2", "d/"],
  ],
  [
    "an opaque root",
    [
      ["a=1", "d/b=1"],
      ["c=2", ".wh..wh..opq"],
    ],
    ["c=2"],
  ],
  ["opaque hides below alone", [["d/a=1"], ["d/.wh..wh..opq", "d/b=2"], ["d/c=3"]], ["d/c=3", "d/b=2"]],
  ["a file that becomes a directory", [["a=1"], ["a/", "a/b=2"]], ["a/", "a/b=2"]],
  ["a file that becomes a directory without an entry", [["a=1"], ["a/b=2"]], ["a/b=2"]],
  ["a directory that becomes a file", [["a/", "a/b=1"], ["a=2"]], ["a=2"]],
  ["and back", [["a/", "a/b=1"], ["a=2"], ["a/", "a/c=3"]], ["a/", "a/c=3"]],
  ["and back without an entry", [["a/", "a/b=1"], ["a=2"], ["a/c=3"]], ["a/c=3"]],
  ["a directory that becomes a link", [["a/b=1", "c/d=1"], ["a->c"]], ["a->c", "c/d=1"]],
  ["a link below a directory of its name", [["a->c", "c/d=1"], ["a/b=2"]], ["a/b=2", "c/d=1"]],
  ["a link of the same layer is followed", [["a->c", "a/b=1", "a/"]], ["a->c", "c/b=1", "a/"]],
  ["an absolute link of the same layer stays inside", [["a->/c/../../d", "a/b=1"]], ["a->/c/../../d", "d/b=1"]],
  ["a link upwards stays inside", [["x/a->../../../../d", "x/a/b=1"]], ["x/a->../../../../d", "d/b=1"]],
  ["links to links", [["a->b", "b->c/d", "a/f=1"]], ["a->b", "b->c/d", "c/d/f=1"]],
  ["a link that another entry replaced is not followed", [["a->c", "a/", "a/b=1"]], ["a->c", "a/", "a/b=1"]],
  ["the last of several", [["a=1", "a=2"]], ["a=1", "a=2"]],
  ["an empty directory that becomes a file in its layer", [["a/", "a=2"]], ["a/", "a=2"]],
  ["a hard link", [["a=1", "b=>a"]], ["a=1", "b=>a"]],
  ["a hard link to a layer below", [["x=1", "a=1"], ["b=>a"]], ["x=1", "a=1", "b=>a"]],
  ["a hard link to what the same layer changed", [["a=1"], ["a=2", "b=>a"]], ["a=2", "b=>a"]],
  ["a hard link to what a layer above changed", [["a=1", "b=>a"], ["a=2"]], ["a=2", "b=1"]],
  ["a hard link to what a layer above removed", [["a=1", "b=>a", "c=>a"], [".wh.a"]], ["b=1", "c=>b"]],
  [
    "hard links to hard links",
    [
      ["a=1", "b=>a", "c=>b", "d=>c"],
      [".wh.a", ".wh.c"],
    ],
    ["b=1", "d=>b"],
  ],
  [
    "all of them removed",
    [
      ["a=1", "b=>a"],
      [".wh.a", ".wh.b"],
    ],
    [],
  ],
  ["a hard link that crosses a removal", [["a=1"], ["b=>a"], [".wh.a"]], ["b=1"]],
  ["one that its own layer takes the target from", [["a=1"], ["b=>a", ".wh.a"]], ["b=1"]],
  ["hard links across three layers", [["a=1"], ["b=>a"], ["c=>b"]], ["a=1", "c=>a", "b=>a"]],
  ["across layers, the first removed", [["a=1"], ["b=>a"], ["c=>b", ".wh.a"], [".wh.b"]], ["c=1"]],
  ["a hard link before its target", [["b=>a", "a=1"]], ["a=1", "b=>a"]],
  ["before its target, which is changed above", [["b=>a", "c=>a", "a=1"], ["a=2"]], ["a=2", "b=1", "c=>b"]],
  ["before its target, which a layer below has, too", [["a=1"], ["b=>a", "a=2"]], ["a=2", "b=1"]],
  ["before its target, which a layer below has taken away", [["a=1"], [".wh.a"], ["b=>a", "a=2"]], ["a=2", "b=>a"]],
  ["before its target, which another link is", [["c=>b", "b=>a", "a=1"]], ["a=1", "c=>a", "b=>a"]],
  [
    "before its target, which is itself a link to a layer below, and hidden",
    [["x=1"], ["b=>a", "a=>x"], ["a=2", "x=2"]],
    ["a=2", "x=2", "b=1"],
  ],
  [
    "that a file of its own layer replaces, and above links to",
    [["x=1"], ["a=>x", "a=2"], ["b=>a"]],
    ["a=2", "b=>a", "x=1"],
  ],
  ["the target changes again in its layer", [["a=1", "b=>a", "a=2"]], ["a=1", "b=>a", "a=2"]],
  ["a hard link to a symbolic link", [["s->x", "b=>s"], [".wh.s"]], ["b->x"]],
  ["a hard link through a link of the same layer", [["d/a=1", "l->d", "b=>l/a"]], ["d/a=1", "l->d", "b=>d/a"]],
  ["a hard link to itself", [["a=1", "a=>a"]], ["a=1"]],
  ["a hard link to itself below", [["a=1"], ["a=>a"]], ["a=1"]],
  ["a hard link that a file replaces", [["b=>a", "b=2", "a=1"]], ["b=2", "a=1"]],
  ["AUFS's own files", [[".wh..wh.plnk/1.2=1", ".wh..wh.aufs", "a=>.wh..wh.plnk/1.2", "b=>a"]], ["a=1", "b=>a"]],
  [
    "names that only look like whiteouts",
    [["a.wh.b=1", "wh.c=1", ".wh=1", ".wh.d/e=1"]],
    ["a.wh.b=1", "wh.c=1", ".wh=1", ".wh.d/e=1"],
  ],
  ["the root", [["./", "a=1"], ["./"]], ["./", "a=1"]],
  [
    "the same layer twice",
    [
      ["a=1", "b=>a"],
      ["a=1", "b=>a"],
    ],
    ["a=1", "b=>a"],
  ],
  [
    "a device and a pipe",
    [
      [
        { name: "null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
        { name: "pipe", type: "fifo" },
      ],
    ],
    ["null character-device", "pipe fifo"],
  ],
];

describe("the tree of an image", () => {
  for (const [what, layers, tree] of trees)
    test(what, async () => {
      assert.deepEqual(await treeOf(await imageOf(...layers)), tree);
    });

  const refusals: readonly (readonly [what: string, layers: readonly (readonly Line[])[], words: readonly string[]])[] =
    [
      ["a name that leaves the root", [["../a=1"]], ['"../a"', "leaves the root"]],
      ["in its midst", [["a/../../b=1"]], ["leaves the root"]],
      ["a hard link that leaves the root", [["a=>../../etc/passwd"]], ["leaves the root"]],
      ["a hard link to nothing", [["a=>b"]], ['"a"', '"b"', "no such file"]],
      ["hard links that go round in circles", [["a=>b", "b=>c", "c=>a"]], ["no such file"]],
      ["a hard link to a directory", [["d/", "a=>d"]], ["directory"]],
      ["a hard link to a directory below", [["d/"], ["a=>d"]], ["no such file"]],
      ["a hard link to a directory that has no entry", [["d/b=1"], ["a=>d"]], ["no such file"]],
      ["a hard link to the root", [["a=>/"]], ["directory"]],
      ["a hard link to what was removed between", [["a=1"], [".wh.a"], ["b=>a"]], ['"b"', "no such file"]],
      ["to what lay in what was removed between", [["d/a=1"], [".wh.d"], ["b=>d/a"]], ["no such file"]],
      ["to what an opaque directory hid between", [["d/a=1"], ["d/.wh..wh..opq"], ["b=>d/a"]], ["no such file"]],
      ["links that go round in circles", [["a->b", "b->a", "a/x=1"]], ["circles"]],
      ["a link to itself", [["a->a", "a/x=1"]], ["circles"]],
      ["a path below a file", [["a=1", "a/b=1"]], ['"a/b"', '"a"', "no directory"]],
      ["a whiteout of nothing", [[".wh."]], ["whiteout"]],
      ["a whiteout of the directory above", [["d/.wh..."]], ["whiteout"]],
      ["a whiteout of the directory itself", [["d/.wh.."]], ["whiteout"]],
      ["a file in the place of the root", [["./=1"]], ["root"]],
      ["a file where the same layer filled a directory", [["a/b=1", "a=2"]], ['"a"', "same layer"]],
    ];
  for (const [what, layers, words] of refusals)
    test(`is refused for ${what}`, async () => {
      await assert.rejects(treeOf(await imageOf(...layers)), (error: unknown) => {
        assert.ok(isDrayError(error, "ARCHIVE_INVALID", "UNSUPPORTED"), String(error));
        for (const word of [...words, "layer sha256:"]) assert.ok(error.message.includes(word), error.message);
        return true;
      });
    });

  const code =
    (wanted: ErrorCode, ...words: readonly string[]) =>
    (error: unknown): boolean => {
      assert.ok(isDrayError(error, wanted), String(error));
      for (const word of words) assert.ok(error.message.includes(word), error.message);
      return true;
    };

  test("is refused for a path that no container could open", async () => {
    const image = await imageOf([{ name: "d/".repeat(2100), type: "directory" }]);
    await assert.rejects(treeOf(image), code("LIMIT_EXCEEDED", "4096"));
  });

  test("is refused for links that no container could follow, or that would fill memory", async () => {
    const link = (name: string, length: number): Line => ({ name, type: "symlink", linkName: "x".repeat(length) });
    assert.equal((await treeOf(await imageOf([link("a", 4096)]))).length, 1);
    await assert.rejects(treeOf(await imageOf([link("a", 4097)])), code("LIMIT_EXCEEDED", '"a"', "4096"));
    const row = (length: number): Line[] => Array.from({ length }, (_, i) => `h${i}=>h${i + 1}`);
    // However long, a row of hard links is walked once.
    const hard = await imageOf(["h5000=1"], [...row(5000), "x=>h0"]);
    assert.equal((await treeOf(hard)).length, 5002);
    const paths = new LayerPaths(new PathTable());
    paths.begin();
    const fault = (what: string, errorCode: ErrorCode = "ARCHIVE_INVALID") => new DrayError(errorCode, what);
    const many = (): void => {
      for (let node = 1; node <= 16_500; node++) paths.set(node, "x".repeat(4090), fault);
    };
    assert.throws(many, code("LIMIT_EXCEEDED", "together"));
    paths.begin();
    paths.set(1, "x".repeat(4090), fault);
  });

  test("is refused where a layer is not what the configuration says", async () => {
    const tar = layerTar(["a=1"]);
    const image = await imageOfTars([tar], { diffIDs: [digestOf(new Uint8Array(1))] });
    await assert.rejects(treeOf(image), code("DIGEST_MISMATCH", "diff_ids", "layer sha256:"));
    const padded = await imageOfTars([Buffer.concat([tar, new Uint8Array(2048)])], { diffIDs: [digestOf(tar)] });
    await assert.rejects(treeOf(padded), code("DIGEST_MISMATCH", "diff_ids"));
  });
});

describe("against layers that are laid over each other one by one", () => {
  const random = (seed: number): (() => number) => {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) / 2 ** 24;
    };
  };

  test("five hundred images have the same tree", async () => {
    let refused = 0;
    for (let seed = 1; seed <= 500; seed++) {
      const layers = randomLayers(random(seed));
      const wanted = orRefusal(() => naive(layers));
      const image = await imageOf(...layers);
      // They are thousands of files, and each is opened by itself.
      const walks = seed % 4 === 0;
      const lines = await treeOf(image).catch(nothing);
      const walked = walks ? await filesOf(image).catch(nothing) : undefined;
      const found = lines === undefined ? undefined : unpacked(lines);
      const what = `seed ${seed}: ${JSON.stringify(layers)}`;
      assert.equal(found?.files, wanted?.files, what);
      if (walks) assert.equal(walked, wanted?.files, `file by file, ${what}`);
      // A directory that its own layer has replaced may give one of a layer above its attributes.
      for (const path of wanted?.directories ?? []) assert.ok(found?.directories.includes(path), `${path}: ${what}`);
      if (wanted === undefined) refused++;
    }
    assert.ok(refused < 400, `${refused} refused`);
  });

  const nothing = (error: unknown): undefined => {
    if (!isDrayError(error, "ARCHIVE_INVALID", "UNSUPPORTED")) throw error;
  };

  /** The same as `listed` says, by the files of an image, one by one. */
  const filesOf = async (image: Image): Promise<string> => {
    const files = await imageFiles(image);
    const [tree, links]: [Tree, [string, string][]] = [new Map(), []];
    for await (const { path, type, linkName } of files.walk()) {
      const at = path.slice(1);
      if (type === "hardlink") links.push([at, linkName.slice(1)]);
      else if (type === "symlink") tree.set(at, { kind: "content", says: `->${linkName}` });
      else if (type === "file")
        tree.set(at, { kind: "content", says: `=${Buffer.from(await files.read(path)).toString()}` });
    }
    for (const [at, to] of links) tree.set(at, tree.get(to) as Inode);
    return listed(tree).files;
  };

  const orRefusal = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  };

  const randomLayers = (next: () => number): string[][] => {
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
    const path = (): string =>
      Array.from({ length: 1 + Math.floor(next() * 3) }, () => pick(["a", "b", "c"])).join("/");
    let content = 0;
    const line = (): string => {
      const at = path();
      const slash = at.lastIndexOf("/") + 1;
      const dice = next();
      if (dice < 0.35) return `${at}=${content++}`;
      if (dice < 0.52) return `${at}/`;
      if (dice < 0.65) return `${at}=>${path()}`;
      if (dice < 0.7) return `${at}->${path()}`;
      if (dice < 0.93) return `${at.slice(0, slash)}.wh.${at.slice(slash)}`;
      return `${at.slice(0, slash)}.wh..wh..opq`;
    };
    return Array.from({ length: 1 + Math.floor(next() * 4) }, () =>
      Array.from({ length: 1 + Math.floor(next() * 5) }, line),
    );
  };

  class Refusal extends Error {}
  interface Inode {
    readonly kind: "dir" | "content";
    readonly says: string;
  }
  type Tree = Map<string, Inode>;

  const below = (tree: Tree, path: string): string[] =>
    [...tree.keys()].filter((key) => path === "" || key.startsWith(`${path}/`));
  const remove = (tree: Tree, path: string): void => {
    for (const key of [...below(tree, path), path]) tree.delete(key);
  };
  const above = (path: string): string[] => path.split("/").map((_, i, parts) => parts.slice(0, i).join("/"));

  /** Lays one layer over another as a runtime does: each is unpacked into a directory of its own. */
  const naive = (layers: readonly (readonly string[])[]): ReturnType<typeof listed> => {
    const tree: Tree = new Map();
    for (const lines of layers) {
      const own: Tree = new Map();
      const explicit = new Set<string>();
      const [removed, opaque] = [new Set<string>(), new Set<string>()];
      /** Links to what is not there yet, and where they lead. */
      const waiting = new Map<string, string>();
      const resolve = (path: string): string => {
        let parts = path.split("/");
        const node: string[] = [];
        for (let i = 0, links = 0; i < parts.length; i++) {
          const part = parts[i] as string;
          const child = [...node, part].join("/");
          const link = i < parts.length - 1 ? own.get(child)?.says : undefined;
          if (link?.startsWith("->") !== true) node.push(part);
          else {
            if (++links > 40) throw new Refusal("circle");
            parts = [...link.slice(2).split("/"), ...parts.slice(i + 1)];
            i = -1;
          }
        }
        return node.join("/");
      };
      const put = (at: string, inode: Inode): void => {
        waiting.delete(at);
        own.set(at, inode);
      };
      for (const line of lines) {
        const [, name = "", how, rest = ""] = /^(.*?)(=>|->|=)(.*)$/s.exec(line) ?? [undefined, line];
        const at = resolve(name.replace(/\/$/, ""));
        const base = at.split("/").at(-1) as string;
        const folder = above(at).at(-1) as string;
        if (base === ".wh..wh..opq") {
          opaque.add(folder);
          continue;
        }
        if (base.startsWith(".wh.")) {
          removed.add(folder === "" ? base.slice(4) : `${folder}/${base.slice(4)}`);
          continue;
        }
        for (const parent of above(at).slice(1)) {
          const there = own.get(parent);
          if (there?.kind === "content" || waiting.has(parent)) throw new Refusal("below a file");
          if (there === undefined) put(parent, { kind: "dir", says: "" });
        }
        if (how === undefined) {
          // The file was there for a moment, and with it nothing of the layers below.
          if (own.get(at)?.kind === "content" || waiting.has(at)) removed.add(at);
          if (own.get(at)?.kind === "content") own.delete(at);
          explicit.add(at);
          put(at, { kind: "dir", says: `${line}` });
          continue;
        }
        if (below(own, at).length > 0 || [...waiting.keys()].some((other) => other.startsWith(`${at}/`)))
          throw new Refusal("a file in place of a directory that is not empty");
        if (how === "=>") {
          const to = resolve(rest);
          const there = own.get(to);
          if (there?.kind === "dir") throw new Refusal("link to a directory");
          if (to === at && (there !== undefined || waiting.has(at))) continue;
          // What its own layer has by now, else what those below have, else what comes later.
          const found = there ?? (waiting.has(to) ? undefined : content(tree.get(to)));
          const target = waiting.get(to) ?? to;
          remove(own, at);
          waiting.delete(at);
          if (found !== undefined) put(at, found);
          else waiting.set(at, target);
        } else {
          remove(own, at);
          put(at, { kind: "content", says: how === "->" ? `->${rest}` : `=${rest}` });
        }
      }
      for (const [at, first] of waiting) {
        const way = new Set<string>();
        let to = first;
        for (let next = waiting.get(to); next !== undefined && !way.has(to); next = waiting.get(to)) {
          way.add(to);
          to = next;
        }
        own.set(at, content(own.get(to)) ?? broken());
      }
      for (const path of removed) remove(tree, path);
      for (const path of opaque) for (const key of below(tree, path)) tree.delete(key);
      for (const [path, inode] of own) {
        const there = tree.get(path);
        if (inode.kind === "content") remove(tree, path);
        else if (there?.kind === "content") tree.delete(path);
        if (inode.kind === "content" || explicit.has(path) || tree.get(path) === undefined) tree.set(path, inode);
      }
    }
    for (const { says } of tree.values()) if (says === "nothing") throw new Refusal("a hard link to nothing");
    return listed(tree);
  };

  const content = (inode: Inode | undefined): Inode | undefined => (inode?.kind === "content" ? inode : undefined);

  /** A link to nothing, which matters only where it is seen. */
  const broken = (): Inode => ({ kind: "content", says: "nothing" });

  /** What tar makes of the entries, one after the other. */
  const unpacked = (lines: readonly string[]): ReturnType<typeof listed> => {
    const tree: Tree = new Map();
    for (const line of lines) {
      const [, name = "", how, rest = ""] = /^(.*?)(=>|->|=)(.*)$/s.exec(line) ?? [undefined, line];
      const at = name.replace(/\/$/, "");
      for (const parent of above(at).slice(1)) {
        assert.notEqual(tree.get(parent)?.kind, "content", `${line} lies below a file`);
        if (!tree.has(parent)) tree.set(parent, { kind: "dir", says: "" });
      }
      if (how === undefined) {
        if (tree.get(at)?.kind === "content") tree.delete(at);
        tree.set(at, { kind: "dir", says: line });
      } else {
        const inode =
          how === "=>" ? tree.get(rest) : { kind: "content" as const, says: how === "->" ? `->${rest}` : `=${rest}` };
        assert.ok(inode?.kind === "content", `${line} comes before its target`);
        remove(tree, at);
        tree.set(at, inode);
      }
    }
    return listed(tree);
  };

  /** Every path, with the paths that are the same file; of directories those that have an entry. */
  const listed = (tree: Tree): { readonly files: string; readonly directories: readonly string[] } => {
    const paths = [...tree.keys()].sort();
    const same = (inode: Inode): string => paths.filter((other) => tree.get(other) === inode).join(",");
    return {
      files: [...tree]
        .flatMap(([path, inode]) => (inode.kind === "content" ? [`${path} ${inode.says} ${same(inode)}`] : []))
        .sort()
        .join("\n"),
      directories: [...tree].flatMap(([path, { kind, says }]) => (kind === "dir" && says !== "" ? [path] : [])),
    };
  };
});
