import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { type Digest, digestOf } from "dray/oci";
import fc from "fast-check";
import { withDatabase } from "../../test/database.ts";
import { IndexDatabase } from "./index-database.ts";
import { Metadata } from "./metadata.ts";
import { pages } from "./pages.ts";
import type { ManifestRecord } from "./records.ts";
import { indexFormat } from "./schema.ts";

const folder = temporaryFolder("index");
let files = 0;
const newFile = (): string => join(folder, `${++files}`, "index.db");

const named = (name: string): Digest => digestOf(Buffer.from(name), name.length % 2 === 0 ? "sha512" : "sha256");

const manifest = (name: string, more: Partial<ManifestRecord> = {}): ManifestRecord => ({
  digest: named(name),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  size: 500,
  references: [named("config"), named(`layer of ${name}`)],
  readable: true,
  pushedAt: 1_700_000_000_000.25,
  ...more,
});

const opened = (file: string): { metadata: Metadata; notices: string[] } => {
  const notices: string[] = [];
  return { metadata: new Metadata(file, { onNotice: ({ message }) => notices.push(message) }), notices };
};

test("manifests with very many children are read a few at a time, and a page of them is not taken for the last", () => {
  const metadata = new Metadata(":memory:");
  const references = Array.from({ length: 20_000 }, (_, i) => named(`child ${i}`));
  const names = Array.from({ length: 9 }, (_, i) => `index ${i}`);
  for (const name of names) metadata.putManifest("r", manifest(name, { references }));
  metadata.putManifest("r", manifest("z"));
  const first = metadata.manifests("r", { limit: 16 });
  assert.ok(first.length >= 1 && first.length <= 3);
  const all = [...pages(16, (page) => metadata.manifests("r", page))].flat();
  assert.deepEqual(
    all.map(({ digest }) => digest),
    [...names, "z"].map(named).sort(),
  );
  metadata.close();
});

test("however many manifests have a layer, a few are asked how large it is", () => {
  const metadata = new Metadata(":memory:");
  for (let i = 0; i < 200; i++)
    metadata.putManifest("r", manifest(`image ${i}`, { references: [named("base")], sizes: [i] }));
  const sizes = metadata.sizesOf("r", named("base"));
  assert.ok(sizes.length >= 1 && sizes.length <= 32);
  metadata.close();
});

test("what is put is there again after a restart, in a repository of its own", () => {
  const file = newFile();
  let metadata = new Metadata(file);
  const whole = manifest("a", {
    artifactType: "application/x",
    subject: named("subject"),
    annotations: JSON.stringify({ key: "välue" }),
    references: [],
  });
  const broken = manifest("b", { readable: false });
  metadata.putManifest("one/a", whole);
  metadata.putManifest("one/a", broken);
  const tag = { name: "v1", digest: whole.digest, at: 5, version: { mtime: 1.5, ino: 2 ** 60 } };
  metadata.putTag("one/a", tag);
  metadata.putTag("one/a", { name: "v2", digest: broken.digest, at: 6 });
  metadata.putRepository("two");
  metadata.close();
  metadata = new Metadata(file);
  assert.deepEqual(metadata.manifest("one/a", whole.digest), whole);
  assert.deepEqual(metadata.manifest("one/a", broken.digest), broken);
  assert.equal(metadata.manifest("two", whole.digest), undefined);
  assert.deepEqual(metadata.tag("one/a", "v1"), tag);
  assert.equal(metadata.tag("one/a", "V1"), undefined);
  assert.deepEqual(metadata.tagsOf("one/a", broken.digest), ["v2"]);
  assert.deepEqual(metadata.unreadable("one/a"), [broken.digest]);
  assert.deepEqual(metadata.repositories({ limit: 9 }), ["one/a", "two"]);
  assert.deepEqual(metadata.counts(), { repositories: 2, tags: 2, manifests: 2 });
  assert.ok(metadata.isUsed(named("config")) && metadata.isUsed(whole.digest) && !metadata.isUsed(named("subject")));
  assert.ok(metadata.refersTo("one/a", named("config")) && !metadata.refersTo("one/a", broken.digest));
  assert.deepEqual(metadata.holders(named("layer of b")), ["one/a"]);
  metadata.removeManifest("one/a", broken.digest);
  assert.ok(!metadata.isUsed(named("config")) && !metadata.isUsed(broken.digest));
  metadata.removeRepository("one/a");
  assert.deepEqual(metadata.counts(), { repositories: 1, tags: 0, manifests: 0 });
  metadata.close();
});

