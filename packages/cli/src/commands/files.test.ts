import assert from "node:assert/strict";
import { mkdir, readdir, readFile, readlink, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex, seededBytes, tar } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { commands } from "../../test/commands.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const image = sampleImage({
  tars: [
    tar([
      { path: "etc/", kind: "directory", mode: 0o700 },
      { path: "etc/os-release", kind: "file", bytes: bytes("ID=old\n") },
      { path: "etc/gone", kind: "file", bytes: bytes("gone") },
    ]),
    tar([
      { path: "etc/os-release", kind: "file", bytes: bytes("ID=dray\n") },
      { path: "etc/.wh.gone", kind: "file" },
      { path: "bin/su", kind: "file", mode: 0o4755, bytes: new Uint8Array(70_000) },
      { path: "bin/sh", kind: "symlink", target: "su" },
      { path: "bin/odd\u001b[31m", kind: "file" },
    ]),
  ],
});
/** Of text that becomes half of it: a layer of three spans. */
const large = sampleImage({
  tars: [
    tar([
      ...Array.from({ length: 6 }, (_, i) => ({
        path: `srv/${i}`,
        kind: "file" as const,
        bytes: bytes(Buffer.from(seededBytes(`large ${i}`, 300_000)).toString("hex")),
      })),
      { path: "srv/motd", kind: "file", bytes: bytes("hello\n") },
    ]),
  ],
});
const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"] });

const { registry, host, home, at, dray, printed } = await commands("files");
const app = `${host}/team/app`;

