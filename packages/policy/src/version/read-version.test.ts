import assert from "node:assert/strict";
import { test } from "node:test";
import semver from "semver";
import { isBuildName, readVersion } from "./read-version.ts";

/** `major.minor.patch`, then how many numbers, pre-release, flavour and build, as far as there are any. */
const told = (text: string, strict: boolean): string | undefined => {
  const read = readVersion(text, { strict });
  if (read === undefined) return undefined;
  const { major, minor, patch, further = [], numbers, prerelease, flavour, build } = read;
  const rest = Object.entries({ prerelease, flavour, build }).flatMap(([name, said]) =>
    said === "" ? [] : `${name[0]}=${said}`,
  );
  return [[major, minor, patch, ...further].join("."), numbers, ...rest].join(" ");
};

test("versions in tags, loosely", () => {
  const rows: readonly [tag: string, read: string | undefined][] = [
    ["1.2.3", "1.2.3 3"],
    ["v1.2", "1.2.0 2"],
    ["7", "7.0.0 1"],
    ["V2", "2.0.0 1"],
    ["2024.05.01", "2024.5.1 3"],
    ["1.2.3-rc.1", "1.2.3 3 p=rc.1"],
    ["1.2-rc10", "1.2.0 2 p=rc10"],
    ["1.2.3-rc-1", "1.2.3 3 p=rc-1"],
    ["3.14.0rc2-slim-bookworm", "3.14.0 3 p=rc2 f=slim-bookworm"],
    ["3.14rc2", "3.14.0 2 p=rc2"],
    ["1.2.0.rc1", "1.2.0 3 p=rc1"],
    ["7.0.15-alpine", "7.0.15 3 f=alpine"],
    ["7.0.15-alpine3.20", "7.0.15 3 f=alpine3.20"],
    ["22-bookworm-slim", "22.0.0 1 f=bookworm-slim"],
    ["1.2.3-rc.1-alpine", "1.2.3 3 p=rc.1 f=alpine"],
    ["1.2.3-alpine-rc1", "1.2.3 3 p=rc1 f=alpine"],
    ["1.2.3-debian-12-r5", "1.2.3 3 f=debian-12 b=r5"],
    ["1.2.3-r0", "1.2.3 3 b=r0"],
    ["4.0.9-ls5", "4.0.9 3 b=ls5"],
    ["1.2.3-4", "1.2.3 3 p=4"],
    ["1.2.3-4f8a2c1", "1.2.3 3 p=4f8a2c1"],
    ["1.2.3-g4f8a2c1", "1.2.3 3 p=g4f8a2c1"],
    ["1.2.3-SNAPSHOT", "1.2.3 3 p=SNAPSHOT"],
    ["1.2.3-nightly.20240101", "1.2.3 3 p=nightly.20240101"],
    ["1.2.3-bullseye", "1.2.3 3 f=bullseye"],
    ["1.2.3-alphabet", "1.2.3 3 f=alphabet"],
    ["17.0.9_9-jdk-alpine", "17.0.9 3 f=jdk-alpine b=9"],
    ["1.2.3-rc1_b5", "1.2.3 3 p=rc1 b=b5"],
    ["1.2.3+build.5", "1.2.3 3 b=build.5"],
    ["1.2.3-rc.1+build-5", "1.2.3 3 p=rc.1 b=build-5"],
    ["", undefined],
    ["latest", undefined],
    ["1234", undefined],
    ["20240115", undefined],
    ["v20240115-4f8a2c1", undefined],
    ["1234567", undefined],
    ["2022-ltsc", undefined],
    ["4f8a2c1", undefined],
    ["1a2b3c4", undefined],
    ["1e10", undefined],
    ["main-4f8a2c1", undefined],
    ["1.2.3.4", "1.2.3.4 4"],
    ["4.0.5.1710-ls221", "4.0.5.1710 4 b=ls221"],
    ["1.40.2.8395-c67dce28e", "1.40.2.8395 4 p=c67dce28e"],
    ["17.0.8.1_1-jdk", "17.0.8.1 4 f=jdk b=1"],
    ["24.04.4.1.1", "24.4.4.1.1 5"],
    ["1.2.3.4.5.6.7", undefined],
    ["1.2.3.99999999999999999999", undefined],
    ["2.5.0p13", "2.5.0 3 b=p13"],
    ["1.2.0.post1-slim", "1.2.0 3 f=slim b=post1"],
    ["1.2.3pl", undefined],
    ["1.2.3-", undefined],
    ["1.2.3 ", undefined],
    ["1.2.", undefined],
    ["99999999999999999999999", undefined],
    ["1.99999999999999999999999", undefined],
  ];
  for (const [tag, read] of rows) assert.equal(told(tag, false), read, tag);
});

test("strictly, as semver.org has it, with a v", () => {
  const tags =
    "1.2.3 v1.2.3 1.2 1 01.2.3 1.2.3-rc.1 1.2.3-rc.01 1.2.3-alpine 1.2.3+b 1.2.3-a+b.1 1.2.3_b 1.2.3-- 1.2.3-a..b 1.2.3.4 V1.2.3 3.14.0rc2 latest".split(
      " ",
    );
  for (const tag of tags) {
    const theirs = tag.startsWith("V") ? null : semver.parse(tag);
    const ours = readVersion(tag, { strict: true });
    assert.equal(ours !== undefined, theirs !== null, tag);
    if (theirs === null || ours === undefined) continue;
    assert.deepEqual(
      [ours.major, ours.minor, ours.patch, ours.prerelease, ours.build, ours.flavour, ours.numbers],
      [theirs.major, theirs.minor, theirs.patch, theirs.prerelease.join("."), theirs.build.join("."), "", 3],
    );
  }
});

test("what looks like a build, a date or a commit", () => {
  for (const text of ["1234", "20240115", "4f8a2c1", "main-4f8a2c1", "g4f8a2c1", "v20240115", "deadbee1"])
    assert.ok(isBuildName(text), text);
  for (const text of ["latest", "1.2", "123", "facade", "defaced", "edge", "stable"])
    assert.ok(!isBuildName(text), text);
});

test("a hostile tag takes no time", () => {
  for (const text of [
    `1.2.3-${"a.".repeat(60)}`,
    `1.2.3-${"-".repeat(120)}`,
    "1".repeat(128),
    `1.2.3-${"rc-".repeat(40)}!`,
  ])
    for (let i = 0; i < 1000; i++) {
      readVersion(text);
      readVersion(text, { strict: true });
      isBuildName(text);
    }
});
