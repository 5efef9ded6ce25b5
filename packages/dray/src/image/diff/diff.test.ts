import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ImageFacts, imageOfTars } from "../../../test/layered-image.ts";
import { type Given, tarOf } from "../../../test/tar-of.ts";
import type { ReadableStore } from "../../content/index.ts";
import { type Image, viewOf } from "../views.ts";
import { type DiffOptions, diff, type FileChange, type ImageDiff } from "./index.ts";

const dir = (name: string, more: Partial<Given> = {}): Given => ({ name, type: "directory", mode: 0o755, ...more });
const file = (name: string, body = name, more: Partial<Given> = {}): Given => ({ name, body, ...more });
const made = (layers: readonly (readonly Given[])[], facts: ImageFacts = {}): Promise<Image> =>
  imageOfTars(layers.map(tarOf), facts);
const shown = ({ change, path, aspects, shared }: FileChange): string =>
  `${change} ${path}${aspects.length === 0 ? "" : ` ${aspects.join()}`}${shared ? " shared" : ""}`;
const filesOf = (found: ImageDiff): string[] => [...found.files()].map(shown);
const files = async (
  one: readonly (readonly Given[])[],
  other: readonly (readonly Given[])[],
  options?: DiffOptions,
): Promise<string[]> => filesOf(await diff(await made(one), await made(other), options));

