import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { Digest } from "dray/oci";
import { DigestSet } from "./digest-set.ts";

const digest = (number: number, algorithm: "sha256" | "sha512" = "sha256"): Digest =>
  `${algorithm}:${createHash(algorithm).update(String(number)).digest("hex")}` as Digest;

describe("DigestSet", () => {
  it("has what was added and nothing else, also after it grew", () => {
    const set = new DigestSet();
    for (let i = 0; i < 20_000; i++) set.add(digest(i, i % 2 === 0 ? "sha256" : "sha512"));
    for (let i = 0; i < 20_000; i++) set.add(digest(i, i % 2 === 0 ? "sha256" : "sha512"));
    assert.equal(set.size, 20_000);
    for (let i = 0; i < 40_000; i++) assert.equal(set.has(digest(i, i % 2 === 0 ? "sha256" : "sha512")), i < 20_000);
  });

  it("knows a digest of zeros", () => {
    const zeros = `sha256:${"0".repeat(64)}` as Digest;
    const set = new DigestSet();
    assert.equal(set.has(zeros), false);
    set.add(zeros);
    assert.equal(set.has(zeros), true);
  });
});
