import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { imageOf } from "../../../test/layered-image.ts";
import { type Given, tarOf } from "../../../test/tar-of.ts";
import { collect, memoryStore, put, putManifest } from "../../content/index.ts";
import { isDrayError } from "../../errors.ts";
import { mediaTypes, packManifest } from "../../oci/index.ts";
import { readEntries } from "../entries.ts";
import { type Image, viewOf } from "../views.ts";
import { readFile, rootNode } from "./index.ts";
import { PathTable } from "./path-table.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = async (image: Image, path: string): Promise<string> =>
  new TextDecoder().decode(await readFile(image, path));
const fails =
  (...codes: Parameters<typeof isDrayError>[1][]) =>
  (error: unknown): boolean =>
    isDrayError(error, ...codes);

describe("a file of an image", () => {
  test("is the uppermost layer's, whatever its entry's name looks like", async () => {
    const image = await imageOf(
      [
        { name: "etc/", type: "directory" },
        { name: "etc/a", body: "old" },
        { name: "./etc/b", body: "below" },
      ],
      [
        { name: "./etc/a", body: "first" },
        { name: "etc//a", body: "last wins" },
      ],
    );
    assert.equal(await text(image, "/etc/a"), "last wins");
    assert.equal(await text(image, "etc/b"), "below");
    assert.equal(await text(image, "../etc/./b"), "below");
  });

  test("is gone where a layer took it away, or a directory above it, or put something else there", async () => {
    const below: readonly Given[] = [
      { name: "d/a", body: "a" },
      { name: "d/b", body: "b" },
      { name: "e/f/g", body: "g" },
      { name: "x/y", body: "y" },
    ];
    const image = await imageOf(below, [
      { name: "d/.wh.a" },
      { name: "e/f/.wh..wh..opq" },
      { name: "e/f/new", body: "new" },
      { name: "x", body: "a file" },
    ]);
    for (const path of ["d/a", "e/f/g", "x/y", "d/.wh.a", "none", "d/b/c"])
      await assert.rejects(readFile(image, path), fails("NOT_FOUND"), path);
    assert.deepEqual(
      [await text(image, "d/b"), await text(image, "e/f/new"), await text(image, "x")],
      ["b", "new", "a file"],
    );
    const again = await imageOf(below, [{ name: ".wh.d" }], [{ name: "d/a", body: "again" }]);
    assert.equal(await text(again, "d/a"), "again");
    await assert.rejects(readFile(again, "d/b"), fails("NOT_FOUND"));
    // What a layer takes away it took from layers below, in whatever order its entries stand.
    assert.equal(
      await text(await imageOf(below, [{ name: "d/a", body: "new" }, { name: "d/.wh..wh..opq" }]), "d/a"),
      "new",
    );
  });

  test("is found through links, which do not lead out of the image", async () => {
    const image = await imageOf(
      [
        { name: "usr/lib/os-release", body: "ID=x" },
        { name: "etc/os-release", type: "symlink", linkName: "../usr/lib/os-release" },
        { name: "lib", type: "symlink", linkName: "/usr/lib" },
        { name: "up", type: "symlink", linkName: "../../../../usr/lib/os-release" },
        { name: "a", type: "symlink", linkName: "b" },
        { name: "b", type: "symlink", linkName: "a" },
        { name: "hard", type: "hardlink", linkName: "usr/lib/os-release" },
      ],
      [{ name: "lib64", type: "symlink", linkName: "lib" }],
      [{ name: "usr/lib/os-release", body: "ID=y" }],
    );
    for (const path of ["etc/os-release", "lib/os-release", "lib64/os-release", "up"])
      assert.equal(await text(image, path), "ID=y", path);
    assert.equal(await text(image, "hard"), "ID=x");
    await assert.rejects(
      readFile(image, "a"),
      (error) => isDrayError(error, "NOT_FOUND") && /circles/.test(error.message),
    );
  });

  test("has a size, and is a file", async () => {
    const image = await imageOf([
      { name: "d/f", body: "12345" },
      { name: "d/", type: "directory" },
      { name: "p", type: "fifo" },
    ]);
    assert.equal((await readFile(image, "d/f", { limit: 5 })).byteLength, 5);
    await assert.rejects(readFile(image, "d/f", { limit: 4 }), fails("LIMIT_EXCEEDED"));
    await assert.rejects(readFile(image, "d/f", { limit: Number.NaN }), fails("USAGE"));
    await assert.rejects(readFile(image, "d"), fails("USAGE"));
    await assert.rejects(readFile(image, "p"), fails("UNSUPPORTED"));
    await assert.rejects(readFile(image, "d/f", { signal: AbortSignal.abort() }), fails("ABORTED"));
  });
});

test("the entries of a layer, and of any tar as bytes, are read one after the other", async () => {
  const entries: readonly Given[] = [
    { name: "a", body: "1" },
    { name: "b/", type: "directory" },
    { name: "b/c", body: "22" },
  ];
  const [layer] = await (await imageOf(entries)).layers();
  assert.ok(layer);
  const bytes = async function* () {
    yield gzipSync(tarOf(entries));
  };
  for (const tar of [layer, bytes(), layer.uncompressed()]) {
    const found: string[] = [];
    for await (const { name, body } of readEntries(tar))
      found.push(`${name} ${Buffer.from(await collect(body, 10, name)).toString()}`);
    assert.deepEqual(found, ["a 1", "b/ ", "b/c 22"]);
  }
  const offset = layer.uncompressed({ offset: 10 } as object);
  assert.equal((await collect(offset, 1e6, "layer")).byteLength, tarOf(entries).byteLength);
});

test("names are remembered up to a bound, and none that no container could have, also of what is taken away", async () => {
  const paths = new PathTable();
  const name = "n".repeat(1_000_000);
  assert.throws(() => {
    for (let i = 0; i < 70; i++) paths.child(rootNode, `${i}${name}`);
  }, fails("LIMIT_EXCEEDED"));
  const removed = await imageOf([{ name: `.wh.${name}` }]);
  await assert.rejects(text(removed, "a"), fails("LIMIT_EXCEEDED"));
  const long = await imageOf([{ name: "a", type: "symlink", linkName: "b/".repeat(400_000) }]);
  await assert.rejects(text(long, "a"), fails("LIMIT_EXCEEDED"));
});

test("an artifact's layers are in its manifest, whatever its configuration is", async () => {
  const store = memoryStore();
  const layer = await put(store, bytesOf("x"), { mediaType: "text/plain" });
  for (const [mediaType, fine] of [
    ["application/vnd.acme.config.v1+yaml", true],
    [mediaTypes.ociConfig, false],
  ] as const) {
    const config = await put(store, bytesOf("a: b"), { mediaType });
    const view = await viewOf(
      store,
      await putManifest(store, packManifest({ artifactType: "a/b", config, layers: [layer] })),
    );
    assert.ok(view.kind === "image");
    if (fine)
      assert.deepEqual(
        (await view.layers()).map(({ descriptor, diffID }) => [descriptor, diffID]),
        [[layer, undefined]],
      );
    else await assert.rejects(view.layers(), fails("MANIFEST_INVALID"));
  }
});
