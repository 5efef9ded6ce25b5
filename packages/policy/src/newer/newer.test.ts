import assert from "node:assert/strict";
import { test } from "node:test";
import { isCandidate, readPolicy } from "../policy/index.ts";
import { newerThan, type Pinned, type Step, stepOf } from "./index.ts";

const newer = async (running: string, tags: string, document: unknown = {}): Promise<string> => {
  const { judge } = newerThan(await readPolicy(document), running);
  return tags
    .split(" ")
    .filter((tag) => isCandidate(judge(tag)))
    .join(" ");
};

test("newer than what runs: of the same flavour, and as exact", async () => {
  const tags = "7 7.0.14 7.0.15 7.1.0-rc1 6.9.9 7.0.15-alpine 7.0.15-alpine3.20 8 8.1.0 7.1 latest";
  const rows: readonly [running: string, found: string, policy?: unknown][] = [
    ["7.0.14", "7.0.15", { semver: { range: "^7.0" } }],
    ["7.0.14", "7.0.15 8.1.0"],
    ["7.0.15", "8.1.0"],
    ["7", "8"],
    ["7.0", "7.1"],
    ["7.0.14-alpine", "7.0.15-alpine"],
    ["7.0.14-bookworm", ""],
    ["6.0.0", "7.0.14 7.0.15", { semver: { range: "^7.0" } }],
    ["7.1.0-beta1", "7.1.0-rc1 8.1.0"],
    ["7.0.0-rc1", "7.0.14 7.0.15 8.1.0"],
    ["latest", "latest"],
    ["4f8a2c1", ""],
    ["2024.05.01", "", { calver: {} }],
    ["v7.0.14", "7.0.15 8.1.0"],
  ];
  for (const [running, found, policy] of rows) assert.equal(await newer(running, tags, policy), found, running);
  assert.equal(await newer("24.04", "24.10 24.04.1 22.04 24.10-slim", { calver: {} }), "24.10");
  assert.equal(await newer("9", "10 9 8 x", { numerical: {} }), "10");
  assert.equal(await newer("b", "c b a", { alphabetical: { order: "desc" } }), "a");
  assert.equal(
    await newer("build-9", "build-10 build-8", {
      numerical: {},
      filterTags: { pattern: "^build-(.*)$", extract: "$1" },
    }),
    "build-10",
  );
});

test("where names do not say it, nothing is left out for its name", async () => {
  assert.equal(await newer("b", "a b latest", { created: {} }), "a b");
  assert.equal(await newer("stable", "stable x", { tag: "stable" }), "stable");
});

test("why not", async () => {
  const { judge } = newerThan(await readPolicy({}), "7.0.14-alpine");
  const why = (tag: string): string => {
    const judged = judge(tag);
    return isCandidate(judged) ? "" : `${tag} ${judged.text}`;
  };
  assert.equal(why("7.0.14-alpine"), "7.0.14-alpine is what runs");
  assert.equal(why("7.0.13-alpine"), "7.0.13-alpine is not newer than 7.0.14-alpine");
  assert.equal(why("7.0.15"), "7.0.15 is of no flavour, and alpine is wanted");
  assert.equal(why("8-alpine"), "8-alpine says a version in 1 numbers, and 7.0.14-alpine in 3");
});

test("kinds of steps", () => {
  const rows: readonly [from: Pinned, to: Pinned, step: Step | undefined][] = [
    [{ tag: "7.0.14" }, { tag: "7.0.15" }, "patch"],
    [{ tag: "7.0.14" }, { tag: "7.1.0" }, "minor"],
    [{ tag: "v7" }, { tag: "8" }, "major"],
    [{ tag: "1.0.0-rc1" }, { tag: "1.0.0" }, "patch"],
    [{ tag: "17.0.9_9" }, { tag: "17.0.9_10" }, "patch"],
    [{ tag: "24.04" }, { tag: "24.10" }, "minor"],
    [{ tag: "7", digest: "sha256:a" }, { tag: "7.0.14", digest: "sha256:a" }, undefined],
    [{ tag: "7", digest: "sha256:a" }, { tag: "7", digest: "sha256:b" }, "digest"],
    [{ tag: "7", digest: "sha256:a" }, { tag: "7" }, undefined],
    [{ tag: "7" }, { tag: "7" }, undefined],
    [{ tag: "latest" }, { tag: "7" }, "other"],
    [{ tag: "build-9" }, { tag: "build-10" }, "other"],
  ];
  for (const [from, to, step] of rows) assert.equal(stepOf(from, to), step, `${from.tag} ${to.tag}`);
});