describe("the difference of two images", () => {
  test("is nothing for an image and itself, and for one whose layers stand in another order or are compressed in another way", async () => {
    const [one, two] = [[file("a")], [file("b")]];
    const image = await made([one, two]);
    const same = await diff(image, image);
    assert.deepEqual(
      [same.differs, filesOf(same), same.said, same.layers],
      [false, [], [], { before: [], after: [], shared: 2 }],
    );
    const turned = await diff(image, await made([two, one]));
    assert.deepEqual([turned.layers.shared, filesOf(turned)], [2, []]);
    const stored = await diff(image, await made([one, two], { compress: (tar) => tar }));
    assert.deepEqual([stored.layers.shared, stored.differs, filesOf(stored)], [2, false, []]);
    assert.ok(stored.size.before !== stored.size.after);
  });

  test("of files is told by what was added, removed and changed, and in what", async () => {
    const before = [
      [
        dir("d/"),
        file("d/content", "one"),
        file("d/mode", "x"),
        file("d/owner", "x", { uid: 1 }),
        file("d/type", "x"),
        file("d/same", "x", { mtime: 1 }),
        { name: "d/link", type: "symlink", linkName: "a" } as const,
        file("d/caps", "x", { pax: { "SCHILY.xattr.security.capability": "a" } }),
        { name: "d/null", type: "character-device", deviceMajor: 1, deviceMinor: 3 } as const,
        file("gone/x"),
      ],
      [file("d/.wh.nothing")],
    ];
    const after = [
      [
        dir("d/", { mode: 0o700 }),
        file("d/content", "two"),
        file("d/mode", "x", { mode: 0o4755 }),
        file("d/owner", "x", { gid: 2 }),
        dir("d/type/"),
        file("d/same", "x", { mtime: 2 }),
        { name: "d/link", type: "symlink", linkName: "b" } as const,
        file("d/caps", "x", { pax: { "SCHILY.xattr.security.capability": "b" } }),
        { name: "d/null", type: "character-device", deviceMajor: 1, deviceMinor: 5 } as const,
        file("new/y"),
      ],
    ];
    const expected = [
      "changed /d mode",
      "changed /d/caps attributes",
      "changed /d/content content",
      "changed /d/link link",
      "changed /d/mode mode",
      "changed /d/null device",
      "changed /d/owner owner",
      "changed /d/type type",
    ];
    // A directory without an entry is one.
    assert.deepEqual(await files(before, after), [
      ...expected,
      "removed /gone",
      "removed /gone/x",
      "added /new",
      "added /new/y",
    ]);
    const found = await diff(await made(before), await made(after));
    const change = [...found.files()].find(({ path }) => path === "/d/content");
    assert.deepEqual(
      [change?.before?.size, change?.before?.layer, change?.after?.layer],
      [3, found.layers.before[0]?.digest, found.layers.after[0]?.digest],
    );
  });

  test("takes a hard link for the file that it stands for", async () => {
    const hard: Given = { name: "b", type: "hardlink", linkName: "a" };
    assert.deepEqual(await files([[file("a", "x"), file("b", "x")]], [[file("a", "x"), hard]]), []);
    assert.deepEqual(await files([[file("a", "x"), hard]], [[file("a", "y"), hard]]), [
      "changed /a content",
      "changed /b content",
    ]);
    assert.deepEqual(await files([[file("a", "x")], [hard]], [[file("a", "x"), file("b", "z")]]), [
      "changed /b content",
    ]);
  });

  test("is read from the layers that differ alone: two of six on each side", async () => {
    const base = Array.from({ length: 4 }, (_, i) => [dir("etc/"), file(`etc/${i}`), file("etc/os", `${i}`)]);
    const one = await counted([...base, [dir("etc/"), file("etc/os", "a")], [file("app", "1")]]);
    const other = await counted([
      ...base,
      [dir("opt/"), file("etc/os", "b"), file("opt/new")],
      [file("app", "2"), file("etc/.wh.0")],
    ]);
    const found = await diff(one.image, other.image);
    assert.deepEqual([one.reads.size, other.reads.size], [2, 2]);
    assert.deepEqual(filesOf(found), [
      "changed /app content",
      "added /etc/0 shared".replace("added", "removed"),
      "changed /etc/os content",
      "added /opt/new shared",
    ]);
    assert.deepEqual([found.layers.shared, found.layers.before.length, found.layers.after.length], [4, 2, 2]);
    for (const reads of [one.reads, other.reads]) reads.clear();
    const whole = await diff(one.image, other.image, { sharedLayers: true });
    assert.deepEqual([one.reads.size, other.reads.size], [6, 6]);
    assert.deepEqual(filesOf(whole), [
      "changed /app content",
      "removed /etc/0",
      "changed /etc/os content",
      "added /opt",
      "added /opt/new",
    ]);
  });

  test("tells what layers take away, also of directories, from what was never there", async () => {
    const base = [file("d/a"), file("d/b"), file("e/a")];
    assert.deepEqual(await files([base, [file("d/.wh.a")]], [base]), ["added /d/a shared"]);
    assert.deepEqual(await files([base, [file("d/.wh.a")]], [base], { sharedLayers: true }), ["added /d/a"]);
    assert.deepEqual(await files([base, [file(".wh.d"), file("d/c")]], [base, [file("d/c")]]), []);
    assert.deepEqual(
      await files([base, [file("d/.wh..wh..opq"), file("d/c")]], [base, [file("d/a", "new"), file("d/c")]]),
      ["added /d/a"],
    );
    assert.deepEqual(await files([base], [base, [file(".wh.d")], [file("d", "a file")]], { sharedLayers: true }), [
      "changed /d type",
      "removed /d/a",
      "removed /d/b",
    ]);
  });

  test("of what images say of themselves", async () => {
    const config = { os: "linux", architecture: "amd64", created: "2020-01-01T00:00:00Z" };
    const layers = [[file("a")]];
    const one = await made(layers, {
      config: {
        ...config,
        config: {
          Env: ["A=1", "B=2", "C="],
          Cmd: null,
          User: "root",
          Labels: { l: "1", "": "x" },
          Odd: { a: 1, b: 2 },
        },
      },
      annotations: { x: "1" },
    });
    const other = await made(layers, {
      config: {
        ...config,
        variant: "v2",
        config: { Env: ["C=", "B=3", "A=0", "A=1", "D=4=5"], Cmd: [], Labels: { l: "2" }, Odd: { b: 2, a: 1 } },
      },
      annotations: { y: "2" },
    });
    const { said, differs } = await diff(one, other);
    assert.ok(differs);
    assert.deepEqual(
      said.map(({ kind, name, before, after }) => [kind, name, before, after]),
      [
        ["environment", "B", "2", "3"],
        ["environment", "D", undefined, "4=5"],
        ["label", "", "x", undefined],
        ["label", "l", "1", "2"],
        ["configuration", "config.User", "root", undefined],
        ["configuration", "variant", undefined, "v2"],
        ["annotation", "x", "1", undefined],
        ["annotation", "y", undefined, "2"],
      ],
    );
  });

  test("of packages", async () => {
    const status = (...packages: string[]): string =>
      packages
        .map(
          (each) =>
            `Package: ${each.split("=")[0]}\nStatus: install ok installed\nVersion: ${each.split("=")[1]}\nArchitecture: all\n`,
        )
        .join("\n");
    const base = [file("base")];
    const dpkg = (...packages: string[]): Given[] => [file("var/lib/dpkg/status", status(...packages))];
    const found = await diff(
      await made([base, dpkg("a=1", "b=1", "c=1")]),
      await made([base, dpkg("b=2", "c=1", "d=1")]),
    );
    assert.deepEqual(
      found.packages.changes.map(({ name, before, after, database }) => [name, before, after, database]),
      [
        ["a", "1", undefined, "/var/lib/dpkg/status"],
        ["b", "1", "2", "/var/lib/dpkg/status"],
        ["d", undefined, "1", "/var/lib/dpkg/status"],
      ],
    );
    assert.deepEqual(found.packages.unread, []);
    // What only one of them has changed is known with the layers that both have.
    const [old, newer] = [await made([dpkg("a=1")]), await made([dpkg("a=1"), dpkg("a=1", "b=1")])];
    const part = (await diff(old, newer)).packages;
    assert.deepEqual([part.changes, part.unread.map(({ database }) => database)], [[], ["/var/lib/dpkg/status"]]);
    const whole = (await diff(old, newer, { sharedLayers: true })).packages;
    assert.deepEqual([whole.changes.map(({ name }) => name), whole.unread], [["b"], []]);
    // As many of one name as somebody wants, which are compared in one go.
    const many = (count: number): Given => {
      const versions = Array.from({ length: count }, (_, i) => `Package: a\nVersion: ${i % 3}\n`);
      return file("var/lib/dpkg/status", versions.join("\n"));
    };
    const again = (await diff(await made([[many(150_000)]]), await made([[many(2)]]))).packages;
    assert.deepEqual(
      again.changes.map(({ before, after }) => [before, after]),
      [["0, 1, 2", "0, 1"]],
    );
    // A file for each package says all there is to say of that one.
    const distroless = (name: string, version: string): Given =>
      file(`var/lib/dpkg/status.d/${name}`, `Package: ${name}\nVersion: ${version}\n`);
    const apart = (
      await diff(
        await made([base, [distroless("a", "1"), distroless("b", "1")]]),
        await made([base, [distroless("a", "2"), file("var/lib/dpkg/status.d/a.md5sums", "x")]]),
      )
    ).packages;
    assert.deepEqual(
      apart.changes.map(({ name, before, after }) => [name, before, after]),
      [
        ["a", "1", "2"],
        ["b", "1", undefined],
      ],
    );
    const bdb = (
      await diff(await made([[file("var/lib/rpm/Packages", "x")]]), await made([[file("var/lib/rpm/Packages", "y")]]))
    ).packages;
    assert.match(bdb.unread[0]?.reason ?? "", /Berkeley/);
  });
});

/** An image that counts which of its layers are read. */
const counted = async (layers: readonly (readonly Given[])[]): Promise<{ image: Image; reads: Set<string> }> => {
  const image = await made(layers);
  const reads = new Set<string>();
  const store: ReadableStore = {
    resolve: (name) => image.store.resolve(name),
    read: (descriptor, options) => {
      if (/layer/.test(descriptor.mediaType)) reads.add(descriptor.digest);
      return image.store.read(descriptor, options);
    },
  };
  const view = await viewOf(store, image.descriptor);
  assert.ok(view.kind === "image");
  return { image: view, reads };
};
