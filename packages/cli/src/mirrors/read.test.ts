import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { readMirrors } from "./index.ts";

/** A home and a system folder with these files in them. */
const scene = async (files: Readonly<Record<string, string>>) => {
  const folder = temporaryFolder("mirrors");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const read = (said?: string | false, env: Readonly<Record<string, string>> = {}) =>
    readMirrors({
      said: typeof said === "string" ? join(folder, said) : said,
      named: "--mirrors",
      env: { HOME: join(folder, "home"), ...env },
      system: join(folder, "system"),
    });
  return { folder, read };
};

const rule = (prefix: string, mirror: string): string =>
  `[[registry]]\nlocation = "${prefix}"\n[[registry.mirror]]\nlocation = "${mirror}"\n`;
const own = "home/.config/containers/registries.conf";
const all = "system/registries.conf";

const locations = (found: Awaited<ReturnType<typeof readMirrors>>, registry: string): readonly string[] =>
  (found?.rulesFor(registry) ?? [])
    .filter(({ prefix }) => prefix === registry)
    .flatMap(({ mirrors = [] }) => mirrors.map(({ location }) => location));

test("what has no end is read to 4 MiB and refused; what comes by a pipe is read", async () => {
  const { folder, read } = await scene({});
  await symlink("/dev/zero", join(folder, "endless.conf"));
  await assert.rejects(
    read("endless.conf"),
    (error) =>
      isDrayError(error, "CONFIG_INVALID") && /endless\.conf: longer than 4 MiB, so no such file/.test(error.message),
  );
  execFileSync("mkfifo", [join(folder, "piped.conf")]);
  const [found] = await Promise.all([
    read("piped.conf"),
    writeFile(join(folder, "piped.conf"), rule("r.test", "m.test")),
  ]);
  assert.deepEqual(locations(found, "r.test"), ["m.test"]);
});

describe("without a word", () => {
  test("a file that says nothing is not looked at twice, however long it is", async () => {
    // Looked at from each of its lines on, it would take longer than anybody waits.
    const { read } = await scene({ [all]: "\n".repeat(3_000_000) });
    assert.equal(await read(), undefined);
  });

  test("the system's file is read with both drop-in folders, in the order of their names", async () => {
    const { read } = await scene({
      [all]: rule("r.test", "system.test") + rule("s.test", "system.test"),
      [`${all}.d/20.conf`]: rule("r.test", "20.test"),
      [`${all}.d/10.conf`]: rule("r.test", "10.test"),
      [`${all}.d/30.txt`]: rule("r.test", "30.test"),
      [`${own}.d/05.conf`]: rule("t.test", "05.test"),
    });
    const found = await read();
    assert.deepEqual(
      ["r.test", "s.test", "t.test"].map((each) => locations(found, each)),
      [["20.test"], ["system.test"], ["05.test"]],
    );
  });

  test("the user's file stands for the system's, with the user's drop-ins alone", async () => {
    const { read } = await scene({
      [all]: rule("r.test", "system.test"),
      [`${all}.d/10.conf`]: rule("s.test", "system.test"),
      [own]: rule("r.test", "own.test"),
      [`${own}.d/10.conf`]: rule("t.test", "own.test"),
    });
    const found = await read();
    assert.deepEqual(
      ["r.test", "s.test", "t.test"].map((each) => locations(found, each)),
      [["own.test"], [], ["own.test"]],
    );
  });

  test("CONTAINERS_REGISTRIES_CONF names another main file", async () => {
    const { read, folder } = await scene({
      "named.conf": rule("r.test", "named.test"),
      [own]: rule("r.test", "own.test"),
      [`${all}.d/10.conf`]: rule("s.test", "system.test"),
    });
    const found = await read(undefined, { CONTAINERS_REGISTRIES_CONF: join(folder, "named.conf") });
    assert.deepEqual(locations(found, "r.test"), ["named.test"]);
    assert.deepEqual(locations(found, "s.test"), ["system.test"]);
    await assert.rejects(
      read(undefined, { CONTAINERS_REGISTRIES_CONF: join(folder, "none.conf") }),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") &&
        /^CONTAINERS_REGISTRIES_CONF: .*none\.conf: no such file/.test(error.message),
    );
  });

  test("nothing is said where no file is about mirrors", async () => {
    assert.equal(await (await scene({})).read(), undefined);
    const aliases = '[aliases]\n"registry" = "docker.io/library/registry"\n= no TOML\n';
    // What is no TOML shows that nothing parses it: comments and aliases are passed over.
    const { read } = await scene({
      [all]: "# [[registry]]\n#location\n= no TOML",
      [`${all}.d/000-shortnames.conf`]: aliases,
    });
    assert.equal(await read(), undefined);
  });

  test("tables about registries are found however they are written", async () => {
    for (const text of [
      rule("r.test", "m.test"),
      'registry = [{ location = "r.test", mirror = [{ location = "m.test" }] }]\n',
      '  [[ "registry" ]]\n  location = "r.test"\n  mirror = [{ location = "m.test" }]\n',
    ])
      assert.deepEqual(locations(await (await scene({ [all]: text })).read(), "r.test"), ["m.test"], text);
    const block = await (await scene({ [all]: '[registries.block]\nregistries = ["r.test"]\n' })).read();
    assert.equal(block?.rulesFor("r.test")[0]?.blocked, true);
  });

  test("a file that makes no sense says where, and what to do", async () => {
    const { read } = await scene({ [all]: '[[registry]]\nlocation = "r.test\n' });
    await assert.rejects(read(), (error) => {
      assert.ok(isDrayError(error, "CONFIG_INVALID"));
      assert.match(error.message, /system\/registries\.conf:2:\d+: .+; correct it, or pass it over with --no-mirrors$/);
      return true;
    });
    assert.equal(await read(false), undefined);
  });
});

