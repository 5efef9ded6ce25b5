import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { createContext } from "../context.ts";
import {
  blobFolder,
  blobPath,
  currentLink,
  historyLink,
  layerFolder,
  revisionFolder,
  tagFolder,
  tagsPath,
  typePath,
  untaggedPath,
  uploadFolder,
} from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { memoryDriver } from "../storage/index.ts";
import type { Decision } from "./types.ts";

const hour = 3_600_000;
const day = 24 * hour;

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** An empty registry, started yesterday. `put` and `link` make things that are a week old, unless told otherwise. */
const setUp = async ({ age, ...gc }: { untagged?: number; age?: number } = {}) => {
  const clock = { now: 100 * day };
  const now = (): number => clock.now;
  const driver = memoryDriver({ now });
  const notices: Notice[] = [];
  const context = createContext({
    driver,
    now,
    recheckAfter: 0,
    gc: { grace: day, lease: hour, share: 1, ...gc },
    ...(age === undefined ? {} : { uploads: { age } }),
    onNotice: (notice) => notices.push(notice),
  });
  clock.now += day;
  const at = (age: number) => ({ mtime: clock.now - age });
  const put = (bytes: Uint8Array, age = 7 * day): Digest => {
    const digest = digestOf(bytes);
    driver.putSync(blobPath(digest), bytes, at(age));
    return digest;
  };
  const link = (repository: string, digest: Digest, age = 7 * day): void =>
    driver.putSync(`${layerFolder(repository, digest)}/link`, text(digest), at(age));
  const revise = (repository: string, digest: Digest, age = 7 * day): void =>
    driver.putSync(`${revisionFolder(repository, digest)}/link`, text(digest), at(age));
  const manifest = (repository: string, content: object, age = 7 * day): Digest => {
    const digest = put(encodeJson({ schemaVersion: 2, ...content }), age);
    revise(repository, digest, age);
    return digest;
  };
  const image = (repository: string, layers: readonly Digest[], age?: number): Digest => {
    const described = layers.map((digest) => ({ mediaType: "a/layer", digest, size: 1 }));
    return manifest(repository, { mediaType: mediaTypes.ociManifest, config: described[0], layers: described }, age);
  };
  const list = (repository: string, children: readonly Digest[], more: object = {}): Digest => {
    const manifests = children.map((digest) => ({ mediaType: mediaTypes.ociManifest, digest, size: 1 }));
    return manifest(repository, { mediaType: mediaTypes.ociIndex, manifests, ...more });
  };
  const has = (path: string): boolean => driver.getSync(path) !== undefined;
  /** How long ago the last tag came to the repository `one`, or went. */
  const tagsCameAt = (age: number): void => driver.dateSync(tagsPath("one"), clock.now - age);
  return { ...context, clock, driver, notices, put, link, revise, manifest, image, list, has, tagsCameAt };
};

