import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { databaseOf, isPackageFile, readPackages } from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const shown = (path: string, content: Uint8Array): string[] | string => {
  const list = readPackages(path, content);
  return "unreadable" in list
    ? list.unreadable
    : list.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`);
};

/** A header as rpm's database has it. */
const rpm = (name: string, more: { readonly epoch?: number; readonly padding?: number } = {}): Uint8Array => {
  const { epoch, padding = 0 } = more;
  const texts: [tag: number, text: string][] = [
    [1000, name],
    [1001, "1.2"],
    [1002, "3.el9"],
    [1022, "x86_64"],
    [1004, "s".repeat(padding)],
  ];
  const entries: [number, number, number][] = [];
  let data = Buffer.alloc(0);
  for (const [tag, text] of texts) {
    entries.push([tag, 6, data.byteLength]);
    data = Buffer.concat([data, Buffer.from(`${text}\0`)]);
  }
  if (epoch !== undefined) {
    data = Buffer.concat([data, Buffer.alloc(-data.byteLength & 3)]);
    entries.push([1003, 4, data.byteLength]);
    const number = Buffer.alloc(4);
    number.writeUInt32BE(epoch);
    data = Buffer.concat([data, number]);
  }
  const head = Buffer.alloc(8 + entries.length * 16);
  head.writeUInt32BE(entries.length, 0);
  head.writeUInt32BE(data.byteLength, 4);
  for (const [i, [tag, type, offset]] of entries.entries())
    for (const [j, value] of [tag, type, offset, 1].entries()) head.writeUInt32BE(value, 8 + i * 16 + j * 4);
  return Buffer.concat([head, data]);
};

test("dpkg's packages are those that are installed, of one file and of many", () => {
  const status = bytes(
    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nDescription: x\n Version: none\nVersion: 1:2.0-1\n\n" +
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: b\nStatus: hold ok installed\nVersion: 3\nArchitecture: all\n",
  );
  assert.deepEqual(shown("/var/lib/dpkg/status", status), ["a 1:2.0-1 amd64", "b 3 all"]);
  assert.deepEqual(shown("/var/lib/dpkg/status.d/base", bytes("Package: base\nVersion: 12\nArchitecture: all")), [
    "base 12 all",
  ]);
  assert.deepEqual(
    [
      "/var/lib/dpkg/status.d/base",
      "/var/lib/dpkg/status.d/base.md5sums",
      "/var/lib/dpkg/status-old",
      "/etc/passwd",
    ].map(isPackageFile),
    [true, false, false, false],
  );
  assert.equal(databaseOf("/var/lib/dpkg/status.d/base"), "/var/lib/dpkg/status.d");
  assert.equal(databaseOf("/var/lib/dpkg/status"), "/var/lib/dpkg/status");
});

test("apk's packages", () => {
  const installed = bytes("C:Q1x=\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\nR:ld\n\nP:zlib\nV:1.3.1-r1\nA:x86_64\n\n");
  for (const path of ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
    assert.deepEqual(shown(path, installed), ["musl 1.2.5-r0 x86_64", "zlib 1.3.1-r1 x86_64"]);
});

test("rpm's packages in SQLite, whatever their number, their size and the pages'", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  for (const [pageSize, count] of [
    [512, 3],
    [4096, 400],
    [65_536, 5],
  ] as const) {
    const file = join(temporaryFolder("rpm"), "rpmdb.sqlite");
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA page_size=${pageSize}; CREATE TABLE Name (key TEXT, hnum INTEGER); CREATE INDEX n ON Name(key);
      CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)`);
    const insert = database.prepare("INSERT INTO Packages (blob) VALUES (?)");
    const expected: string[] = [];
    database.exec("BEGIN");
    for (let i = 0; i < count; i++) {
      insert.run(
        rpm(`p${i}`, { padding: i % 7 === 0 ? 70_000 : (i * 37) % 1500, ...(i % 3 === 0 ? { epoch: i } : {}) }),
      );
      expected.push(`p${i} ${i % 3 === 0 && i > 0 ? `${i}:` : ""}1.2-3.el9 x86_64`);
    }
    database.exec("COMMIT; DELETE FROM Packages WHERE hnum = 2");
    database.close();
    const content = await readFile(file);
    assert.deepEqual(shown("/var/lib/rpm/rpmdb.sqlite", content), expected.toSpliced(1, 1), `${pageSize}`);
    // Cut anywhere, it is damaged and nothing worse.
    for (let at = 0; at < content.byteLength; at += Math.ceil(content.byteLength / 40))
      assert.ok(shown("/usr/lib/sysimage/rpm/rpmdb.sqlite", content.subarray(0, at)).length > 0);
  }
});