test("pages are in byte order and go on behind any text, of tags, manifests, referrers, repositories", () => {
  const name = fc.stringMatching(/^[a-cA-C_][a-c0-9._-]{0,3}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 30 }),
      fc.string(),
      fc.integer({ min: 1, max: 7 }),
      (names, text, limit) => {
        const metadata = new Metadata(":memory:");
        const subject = named("subject");
        metadata.transaction(() => {
          for (const [i, each] of names.entries()) {
            metadata.putRepository(each);
            metadata.putTag("r", { name: each, digest: named("x"), at: 0 });
            metadata.putManifest("r", manifest(each, { subject, artifactType: i % 2 === 0 ? "even" : "odd" }));
          }
        });
        const paged = (first: string, page: (after: string) => string[]): string[] => {
          const found: string[] = [];
          for (let last = first; ; last = found.at(-1) ?? "") {
            const some = page(last);
            found.push(...some);
            if (some.length < limit) return found;
          }
        };
        const digests = names.map(named);
        const even = digests.filter((_, i) => i % 2 === 0);
        for (const first of ["", text, names[0] ?? "", digests[0] ?? "", `${digests[0]}/`]) {
          const behind = (all: readonly string[]): string[] => all.filter((each) => each > first).sort();
          assert.deepEqual(
            paged(first, (at) => metadata.tags("r", { after: at, limit }).map((tag) => tag.name)),
            behind(names),
          );
          assert.deepEqual(
            paged(first, (at) => metadata.repositories({ after: at, limit })),
            behind([...new Set([...names, ...(names.length > 0 ? ["r"] : [])])]),
          );
          assert.deepEqual(
            paged(first, (at) => metadata.manifests("r", { after: at, limit }).map(({ digest }) => digest)),
            behind(digests),
          );
          assert.deepEqual(
            paged(first, (at) => metadata.digests("r", { after: at, limit })),
            behind(digests),
          );
          assert.deepEqual(
            paged(first, (at) => metadata.referrerDigests("r", subject, { after: at, limit })),
            behind(digests),
          );
          const typed = { limit, artifactType: "even" };
          assert.deepEqual(
            paged(first, (at) =>
              metadata.referrers("r", subject, { after: at, bytes: 1000, ...typed }).map(({ digest }) => digest),
            ),
            behind(even),
          );
        }
        metadata.close();
      },
    ),
    { numRuns: 60 },
  );
});

