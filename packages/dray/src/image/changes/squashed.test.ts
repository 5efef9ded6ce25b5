import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { type TarEntry, tar } from "@dray/testkit";
import { failsWith } from "../../../test/registry-client.ts";
import { collect, memoryStore } from "../../content/index.ts";
import { mediaTypes } from "../../oci/index.ts";
import { edit } from "../edit.ts";
import { imageFrom } from "../from/index.ts";
import { filesTar } from "../layers/index.ts";
import { exportTar, treeEntries } from "../tree/index.ts";
import { validate } from "../validate.ts";
import { type Image, viewOf } from "../views.ts";
import { flattened, type LayerRange, squashed } from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** An entry by its name: `a/` is a directory, `a=text` a file, `a>b` a symbolic link; `.wh.a` is a whiteout. */
const entryOf = (word: string): TarEntry => {
  if (word.endsWith("/")) return { path: word, kind: "directory" };
  const [, path = word, how, rest = ""] = /^([^=>]*)([=>])(.*)$/.exec(word) ?? [];
  return how === ">" ? { path, kind: "symlink", target: rest } : { path, kind: "file", bytes: text(rest) };
};

const layerOf = (words: string): Uint8Array => tar(words.split(" ").filter(Boolean).map(entryOf));

const imageOf = (layers: readonly string[]): Promise<Image> =>
  imageFrom({
    config: { os: "linux", architecture: "amd64", created: "2020-01-01T00:00:00Z" },
    layers: layers.map((words, i) => ({ content: layerOf(words), history: { created_by: `layer ${i + 1}` } })),
  });

/** What a container sees, in the words of above. */
const treeOf = async (image: Image): Promise<string> => {
  const seen: string[] = [];
  for await (const { path, type, linkName, body } of treeEntries(image))
    if (type === "directory") seen.push(`${path}/`);
    else if (type === "symlink") seen.push(`${path}>${linkName}`);
    else seen.push(`${path}=${new TextDecoder().decode(await collect(body, 1000, path))}`);
  // A directory may be there by what lies in it alone.
  const filled = new Set(
    seen.flatMap(
      (word) =>
        word
          .split(/[=>]/)[0]
          ?.split("/")
          .slice(0, -1)
          .map((_, i, all) => `${all.slice(0, i + 1).join("/")}/`) ?? [],
    ),
  );
  return [...new Set([...seen, ...filled])].sort().join(" ");
};

const squash = async (image: Image, range: LayerRange): Promise<Image> => {
  const { store, root } = await edit(image, squashed(memoryStore(), range));
  assert.deepEqual((await validate(store, root)).findings, []);
  return (await viewOf(store, root)) as Image;
};

/** The names in a layer, as GNU tar lists them. */
const namesIn = async (image: Image, index: number): Promise<string[]> => {
  const [layer] = (await image.layers()).slice(index);
  const bytes = await collect(layer!.uncompressed(), 1_000_000, "layer");
  return execFileSync("tar", ["-tf", "-"], { input: bytes }).toString().trim().split("\n");
};