describe("files of an image", () => {
  /** Blobs that were asked for since. */
  const fetched = (): string[] =>
    registry.log.entries
      .splice(0)
      .flatMap(({ method, target }) => (method === "GET" && target.includes("/blobs/") ? [target] : []));

  before(async () => {
    put(registry, "team/app", "1.0", image);
    put(registry, "team/multi", "latest", index);
    put(registry, "team/large", "1.0", large);
  });

  test("are listed by name, in full, and in long", async () => {
    assert.equal(await printed("ls", `${app}:1.0:/`), "bin\netc\n");
    assert.equal(await printed("ls", `${app}:1.0:/etc`), "os-release\n");
    assert.equal(await printed("ls", "-R", `${app}@${image.root.digest}:/etc`), "/etc\n/etc/os-release\n");
    assert.equal(
      await printed("ls", "--full-ref", `docker://${app}:1.0:/etc`),
      `docker://${app}:1.0:/etc/os-release\n`,
    );
    assert.equal(
      await printed("ls", "-l", `${app}:1.0:/bin`),
      [
        "-rw-r--r-- 0/0     0 1970-01-01T00:00:00Z odd\\u001b[31m",
        "lrwxr-xr-x 0/0     0 1970-01-01T00:00:00Z sh -> su",
        "-rwsr-xr-x 0/0 70000 1970-01-01T00:00:00Z su",
        "",
      ].join("\n"),
    );
    const { files, ...rest } = JSON.parse(await printed("ls", "-o", "json", "-R", `${app}:1.0:/etc`));
    assert.deepEqual(rest, { schemaVersion: 1, location: `${app}:1.0`, digest: image.root.digest, path: "/etc" });
    assert.deepEqual(files, [
      {
        path: "/etc",
        type: "directory",
        size: 0,
        mode: "0700",
        uid: 0,
        gid: 0,
        modified: "1970-01-01T00:00:00.000Z",
        layer: image.layers[0]?.digest,
      },
      {
        path: "/etc/os-release",
        type: "file",
        size: 8,
        mode: "0644",
        uid: 0,
        gid: 0,
        modified: "1970-01-01T00:00:00.000Z",
        layer: image.layers[1]?.digest,
      },
    ]);
  });

  test("are printed, one after another, from wherever the image is", async () => {
    assert.equal(
      await printed("cat", `${app}:1.0:/etc/os-release`, `${app}:1.0:/etc/../etc//os-release`),
      "ID=dray\nID=dray\n",
    );
    const { bytes: su } = await dray(["cat", `${app}:1.0:/bin/sh`]);
    assert.equal(su.byteLength, 70_000);
    const [layout, archive] = [at("layout"), at("a.tar")];
    await printed("copy", `${app}:1.0`, `oci:${layout}:v1`);
    await printed("pull", `${app}:1.0`, archive);
    for (const place of [`oci:${layout}:v1`, `oci:${layout}`, `docker-archive:${archive}`]) {
      assert.equal(await printed("cat", `${place}:/etc/os-release`), "ID=dray\n", place);
      assert.equal(await printed("ls", `${place}:/etc`), "os-release\n", place);
    }
    assert.equal(await printed("ls", `oci:${layout}`), "v1\n");
  });

  test("that are not there, or are none, are told by image and path", async () => {
    for (const [words, exitCode, says] of [
      [
        ["cat", `${app}:1.0:/etc/gone`],
        5,
        `${app}:1.0 has no file /etc/gone; dray ls ${app}:1.0:/etc lists what is there`,
      ],
      [["ls", `${app}:1.0:/none/x/y`], 5, `has no file /none/x/y; dray ls ${app}:1.0:/ lists what is there`],
      [["ls", "-R", `${app}:1.0:/etc/x/y`], 5, `; dray ls ${app}:1.0:/etc lists what is there`],
      [
        ["cat", "--platform", "linux/arm64", `${host}/team/multi:/none`],
        5,
        `; dray ls --platform linux/arm64 ${host}/team/multi:/ lists what is there`,
      ],
      [["cat", `${app}:1.0:/etc`], 2, `/etc is a directory in ${app}:1.0; dray ls ${app}:1.0:/etc lists it`],
      [["cat", `${app}:1.0:/etc`], 2, `/etc is a directory in ${app}:1.0`],
      [["cat", `${app}:1.0`], 2, "names no file in an image: write IMAGE:/PATH"],
      [["cat"], 2, "write dray cat IMAGE:/PATH"],
      [["cat", `${app}:none:/x`], 5, "none"],
      [["ls", "--sort", "semver", `${app}:1.0:/etc`], 2, "--sort is about tags"],
      [["ls", "-l", `oci:${join(home, "none")}`], 2, "lies on no registry"],
      [["ls", "dir:/srv/x"], 1, "dir: is not there yet"],
    ] as const) {
      const found = await dray(words);
      assert.equal(found.exitCode, exitCode, `${words.join(" ")}: ${found.stderr}`);
      assert.ok(found.stderr.includes(says), found.stderr);
      assert.equal(found.stdout, "");
    }
  });

  test("of an index are those of the platform that is named, never silently of one", async () => {
    const multi = `${host}/team/multi`;
    const { exitCode, stderr } = await dray(["ls", `${multi}:/`]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /several images for linux: linux\/amd64, linux\/arm64/);
    assert.equal(await printed("ls", "--platform", "linux/arm64", `${multi}:/`), "bin\netc\n");
  });

  test("come from layers that are fetched once, also by the next command", async () => {
    const place = at("kept");
    const cached = ["--cache_path", place];
    fetched();
    assert.equal(await printed("cat", ...cached, `${app}:1.0:/etc/os-release`), "ID=dray\n");
    // The configuration, and the one layer that it takes.
    assert.equal(fetched().length, 2);
    await printed("ls", ...cached, "-R", `${app}:1.0:/`);
    assert.deepEqual(fetched(), [`/v2/team/app/blobs/${image.layers[0]?.digest}`]);
    await printed("ls", ...cached, "-R", `${app}:1.0:/`);
    await printed("cat", "-c", place, `${app}:1.0:/bin/su`);
    assert.deepEqual(fetched(), []);
    assert.deepEqual((await readdir(place)).sort(), [...image.layers, image.config].map(({ digest }) => digest).sort());
    await writeFile(join(place, image.layers[1]?.digest ?? ""), "damaged");
    const { stdout, stderr } = await dray(["cat", ...cached, `${app}:1.0:/etc/os-release`]);
    assert.equal(stdout, "ID=dray\n");
    assert.match(stderr, /^Warning: .* is damaged and is fetched again$/m);
    assert.equal(fetched().length, 1);
    await printed("cat", "--no-cache", ...cached, `${app}:1.0:/etc/os-release`);
    assert.equal(fetched().length, 2);
  });

  test("are kept where the user's caches are, unless nothing is to be kept", async () => {
    const cache = join(temporaryFolder("cache"), "xdg");
    for (const [words, env, there] of [
      [[], { XDG_CACHE_HOME: cache }, 2],
      [["--cache-size", "0"], { XDG_CACHE_HOME: `${cache}-none` }, undefined],
      [["--no-cache"], { XDG_CACHE_HOME: `${cache}-none` }, undefined],
      [[], { XDG_CACHE_HOME: `${cache}-none`, DRAY_CACHE_PATH: `${cache}-set` }, undefined],
    ] as const) {
      const { exitCode, stderr } = await dray(["cat", ...words, `${app}:1.0:/etc/os-release`], { env });
      assert.equal(exitCode, 0, stderr);
      const kept = await readdir(join(env.XDG_CACHE_HOME, "dray", "blobs")).catch(() => undefined);
      assert.equal(kept?.length, there, words.join(" "));
    }
    assert.equal((await readdir(`${cache}-set`)).length, 2);
    const bare = await dray(["cat", `${app}:1.0:/etc/os-release`], { env: { HOME: undefined } });
    assert.equal(bare.stdout, "ID=dray\n");
  });

  test("leave layers behind that are listed and pruned, and that a pull takes instead of fetching them", async () => {
    const place = ["--cache_path", at("pulled")];
    const file = at("pulled.tar");
    assert.equal(await printed("cache", "ls", ...place), "");
    await printed("pull", ...place, `${app}:1.0`, file);
    fetched();
    await printed("pull", ...place, `${app}:1.0`, `${file}.again`);
    assert.deepEqual(fetched(), []);
    assert.deepEqual(await readFile(`${file}.again`), await readFile(file));
    await printed("pull", "--format", "oci", ...place, `${app}:1.0`, at("layout-pulled"));
    assert.deepEqual(fetched(), []);
    await printed("pull", "--cache_path", `${place[1]}-small`, "--cache-size", "0", `${app}:1.0`, `${file}.small`);
    assert.deepEqual(await readdir(`${place[1]}-small`).catch(() => []), []);
    const { directory, blobs } = JSON.parse(await printed("cache", "ls", "-o", "json", ...place));
    assert.equal(directory, place[1]);
    const all = [...image.layers, image.config];
    assert.deepEqual(
      blobs.map(({ digest }: { digest: string }) => digest).sort(),
      all.map(({ digest }) => digest).sort(),
    );
    assert.match(
      await printed("cache", "ls", ...place),
      /^(sha256:[0-9a-f]{64} +\S+ \S+ \d{4}-\d\d-\d\dT[\d:]+Z\n){3}$/,
    );
    assert.match(
      await printed("cache", "prune", "--all", "--dry-run", ...place),
      /^(sha256:\S+\n){3}would remove 3 blobs, /,
    );
    assert.match(await printed("cache", "prune", "--unused-for", "1d", ...place), /^removed 0 blobs, /);
    const pruned = JSON.parse(await printed("cache", "prune", "--keep", "1000", "-o", "json", ...place));
    assert.ok(pruned.left <= 1000 && pruned.removed.length > 0);
    assert.match(await printed("cache", "prune", "--all", ...place), / 0 B left\n$/);
    assert.equal(await printed("cache", "ls", ...place), "");
    const { exitCode, stderr } = await dray(["cache", "ls"], { env: { HOME: undefined } });
    assert.equal(exitCode, 2);
    assert.match(stderr, /no HOME where layers are kept/);
  });

  test("come in parts from a layer that was read before, which the cache has an index of", async () => {
    const directory = join(home, "indexed");
    const place = ["--cache_path", directory];
    const at = `${host}/team/large:1.0`;
    const { digest = "", size = 0 } = large.layers[0] ?? {};
    const moved = (): number =>
      registry.log.entries
        .splice(0)
        .reduce((sum, { target, bytesOut }) => sum + (target.includes(digest) ? bytesOut : 0), 0);
    moved();
    assert.equal(await printed("cat", ...place, `${at}:/srv/motd`), "hello\n");
    assert.equal(moved(), size);
    assert.match(
      await printed("cache", "ls", ...place),
      new RegExp(`^${digest} +\\S+ kB \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z index$`, "m"),
    );
    const listed = JSON.parse(await printed("cache", "ls", "-o", "json", ...place)).blobs as Record<string, unknown>[];
    assert.deepEqual(listed.flatMap(({ kind, digest: of }) => (of === digest ? [String(kind)] : [])).sort(), [
      "blob",
      "index",
    ]);
    // As when the cache had no room for it any more.
    await unlink(join(directory, digest));
    assert.equal(await printed("ls", ...place, `${at}:/srv`), "0\n1\n2\n3\n4\n5\nmotd\n");
    assert.equal(moved(), 0);
    assert.equal(await printed("cat", ...place, `${at}:/srv/motd`), "hello\n");
    await printed("cp", ...place, `${at}:/srv/motd`, join(home, "motd"));
    assert.equal(await readFile(join(home, "motd"), "utf8"), "hello\n");
    const parts = moved();
    assert.ok(parts > 0 && parts < size, `${parts} of ${size}`);
    const dry = (await printed("cache", "prune", "--all", "--dry-run", ...place)).split("\n");
    assert.ok(
      dry.includes(`${digest} index`) && dry.at(-2)?.startsWith("would remove 1 blob and 1 index, "),
      dry.join(),
    );
    assert.match(await printed("cache", "prune", "--all", ...place), /^removed 1 blob and 1 index, .* 0 B left\n$/);
    assert.deepEqual(await readdir(directory), []);
  });

  test("are copied to paths of this machine, one file or a directory with all in it", async () => {
    const at = (...names: string[]): string => join(home, "copied", ...names);
    await mkdir(at("there"), { recursive: true });
    const one = `${app}:1.0:/etc/os-release`;
    for (const [to, expected] of [
      ["named", "named"],
      ["there", "there/os-release"],
      ["new/", "new/os-release"],
      ["named", "named"],
    ] as const) {
      const { exitCode, stdout, stderr } = await dray(["cp", one, `${at()}/${to}`]);
      assert.deepEqual([exitCode, stdout], [0, ""], stderr);
      assert.match(stderr, /copied 1 file, 8 B, to /);
      assert.equal(await readFile(at(expected), "utf8"), "ID=dray\n");
    }
    // Set-uid is nobody's who copies a file.
    await printed("cp", `${app}:1.0:/bin/sh`, at("su"));
    assert.equal((await stat(at("su"))).mode & 0o7777, 0o755);
    const { files, bytes, target, path, digest } = JSON.parse(
      await printed("copy", "-o", "json", `${app}:1.0:/bin`, at("there")),
    );
    assert.deepEqual([files, bytes, target, path, digest], [2, 70_000, at("there", "bin"), "/bin", image.root.digest]);
    assert.deepEqual((await readdir(at("there", "bin"))).sort(), ["odd\u001b[31m", "sh", "su"]);
    assert.equal(await readlink(at("there", "bin", "sh")), "su");
    await printed("cp", `${app}:1.0:/`, at("all"));
    assert.deepEqual((await readdir(at("all"))).sort(), ["bin", "etc"]);
    assert.equal(await readFile(at("all", "etc", "os-release"), "utf8"), "ID=dray\n");
    // A word is a path here, and never Docker Hub's.
    const cwd = process.cwd();
    process.chdir(at());
    try {
      await printed("cp", one, "alpine");
      assert.equal(await readFile(at("alpine"), "utf8"), "ID=dray\n");
      await printed("cp", one, "oci:x");
      assert.equal(await readFile(at("oci:x"), "utf8"), "ID=dray\n");
    } finally {
      process.chdir(cwd);
    }
    for (const [words, exitCode, says] of [
      [[`${app}:1.0:/bin`, at("there")], 1, "there/bin"],
      [[`${app}:1.0:/bin`, at("named")], 1, "named is there and no directory"],
      [[`${app}:1.0:/none`, at("x")], 5, `has no file /none; dray ls ${app}:1.0:/ lists what is there`],
      [
        [`${app}:1.0:/etc`, `${app}:2.0:/x`],
        2,
        `as a layer: dray append -b ${app}:2.0 -f DIR --prefix / -t ${app}:2.0`,
      ],
      [[one, "-"], 2, "dray cat "],
      [[one, join(home, "none", "deep", "x")], 1, "none"],
      [["--referrers", one, at("x")], 2, "--referrers is about images"],
      [["-n", one, at("x")], 2, "--no-clobber is about images"],
      [["--no-cache", `${app}:1.0`, `oci:${at("y")}`], 2, "--no-cache is about files"],
      [[`${app}:1.0`, `${app}:2.0:/x`], 2, "nothing is copied into an image"],
    ] as const) {
      const found = await dray(["cp", ...words]);
      assert.equal(found.exitCode, exitCode, `${words.join(" ")}: ${found.stderr}`);
      assert.ok(found.stderr.includes(says), found.stderr);
    }
    assert.deepEqual(await readdir(at()).then((names) => names.filter((name) => /^[xy]$|tmp|partial/.test(name))), []);
    assert.equal(
      (await dray(["cp", `${app}:1.0`, `oci:${at("y")}:1`], { env: { DRAY_CACHE_PATH: at("cache") } })).exitCode,
      0,
    );
  });
});
