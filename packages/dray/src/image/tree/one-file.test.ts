import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { imageOf } from "../../../test/layered-image.ts";
import { failsWith } from "../../../test/registry-client.ts";
import { type Given } from "../../../test/tar-of.ts";
import { bytesContent, collect, memoryStore } from "../../content/index.ts";
import { digestOf } from "../../oci/index.ts";
import { appended } from "../changes/index.ts";
import { edit } from "../edit.ts";
import { type FileInTar, filesTar, ingestLayer } from "../layers/index.ts";
import { type Image, viewOf } from "../views.ts";
import {
  type FileEntry,
  fileRemoved,
  fileWritten,
  imageFiles,
  readFile,
  type WriteFileOptions,
  walk,
} from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The image with what these entries say on top. */
const topped = async (image: Image, entries: readonly FileInTar[]): Promise<Image> => {
  const layer = await ingestLayer(memoryStore(), filesTar(entries));
  const { store, root } = await edit(image, appended([{ layer }]));
  const view = await viewOf(store, root);
  assert.ok(view.kind === "image");
  return view;
};
const written = async (
  image: Image,
  path: string,
  text: string,
  options?: WriteFileOptions,
): Promise<readonly FileInTar[]> => fileWritten(await imageFiles(image), path, bytes(text), options);
const names = (entries: readonly FileInTar[]): string[] => entries.map(({ name }) => name);
const all = async (image: Image): Promise<FileEntry[]> => {
  const found: FileEntry[] = [];
  for await (const entry of walk(image)) found.push(entry);
  return found;
};