test("no question walks over what it does not answer, and none sorts", () => {
  const asked = new Set<string>();
  const { prototype } = DatabaseSync;
  const prepare = Object.getOwnPropertyDescriptor(prototype, "prepare") ?? assert.fail();
  const own = prepare.value as (this: DatabaseSync, sql: string) => StatementSync;
  const spy = function (this: DatabaseSync, sql: string): StatementSync {
    asked.add(sql);
    return own.call(this, sql);
  };
  Object.defineProperty(prototype, "prepare", { ...prepare, value: spy });
  try {
    const metadata = new Metadata(":memory:");
    metadata.putManifest("r", manifest("a"));
    metadata.putTag("r", { name: "v1", digest: named("a"), at: 0 });
    const page = { after: "a", limit: 10 };
    metadata.tags("r", page);
    metadata.tag("r", "v1");
    metadata.tagsOf("r", named("a"));
    metadata.manifest("r", named("a"));
    metadata.manifests("r", page);
    metadata.digests("r", page);
    metadata.referrerDigests("r", named("a"), page);
    metadata.referrers("r", named("a"), { ...page, bytes: 10 });
    metadata.referrers("r", named("a"), { ...page, bytes: 10, artifactType: "x" });
    metadata.refersTo("r", named("a"));
    metadata.sizesOf("r", named("b"));
    metadata.parents("r", named("b"), 10);
    metadata.isUsed(named("b"));
    metadata.holders(named("b"));
    metadata.unreadable("r");
    metadata.repositories(page);
    metadata.removeTag("r", "v1");
    metadata.removeRepository("r");
    metadata.close();
  } finally {
    Object.defineProperty(prototype, "prepare", prepare);
  }
  const questions = [...asked].filter(
    (sql) => /^(SELECT|DELETE)/.test(sql) && !/count\(\*\)|sqlite_schema|"/.test(sql),
  );
  assert.ok(questions.length > 20, `${questions.length} questions`);
  const plans = withDatabase(":memory:", (database) => {
    database.exec(indexFormat.schema);
    return questions.map((sql) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
  });
  for (const [at, plan] of plans.entries()) {
    assert.ok(plan.length > 0);
    // The rows of one page may be walked over.
    for (const step of plan)
      assert.match(step, /^(SEARCH |CO-ROUTINE |SCAN \(subquery)/, `${questions[at]}: ${plan.join("; ")}`);
  }
});

test("a change that fails changes nothing, also inside others", () => {
  const { metadata } = opened(newFile());
  assert.throws(
    () =>
      metadata.transaction(() => {
        metadata.putTag("r", { name: "v1", digest: named("a"), at: 0 });
        metadata.putManifest("r", manifest("a"));
        metadata.transaction(() => {
          throw new Error("no");
        });
      }),
    /^Error: no$/,
  );
  assert.deepEqual(metadata.counts(), { repositories: 0, tags: 0, manifests: 0 });
  metadata.putManifest("r", manifest("a"));
  assert.deepEqual(metadata.counts(), { repositories: 1, tags: 0, manifests: 1 });
  metadata.close();
});

const filled = (file: string, manifests = 300): void => {
  const metadata = new Metadata(file);
  metadata.transaction(() => {
    for (let i = 0; i < manifests; i++) metadata.putManifest("r", manifest(`m${i}`));
  });
  metadata.close();
};

test("a file that cannot be used is begun anew, and that is told", () => {
  const spoils: Record<string, (file: string) => void> = {
    "no database": (file) => writeFileSync(file, "storage:\n  filesystem:\n".repeat(200)),
    truncated: (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
    "truncated in its header": (file) => truncateSync(file, 50),
    "damaged at its beginning": (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0x5a, 100, 4096));
    },
    "another version": (file) => withDatabase(file, (database) => database.exec("PRAGMA user_version = 99")),
    "tables missing": (file) => withDatabase(file, (database) => database.exec("DROP TABLE manifests")),
  };
  for (const [what, spoil] of Object.entries(spoils)) {
    const file = newFile();
    filled(file);
    spoil(file);
    const { metadata, notices } = opened(file);
    assert.equal(notices.length, 1, `${what}: ${notices.join()}`);
    assert.match(notices[0] ?? "", /begun anew/, what);
    assert.equal(metadata.counts().manifests, 0, what);
    metadata.putManifest("r", manifest("a"));
    metadata.close();
    const again = opened(file);
    assert.deepEqual([again.metadata.counts().manifests, again.notices], [1, []], what);
    again.metadata.close();
  }
  const { metadata, notices } = opened(newFile());
  assert.deepEqual(notices, []);
  metadata.close();
});

test("a directory in its place is left as it is, and the index is kept in memory", () => {
  const file = newFile();
  mkdirSync(join(file, "inside"), { recursive: true });
  const { metadata, notices } = opened(file);
  assert.match(notices.join(), /in memory/);
  metadata.putManifest("r", manifest("a"));
  metadata.close();
  assert.ok(statSync(join(file, "inside")).isDirectory());
});

test("damage that is found while it runs begins anew, too; whoever asked hears of it", () => {
  const file = newFile();
  filled(file, 3000);
  const fd = openSync(file, "r+");
  for (let at = 20 * 4096; at < statSync(file).size; at += 4096) writeSync(fd, Buffer.alloc(4096, 0x5a), 0, 4096, at);
  closeSync(fd);
  const { metadata, notices } = opened(file);
  const before = metadata.generation;
  assert.throws(
    () => {
      for (let i = 0; i < 3000; i++) metadata.manifest("r", named(`m${i}`));
    },
    { code: "DISK" },
  );
  assert.notEqual(metadata.generation, before);
  assert.match(notices.join(), /malformed/);
  assert.equal(metadata.counts().manifests, 0);
  metadata.putManifest("r", manifest("a"));
  metadata.close();
});

test("a database of another program is left alone, and so is one that somebody uses", () => {
  const file = newFile();
  mkdirSync(join(file, ".."));
  withDatabase(file, (database) =>
    database.exec("CREATE TABLE accounts (name TEXT); INSERT INTO accounts VALUES ('me')"),
  );
  const foreign = opened(file);
  assert.match(foreign.notices.join(), /in memory.*another program/);
  foreign.metadata.putManifest("r", manifest("a"));
  foreign.metadata.close();
  const accounts = withDatabase(file, (database) => database.prepare("SELECT name FROM accounts").all());
  assert.equal(accounts.length, 1);
  const own = newFile();
  const first = opened(own);
  first.metadata.putManifest("r", manifest("a"));
  const second = opened(own);
  assert.match(second.notices.join(), /in memory.*locked/);
  second.metadata.close();
  assert.equal(first.metadata.counts().manifests, 1);
  first.metadata.close();
});

test("where there can be no file it goes on in memory", () => {
  const file = join(folder, "plain");
  writeFileSync(file, "");
  const { metadata, notices } = opened(join(file, "below", "index.db"));
  assert.match(notices.join(), /in memory/);
  metadata.putManifest("r", manifest("a"));
  metadata.reset();
  assert.equal(metadata.counts().manifests, 0);
  metadata.close();
});

test("on a network file system there is no WAL and no shared memory", () => {
  const modeOf = (network: boolean): boolean[] => {
    const file = newFile();
    const metadata = new Metadata(file, { network });
    metadata.putManifest("r", manifest("a"));
    const beside = ["-wal", "-shm"].map((suffix) => existsSync(file + suffix));
    metadata.close();
    return beside;
  };
  assert.deepEqual(modeOf(false), [true, false]);
  assert.deepEqual(modeOf(true), [false, false]);
});

test("after `reset` everything is gone, from the file as well, and the generation is another", () => {
  const file = newFile();
  filled(file);
  const { metadata } = opened(file);
  const before = metadata.generation;
  metadata.reset();
  assert.notEqual(metadata.generation, before);
  assert.equal(metadata.counts().manifests, 0);
  metadata.putManifest("r", manifest("a"));
  metadata.reset("memory");
  metadata.putManifest("r", manifest("b"));
  assert.equal(metadata.counts().manifests, 1);
  metadata.close();
  assert.equal(indexFormat.application.toString(16), Buffer.from("dray").toString("hex"));
  assert.equal(existsSync(file), false, "what was left behind is not taken for the truth later");
});

/** How many transactions there are: each is all that happens in one turn of the event loop. */
const counting = (): { transactions: number; stop(): void } => {
  const { prototype } = IndexDatabase;
  const transaction = Object.getOwnPropertyDescriptor(prototype, "transaction") ?? assert.fail();
  const own = transaction.value as (this: IndexDatabase, work: () => unknown) => unknown;
  const count = { transactions: 0, stop: () => void Object.defineProperty(prototype, "transaction", transaction) };
  const counted = function (this: IndexDatabase, work: () => unknown): unknown {
    count.transactions++;
    return own.call(this, work);
  };
  Object.defineProperty(prototype, "transaction", { ...transaction, value: counted });
  return count;
};

const usesIn = (file: string): number =>
  withDatabase(file, (database) =>
    ["uses", "recent_uses"].reduce(
      (sum, table) => sum + Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]),
      0,
    ),
  );

