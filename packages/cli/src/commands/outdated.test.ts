import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { put, sampleImage } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

describe("dray outdated", async () => {
  const { registry, host, at, dray, done, printed, refused } = await commands("outdated");
  const tag = (repository: string, name: string, seed = name, created = "2020-01-01T00:00:00Z") =>
    put(registry, repository, name, sampleImage({ seed: repository + seed, layers: 1, config: { created } })).digest;
  tag("app", "7", "7.0.14");
  for (const name of ["7.0.14", "7.0.15", "7.1.0-rc1", "6.9.9", "7.0.15-alpine"]) tag("app", name);
  tag("young", "1.0.0");
  tag("young", "1.0.1", "1.0.1", new Date().toISOString());
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
    return at(name);
  };
  interface Found {
    readonly image: string;
    readonly state: string;
    readonly step?: string;
    readonly newest?: { readonly tag: string; readonly digest: string; readonly created?: string };
    readonly running: { readonly tag?: string; readonly digest?: string; readonly meaning?: string };
    readonly places: readonly string[];
    readonly reason?: string;
  }
  const found = async (...words: string[]): Promise<readonly Found[]> => {
    const { schemaVersion, images } = JSON.parse(await printed("outdated", "-o", "json", ...words)) as {
      schemaVersion: number;
      images: readonly Found[];
    };
    assert.equal(schemaVersion, 1);
    return images;
  };

  test("only what is newer, allowed, and not the same under another name", async () => {
    const [only, ...more] = await found("-i", `${host}/app:7.0.14`, "--semver", "^7.0");
    assert.deepEqual([only?.newest?.tag, only?.step, more], ["7.0.15", "patch", []]);
    assert.deepEqual([only?.state, only?.running.tag, only?.places], ["outdated", "7.0.14", ["--image"]]);
    assert.equal(only?.newest?.created, "2020-01-01T00:00:00.000Z");
    assert.deepEqual(await found("-i", `${host}/app:7`, "--semver", "^7.0"), []);
    assert.deepEqual(await found("-i", `${host}/app:7`), []);
    assert.deepEqual(await found("-i", `${host}/app:7.0.14`, "--exclude", "7.0.15"), []);
    assert.deepEqual(await found("-i", `${host}/app:7.0.14`, "--match", "7.0.14*"), []);
    assert.deepEqual(await found("-i", `${host}/young:1.0.0`, "--min-age", "3d"), []);
    assert.equal((await found("-i", `${host}/young:1.0.0`))[0]?.newest?.tag, "1.0.1");
    assert.deepEqual(await found("-i", `${host}/app:7.0.14`, "--platform", "linux/s390x"), []);
    assert.equal((await found("-i", `${host}/app:7.0.14`, "--platform", "linux/amd64")).length, 1);
    assert.deepEqual(
      (await found("--all", "-i", `${host}/app:7`, "-i", `${host}/app:6.9.9`)).map(({ state }) => state),
      ["current", "outdated"],
    );
  });

  test("a table of what files below a folder name; --check fails where something is outdated", async () => {
    const folder = dirname(
      write("site/compose.yml", `services:\n  a: {image: "${host}/app:\${T}"}\n  b: {image: ${host}/app:7}\n`),
    );
    write("site/.env", "T=7.0.14\n");
    write("site/k8s/pod.yml", `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${host}/app:7.0.14\n`);
    const { stdout, stderr } = await done("outdated", folder);
    const [titles, row, ...rest] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    assert.deepEqual(titles, ["IMAGE", "RUNNING", "NEWEST", "AGE", "STEP", "WHERE"]);
    assert.deepEqual(row?.slice(0, 3), [`${host}/app`, "7.0.14", "7.0.15"]);
    assert.match(row?.[3] ?? "", /^\d+ ?d|y/);
    assert.deepEqual(row?.slice(4), ["patch", `${folder}/compose.yml:2:15`]);
    assert.equal(rest.length, 1);
    assert.match(stderr, /2 of 3 images are outdated/);
    await refused(1, /2 of 3 images/, "outdated", "--check", folder);
    await done("outdated", "--check", write("fine.yml", `services:\n  b: {image: ${host}/app:7}\n`));
    assert.match((await done("outdated", write("none/notes.md", "nothing"))).stderr, /no images were found/);
    assert.deepEqual(
      (await found(folder)).map(({ image }) => image),
      [`${host}/app:\${T}`, `${host}/app:7.0.14`],
    );
  });

  test("what latest means, where an image is pinned to what it named", async () => {
    const old = tag("moving", "1.0.0", "m1");
    tag("moving", "1.1.0", "m2");
    tag("moving", "latest", "m2");
    const stdout = await printed("outdated", "-i", `${host}/moving:latest@${old}`);
    assert.match(stdout, /latest \(1\.0\.0\) +latest \(1\.1\.0\) +\d+\S* +minor/);
    tag("moving", "edge", "m3");
    assert.match(
      await printed("outdated", "-i", `${host}/moving:edge@${tag("x", "y")}`),
      /edge@[0-9a-f]{12} +edge@[0-9a-f]{12} .*digest/,
    );
  });

  test("what nothing can be found out about is told, and takes nothing from the others", async () => {
    const words = ["outdated", "-i", `${host}/gone:1`, "-i", `${host}/app:7.0.14`];
    const { stdout } = await refused(
      3,
      /gone:1 \(--image\): .*\n[^]*of 1 of 2 images nothing could be found out/,
      ...words,
    );
    assert.match(stdout, /unknown[^]*patch/);
    const { stdout: json } = await dray(...words, "-o", "json");
    const { images } = JSON.parse(json) as { images: readonly Found[] };
    assert.match(images[0]?.reason ?? "", /gone/);
    const broken = await done(
      "outdated",
      write("broken.yml", `kind: Pod\napiVersion: v1\nspec: {containers: [{image: "${host}/app:7"}]}\n---\nimage: [\n`),
    );
    assert.match(broken.stderr, /broken\.yml:\d+:\d+: /);
  });

  test("words that make no sense", async () => {
    await refused(2, /semver\.range/, "outdated", "--semver", "seven", "-i", "x");
    await refused(2, /kubeconfig .*absent cannot be read/, ["outdated", "-n", "team"], {
      env: { KUBECONFIG: at("absent") },
    });
    await refused(2, /must be lower case/, "outdated", "-i", "Nginx");
    await refused(5, /gone\.yml/, "outdated", at("gone.yml"));
    await refused(1, /podman\.sock|no engine/, "outdated", "--podman");
  });
});
