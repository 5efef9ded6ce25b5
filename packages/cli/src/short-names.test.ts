import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../test/rehearse.ts";

const image = sampleImage({ seed: "short" });
const home = temporaryFolder("short-names");

describe("--short-names", () => {
  let servers: Listener[] = [];
  const conf = async (name: string, text: string): Promise<string> => {
    const file = join(home, name);
    await writeFile(file, text.replaceAll("FULL", servers[0]?.host ?? "").replaceAll("EMPTY", servers[1]?.host ?? ""));
    return file;
  };
  before(async () => {
    const full = memoryRegistry();
    put(full, "team/app", "v1", image);
    servers = await Promise.all([full, memoryRegistry()].map(({ handler }) => listen(handler)));
  });
  after(() => Promise.all(servers.map((server) => server.close())));

  const run = (words: string, file: string) => rehearse(home, [...words.split(" "), "--mirrors", file]);

  test("an alias stands for a name, with its tag or digest", async () => {
    const file = await conf("alias.conf", '[aliases]\napp = "FULL/team/app"\n"some/app" = "FULL/team/app"\n');
    const whole = `${servers[0]?.host}/team/app`;
    for (const name of ["app:v1", "some/app:v1", `app@${image.root.digest}`]) {
      const { exitCode, stdout, stderr } = await run(`digest --full-ref --short-names ${name}`, file);
      assert.equal(stdout, `${whole}@${image.root.digest}\n`, stderr);
      assert.equal(exitCode, 0);
    }
    const pulled = await run(`pull --short-names app:v1 ${join(home, "app.tar")}`, file);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const copied = await run(`cp --short-names app:v1 oci:${join(home, "layout")}:x`, file);
    assert.match(copied.stderr, new RegExp(`^copied ${whole}:v1 to oci:`));
  });

  test("a list of registries is asked in its order", async () => {
    const one = await conf("one.conf", 'unqualified-search-registries = ["FULL"]\n');
    assert.equal((await run("digest --short-names team/app:v1", one)).stdout, `${image.root.digest}\n`);
    const two = await conf("two.conf", 'unqualified-search-registries = ["EMPTY", "FULL"]\n');
    assert.equal((await run("digest --short-names team/app:v1", two)).stdout, `${image.root.digest}\n`);
    const { exitCode, stderr } = await run("digest --short-names team/none:v1", two);
    assert.equal(exitCode, 5);
    assert.match(stderr, /^Error: none of 127.*\/team\/none:v1, 127.*\/team\/none:v1 was found: .*404.*; .*404/);
  });

  test("where the files want it, a name has to be said whole", async () => {
    const text = 'short-name-mode = "enforcing"\nunqualified-search-registries = ["EMPTY", "FULL"]\n';
    const { exitCode, stderr } = await run("digest --short-names team/app:v1", await conf("enforcing.conf", text));
    assert.equal(exitCode, 2);
    assert.match(
      stderr,
      /^Error: "team\/app:v1" names no registry and may be any of 127.*: write it whole; see dray digest --help/,
    );
  });

  test("nothing changes for names that say their registry, for what is written, and without the flag", async () => {
    const file = await conf("all.conf", '[aliases]\napp = "FULL/team/app"\n');
    assert.equal((await run(`digest --short-names ${servers[0]?.host}/team/app:v1`, file)).exitCode, 0);
    for (const words of [
      "digest app:v1",
      "tag --short-names app:v1 v2",
      "digest --short-names docker.io/library/app:v1",
    ]) {
      // Docker Hub is not there in a test, or does not have it.
      const { exitCode, stderr } = await run(`${words} --timeout 200ms --retry 0`, file);
      assert.notEqual(exitCode, 0, words);
      assert.match(stderr, /docker\.io/, words);
    }
  });
});