test("a manifest of many children comes and goes in slices, and is seen whole or not at all", async () => {
  const file = newFile();
  let metadata = new Metadata(file);
  const children = Array.from({ length: 5000 }, (_, i) => digestOf(Buffer.from(`child ${i}`)));
  const [first, last] = [children[0] as Digest, children.at(-1) as Digest];
  const large = manifest("large", { references: children, sizes: children.map((_, i) => i) });
  const small = manifest("b");
  metadata.putManifest("a", small);
  const count = counting();
  let over = false;
  const prepared = metadata.prepareManifest("a", large).finally(() => {
    over = true;
  });
  while (!over) {
    assert.equal(metadata.refersTo("a", first), false);
    assert.equal(metadata.manifest("a", large.digest), undefined);
    await new Promise(setImmediate);
  }
  await prepared;
  assert.ok(count.transactions >= 10, `${count.transactions} transactions`);
  metadata.putManifest("a", large);
  assert.deepEqual(metadata.manifest("a", large.digest)?.references, children);
  for (const child of [first, last]) assert.ok(metadata.refersTo("a", child) && metadata.isUsed(child));
  assert.deepEqual(metadata.sizesOf("a", last), [4999]);

  // Pushed again it is the same, but for the time.
  await metadata.prepareManifest("a", { ...large, pushedAt: 7 });
  metadata.putManifest("a", { ...large, pushedAt: 7 });
  assert.equal(metadata.manifest("a", large.digest)?.pushedAt, 7);
  metadata.close();
  assert.equal(usesIn(file), 5001 + 1 + small.references.length);

  metadata = new Metadata(file);
  count.transactions = 0;
  metadata.removeManifest("a", large.digest);
  assert.equal(metadata.refersTo("a", first), false);
  for (let before = 0; before !== count.transactions; await new Promise(setImmediate)) before = count.transactions;
  assert.ok(count.transactions >= 50, `${count.transactions} transactions`);
  count.stop();
  metadata.close();
  assert.equal(usesIn(file), 1 + small.references.length);
});

test("what was prepared and never put, by a process that was killed, means nothing to whoever comes after", async () => {
  const file = newFile();
  const children = Array.from({ length: 600 }, (_, i) => digestOf(Buffer.from(`child ${i}`)));
  const killed = new Metadata(file);
  await killed.prepareManifest("a", manifest("large", { references: children }));
  killed.close();
  const metadata = new Metadata(file);
  // With the number that the other one had.
  metadata.putManifest("a", manifest("small", { references: children.slice(0, 2) }));
  assert.deepEqual(
    [0, 1, 2, 599].map((i) => metadata.refersTo("a", children[i] as Digest)),
    [true, true, false, false],
  );
  await metadata.prepareManifest("a", manifest("large", { references: children }));
  metadata.reset();
  const again = manifest("large", { references: children });
  metadata.putManifest("a", again);
  assert.equal(metadata.refersTo("a", children[599] as Digest), true, "also without being prepared");
  metadata.close();
});