test("rpm's packages in ndb; an old Berkeley database is said to be unreadable", () => {
  const blobs = [rpm("one"), rpm("two", { epoch: 7 })];
  const places: number[] = [];
  let at = 4096;
  const parts: Buffer[] = [];
  for (const [i, blob] of blobs.entries()) {
    const head = Buffer.alloc(16);
    for (const [j, value] of [0x53626c42, i + 1, 0, blob.byteLength].entries()) head.writeUInt32LE(value, j * 4);
    const whole = Buffer.concat([head, blob, Buffer.alloc(-blob.byteLength & 15)]);
    places.push(at / 16);
    at += whole.byteLength;
    parts.push(whole);
  }
  const page = Buffer.alloc(4096);
  for (const [i, value] of [0x506d7052, 0, 1, 1, 3].entries()) page.writeUInt32LE(value, i * 4);
  for (let slot = 2; slot < 256; slot++) page.writeUInt32LE(0x746f6c53, slot * 16);
  for (const [i, place] of places.entries()) {
    page.writeUInt32LE(i + 1, (2 + i * 3) * 16 + 4);
    page.writeUInt32LE(place, (2 + i * 3) * 16 + 8);
  }
  const content = Buffer.concat([page, ...parts]);
  assert.deepEqual(shown("/usr/lib/sysimage/rpm/Packages.db", content), [
    "one 1.2-3.el9 x86_64",
    "two 7:1.2-3.el9 x86_64",
  ]);
  for (let end = 0; end < content.byteLength; end += 100)
    assert.equal(typeof shown("/usr/lib/sysimage/rpm/Packages.db", content.subarray(0, end)), "string");
  assert.match(shown("/var/lib/rpm/Packages", new Uint8Array(16)) as string, /Berkeley/);
  assert.match(shown("/var/lib/rpm/rpmdb.sqlite", bytes("x".repeat(200))) as string, /no SQLite database/);
});

describe("a database that says the same bytes again and again is damaged", () => {
  test("of SQLite", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const file = join(temporaryFolder("rpm"), "rpmdb.sqlite");
    const database = new DatabaseSync(file);
    database.exec("PRAGMA page_size=4096; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)");
    database.prepare("INSERT INTO Packages (blob) VALUES (?)").run(rpm("a", { padding: 70_000 }));
    database.close();
    const content = await readFile(file);
    assert.deepEqual(shown("/var/lib/rpm/rpmdb.sqlite", content), ["a 1.2-3.el9 x86_64"]);
    const leaf = 4096;
    assert.deepEqual([content[leaf], content.readUInt16BE(leaf + 3)], [0x0d, 1]);
    const cell = content.readUInt16BE(leaf + 8);
    for (const cells of [3, 2049]) {
      const hostile = Buffer.from(content);
      hostile.writeUInt16BE(cells, leaf + 3);
      for (let i = 0; i < 3; i++) hostile.writeUInt16BE(cell, leaf + 8 + 2 * i);
      assert.equal(shown("/var/lib/rpm/rpmdb.sqlite", hostile), "it is damaged");
    }
  });

  test("of ndb, and a header that says its name twice", () => {
    const blob = rpm("a", { padding: 10_000 });
    const page = Buffer.alloc(4096);
    for (const [i, value] of [0x506d7052, 0, 1, 1, 3].entries()) page.writeUInt32LE(value, i * 4);
    const head = Buffer.alloc(16);
    for (const [i, value] of [0x53626c42, 1, 0, blob.byteLength].entries()) head.writeUInt32LE(value, i * 4);
    const withSlots = (count: number): Buffer => {
      const slots = Buffer.from(page);
      for (let slot = 2; slot < 2 + count; slot++)
        for (const [i, value] of [0x746f6c53, 1, 256].entries()) slots.writeUInt32LE(value, slot * 16 + i * 4);
      return Buffer.concat([slots, head, blob]);
    };
    const path = "/usr/lib/sysimage/rpm/Packages.db";
    assert.deepEqual(shown(path, withSlots(1)), ["a 1.2-3.el9 x86_64"]);
    assert.equal(shown(path, withSlots(2)), "it is damaged");
    const twice = withSlots(1);
    // The entry behind the first four: a text that is no part of a package's name.
    twice.writeUInt32BE(1000, 4096 + 16 + 8 + 4 * 16);
    assert.deepEqual(shown(path, twice), ["a 1.2-3.el9 x86_64"]);
  });
});
