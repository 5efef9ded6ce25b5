import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { attach, type MemoryStore, memoryStore, putManifest } from "../content/index.ts";
import { type CopyPair, copyAll } from "../copy/index.ts";
import { type FileSystem, nodeFiles, type OpenFile } from "../files/index.ts";
import { type Descriptor, packManifest } from "../oci/index.ts";
import { listNames } from "./entries.ts";
import { type LayoutStore, layoutStore, ociArchive } from "./index.ts";

interface Work {
  /** Calls of the file system. */
  operations: number;
  /** Bytes of index.json that were written. */
  indexBytes: number;
  otherBytes: number;
}

/** A file system that counts what is asked of it. */
const counting = (): { readonly fs: FileSystem; readonly work: Work } => {
  const work = { operations: 0, indexBytes: 0, otherBytes: 0 };
  const counted = <R>(called: Promise<R>): Promise<R> => {
    work.operations++;
    return called;
  };
  const open = async (path: string, flags: string | number, mode?: number): Promise<OpenFile> => {
    work.operations++;
    const file = await nodeFiles.open(path, flags, mode);
    const isIndex = /index\.[^/]*tmp$/.test(path);
    return {
      read: file.read.bind(file),
      write: async (buffer, offset, length, position) => {
        const written = await file.write(buffer, offset, length, position);
        work[isIndex ? "indexBytes" : "otherBytes"] += written.bytesWritten;
        return written;
      },
      stat: file.stat.bind(file),
      truncate: file.truncate.bind(file),
      sync: file.sync.bind(file),
      close: file.close.bind(file),
    };
  };
  const fs: FileSystem = {
    ...nodeFiles,
    lstat: (path) => counted(nodeFiles.lstat(path)),
    readFile: (path) => counted(nodeFiles.readFile(path)),
    readdir: (path) => counted(nodeFiles.readdir(path)),
    stat: (path) => counted(nodeFiles.stat(path)),
    realpath: (path) => counted(nodeFiles.realpath(path)),
    rename: (from, to) => counted(nodeFiles.rename(from, to)),
    unlink: (path) => counted(nodeFiles.unlink(path)),
    open,
  };
  return { fs, work };
};

const note = (text: string, more: object = {}): ReturnType<typeof packManifest> =>
  packManifest({ artifactType: "application/vnd.acme.note", annotations: { text }, ...more });

/** So many images, each signed. */
const signed = async (count: number): Promise<MemoryStore> => {
  const store = memoryStore();
  for (let i = 0; i < count; i++) {
    const image = await putManifest(store, note(`${i}`), { tags: [`v${i}`] });
    await attach(store, image, { artifactType: "application/vnd.acme.signature", annotations: { text: `${i}` } });
  }
  return store;
};

type Store = CopyPair["target"]["store"] & CopyPair["source"]["store"];

const pairsOf = (count: number, from: Store, to: Store): CopyPair[] =>
  Array.from({ length: count }, (_, i) => ({
    source: { store: from, name: `v${i}`, location: `from:v${i}` },
    target: { store: to, name: `v${i}`, location: `to:v${i}` },
  }));

const copied = async (count: number, from: Store, to: Store): Promise<void> => {
  const { outcomes } = await copyAll(pairsOf(count, from, to), { referrers: true });
  for (const { error } of outcomes) assert.equal(error, undefined);
};

const count = 40;

/** What is done for `count` and for twice as many. */
const twice = async (act: (count: number, dir: string, fs: FileSystem) => Promise<void>): Promise<[Work, Work]> => {
  const done: Work[] = [];
  for (const many of [count, 2 * count]) {
    const { fs, work } = counting();
    await act(many, temporaryFolder("linear"), fs);
    done.push({ ...work });
  }
  return done as [Work, Work];
};

/** Twice as many take twice the work, and what is done once for all. */
const assertLinear = ([once, double]: [Work, Work]): void => {
  assert.ok(once.operations >= count, `${once.operations} operations are counted`);
  assert.ok(
    double.operations <= 2.3 * once.operations,
    `${once.operations} operations for ${count}, ${double.operations} for ${2 * count}`,
  );
};