test("a rebuild is newer, a package's count has its place in each release, and what comes before a release is no release", async () => {
  const rows: readonly [running: string, tags: string, found: string, policy?: unknown][] = [
    ["v1.28.3-k3s1", "v1.28.3-k3s1 v1.28.3-k3s10 v1.29.0-rc1-k3s1 v1.29.0-k3s2", "v1.28.3-k3s10 v1.29.0-k3s2"],
    ["v1.28.3-rke2r1", "v1.28.3-rke2r2 v1.29.0-rke2r1", "v1.28.3-rke2r2 v1.29.0-rke2r1"],
    ["v1.10.1-eksbuild.4", "v1.10.1-eksbuild.10 v1.10.1-eksbuild.3", "v1.10.1-eksbuild.10"],
    ["1.2.3-debian-12-r4", "1.2.3-debian-12-r10 1.2.4-debian-11-r0 1.2.4", "1.2.3-debian-12-r10"],
    ["7.6.0-1-ubi8", "7.6.1-1-ubi8 7.6.1-1-ubi9 7.6.1-rc.1-ubi8 7.5.9-2-ubi8", "7.6.1-1-ubi8"],
    ["1.0.0-rc.1", "1.0.0-rc.2 1.1.0-rc.1 1.1.0-5", "1.0.0-rc.2"],
    ["3.19.1", "3.20.0_rc1 3.20.0_alpha20240329 3.19.1_2", "3.19.1_2"],
    ["3.20.0_rc1", "3.20.0_rc2 3.20.0", "3.20.0_rc2 3.20.0"],
  ];
  for (const [running, tags, found, policy] of rows) assert.equal(await newer(running, tags, policy), found, running);
});

test("another name of the same version is not newer, and neither is what gives the same value", async () => {
  assert.equal(await newer("3.0.0", "v3.0.0 V3.0.0 03.0.0 v3.0.1"), "v3.0.1");
  assert.equal(await newer("v3.0.0", "3.0.0 03.0.0"), "");
  assert.equal(await newer("01", "1 001 2", { numerical: {} }), "2");
  const filterTags = { pattern: "^[a-z]+-([0-9]+)$", extract: "$1" };
  assert.equal(await newer("a-7", "b-7 z-7 a-8", { numerical: {}, filterTags }), "a-8");
  assert.equal(await newer("z-7", "b-7 a-7", { numerical: {}, filterTags }), "");
});

test("a date is newer than those behind the same word alone: another word is another distribution", async () => {
  const tags = "noble-20240530 jammy-20240530 Jammy-20240601 jammy-20231201 20240530 v20240530";
  const calver = { calver: {} };
  assert.equal(await newer("jammy-20240101", tags, calver), "jammy-20240530 Jammy-20240601");
  assert.equal(await newer("20240101", tags, calver), "20240530 v20240530");
  const minio = "RELEASE.2024-01-01T16-36-33Z";
  assert.equal(await newer(minio, "RELEASE.2024-05-01T01-11-10Z", calver), "RELEASE.2024-05-01T01-11-10Z");
});

test("versions of four numbers and more, and patch levels", async () => {
  const rows: readonly [running: string, tags: string, found: string, policy?: unknown][] = [
    ["4.9.0.9", "4.9.0.12 4.9.0.8 4.9.1 4.10.0.1 4.9.0.13-beta", "4.9.0.12 4.10.0.1"],
    [
      "4.0.16.2944-ls299",
      "4.0.9.2244-ls257 4.0.16.2944-ls300 4.0.17.2952-ls310 develop-4.0.18.1-ls1 5.0.0 20.04.1",
      "4.0.16.2944-ls300 4.0.17.2952-ls310",
    ],
    ["24.04.4.1.1", "24.04.5.1.1 24.04.4.1 24.04.4.2", "24.04.5.1.1"],
    ["10.0.20348.2402", "10.0.20348.2500 11.0.0.1 1809", "10.0.20348.2500", { semver: { range: "^10.0" } }],
    ["1.40.1.8227-c0dd5a73e", "1.40.2.8395-c67dce28e 1.32.8.7639-fb6452ebf plexpass", "1.40.2.8395-c67dce28e"],
    ["2.5.0p9", "2.5.0p13 2.5.0p8 2.5.0b1 2.6.0b1", "2.5.0p13"],
  ];
  for (const [running, tags, found, policy] of rows) assert.equal(await newer(running, tags, policy), found, running);
});

test("of two commits of one release nobody knows which is newer", async () => {
  const tags = "1.2.3-0a1b2c3 1.2.3-9f8e7d6 1.2.4-0a1b2c3 1.2.3-rc.1 1.2.2-9f8e7d6";
  assert.equal(await newer("1.2.3-4f8a2c1", tags), "1.2.4-0a1b2c3 1.2.3-rc.1");
  assert.equal(await newer("1.0.0-20240101", "1.0.0-20240501 1.0.0-20231201"), "1.0.0-20240501");
});