describe("what --mirrors names", () => {
  test("is a registries.conf, and no other file is read", async () => {
    const { read } = await scene({ "x.conf": `${rule("r.test", "x.test")}wrong = 1\n`, [own]: "[[registry]] no TOML" });
    const found = await read("x.conf");
    assert.deepEqual(locations(found, "r.test"), ["x.test"]);
    assert.match(found?.notes.join() ?? "", /x\.conf: registry 1: mirror 1: "wrong" is not known, and passed over/);
  });

  test("is parsed whatever it is about, which a file that nobody has named is not", async () => {
    const { read } = await scene({
      "x.conf": "garbage\n",
      "y.conf": "x = 1\n",
      "d/1.conf": "x = [",
      [own]: "garbage\n",
    });
    assert.equal(await read(), undefined);
    for (const name of ["x.conf", "d"])
      await assert.rejects(
        read(name),
        (error) => isDrayError(error, "CONFIG_INVALID") && /\.conf:\d+:\d+: .*; correct it$/.test(error.message),
      );
    assert.match((await read("y.conf"))?.notes.join() ?? "", /y\.conf: "x" is not known, and passed over/);
  });

  test("is a folder of drop-ins", async () => {
    const { read } = await scene({ "d/1.conf": rule("r.test", "1.test"), "d/2.conf": rule("r.test", "2.test") });
    assert.deepEqual(locations(await read("d"), "r.test"), ["2.test"]);
  });

  test("is containerd's folder of registries", async () => {
    const host = (name: string): string => `[host."https://${name}"]\n  capabilities = ["pull", "resolve"]\n`;
    const { read, folder } = await scene({
      "certs.d/docker.io/hosts.toml": `server = "https://registry-1.docker.io"\n${host("b.test")}${host("a.test")}  ca = "ca.pem"\n`,
      "certs.d/docker.io/ca.pem": "PEM",
      "certs.d/r.test_5000_/hosts.toml": host("c.test"),
      "certs.d/_default/hosts.toml": host("d.test"),
      "certs.d/other.test/ca.crt": "",
    });
    const found = await read("certs.d");
    assert.deepEqual(locations(found, "docker.io"), ["https://b.test", "https://a.test"]);
    assert.deepEqual(found?.rulesFor("docker.io")[0]?.mirrors?.[1]?.ca, ["PEM"]);
    assert.deepEqual(locations(found, "r.test:5000"), ["https://c.test"]);
    assert.deepEqual(locations(found, "any.test"), ["https://d.test"]);
    assert.deepEqual(locations(await read("certs.d/docker.io"), "docker.io"), ["https://b.test", "https://a.test"]);
    assert.deepEqual(locations(await read("certs.d/docker.io/hosts.toml"), "r.test:5000"), []);
    await rm(join(folder, "certs.d/docker.io/ca.pem"));
    await assert.rejects(
      read("certs.d"),
      (error) => isDrayError(error, "CONFIG_INVALID") && /hosts\.toml: .*ca\.pem: no such file/.test(error.message),
    );
  });

  test("is docker's daemon.json", async () => {
    const { read } = await scene({ "daemon.json": '\ufeff{"registry-mirrors":["https://m.test"]}', "bad.json": "{" });
    assert.deepEqual(locations(await read("daemon.json"), "docker.io"), ["https://m.test"]);
    await assert.rejects(
      read("bad.json"),
      (error) => isDrayError(error, "CONFIG_INVALID") && /no valid JSON/.test(error.message),
    );
  });

  test("has to be there, and about mirrors", async () => {
    const { read } = await scene({ "empty/x.txt": "" });
    for (const [name, says] of [
      ["none", /--mirrors .*none: no such file or directory; check the path/],
      ["empty", /--mirrors .*empty: there is nothing about mirrors in it; expected HOST\/hosts\.toml/],
    ] as const)
      await assert.rejects(read(name), (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message));
  });
});