const capability = { "SCHILY.xattr.security.capability": "\u0001\u00ff\u0000=" };
const lower: readonly Given[] = [
  { name: "etc/", type: "directory", mode: 0o700, uid: 3 },
  { name: "etc/conf", body: "old", mode: 0o4750, uid: 2 ** 33, gid: 8, mtime: 1.5, pax: capability },
  { name: "usr/lib/x", body: "x" },
  { name: "lib", type: "symlink", linkName: "usr/lib" },
  { name: "etc/link", type: "symlink", linkName: "../lib/x" },
  { name: "etc/dangling", type: "symlink", linkName: "/run/made/later" },
  { name: "up", type: "symlink", linkName: "../../../etc/../../new" },
  { name: "round", type: "symlink", linkName: "round" },
  { name: "etc/hard", type: "hardlink", linkName: "usr/lib/x", mode: 0o644 },
  { name: "null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
];

describe("a file of an image that is written", () => {
  test("keeps mode, owner, time and attributes, and nothing else of the image becomes another", async () => {
    const image = await imageOf(lower, [{ name: "top", body: "t" }]);
    const changed = await topped(image, await written(image, "/etc/conf", "new one"));
    const [before, after] = [await all(image), await all(changed)];
    assert.equal(Buffer.from(await readFile(changed, "etc/conf")).toString(), "new one");
    const facts = (entries: readonly FileEntry[], path: string) => entries.find((entry) => entry.path === path);
    const { layer: _l, size, ...own } = facts(after, "/etc/conf") as FileEntry;
    const { layer: _m, size: _s, ...old } = facts(before, "/etc/conf") as FileEntry;
    assert.deepEqual([own, size], [old, 7]);
    // Of the root no layer has an entry.
    const rest = (entries: readonly FileEntry[]) =>
      entries.filter(({ path }) => path !== "/etc/conf").map((entry) => (entry.path === "/" ? "" : entry));
    assert.deepEqual(rest(after), rest(before));
  });

  test("is the same layer for the same file, and none where the image has it", async () => {
    const image = await imageOf(lower);
    const digest = async (entries: readonly FileInTar[]) =>
      digestOf(await collect(filesTar(entries).open(), 1e6, "layer"));
    const one = await digest(await written(image, "/etc/conf", "a"));
    assert.equal(await digest(await written(await imageOf(lower), "etc//./conf", "a")), one);
    const sized = { ...bytesContent(bytes("a")), size: 1 };
    assert.equal(await digest(await fileWritten(await imageFiles(image), "etc/conf", sized)), one);
    assert.deepEqual(await written(image, "/etc/conf", "old"), []);
    assert.deepEqual(await written(image, "/etc/conf", "old", { mode: 0o4750, owner: { uid: 2 ** 33, gid: 8 } }), []);
    for (const options of [{ mode: 0o644 }, { owner: { uid: 0, gid: 8 } }])
      assert.deepEqual(names(await written(image, "/etc/conf", "old", options)), ["etc/conf"]);
    assert.deepEqual(names(await written(image, "/etc/conf", "odd")), ["etc/conf"]);
  });

  test("lies behind the links that lead to it, inside the image, with the folders that are missing", async () => {
    const image = await imageOf(lower);
    const rows: readonly [path: string, entries: readonly string[]][] = [
      ["/etc/link", ["usr/lib/x"]],
      ["lib/x", ["usr/lib/x"]],
      ["lib/y", ["usr/lib/y"]],
      ["lib/a/b/y", ["usr/lib/a/", "usr/lib/a/b/", "usr/lib/a/b/y"]],
      ["/etc/dangling", ["run/", "run/made/", "run/made/later"]],
      ["/up", ["new"]],
      ["etc/hard", ["etc/hard"]],
      ["../../etc/new", ["etc/new"]],
      ["usr/new", ["usr/new"]],
    ];
    for (const [path, entries] of rows) assert.deepEqual(names(await written(image, path, "n")), entries, path);
    const [folder, file] = await written(image, "/srv/run", "n");
    assert.deepEqual([folder?.mode, file?.mode, file?.uid], [0o755, 0o555, undefined]);
    const [, mine] = await written(image, "/srv/run", "n", { mode: 0o600, owner: { uid: 7, gid: 8 } });
    assert.deepEqual([mine?.mode, mine?.uid, mine?.gid], [0o600, 7, 8]);
    // What a layer took away is not there, and neither are folders above it.
    const removed = await imageOf(lower, [{ name: ".wh.usr" }, { name: "etc/.wh.conf" }]);
    assert.deepEqual(names(await written(removed, "lib/x", "n")), ["usr/", "usr/lib/", "usr/lib/x"]);
    assert.equal((await written(removed, "etc/conf", "old"))[0]?.mode, 0o555);
  });

  test("of a link to another name gets bytes of its own, and that one keeps its", async () => {
    const image = await imageOf(lower);
    const changed = await topped(image, await written(image, "etc/hard", "mine"));
    for (const [path, holds] of [
      ["etc/hard", "mine"],
      ["usr/lib/x", "x"],
    ] as const)
      assert.equal(Buffer.from(await readFile(changed, path)).toString(), holds);
  });

  test("is refused where there can be none", async () => {
    const image = await imageOf(lower);
    const rows: readonly [path: string, code: Parameters<typeof failsWith>[0]][] = [
      ["/etc", "USAGE"],
      ["/", "USAGE"],
      ["", "USAGE"],
      ["/new/", "USAGE"],
      ["/etc/..", "USAGE"],
      ["/etc/.wh.conf", "USAGE"],
      ["/.wh..wh.x/y", "USAGE"],
      [`/${"é".repeat(128)}`, "USAGE"],
      [`/${"a/".repeat(3000)}b`, "USAGE"],
      ["/null", "UNSUPPORTED"],
      ["/etc/conf/x", "NOT_FOUND"],
      ["/round", "NOT_FOUND"],
      ["/round/x", "NOT_FOUND"],
    ];
    for (const [path, code] of rows) await assert.rejects(written(image, path, "n"), failsWith(code), path);
    await assert.rejects(
      written(await imageOf([{ name: "a", type: "symlink", linkName: ".wh.b" }]), "a", "n"),
      failsWith("USAGE"),
    );
  });

  test("is not taken for a new one where a layer cannot be read", async () => {
    const image = await imageOf(lower, [{ name: "top", body: "t" }]);
    const [bottom] = await image.layers();
    const lost = {
      resolve: (name: string) => image.store.resolve(name),
      read: (...[descriptor, options]: Parameters<Image["store"]["read"]>) =>
        descriptor.digest === bottom?.descriptor.digest
          ? memoryStore().read(descriptor, options)
          : image.store.read(descriptor, options),
    };
    const view = await viewOf(lost, image.descriptor);
    assert.ok(view.kind === "image");
    await assert.rejects(written(view, "etc/conf", "n"), /./);
    await assert.rejects(written(view, "etc/none", "n"), /./);
    assert.deepEqual(names(await written(view, "top", "n")), ["top"]);
  });
});

describe("a path of an image that is taken away", () => {
  test("is gone with all below it; of a link goes the link", async () => {
    const image = await imageOf(lower);
    const paths = async (path: string): Promise<string[]> => {
      const entries = await fileRemoved(await imageFiles(image), path);
      return (await all(await topped(image, entries))).map((entry) => entry.path);
    };
    const before = (await all(image)).map(({ path }) => path);
    for (const [path, gone] of [
      ["/etc/conf", /^\/etc\/conf$/],
      ["usr", /^\/usr/],
      ["/lib", /^\/lib$/],
      ["lib/x", /^\/usr\/lib\/x$/],
      ["etc/", /^\/etc/],
    ] as const)
      assert.deepEqual(
        await paths(path),
        before.filter((each) => !gone.test(each)),
        path,
      );
    await assert.rejects(paths("/none"), failsWith("NOT_FOUND"));
    await assert.rejects(paths("/"), failsWith("USAGE"));
  });
});

test("nothing that is appended is nothing that is changed", async () => {
  const image = await imageOf(lower);
  assert.equal((await edit(image, appended([]))).root, image.descriptor);
});