describe("the collector", () => {
  it("gives back what nothing uses, and tells what that was", async () => {
    const { collector, put, link, image, has, notices, close } = await setUp();
    const [used, unlinked, dangling] = [put(text("used")), put(text("unlinked")), put(text("dangling"))];
    const young = put(text("young"), hour);
    for (const digest of [used, unlinked]) link("one", digest);
    const root = image("one", [used]);
    const decisions: Decision[] = [];
    const { seconds, ...collected } = await collector.collect({ onDecision: (decision) => decisions.push(decision) });
    assert.deepEqual(collected, {
      manifests: 0,
      layers: 1,
      blobs: 2,
      uploads: 0,
      bytes: 16,
      kept: 1,
      unreadable: [],
      tags: 0,
      repositories: 0,
      held: [],
      troubles: 0,
      dryRun: false,
    });
    assert.ok(seconds >= 0);
    const reasons = new Map(
      decisions.map(({ kind, digest, action, reason }) => [`${kind} ${digest}`, [action, reason]]),
    );
    assert.deepEqual(reasons.get(`layer ${unlinked}`), [
      "remove",
      "no manifest of its repository needs it, written 7 days ago",
    ]);
    assert.deepEqual(reasons.get(`blob ${unlinked}`), ["remove", "nothing uses it, written 7 days ago"]);
    assert.deepEqual(reasons.get(`blob ${young}`), [
      "keep",
      "written 60 minutes ago, which is within the grace of 24 hours",
    ]);
    assert.deepEqual(
      [used, root, young].map((digest) => has(blobPath(digest))),
      [true, true, true],
    );
    assert.deepEqual(
      [unlinked, dangling].map((digest) => has(blobPath(digest))),
      [false, false],
    );
    assert.deepEqual(
      notices.map(({ message }) => message),
      ["gc removed 0 manifests, 1 link, 2 blobs and 0 uploads: 16 B"],
    );
    await close();
  });

  it("runs once at a time", async () => {
    const { collector, close } = await setUp();
    const first = collector.collect();
    assert.equal(collector.state().running, true);
    await assert.rejects(collector.collect(), (error) => isDrayError(error, "LOCKED"));
    const collected = await first;
    assert.deepEqual(collector.state(), { running: false, last: collected });
    assert.equal((await collector.collect({ dryRun: true })).dryRun, true);
    await close();
  });

  it("sweeps nothing within one lease of the start, and says until when; a dry run does not wait", async () => {
    const { clock, collector, leases, put, image, has, notices, close } = await setUp();
    image("one", [put(text("layer"))]);
    const garbage = put(text("garbage"));
    clock.now -= day - hour + 1000;
    assert.equal(leases.wait, 1000);
    const { blobs, notBefore } = await collector.collect({ grace: 0 });
    assert.deepEqual([blobs, notBefore, has(blobPath(garbage))], [0, clock.now + 1000, true]);
    assert.match(notices[0]?.message ?? "", /nothing is collected yet: .* for 1 more seconds/);
    assert.equal((await collector.collect({ grace: 0, dryRun: true })).blobs, 1);
    clock.now += leases.wait;
    assert.equal((await collector.collect({ grace: 0 })).blobs, 1);
    await close();
  });

  it("ends when it is told to, before it begins and while it works", async () => {
    const { collector, put, image, close } = await setUp();
    image("one", [put(text("layer"))]);
    for (let i = 0; i < 100; i++) put(text(`garbage ${i}`));
    const reason = new Error("enough");
    await assert.rejects(collector.collect({ signal: AbortSignal.abort(reason) }), { code: "ABORTED", cause: reason });
    const abort = new AbortController();
    const onDecision = (): void => abort.abort(reason);
    await assert.rejects(collector.collect({ signal: abort.signal, onDecision }), { code: "ABORTED", cause: reason });
    const { blobs } = await collector.collect();
    assert.ok(blobs > 0 && blobs < 100, `${blobs} were left`);
    await close();
  });

  it("ends when it is told to while it waits for the index", async () => {
    const { collector, driver, close } = await setUp();
    const list = driver.list.bind(driver);
    const stuck = Promise.withResolvers<undefined>();
    driver.list = () => stuck.promise;
    const abort = new AbortController();
    const reason = new Error("enough");
    const running = collector.collect({ signal: abort.signal });
    setTimeout(() => abort.abort(reason), 10);
    await assert.rejects(running, { code: "ABORTED", cause: reason });
    driver.list = list;
    stuck.resolve(undefined);
    await close();
  });

  // zot #4318: a walk that follows every path through nested indexes takes longer than the world lasts.
  it("looks at each manifest of a deep nest once", { timeout: 60_000 }, async () => {
    const { clock, collector, tree, put, image, list, has, close } = await setUp({ untagged: 0 });
    const layer = put(text("layer"));
    let below = [image("one", [layer]), list("one", [layer])];
    for (let i = 0; i < 60; i++) {
      const annotations = (side: string) => ({ annotations: { side } });
      below = [list("one", below, annotations("left")), list("one", below, annotations("right"))];
    }
    const root = list("one", below);
    await tree.setTag("one", "top", root);
    assert.equal((await collector.collect()).manifests, 0);
    await tree.removeTag("one", "top");
    assert.equal((await collector.collect()).manifests, 0, "another program took it: from when that is seen");
    clock.now += 2 * day;
    assert.equal((await collector.collect()).manifests, 123);
    assert.equal(has(blobPath(layer)), false);
    await close();
  });

  it("keeps what an index contains and refers to at once, or lets both go", async () => {
    const { clock, collector, tree, put, image, list, has, close } = await setUp({ untagged: 0 });
    const child = image("one", [put(text("layer"))]);
    const subject = { mediaType: mediaTypes.ociManifest, digest: child, size: 1 };
    const both = list("one", [child], { subject });
    await tree.setTag("one", "child", child);
    assert.equal((await collector.collect()).manifests, 0, "a referrer of a live one");
    await tree.removeTag("one", "child");
    assert.equal((await collector.collect()).manifests, 0, "another program took it: from when that is seen");
    clock.now += 2 * day;
    assert.equal((await collector.collect()).manifests, 2);
    assert.deepEqual([has(blobPath(child)), has(blobPath(both))], [false, false]);
    await close();
  });

  it("ends where the index says that manifests contain each other", async () => {
    const { collector, metadata, reconciler, put, image, has, close } = await setUp({ untagged: 0 });
    const digests = [0, 1, 2].map((number) => image("one", [put(text(`layer ${number}`))]));
    await reconciler.reconciled();
    for (const [i, digest] of digests.entries()) {
      const known = metadata.manifest("one", digest);
      assert.ok(known !== undefined);
      metadata.putManifest("one", { ...known, references: [...known.references, digests[(i + 1) % 3] as Digest] });
    }
    assert.equal((await collector.collect()).manifests, 3);
    assert.deepEqual(
      digests.map((digest) => has(blobPath(digest))),
      [false, false, false],
    );
    await close();
  });

  it("counts retention from when the last tag left, as the tags' histories in the tree have it", async () => {
    const { clock, collector, driver, put, image, tagsCameAt, close } = await setUp({ untagged: 30 * day });
    const was = (tag: string, digest: Digest, age: number): void =>
      driver.putSync(historyLink("one", tag, digest), text(digest), { mtime: clock.now - age });
    const is = (tag: string, digest: Digest, age: number): void => {
      was(tag, digest, age);
      driver.putSync(currentLink("one", tag), text(digest), { mtime: clock.now - age });
    };
    const [first, second, third, never] = ["first", "second", "third", "never"].map((name) =>
      image("one", [put(text(name), 90 * day)], 90 * day),
    ) as [Digest, Digest, Digest, Digest];
    was("latest", first, 80 * day);
    was("latest", second, 60 * day);
    is("latest", third, hour);
    tagsCameAt(80 * day);
    const decisions: Decision[] = [];
    const collect = async (): Promise<Digest[]> => {
      decisions.length = 0;
      await collector.collect({ onDecision: (decision) => decisions.push(decision) });
      return decisions.flatMap(({ kind, action, digest }) =>
        kind === "manifest" && action === "remove" && digest !== undefined ? [digest] : [],
      );
    };
    assert.deepEqual(new Set(await collect()), new Set([first, never]), "one left 60 days ago, one never came");
    assert.deepEqual(
      decisions.filter(({ digest, action }) => digest === second && action === "keep").map(({ reason }) => reason),
      ["no tag, but its last tag left it 60 minutes ago; untagged ones stay for 30 days"],
    );
    clock.now += 29 * day;
    assert.deepEqual(await collect(), []);
    clock.now += 2 * day;
    assert.deepEqual(await collect(), [second]);
    await close();
  });

  it("counts it from the last of several tags, and from the time of the link where the history begins later", async () => {
    const { clock, collector, driver, put, image, tagsCameAt, close } = await setUp({ untagged: 30 * day });
    const at = (path: string, digest: Digest, age: number): void =>
      driver.putSync(path, text(digest), { mtime: clock.now - age });
    const [old, next] = ["old", "next"].map((name) => image("one", [put(text(name), 90 * day)], 90 * day)) as [
      Digest,
      Digest,
    ];
    for (const [tag, age] of [
      ["a", 50 * day],
      ["b", day],
    ] as const) {
      at(historyLink("one", tag, old), old, 80 * day);
      // No history of what it stands for now: as a program leaves it that knows none.
      at(currentLink("one", tag), next, age);
    }
    tagsCameAt(80 * day);
    assert.equal((await collector.collect()).manifests, 0);
    clock.now += 30 * day;
    assert.equal((await collector.collect()).manifests, 1);
    await close();
  });

  it("counts it from when another program took the last tag with its history, whether the index is lost or not", async () => {
    for (const isLost of [true, false]) {
      const { clock, collector, reconciler, driver, put, image, has, tagsCameAt, close } = await setUp({
        untagged: 30 * day,
      });
      const digest = image("one", [put(text("x"), 60 * day)], 60 * day);
      for (const path of [historyLink("one", "v1", digest), currentLink("one", "v1")])
        driver.putSync(path, text(digest), { mtime: clock.now - 60 * day });
      tagsCameAt(60 * day);
      await reconciler.reconciled();
      await driver.remove(tagFolder("one", "v1"));
      if (isLost) await reconciler.rebuild();
      const decisions: Decision[] = [];
      const collect = (): Promise<number> =>
        collector.collect({ onDecision: (decision) => decisions.push(decision) }).then(({ manifests }) => manifests);
      assert.equal(await collect(), 0, `index lost: ${isLost}`);
      const [why] = decisions.flatMap(({ kind, reason }) => (kind === "manifest" ? [reason] : []));
      if (isLost)
        assert.match(why ?? "", /its last tag may have left it 0 seconds ago; untagged ones stay for 30 days/);
      clock.now += 29 * day;
      // Tags that come meanwhile put nothing off.
      driver.putSync(currentLink("one", "other"), text(image("one", [put(text("y"))])));
      assert.equal(await collect(), 0);
      clock.now += 2 * day;
      assert.equal(await collect(), 1, `index lost: ${isLost}`);
      assert.equal(has(untaggedPath("one", digest)), false, "and no note stays behind");
      await close();
    }
  });

  it("counts it from when another program took a tag also of what another tag's history names", async () => {
    const { clock, collector, driver, put, image, tagsCameAt, close } = await setUp({ untagged: 30 * day });
    const at = (path: string, digest: Digest, age: number): void =>
      driver.putSync(path, text(digest), { mtime: clock.now - age });
    const [old, next] = ["old", "next"].map((name) => image("one", [put(text(name), 90 * day)], 90 * day)) as [
      Digest,
      Digest,
    ];
    at(historyLink("one", "latest", old), old, 80 * day);
    for (const path of [historyLink("one", "latest", next), currentLink("one", "latest")]) at(path, next, 60 * day);
    for (const path of [historyLink("one", "v1", old), currentLink("one", "v1")]) at(path, old, 80 * day);
    tagsCameAt(60 * day);
    await driver.remove(tagFolder("one", "v1"));
    assert.equal((await collector.collect()).manifests, 0, "latest left it long ago, v1 just now");
    clock.now += 31 * day;
    assert.equal((await collector.collect()).manifests, 1);
    await close();
  });

  it("does not take a note for true that is older than the last push", async () => {
    const { clock, collector, tree, driver, put, image, tagsCameAt, close } = await setUp({ untagged: 30 * day });
    const digest = image("one", [put(text("x"), 90 * day)], 90 * day);
    await tree.notes.noteUntagged("one", digest);
    driver.dateSync(untaggedPath("one", digest), clock.now - 40 * day);
    driver.dateSync(`${revisionFolder("one", digest)}/link`, clock.now - 35 * day);
    driver.putSync(currentLink("one", "v1"), text(digest));
    await driver.remove(tagFolder("one", "v1"));
    assert.equal((await collector.collect()).manifests, 0);
    tagsCameAt(0);
    clock.now += 31 * day;
    assert.equal((await collector.collect()).manifests, 1);
    await close();
  });

  it("keeps what a tag names wherever its revision link lies, with all that it needs", async () => {
    for (const where of ["among the layers", "nowhere"]) {
      const { collector, driver, tree, put, image, list, link, has, notices, close } = await setUp({ untagged: 0 });
      const [layer, deep] = [put(text("layer")), put(text("deep"))];
      for (const digest of [layer, deep]) link("one", digest);
      const [child, root] = [image("one", [deep]), image("one", [layer])];
      const index = list("one", [child]);
      await tree.setTag("one", "v1", root);
      await tree.setTag("one", "all", index);
      for (const digest of [root, index, child]) {
        driver.removeSync(revisionFolder("one", digest));
        if (where === "among the layers") link("one", digest);
      }
      const { manifests, layers, blobs, held } = await collector.collect();
      assert.deepEqual({ manifests, layers, blobs, held }, { manifests: 0, layers: 0, blobs: 0, held: [] }, where);
      for (const digest of [layer, deep, child, root, index]) assert.equal(has(blobPath(digest)), true);
      assert.deepEqual(notices, []);
      await close();
    }
  });

  it("keeps a manifest whose link lies among those of layers, also where no tag names it", async () => {
    const { collector, driver, put, image, link, has, close } = await setUp();
    const [layer, config] = [put(text("layer")), put(text('{"architecture":"amd64"}'))];
    for (const digest of [layer, config]) link("one", digest);
    const root = image("one", [layer]);
    driver.removeSync(revisionFolder("one", root));
    link("one", root);
    assert.equal((await collector.collect()).layers, 1);
    assert.deepEqual(
      [layer, root, config].map((digest) => has(blobPath(digest))),
      [true, true, false],
    );
    await close();
  });

  it("keeps everything in a repository where a tag names what cannot be read, and says which and what to do", async () => {
    const { collector, driver, tree, put, link, has, notices, close } = await setUp({ untagged: 0 });
    const missing = digestOf(text("missing"));
    const damaged = digestOf(text("damaged"));
    driver.putSync(blobPath(damaged), text("other bytes"), { mtime: 0 });
    const blobs = ["one", "two", "three"].map((repository) => {
      const digest = put(text(repository));
      link(repository, digest);
      return digest;
    });
    await tree.setTag("one", "gone", missing);
    await tree.setTag("two", "bad", damaged);
    driver.putSync(currentLink("three", "torn"), text("sha256:12"));
    const { held } = await collector.collect();
    assert.deepEqual(held, [
      {
        repository: "one",
        reason: `the tag gone names ${missing}, which is missing`,
        remedy: "push gone again, or delete the tag",
      },
      {
        repository: "three",
        reason: "the tag torn names no digest",
        remedy: "push torn again, or delete the tag",
      },
      {
        repository: "two",
        reason: `the tag bad names ${damaged}, which is damaged`,
        remedy: "push bad again, or delete the tag",
      },
    ]);
    for (const digest of blobs) assert.equal(has(blobPath(digest)), true);
    assert.deepEqual(
      notices.map(({ level, repository }) => [level, repository]),
      [
        ["warn", "one"],
        ["warn", "three"],
        ["warn", "two"],
      ],
    );
    await tree.removeTag("one", "gone");
    assert.equal((await collector.collect()).layers, 1, "the remedy works");
    await close();
  });

  it("does not believe the index where the tree has a tag", async () => {
    const { collector, metadata, reconciler, tree, put, image, close } = await setUp({ untagged: 0 });
    const root = image("one", [put(text("layer"))]);
    await tree.setTag("one", "latest", root);
    await reconciler.reconciled();
    metadata.removeTag("one", "latest");
    assert.equal((await collector.collect()).manifests, 0);
    await close();
  });

  it("learns of a manifest that another program put back into its old folder", async () => {
    const { clock, collector, driver, reconciler, revise, tree, put, link, image, has, notices, close } = await setUp();
    const layer = put(text("layer"));
    link("one", layer);
    const root = image("one", [layer]);
    await tree.unlinkRevision("one", root);
    await reconciler.reconciled();
    await reconciler.reconcile("one");
    clock.now += 5000;
    await reconciler.reconcile("one");
    revise("one", root);
    const collected = await collector.collect();
    assert.deepEqual([collected.blobs, collected.layers, collected.unreadable], [0, 0, []]);
    assert.equal(has(blobPath(layer)), true);
    assert.deepEqual(notices, []);
    assert.notEqual(driver.getSync(`${revisionFolder("one", root)}/link`), undefined);
    await close();
  });

  it("sees what another program linked while it was elsewhere", async () => {
    const { collector, driver, put, link, has, close } = await setUp();
    const [blob, other] = [put(text("blob")), put(text("other"))];
    link("one", other);
    let linked = false;
    const onDecision = (decision: Decision): void => {
      // The links were looked at; the pool comes next.
      if (decision.kind === "layer" && !linked) {
        linked = true;
        link("zero/new", blob, 0);
        link("one", blob, 0);
      }
    };
    await collector.collect({ onDecision });
    assert.equal(linked, true);
    assert.deepEqual([has(blobPath(blob)), has(blobPath(other))], [true, false]);
    assert.notEqual(driver.getSync(`${layerFolder("zero/new", blob)}/link`), undefined);
    await close();
  });

  it("removes nothing on the word of an index that was lost in the middle of the run", async () => {
    for (const at of ["layer", "blob"]) {
      const { collector, metadata, put, link, image, has, close } = await setUp({ untagged: 0 });
      const layers = Array.from({ length: 40 }, (_, i) => put(text(`layer ${i}`)));
      for (const layer of layers) link("one", layer);
      const tagged = Array.from({ length: 20 }, (_, i) => image("one", [layers[i] as Digest]));
      for (const layer of layers.slice(0, 20)) link("two", layer);
      for (const layer of layers.slice(0, 20)) image("two", [layer], 1);
      let lost = false;
      const onDecision = ({ kind }: Decision): void => {
        if (kind === at && !lost) {
          lost = true;
          metadata.reset();
        }
      };
      await collector.collect({ untagged: 100 * day, onDecision });
      assert.equal(lost, true);
      for (const digest of [...tagged, ...layers.slice(0, 20)]) assert.equal(has(blobPath(digest)), true);
      await close();
    }
  });

  it("keeps everything that manifests may need which it cannot read, and reports them", async () => {
    const { collector, driver, put, link, image, revise, manifest, has, notices, close } = await setUp({ untagged: 0 });
    const loose = put(text("loose"));
    const untagged = image("one", [put(text("layer"))]);
    for (const repository of ["one", "two", "three", "four"]) link(repository, loose);
    const torn = put(text("torn"));
    driver.putSync(`${revisionFolder("one", torn)}/link`, text("sha256:12"), { mtime: 0 });
    const missing = digestOf(text("missing"));
    revise("two", missing);
    const unknown = manifest("three", { mediaType: "application/vnd.example.unknown+json" });
    const { unreadable, layers, manifests } = await collector.collect();
    assert.deepEqual([layers, manifests], [1, 0]);
    assert.deepEqual(
      new Map(unreadable.map(({ repository, digest }) => [repository, digest])),
      new Map([
        ["one", torn],
        ["two", missing],
        ["three", unknown],
      ]),
    );
    assert.deepEqual(
      ["one", "two", "three", "four"].map((repository) => has(`${layerFolder(repository, loose)}/link`)),
      [true, true, true, false],
    );
    assert.deepEqual(
      [loose, untagged, torn].map((digest) => has(blobPath(digest))),
      [true, true, true],
    );
    assert.deepEqual(
      new Set(notices.filter(({ level }) => level === "warn").map(({ repository }) => repository)),
      new Set(["one", "two", "three"]),
    );
    await close();
  });

  it("counts links in folders that are no repositories yet, and in those that can be none", async () => {
    const { collector, put, link, has, close } = await setUp();
    const [first, odd, old] = [put(text("first push")), put(text("odd")), put(text("old push"))];
    link("new/repository", first, hour);
    link("new/repository", old);
    link("Not A Repository", odd);
    const { layers, blobs } = await collector.collect();
    assert.deepEqual([layers, blobs], [1, 1]);
    assert.deepEqual(
      [first, odd, old].map((digest) => has(blobPath(digest))),
      [true, true, false],
    );
    await close();
  });

  it("keeps what has a time in the future, and says that it has", async () => {
    const { collector, put, link, has, close } = await setUp();
    const [loose, linked, late] = [put(text("loose"), -40 * day), put(text("linked")), put(text("late"), -1000)];
    link("a", linked, -40 * day);
    const reasons = new Map<string | undefined, string>();
    await collector.collect({ onDecision: ({ digest, reason }) => void reasons.set(digest, reason) });
    for (const digest of [loose, linked]) {
      assert.ok(has(blobPath(digest)));
      assert.match(reasons.get(digest) ?? "", /at \d{4}-\S+Z: its time lies in the future/);
    }
    assert.match(reasons.get(late) ?? "", /written 0 seconds ago/);
    await close();
  });

  it("keeps what is promised, and all links while an upload is open", async () => {
    const { clock, collector, leases, uploads, put, link, has, close } = await setUp();
    const [leased, lying, elsewhere] = [put(text("leased")), put(text("lying")), put(text("elsewhere"))];
    for (const digest of [leased, elsewhere]) link("one", digest);
    link("two", lying);
    leases.record("one", leased);
    // Promised to somebody who pushes to another repository.
    leases.record("two", elsewhere);
    const upload = await uploads.begin("two", { owner: "somebody" });
    const { layers, blobs, kept } = await collector.collect();
    assert.deepEqual([layers, blobs, kept], [1, 0, 3]);
    assert.deepEqual(
      [leased, lying, elsewhere].map((digest) => has(blobPath(digest))),
      [true, true, true],
    );
    assert.equal(has(`${layerFolder("one", elsewhere)}/link`), false);
    await upload.cancel();
    clock.now += hour;
    assert.deepEqual([(await collector.collect()).blobs], [3]);
    await close();
  });

  it("removes uploads that nobody added to, and leaves others", async () => {
    const { clock, collector, driver, close } = await setUp({ age: 2 * day });
    const upload = (id: string, age: number): void => {
      const started = new Date(clock.now - age).toISOString().replace(/\.\d+/, "");
      driver.putSync(`${uploadFolder("one", id)}/startedat`, text(started), { mtime: clock.now - age });
      driver.putSync(`${uploadFolder("one", id)}/data`, text("received"), { mtime: clock.now - age });
    };
    upload("11111111-1111-4111-8111-111111111111", 3 * day);
    upload("22222222-2222-4222-8222-222222222222", day);
    const dry = await collector.collect({ dryRun: true });
    assert.deepEqual([dry.uploads, dry.bytes], [1, 8]);
    const real = await collector.collect();
    assert.deepEqual([real.uploads, real.bytes], [1, 8]);
    assert.deepEqual(driver.listSync("docker/registry/v2/repositories/one/_uploads"), [
      "22222222-2222-4222-8222-222222222222",
    ]);
    await close();
  });

  it("takes away what a run that was cut off left: folders without their files, types of manifests that are gone", async () => {
    const { clock, collector, driver, tree, put, image, link, close } = await setUp();
    const layer = put(text("layer"));
    link("one", layer);
    image("one", [layer]);
    const gone = digestOf(text("gone"));
    for (const folder of [blobFolder(gone), layerFolder("one", gone), revisionFolder("one", gone)]) {
      driver.putSync(`${folder}/file`, text("file"));
      driver.removeSync(`${folder}/file`);
    }
    await tree.notes.keepPushedType("one", gone, "application/vnd.example+json");
    await collector.collect();
    assert.deepEqual(driver.listSync(blobFolder(gone)), [], "young ones may be somebody's who is just writing");
    assert.notEqual(driver.getSync(typePath("one", gone)), undefined);
    clock.now += 2 * day;
    await collector.collect();
    for (const folder of [blobFolder(gone), layerFolder("one", gone), revisionFolder("one", gone)])
      assert.equal(driver.listSync(folder), undefined, folder);
    assert.equal(driver.getSync(typePath("one", gone)), undefined);
    await close();
  });

  it("tells a manifest's age by its last push, however old its link is", async () => {
    const { clock, collector, metadata, reconciler, put, image, close } = await setUp({ untagged: 0 });
    const root = image("one", [put(text("layer"))]);
    await reconciler.reconciled();
    const known = metadata.manifest("one", root);
    assert.ok(known !== undefined);
    metadata.putManifest("one", { ...known, pushedAt: clock.now - hour });
    const decisions: Decision[] = [];
    const { manifests } = await collector.collect({ onDecision: (decision) => decisions.push(decision) });
    assert.equal(manifests, 0);
    assert.deepEqual(
      decisions.map(({ reason }) => reason),
      ["no tag, but written 60 minutes ago; untagged ones stay for 24 hours"],
    );
    await close();
  });

  it("takes the settings of one run before its own", async () => {
    const { collector, put, image, close } = await setUp();
    image("one", [put(text("layer"))], 2 * hour);
    assert.equal((await collector.collect({ dryRun: true, untagged: 0 })).manifests, 0);
    assert.equal((await collector.collect({ dryRun: true, untagged: 0, grace: hour })).manifests, 1);
    assert.equal((await collector.collect({ dryRun: true, grace: hour })).manifests, 0);
    await close();
  });

  it("marks as distribution does: manifests and their children, whatever is linked", async () => {
    const { collector, put, link, image, list, close } = await setUp({ untagged: 0 });
    const [layer, linked, loose] = [put(text("layer")), put(text("linked")), put(text("loose"), 0)];
    link("one", linked);
    const absent = digestOf(text("absent"));
    const child = image("one", [layer, absent]);
    const root = list("two", [child]);
    const { marked, eligible } = await collector.marks();
    assert.deepEqual(marked, [layer, absent, child, root].toSorted());
    assert.deepEqual(eligible, [linked, loose].toSorted());
    await close();
  });
});
