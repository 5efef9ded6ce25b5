import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { compiledIn, keepCompiled } from "./compile-cache.ts";

const user = process.getuid?.();
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("what Node compiles is kept", () => {
  it("in the user's own cache, for the user alone", () => {
    const home = realpathSync(temporaryFolder("home"));
    assert.equal(compiledIn({ HOME: home }, user), `${home}/.cache/dray`);
    assert.equal(compiledIn({ HOME: home, XDG_CACHE_HOME: `${home}/own` }, user), `${home}/own/dray`);
    for (const made of [".cache", ".cache/dray", "own", "own/dray"]) assert.equal(modeOf(join(home, made)), 0o700);
    symlinkSync(`${home}/own`, `${home}/link`);
    assert.equal(
      compiledIn({ XDG_CACHE_HOME: `${home}/link` }, user),
      `${home}/own/dray`,
      "wherever the link leads later",
    );
  });

  it("nowhere where others could put their code, nor where nobody said a place", () => {
    const home = temporaryFolder("others");
    const made = (name: string, mode = 0o755): string => {
      mkdirSync(join(home, name), { recursive: true });
      chmodSync(join(home, name), mode);
      return join(home, name);
    };
    made("elsewhere/dray");
    symlinkSync(join(home, "elsewhere/dray"), join(made("linked"), "dray"));
    writeFileSync(join(made("file"), "dray"), "");
    for (const mode of [0o777, 0o775, 0o702]) made(`open-${mode}/dray`, mode);
    const open = [0o777, 0o775, 0o702].map((mode) => join(home, `open-${mode}`));
    const nowhere = [...open, made("shared", 0o777), made("sticky", 0o1777), join(home, "linked"), join(home, "file")];
    for (const place of [...nowhere, "relative", "", "/proc/nowhere", "/proc/self/nowhere", join(home, "no/parent")])
      assert.equal(compiledIn({ XDG_CACHE_HOME: place }, user), undefined, place);
    assert.equal(compiledIn({ HOME: home }, (user ?? 0) + 1), undefined, "it belongs to somebody else");
    assert.equal(compiledIn({ HOME: home }, undefined), undefined, "nobody can say whom it belongs to");
    assert.equal(compiledIn({}, user), undefined);
  });

  it("by the command itself under Node, unless Node is told not to", () => {
    const cache = temporaryFolder("kept");
    for (const own of ["NODE_DISABLE_COMPILE_CACHE", "NODE_COMPILE_CACHE"])
      keepCompiled({ XDG_CACHE_HOME: cache, [own]: "1" });
    assert.deepEqual(readdirSync(cache), []);
    const words = [join(import.meta.dirname, "main.ts"), "version", "-o", "json"];
    const out = execFileSync(process.execPath, words, { env: { XDG_CACHE_HOME: cache }, encoding: "utf8" });
    assert.match(out, /schemaVersion/);
    const isNode = process.versions["bun"] === undefined;
    assert.equal(readdirSync(cache).includes("dray"), isNode);
    if (isNode) assert.equal(readdirSync(join(cache, "dray")).length, 1);
  });
});
