import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { imageOf, imageOfTars } from "../../../test/layered-image.ts";
import { type Given, tarOf } from "../../../test/tar-of.ts";
import { collect, memoryStore, type ReadableStore, verified } from "../../content/index.ts";
import { isDrayError } from "../../errors.ts";
import { digestOf } from "../../oci/index.ts";
import { type Image, viewOf } from "../views.ts";
import { type FileEntry, imageFiles, list, readFile, walk } from "./index.ts";

const shown = ({ path, type, size, linkName }: FileEntry): string =>
  `${type[0]} ${path}${type === "directory" ? "" : ` ${size}`}${linkName === "" ? "" : ` > ${linkName}`}`;
const walked = async (image: Image, path?: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const entry of walk(image, path)) found.push(shown(entry));
  return found;
};
const listed = async (image: Image, path?: string): Promise<string[]> => (await list(image, path)).map(shown);
const dir = (name: string, more: Partial<Given> = {}): Given => ({ name, type: "directory", mode: 0o755, ...more });
const link = (name: string, linkName: string): Given => ({ name, type: "symlink", linkName });
const hard = (name: string, linkName: string): Given => ({ name, type: "hardlink", linkName });

describe("the files of an image", () => {
  const layers: readonly (readonly Given[])[] = [
    [dir("etc/", { mode: 0o700, uid: 3, gid: 4 }), { name: "etc/a", body: "old" }, { name: "etc/b", body: "bb" }],
    [
      { name: "etc/a", body: "new!", mode: 0o4755, uid: 1000, gid: 2_000_000, mtime: 1.5 },
      { name: "opt/x/y", body: "y", pax: { "SCHILY.xattr.security.capability": "\u0001\u00ff" } },
      { name: "null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
      link("l", "etc/a"),
      hard("h", "etc/a"),
    ],
    [{ name: "etc/.wh.b" }, dir("opt/"), { name: "zz", body: "z" }],
  ];

  test("are listed and walked as they lie one over the other", async () => {
    const image = await imageOf(...layers);
    assert.deepEqual(await walked(image), [
      "d /",
      "d /etc",
      "f /etc/a 4",
      "h /h 4 > /etc/a",
      "s /l 0 > etc/a",
      "c /null 0",
      "d /opt",
      "d /opt/x",
      "f /opt/x/y 1",
      "f /zz 1",
    ]);
    assert.deepEqual(await listed(image), [
      "d /etc",
      "h /h 4 > /etc/a",
      "s /l 0 > etc/a",
      "c /null 0",
      "d /opt",
      "f /zz 1",
    ]);
    assert.deepEqual(await listed(image, "opt"), ["d /opt/x"]);
    assert.deepEqual(await listed(image, "/opt/x/../x/"), ["f /opt/x/y 1"]);
    assert.deepEqual(await walked(image, "etc"), ["d /etc", "f /etc/a 4"]);
    // A file stands for itself, and so does what a link leads to.
    for (const path of ["etc/a", "l"]) assert.deepEqual(await listed(image, path), ["f /etc/a 4"]);
    await assert.rejects(list(image, "etc/b"), (error) => isDrayError(error, "NOT_FOUND"));
    await assert.rejects(list(image, "etc/a/b"), /\/etc\/a is no directory/);
  });

  test("have mode, owner, time, devices, attributes and their layer", async () => {
    const image = await imageOf(...layers);
    const files = await imageFiles(image);
    const [bottom, middle, top] = (await image.layers()).map(({ descriptor }) => descriptor.digest);
    const { path: _path, ...facts } = await files.stat("etc/a");
    assert.deepEqual(facts, {
      type: "file",
      size: 4,
      linkName: "",
      mode: 0o4755,
      uid: 1000,
      gid: 2_000_000,
      mtime: 1.5,
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: {},
      layer: middle,
    });
    const { mode, uid, gid, layer } = await files.stat("etc");
    assert.deepEqual([mode, uid, gid, layer], [0o700, 3, 4, bottom]);
    assert.deepEqual((await files.stat("opt/x/y")).xattrs, { "security.capability": "\u0001\u00ff" });
    const device = await files.stat("null");
    assert.deepEqual([device.deviceMajor, device.deviceMinor], [1, 3]);
    assert.equal((await files.stat("l", { follow: false })).type, "symlink");
    assert.equal((await files.stat("opt")).layer, top);
    const implied = await files.stat("/");
    assert.deepEqual([implied.mode, implied.uid, implied.type], [0o755, 0, "directory"]);
  });

  test("are whatever numbers of users and groups there are", async () => {
    const image = await imageOf([{ name: "a", uid: 2 ** 40, gid: 2 ** 33 + 1 }]);
    const { uid, gid } = await (await imageFiles(image)).stat("a");
    assert.deepEqual([uid, gid], [2 ** 40, 2 ** 33 + 1]);
  });

  test("become directories and directories files, in one layer and the next", async () => {
    const image = await imageOf(
      [
        { name: "a", body: "file" },
        { name: "b/c", body: "c" },
        { name: "d/e", body: "e" },
        { name: "f/g", body: "g" },
      ],
      [{ name: "a/in", body: "i" }, { name: "b", body: "file" }, { name: ".wh.d" }, { name: "f/.wh..wh..opq" }],
      [
        dir("d/"),
        { name: "d/new", body: "n" },
        { name: ".wh..wh.plnk/1.2", body: "x" },
        { name: ".wh..wh.aufs", body: "x" },
      ],
    );
    assert.deepEqual(await walked(image), ["d /", "d /a", "f /a/in 1", "f /b 4", "d /d", "f /d/new 1", "d /f"]);
  });

  test("lie behind links of their own layer, and in place of those of layers below", async () => {
    const image = await imageOf([
      dir("x/"),
      link("y", "x"),
      { name: "y/z", body: "z" },
      link("w", "/y"),
      { name: "w/.wh.v" },
    ]);
    assert.deepEqual(await walked(image), ["d /", "s /w 0 > /y", "d /x", "f /x/z 1", "s /y 0 > x"]);
    assert.equal((await readFile(image, "w/z")).byteLength, 1);
    const over = await imageOf(
      [{ name: "usr/lib/a", body: "a" }, link("lib", "usr/lib")],
      [{ name: "lib/b", body: "b" }],
    );
    assert.deepEqual(await walked(over), ["d /", "d /lib", "f /lib/b 1", "d /usr", "d /usr/lib", "f /usr/lib/a 1"]);
    await assert.rejects(readFile(over, "lib/a"), (error) => isDrayError(error, "NOT_FOUND"));
    await assert.rejects(walked(await imageOf([link("a", "b"), link("b", "a"), { name: "a/c", body: "c" }])), (error) =>
      isDrayError(error, "ARCHIVE_INVALID"),
    );
  });

  test("are not told where a path is longer than Linux has it, or a link", async () => {
    const code = (error: unknown): boolean => isDrayError(error, "LIMIT_EXCEEDED");
    await assert.rejects(walked(await imageOf([{ name: `${"a/".repeat(500_000)}f` }])), code);
    await assert.rejects(walked(await imageOf([dir("b/"), link("l", `${"./".repeat(400_000)}b`)])), code);
  });

  test("are the same, whether an entry's name has dots or slashes, and none lead out", async () => {
    const image = await imageOf([
      { name: "./a//b", body: "1" },
      { name: "/c", body: "2" },
      { name: "e/../d", body: "3" },
      dir("./"),
    ]);
    assert.deepEqual(await walked(image), ["d /", "d /a", "f /a/b 1", "f /c 1", "f /d 1"]);
    for (const out of [{ name: "../../d", body: "3" }, hard("d", "../c")])
      await assert.rejects(walked(await imageOf([out])), (error) => isDrayError(error, "ARCHIVE_INVALID"));
    // Of bytes that are no UTF-8, each is kept apart.
    const odd = await imageOf([
      { name: "\udcff", body: "1" },
      { name: "\udcfe", body: "22" },
      { name: "é漢", body: "333" },
    ]);
    assert.deepEqual(await walked(odd), ["d /", "f /é漢 3", "f /\udcfe 2", "f /\udcff 1"]);
    assert.equal((await readFile(odd, "\udcfe")).byteLength, 2);
  });

  test("are read from no layer below those that it takes, and each layer once", async () => {
    const image = await counted(...layers, [{ name: "top", body: "t" }, dir("etc/"), { name: "etc/.wh..wh..opq" }]);
    const asked = async (work: (image: Image) => Promise<unknown>, most = 1): Promise<number> => {
      image.reads.clear();
      await work(image);
      for (const [digest, times] of image.reads) assert.ok(times <= most, digest);
      return image.reads.size;
    };
    assert.equal(await asked((each) => readFile(each, "top")), 1);
    assert.equal(await asked((each) => readFile(each, "zz")), 2);
    // What a hard link stands for has passed when the link comes.
    assert.equal(await asked((each) => readFile(each, "h"), 2), 3);
    // An opaque directory is all there is of it.
    assert.equal(await asked((each) => list(each, "etc")), 1);
    assert.equal(await asked((each) => list(each, "/")), 4);
    assert.equal(
      await asked(async (each) => {
        const files = await imageFiles(each);
        await files.list("/");
        await files.stat("h");
        for await (const _ of files.walk());
      }),
      4,
    );
  });

  test("come piece by piece, whatever their size", async () => {
    const body = "0123456789".repeat(600_000);
    const image = await imageOf(
      [{ name: "big", body }, { name: "big", body: `${body}!` }, hard("same", "big")],
      [{ name: "x", body: "x" }],
    );
    for (const path of ["big", "same"]) {
      const bytes = await collect(await (await imageFiles(image)).open(path), 1e8, path);
      assert.equal(bytes.byteLength, body.length + 1);
      assert.equal(bytes.at(-1), 33);
    }
    await assert.rejects((await imageFiles(image)).open("/"), (error) => isDrayError(error, "USAGE"));
    await assert.rejects(readFile(image, "big", { limit: 1000 }), (error) => isDrayError(error, "LIMIT_EXCEEDED"));
  });

  test("are not given where their layer is not what its digest says", async () => {
    const store = memoryStore();
    const image = await imageOfTars([tarOf([{ name: "a", body: "a" }])], { store });
    const [layer] = await image.layers();
    const lying: ReadableStore = {
      resolve: (name) => store.resolve(name),
      read: (descriptor, options) =>
        descriptor.digest === layer?.descriptor.digest
          ? verified(store.read({ ...descriptor }), { digest: digestOf(new Uint8Array(1)) })
          : store.read(descriptor, options),
    };
    const view = await viewOf(lying, image.descriptor);
    assert.ok(view.kind === "image");
    await assert.rejects(readFile(view, "a"), (error) => isDrayError(error, "DIGEST_MISMATCH"));
    await assert.rejects(
      imageFiles(view).then((files) => files.open("a")),
      (error) => isDrayError(error, "DIGEST_MISMATCH"),
    );
  });
});

/** An image that counts how often each of its layers is read. */
const counted = async (...layers: readonly (readonly Given[])[]): Promise<Image & { reads: Map<string, number> }> => {
  const image = await imageOf(...layers);
  const reads = new Map<string, number>();
  const store: ReadableStore = {
    resolve: (name) => image.store.resolve(name),
    read: (descriptor, options) => {
      if (/layer/.test(descriptor.mediaType)) reads.set(descriptor.digest, (reads.get(descriptor.digest) ?? 0) + 1);
      return image.store.read(descriptor, options);
    },
  };
  const view = await viewOf(store, image.descriptor);
  assert.ok(view.kind === "image");
  return { ...view, reads };
};
