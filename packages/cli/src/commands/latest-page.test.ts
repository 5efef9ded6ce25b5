/** docs/latest.md: what it shows is what the command prints, against a registry with the tags that the page names. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { put, sampleArtifact, sampleImage } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const { registry, host, dray } = await commands("latest-page");
const page = readFileSync(new URL("../../../../docs/latest.md", import.meta.url), "utf8");
const hour = 3_600_000;

const image = (seed: string, created: string) =>
  sampleImage({ seed, annotations: { "org.opencontainers.image.created": created } });

before(() => {
  const old = image("old", "2024-05-20T12:00:00Z");
  for (const tag of ["7", "7.4", "7.4.0", "7.4.1", "7.4.1-alpine", "8.0.0-rc9", "8.0.0-rc10", "latest", "20240520"])
    put(registry, "team/cache", tag, old);
  put(registry, "team/cache", "7.4.2-alpine", image("alpine", "2024-06-20T12:00:00Z"));
  put(registry, "team/cache", "7.4.2", image("new", new Date(Date.now() - 24.5 * hour).toISOString()));
  const signature = { subject: old.root, artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json" };
  put(registry, "team/cache", undefined, sampleArtifact(signature));
});

/** Commands of the page, each with the lines below it. */
const shown = [...page.matchAll(/^ {4}\$ dray (.*)\n((?: {4}(?!\$).*\n)*)/gm)].map(([, words = "", lines = ""]) => ({
  words: [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare = ""]) => quoted ?? bare),
  lines: lines.replace(/^ {4}/gm, ""),
}));

test("what the page shows is what is printed", async () => {
  assert.ok(shown.length >= 8);
  for (const { words, lines } of shown) {
    const ended = await dray(words.map((word) => word.replace("localhost:5000", host)));
    assert.equal(`${ended.stderr}${ended.stdout}`.replaceAll(host, "localhost:5000"), lines, words.join(" "));
  }
});