describe("thousands of signed images in a layout take as long each as one", () => {
  it("when they are copied there, and the index is written a few times only", async () => {
    const works = await twice(async (many, dir, fs) => {
      await copied(many, await signed(many), layoutStore(dir, { fs }));
      const index = readFileSync(`${dir}/index.json`, "utf8");
      assert.equal(JSON.parse(index).manifests.length, 2 * many);
    });
    assertLinear(works);
    for (const [i, { indexBytes, otherBytes }] of works.entries()) {
      const last = (i + 1) * count * 2 * 330;
      assert.ok(indexBytes <= 6 * last + otherBytes, `${indexBytes} bytes of index for ${otherBytes} of content`);
    }
  });

  const again: readonly [what: string, act: (many: number, dir: string, fs: FileSystem) => Promise<void>][] = [
    ["copied again", async (many, dir, fs) => copied(many, await signed(many), layoutStore(dir, { fs }))],
    ["copied from there", async (many, dir, fs) => copied(many, layoutStore(dir, { fs }), memoryStore())],
    [
      "copied from there to another",
      async (many, dir, fs) => copied(many, layoutStore(dir, { fs }), layoutStore(`${dir}/other`, { fs })),
    ],
    [
      "copied again among as many new ones",
      async (many, dir, fs) => copied(2 * many, await signed(2 * many), layoutStore(dir, { fs })),
    ],
    [
      "asked for by name and digest",
      async (many, dir, fs) => {
        const store = layoutStore(dir, { fs });
        for (let i = 0; i < many; i++) {
          const { digest } = await store.resolve(`v${i}`);
          assert.equal((await store.resolve(digest)).digest, digest);
        }
      },
    ],
    [
      "removed side by side",
      async (many, dir, fs) => {
        const store = layoutStore(dir, { fs });
        await Promise.all(Array.from({ length: many }, (_, i) => store.remove(`v${i}`)));
        await store.close();
      },
    ],
  ];
  for (const [what, act] of again)
    it(`when they are ${what}`, async () => {
      const works = await twice(async (many, dir, fs) => {
        await copied(many, await signed(many), layoutStore(dir));
        await act(many, dir, fs);
      });
      assertLinear(works);
    });

  it("when the layout is sparse: each index names a platform that is not there", async () => {
    const works = await twice(async (many, dir, fs) => {
      const source = await signed(many);
      const store = layoutStore(dir);
      await copied(many, source, store);
      const gone = await putManifest(source, note("gone"));
      for (let i = 0; i < many; i++) {
        const absent = { ...gone, digest: gone.digest.replace(/.{6}$/, `${100_000 + i}`) as Descriptor["digest"] };
        const index = { schemaVersion: 2 as const, manifests: [absent], annotations: { i: `${i}` } };
        await putManifest(store, index, { tags: i === 0 ? ["sparse"] : [] });
        await attach(store, await store.resolve(`v${i}`), { artifactType: "x/index" });
      }
      await store.close();
      await copied(many, source, layoutStore(dir, { fs }));
    });
    assertLinear(works);
  });

  it("when they lie in an archive", async () => {
    const works = await twice(async (many, dir, fs) => {
      const file = `${dir}/bundle.tar`;
      await copied(many, await signed(many), ociArchive(file, { fs }));
      await copied(many, ociArchive(file, { fs }), memoryStore());
    });
    assertLinear(works);
    const [once, double] = works.map(({ otherBytes }) => otherBytes) as [number, number];
    assert.ok(double < 2.1 * once, `${once} bytes for ${count}, ${double} for ${2 * count}`);
  });

  it("names of an index that stays as it is are listed once, though each that is unknown is told with them", () => {
    const index = { schemaVersion: 2 as const, manifests: [] };
    assert.equal(listNames(index), listNames(index));
  });
});

describe("a name that may wait until the end", () => {
  const inFile = (dir: string): string[] => {
    const index = JSON.parse(readFileSync(`${dir}/index.json`, "utf8")) as { manifests: Descriptor[] };
    return index.manifests.flatMap(({ annotations }) => Object.values(annotations ?? {}));
  };
  const named = async (dir: string, fs: FileSystem = nodeFiles): Promise<[LayoutStore, Descriptor]> => {
    const store = layoutStore(dir, { fs });
    const image = await putManifest(store, note("image"));
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.tag(image, `old${i}`)));
    return [store, image];
  };

  it("is written when somebody asks for it, by name or digest, with all others, and at the end", async () => {
    const dir = temporaryFolder("late");
    const [store, image] = await named(dir);
    const asks: readonly (() => Promise<unknown>)[] = [
      async () => assert.equal((await store.resolve("new0")).digest, image.digest),
      () => store.resolve(image.digest),
      async () => assert.ok((await Array.fromAsync(store.tags())).includes("new2")),
      () => store.remove("new3"),
      () => store.close({ abort: true }),
      () => store.close(),
    ];
    for (const [i, ask] of asks.entries()) {
      await store.tag(image, `new${i}`, { atClose: true });
      assert.ok(!inFile(dir).includes(`new${i}`), "it waits");
      await store.resolve("old1");
      assert.ok(!inFile(dir).includes(`new${i}`), "nobody asked for it");
      await ask();
      assert.equal(inFile(dir).includes(`new${i}`), i !== 3);
    }
  });

  it("waits only until there is one for every four entries, or content as long as the index", async () => {
    const dir = temporaryFolder("due");
    const [store, image] = await named(dir);
    for (let i = 0; i < 5; i++) await store.tag(image, `few${i}`, { atClose: true });
    assert.ok(!inFile(dir).includes("few0"));
    await store.tag(image, "few5", { atClose: true });
    assert.ok(inFile(dir).includes("few5"));
    await store.tag(image, "waits", { atClose: true });
    assert.ok(!inFile(dir).includes("waits"));
    const large = await putManifest(store, note("large".repeat(5_000)));
    await store.tag(large, "large", { atClose: true });
    assert.ok(inFile(dir).includes("waits") && inFile(dir).includes("large"));
    await store.close();
  });

  it("is told of at the end where the disk refuses it, and written by the next attempt", async () => {
    const dir = temporaryFolder("refused");
    let isFull = false;
    const rename: FileSystem["rename"] = async (from, to) => {
      if (isFull) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      await nodeFiles.rename(from, to);
    };
    const [store, image] = await named(dir, { ...nodeFiles, rename });
    await store.tag(image, "new", { atClose: true });
    isFull = true;
    await assert.rejects(store.close(), { code: "DISK" });
    assert.ok(!inFile(dir).includes("new"));
    isFull = false;
    await store.close();
    assert.ok(inFile(dir).includes("new"));
  });
});