describe("layers that become one", () => {
  const rows: readonly (readonly [what: string, layers: readonly string[], names: string])[] = [
    ["a file that was removed", ["a=1 b=1", "c=2", ".wh.a"], "c .wh.a"],
    ["a file that was removed and came again", ["a=1", ".wh.a", "a=3"], "a"],
    [
      "a directory that was removed and came again is opaque",
      ["d/ d/x=1", ".wh.d", "d/ d/y=3"],
      "d d/y d/.wh..wh..opq",
    ],
    ["a directory that was removed", ["d/ d/x=1", "d/ d/y=2", ".wh.d"], ".wh.d"],
    ["what was removed below what was removed", ["d/ d/x=1", "d/ d/.wh.x", ".wh.d"], ".wh.d"],
    ["a whiteout in a directory of the layers below", ["d/ d/x=1 d/y=1", "z=2", "d/.wh.x"], "z d/.wh.x"],
    ["an opaque directory", ["d/ d/x=1", "d/ d/y=2", "d/ d/.wh..wh..opq d/z=3"], "d d/z d/.wh..wh..opq"],
    ["a file in the place of a directory", ["d/ d/x=1", "d=2", "e=3"], "e d"],
    ["a directory in the place of a file", ["d=1", "d/ d/x=2", "e=3"], "e d d/x"],
    ["a directory, a file, a directory", ["d/ d/x=1", "d=2", "d/ d/y=3"], "d d/y d/.wh..wh..opq"],
    ["nothing is left of a layer", ["a=1", "b=2", ".wh.b"], ".wh.b"],
    ["everything is removed", ["a=1 d/ d/x=1", "b=2", ".wh..wh..opq c=3"], "c .wh..wh..opq"],
  ];
  for (const [what, layers, names] of rows)
    test(what, async () => {
      const image = await imageOf(layers);
      const made = await squash(image, { from: 2 });
      assert.equal((await made.layers()).length, 2);
      assert.equal(await treeOf(made), await treeOf(image));
      assert.deepEqual((await namesIn(made, 1)).sort(), names.split(" ").sort());
    });

  test("whatever the layers are, the tree stays", async () => {
    /** The same each time. */
    let seed = 7;
    const chance = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const names = ["a", "b", "c"];
    const layer = (number: number): string => {
      const words = new Map<string, string>();
      for (let i = 0; i < 4; i++) {
        const parts = Array.from({ length: 1 + chance(3) }, () => names[chance(3)] as string);
        const path = parts.join("/");
        const isBelow = [...words.keys()].some(
          (other) => other !== path && (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)),
        );
        const last = parts.at(-1) as string;
        const folder = path.slice(0, -last.length);
        const kind = chance(6);
        if (isBelow && kind < 4) continue;
        if (kind < 2) words.set(path, `${path}=${number}`);
        else if (kind < 4) words.set(path, `${path}/`);
        else if (kind === 4) words.set(`${folder}.wh.${last}`, `${folder}.wh.${last}`);
        else words.set(`${path}/.wh..wh..opq`, `${path}/ ${path}/.wh..wh..opq`);
      }
      return [...words.values()].join(" ");
    };
    let tried = 0;
    for (let i = 0; i < 150; i++) {
      const image = await imageOf(Array.from({ length: 5 }, (_, k) => layer(k)));
      let before: string;
      try {
        before = await treeOf(image);
      } catch (error) {
        if (failsWith("ARCHIVE_INVALID", "UNSUPPORTED")(error)) continue;
        throw error;
      }
      const [from, to] = [1 + chance(4), 5];
      const made = await squash(image, { from, to: Math.max(from, to - chance(2)) });
      assert.equal(await treeOf(made), before, `${i}`);
      tried += 1;
    }
    assert.ok(tried > 50, `${tried}`);
  });

  test("hard links into layers below stay links, unless the file goes with the same layers", async () => {
    const image = async (last: Parameters<typeof filesTar>[0]): Promise<Image> =>
      imageFrom({
        config: { os: "linux", architecture: "amd64" },
        layers: [
          { content: filesTar([{ name: "f", content: text("f") }]), mediaType: mediaTypes.ociLayer },
          { content: filesTar([{ name: "l", type: "hardlink", linkName: "f" }]), mediaType: mediaTypes.ociLayer },
          { content: filesTar(last), mediaType: mediaTypes.ociLayer },
        ],
      });
    const linked = await squash(await image([{ name: "g", content: text("g") }]), { from: 2 });
    assert.deepEqual((await namesIn(linked, 1)).sort(), ["g", "l"]);
    const gone = await image([{ name: ".wh.f" }]);
    await assert.rejects(squash(gone, { from: 2 }), failsWith("UNSUPPORTED"));
    assert.deepEqual(await namesIn(await squash(gone, {}), 0), ["l"]);
    // What lies in a directory says that there is one, in the place of the file.
    const hidden = await image([{ name: "f/in", content: text("in") }]);
    await assert.rejects(squash(hidden, { from: 2 }), failsWith("UNSUPPORTED"));
    assert.deepEqual((await namesIn(await squash(hidden, {}), 0)).sort(), ["f/in", "l"]);
  });

  test("the history says what was made of what, and keeps steps without layers", async () => {
    const image = await imageOf(["a=1", "b=2", "c=3"]);
    const made = await squash(image, { from: 2, to: 3 });
    const [first, second] = (await made.config()).history ?? [];
    assert.deepEqual(first, { created_by: "layer 1" });
    const [, two, three] = await image.layers();
    assert.deepEqual(second, {
      created: "2020-01-01T00:00:00Z",
      created_by: `dray squash ${two?.descriptor.digest} ${three?.descriptor.digest}`,
      comment: '[{"created_by":"layer 2"},{"created_by":"layer 3"}]',
    });
    assert.equal((await squash(image, { from: -1 })).descriptor.digest, image.descriptor.digest);
    for (const range of [{ from: 4 }, { to: -4 }]) await assert.rejects(squash(image, range), failsWith("NOT_FOUND"));
    for (const range of [{ from: 0 }, { from: 1.5 }, { from: 3, to: 2 }])
      await assert.rejects(squash(image, range), failsWith("USAGE"));
  });

  test("a flat image is one layer with the tree of all, the same each time, and keeps its types", async () => {
    const image = await imageOf(["a=1 d/ d/x=1", ".wh.a d/y=2", "d/.wh.x"]);
    const { store, root } = await edit(image, flattened(memoryStore()));
    const made = (await viewOf(store, root)) as Image;
    assert.deepEqual((await validate(store, root)).findings, []);
    assert.equal(await treeOf(made), "d/ d/y=2");
    assert.deepEqual((await namesIn(made, 0)).sort(), ["d", "d/y"]);
    const { history, config: _, ...config } = await made.config();
    assert.equal(history?.length, 1);
    assert.equal(history?.[0]?.created_by, `dray flatten ${image.descriptor.digest}`);
    assert.equal(JSON.parse(history?.[0]?.comment ?? "").length, 3);
    assert.equal(config.created, "2020-01-01T00:00:00Z");
    assert.equal((await edit(image, flattened(memoryStore()))).root.digest, root.digest);
    const whole = await collect(exportTar(image), 1_000_000, "tar");
    assert.deepEqual(
      Buffer.from(await collect((await made.layers())[0]!.uncompressed(), 1_000_000, "layer")),
      Buffer.from(whole),
    );
  });
});
