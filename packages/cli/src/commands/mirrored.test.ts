import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, type MemoryRegistry, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../../test/rehearse.ts";

const image = sampleImage({ seed: "mirrored" });
const home = temporaryFolder("mirrored");

describe("mirrors in files", () => {
  let [origin, mirror]: MemoryRegistry[] = [];
  let servers: Listener[] = [];
  let conf = "";
  before(async () => {
    [origin, mirror] = [memoryRegistry(), memoryRegistry({ access: { scheme: "basic", users: { max: "mirror" } } })];
    for (const registry of [origin, mirror]) put(registry as MemoryRegistry, "team/app", "v1", image);
    servers = await Promise.all([origin, mirror].map((each) => listen((each as MemoryRegistry).handler)));
    conf = join(home, "mirrors.conf");
    const [o, m] = servers.map(({ host }) => host);
    await writeFile(conf, `[[registry]]\nlocation = "${o}"\n[[registry.mirror]]\nlocation = "${m}"\n`);
    await mkdir(join(home, "docker"));
    const auths = { [m as string]: { auth: btoa("max:mirror") } };
    await writeFile(join(home, "docker/config.json"), JSON.stringify({ auths }));
  });
  after(() => Promise.all(servers.map((server) => server.close())));

  /** Runs it, and tells which of both was asked for content. */
  const asked = async (words: string, env: Readonly<Record<string, string>> = {}) => {
    for (const registry of [origin, mirror]) (registry as MemoryRegistry).log.entries.length = 0;
    const [o, m] = servers.map(({ host }) => host);
    const list = words
      .replaceAll("ORIGIN", o as string)
      .replaceAll("HOME", home)
      .split(" ");
    const result = await rehearse(home, list, { env: { DOCKER_CONFIG: join(home, "docker"), ...env } });
    assert.equal(result.exitCode, 0, result.stderr);
    const content = (registry: MemoryRegistry | undefined): boolean =>
      (registry?.log.entries ?? []).some(({ target, status }) => /manifests|blobs/.test(target) && status < 300);
    return {
      result,
      who: [content(origin) && "origin", content(mirror) && "mirror"].filter(Boolean).join(),
      mirror: m,
    };
  };

  for (const [words, who] of [
    ["digest ORIGIN/team/app:v1", "mirror"],
    ["manifest ORIGIN/team/app:v1", "mirror"],
    ["config ORIGIN/team/app:v1", "mirror"],
    ["inspect ORIGIN/team/app:v1", "mirror"],
    ["pull ORIGIN/team/app:v1 HOME/out.tar", "mirror"],
    ["cp ORIGIN/team/app:v1 oci:HOME/layout:x", "mirror"],
    ["export ORIGIN/team/app:v1 HOME/export.tar", "mirror"],
    ["validate --remote ORIGIN/team/app:v1", "origin"],
    ["cp ORIGIN/team/app:v1 ORIGIN/team/copy:v1", "origin"],
    ["tag ORIGIN/team/app:v1 v2", "origin"],
    ["mutate --label a=b ORIGIN/team/app:v1 -t ORIGIN/team/mutated:v1", "origin"],
  ] as const)
    test(`${words}: from ${who}`, async () => {
      assert.equal((await asked(`${words} --mirrors HOME/mirrors.conf`)).who, who);
    });

  test("are not asked with --no-mirrors, and by variable as by flag", async () => {
    const words = "digest ORIGIN/team/app:v1";
    assert.equal((await asked(words)).who, "origin");
    assert.equal((await asked(words, { DRAY_MIRRORS: conf })).who, "mirror");
    assert.equal((await asked(words, { CONTAINERS_REGISTRIES_CONF: conf })).who, "mirror");
    assert.equal((await asked(`${words} --no-mirrors`, { DRAY_MIRRORS: conf })).who, "origin");
    assert.equal((await asked(words, { DRAY_MIRRORS: conf, DRAY_NO_MIRRORS: "true" })).who, "origin");
    assert.equal((await asked(`${words} --mirrors ${conf}`, { DRAY_NO_MIRRORS: "1" })).who, "mirror");
  });

  test("are traced: -v says where each blob came from", async () => {
    const { result, mirror: host } = await asked(
      `pull -v --mirrors HOME/mirrors.conf ORIGIN/team/app:v1 HOME/traced.tar`,
    );
    const [layer] = image.layers;
    assert.match(result.stderr, new RegExp(`GET http://${host}/v2/team/app/blobs/${layer?.digest} -> 200`));
  });

  test("a password on the command line is for the registry alone", async () => {
    const { who } = await asked(
      "digest --username ann --password secret --mirrors HOME/mirrors.conf ORIGIN/team/app:v1",
    );
    assert.equal(who, "mirror");
    assert.deepEqual([...new Set(mirror?.log.entries.map(({ authorization }) => authorization))], [undefined, "Basic"]);
  });

  test("what is blocked is neither read nor written", async () => {
    const [o] = servers.map(({ host }) => host);
    const blocked = join(home, "blocked.conf");
    await writeFile(blocked, `[[registry]]\nlocation = "${o}/team"\nblocked = true\n`);
    for (const words of [`digest ${o}/team/app:v1`, `tag ${o}/team/app:v1 v3`, `ls ${o}/team/app`]) {
      const { exitCode, stderr } = await rehearse(home, [...words.split(" "), "--mirrors", blocked]);
      assert.equal(exitCode, 1, words);
      assert.match(
        stderr,
        /^Error: 127\.0\.0\.1:\d+\/team\/app is blocked: .*blocked\.conf says so of "127\.0\.0\.1:\d+\/team"/,
      );
    }
  });
});
