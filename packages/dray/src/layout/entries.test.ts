import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { annotationKeys, type Descriptor, digestOf, type Index, mediaTypes, type Parsed } from "../oci/index.ts";
import { EditedIndex } from "./edited-index.ts";
import { emptyIndex, findNamed, hasEntry, listNames, namesOf } from "./entries.ts";

const withName = (before: Index, content: Descriptor, name: string): Index =>
  new EditedIndex(before).name(content, name).index;
const withEntry = (before: Index, content: Descriptor): Index => new EditedIndex(before).enter(content).index;
const withoutEntries = (before: Index, nameOrDigest: string): Index =>
  new EditedIndex(before).remove(nameOrDigest).index;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const bare = (content: string): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(text(content)),
  size: content.length,
});
const named = (content: string, name: string, containerd?: string): Descriptor => ({
  ...bare(content),
  annotations: {
    [annotationKeys.refName]: name,
    ...(containerd === undefined ? {} : { [annotationKeys.containerdName]: containerd }),
  },
});
const index = (...manifests: Descriptor[]): Index => ({ ...emptyIndex, manifests });
const [a, b, c] = [bare("a"), bare("b"), bare("c")];

/** What an index says, shortly: `a=name b` are two entries. */
const shown = ({ manifests }: Index): string =>
  manifests
    .map((entry) => {
      const content = ["a", "b", "c"].find((each) => digestOf(text(each)) === entry.digest);
      return [content, ...namesOf(entry)].join("=");
    })
    .join(" ");

describe("giving a name", () => {
  const cases: readonly [what: string, before: Index, content: Descriptor, name: string, after: string][] = [
    ["adds an entry", index(), a, "one", "a=one"],
    ["adds it last", index(named("a", "one")), b, "two", "a=one b=two"],
    ["again changes nothing", index(named("a", "one"), b), a, "one", "a=one b"],
    ["moves the name, in its place", index(named("a", "one"), named("b", "two")), c, "one", "c=one b=two"],
    ["keeps another name of the same content", index(named("a", "one")), a, "two", "a=one a=two"],
    ["names an unnamed entry of the same content in its place", index(a, named("b", "two")), a, "one", "a=one b=two"],
    ["takes the unnamed entry and the old holder together", index(named("b", "one"), a), a, "one", "a=one"],
    ["takes away the duplicates that others left", index(named("a", "one"), c, named("b", "one")), b, "one", "b=one c"],
    ["replaces containerd's name too", index(named("a", "3", "docker.io/x:3")), b, "docker.io/x:3", "b=docker.io/x:3"],
  ];
  for (const [what, before, content, name, after] of cases)
    it(what, () => assert.equal(shown(withName(before, content, name)), after));

  it("again gives back the very index, so that nothing is written", () => {
    const before = index(named("a", "one"));
    assert.equal(withName(before, a, "one"), before);
    assert.equal(withName(before, { ...a, annotations: { [annotationKeys.refName]: "elsewhere" } }, "one"), before);
  });

  it("drops names from elsewhere, keeps other annotations and members, and orders members as crane does", () => {
    const platform = { os: "linux", architecture: "amd64" };
    const from: Parsed<Descriptor> = {
      digest: a.digest,
      mediaType: a.mediaType,
      platform,
      size: 1,
      "x-unknown": 7,
      annotations: { keep: "me", [annotationKeys.refName]: "old", [annotationKeys.containerdName]: "older" },
    };
    assert.equal(
      JSON.stringify(withName(index(), from, "new").manifests[0]),
      `{"mediaType":"${a.mediaType}","size":1,"digest":"${a.digest}","annotations":{"keep":"me","${annotationKeys.refName}":"new"},"platform":{"os":"linux","architecture":"amd64"},"x-unknown":7}`,
    );
  });

  it("keeps unknown members of the index and of other entries, in their order", () => {
    const before = {
      "x-first": 1,
      schemaVersion: 2,
      manifests: [{ ...b, "x-b": [1] } as Descriptor],
      annotations: { k: "v" },
    } as Index;
    const after = withName(before, a, "one");
    assert.deepEqual(Object.keys(after), ["x-first", "schemaVersion", "manifests", "annotations"]);
    assert.equal(after.manifests[0], before.manifests[0]);
  });
});

describe("an entry without a name", () => {
  it("is added once, and not beside a named one", () => {
    const once = withEntry(index(), a);
    assert.equal(shown(once), "a");
    assert.equal(withEntry(once, a), once);
    const before = index(named("a", "one"));
    assert.equal(withEntry(before, a), before);
  });
});

describe("names", () => {
  it("are found by either annotation, the last entry first", () => {
    const all = index(named("a", "3"), named("b", "3"), named("c", "4", "docker.io/x:4"));
    assert.equal(findNamed(all, "3")?.digest, b.digest);
    assert.equal(findNamed(all, "docker.io/x:4")?.digest, c.digest);
    assert.equal(findNamed(all, "4")?.digest, c.digest);
    assert.equal(findNamed(all, "5"), undefined);
    assert.equal(findNamed(index(a), ""), undefined);
  });

  it("prefer the specification's annotation over containerd's", () => {
    const all = index(named("a", "x"), named("b", "y", "x"));
    assert.equal(findNamed(all, "x")?.digest, a.digest);
  });

  it("are listed once each, sorted", () => {
    assert.deepEqual(listNames(index(named("b", "two"), a, named("c", "one"), named("a", "two"))), ["one", "two"]);
  });
});

describe("changes one after the other", () => {
  it("see each other", () => {
    const edited = new EditedIndex(index(named("a", "one"), b, named("c", "two", "docker.io/x:2")));
    edited.name(b, "two").enter(b).name(c, "one").remove("two").name(a, "three").enter(c);
    assert.equal(shown(edited.index), "c=one a=three");
    assert.equal(edited.find("three")?.digest, a.digest);
    assert.equal(edited.find(c.digest)?.annotations?.[annotationKeys.refName], "one");
    assert.equal(edited.find("two"), undefined);
    assert.equal(shown(edited.name(b, "one").remove(a.digest).name(a, "one").index), "a=one");
  });
});

describe("removing entries", () => {
  it("goes by name or digest, and gives back the very index where there is none", () => {
    const before = index(named("a", "one"), named("a", "two"), b);
    assert.equal(shown(withoutEntries(before, "one")), "a=two b");
    assert.equal(shown(withoutEntries(before, a.digest)), "b");
    assert.equal(withoutEntries(before, "three"), before);
    for (const [each, there] of [
      ["one", true],
      [a.digest, true],
      ["three", false],
    ] as const)
      assert.equal(hasEntry(before, each), there);
  });
});
