/** Disks that are full, and files that this user may not read or write. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, tokenServer } from "@dray/testkit";
import { type Finished, findPeer, finish } from "@dray/testkit/peers";
import { header } from "dray/http";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { type Case, checkFolder, checkRefusal, type Places, secret, wordsOf } from "./refusal.ts";

const [sh, unshare, mount, setpriv] = ["sh", "unshare", "mount", "setpriv"].map(findPeer);
const MiB = 1024 * 1024;

/** What of `line` can be done here, tried once. */
const works = (...line: readonly string[]): boolean => spawnSync(line[0] as string, line.slice(1)).status === 0;

describe("a full disk", { skip: missing(["sh", sh]) }, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();
  /** Layers of so many MiB on a disk that has room for one: such as are written here, and such as a thread writes. */
  const images = [
    { name: "app", layer: 3, room: 4 },
    { name: "large", layer: 12, room: 16 },
  ];
  before(async () => {
    shop = await workshop();
    for (const { name, layer } of images)
      put(registry, `demo/${name}`, "v1", sampleImage({ seed: name, layers: 2, layerSize: layer * MiB }));
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  /** Runs a script of the shell; `"$@"` in it is the command. */
  const shell = (script: string, words: readonly string[]): Promise<Finished> =>
    finish([sh as string, "-c", script, "sh", ...shop.line(words)], { env: { ...shop.env, DRAY_RETRY: "0" } });

  const forms = {
    "a tarball": ["pull"],
    "a tarball of the old form": ["pull", "--format", "legacy"],
    "a layout": ["pull", "--format", "oci"],
  } as const;

  const canMount =
    unshare !== undefined && mount !== undefined && works(unshare, "-m", mount, "-t", "tmpfs", "t", "/mnt");
  const eachForm = images.flatMap((image) =>
    Object.entries(forms).map(([form, command]) => ({ ...image, form, command })),
  );
  for (const { name, room, form, command } of eachForm)
    test(`of ${room} MiB, for real: ${form}`, {
      skip: canMount ? false : "only who may mount can fill a disk",
    }, async (t) => {
      t.diagnostic(`a tmpfs of ${room} MiB was mounted and filled`);
      const disk = shop.path(`${form.replaceAll(" ", "-")}-${room}`);
      await mkdir(disk);
      // All in a name space of its own, which ends with the shell: nothing stays mounted, whatever happens.
      const script = `
        ${mount} -t tmpfs -o size=${room}m dray "${disk}" || exit 99
        "$@" 2>"${disk}.stderr"; echo "$?"; find "${disk}" -type f
        ${mount} -t tmpfs -o remount,size=${10 * room}m dray "${disk}" || exit 98
        echo again; "$@" >&2; echo "$?"; find "${disk}" -type f`;
      const words = [...command, `${server.host}/demo/${name}:v1`, `${disk}/image`];
      registry.log.clear();
      const line = [unshare as string, "-m", sh as string, "-c", script, "sh", ...shop.line(words)];
      const { code, stdout, stderr } = await finish(line, { env: { ...shop.env, DRAY_RETRY: "0" } });
      assert.equal(code, 0, stderr);
      const [[failed, ...left] = [], [done, ...all] = []] = stdout
        .split("again\n")
        .map((text) => text.trim().split("\n"));
      const said = await readFile(`${disk}.stderr`, "utf8");
      const says =
        /cannot write .*image.*: the disk is full; free some space and run it again \(ENOSPC\); what arrived is kept, and the same command goes on with it/;
      checkRefusal({ code: Number(failed), stdout: "", stderr: said }, { code: 1, says }, form);
      for (const file of left)
        assert.match(file, /\/image\.dray-part$|\/image\/\.dray\/[^/]*$|\/blobs\/sha256\/[0-9a-f]{64}$/, form);
      assert.equal(done, "0", stderr);
      assert.deepEqual(
        all.filter((file) => file.includes("dray-part") || file.includes("/.dray/")),
        [],
      );
      const ranges = registry.log.entries.flatMap(({ headers }) => header(headers, "Range") ?? []);
      assert.ok(
        ranges.some((range) => /^bytes=[1-9]/.test(range)),
        "it went on where it had stopped",
      );
    });

  for (const [form, command] of Object.entries(forms))
    test(`by a limit of 1 MiB to each file: ${form}`, async () => {
      const folder = shop.path(`limited-${form.replaceAll(" ", "-")}`);
      await mkdir(folder);
      const words = [...command, `${server.host}/demo/app:v1`, `${folder}/image`];
      // In blocks of 512 or 1024 bytes, as the shell likes; without the signal, which would end us before we could speak.
      const limited = await shell(`trap '' XFSZ; ulimit -f 1024; exec "$@"`, words);
      const says = /cannot write .*: the file is larger than the file system or a limit \(ulimit -f\) allows/;
      checkRefusal(limited, { code: 1, says }, form);
      await checkFolder(folder, form);
      assert.equal((await shell(`exec "$@"`, words)).code, 0);
    });
});

/** Root may do everything, so it is nobody who tries. */
const uid = process.getuid?.();
const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
const noUser = uid === undefined ? "no users here" : uid === 0 ? missing(["setpriv", setpriv]) : false;

describe("permissions", { skip: noUser, concurrency: 4 }, () => {
  let shop: Sandbox;
  let server: Listener;
  let guard: Listener;
  const servers: Listener[] = [];
  let cannotRun: string | undefined;
  const registry = memoryRegistry();
  const as = (words: readonly string[], env: Places = {}): Promise<Finished> =>
    finish([...(uid === 0 ? [setpriv as string, ...nobody] : []), ...shop.line(words)], {
      env: {
        ...shop.env,
        HOME: shop.path("home"),
        DOCKER_CONFIG: shop.path("home/docker"),
        XDG_STATE_HOME: shop.path("home/state"),
        ...env,
      },
    });

  before(async () => {
    shop = await workshop();
    const tokens = tokenServer();
    const service = await listen(tokens.handler);
    const access = { scheme: "bearer", tokens, realm: `${service.origin}/token` } as const;
    const guarded = memoryRegistry({ access });
    for (const each of [registry, guarded]) put(each, "demo/app", "v1", sampleImage({ seed: "permissions" }));
    [server, guard] = [await listen(registry.handler), await listen(guarded.handler)];
    servers.push(service, server, guard);
    const image = `${server.host}/demo/app:v1`;
    for (const folder of ["home", "hidden", "unwritable", "secret"]) await mkdir(shop.path(folder));
    await shop.ok(["pull", image, shop.path("hidden/image.tar")]);
    await shop.ok(["pull", image, shop.path("unreadable.tar")]);
    for (const name of ["layout", "no-index", "no-blobs"])
      await shop.ok(["pull", "--format", "oci", image, shop.path(name)]);
    await writeFile(shop.path("secret/config.json"), "{}");
    await writeFile(shop.path("hidden/config.json"), "{}");
    const modes: Readonly<Record<string, number>> = {
      ".": 0o755,
      home: 0o777,
      hidden: 0,
      unwritable: 0o555,
      "secret/config.json": 0,
      "unreadable.tar": 0,
      layout: 0o555,
      "no-index/index.json": 0,
    };
    for (const [name, mode] of Object.entries(modes)) await chmod(shop.path(name), mode);
    for (const name of await readdir(shop.path("no-blobs/blobs/sha256")))
      await chmod(shop.path("no-blobs/blobs/sha256", name), 0);
    if ((await as(["version"])).code !== 0) cannotRun = "nobody may not read the sources or the runtime here";
  });
  after(async () => {
    await Promise.all(servers.map((each) => each.close()));
    spawnSync("chmod", ["-R", "u+rwx", shop.dir]);
    await shop.close();
  });

  const denied = "permission denied; check its owner and mode, and those of the directories above it \\(EACCES\\)$";
  const cases: readonly Case[] = [
    {
      name: "a configuration that may not be read",
      commands: ["digest GUARDED/demo/app:v1", "pull GUARDED/demo/app:v1 HERE/home/a.tar"],
      env: { DOCKER_CONFIG: "HERE/secret" },
      code: 2,
      says: /cannot read .*\/secret\/config\.json \(EACCES\); make it readable for this user, or name another/,
    },
    {
      name: "an --authfile that may not be read",
      commands: ["digest --authfile HERE/secret/config.json GUARDED/demo/app:v1"],
      code: 2,
      says: /cannot read .*\/secret\/config\.json \(EACCES\); make it readable/,
    },
    {
      name: "a --ca-file that may not be read",
      commands: ["digest --ca-file HERE/secret/config.json GUARDED/demo/app:v1"],
      code: 2,
      says: /--ca-file .*\/secret\/config\.json: cannot be read \(EACCES\); check its owner and mode/,
    },
    {
      name: "a directory that may not be written",
      commands: ["pull IMAGE HERE/unwritable/a", "pull --format legacy IMAGE HERE/unwritable/a"],
      code: 1,
      says: new RegExp(`cannot write .*/unwritable/a: ${denied}`),
    },
    {
      name: "a directory that may not be written, for a layout",
      commands: ["pull --format oci IMAGE HERE/unwritable/a", "cp IMAGE oci:HERE/unwritable/a:v1"],
      code: 1,
      says: new RegExp(`cannot write layout .*/unwritable/a: ${denied}`),
    },
    {
      name: "a layout that may not be written",
      commands: ["cp IMAGE oci:HERE/layout:new", "tag oci:HERE/layout new"],
      code: 1,
      says: new RegExp(`cannot write layout .*/layout: ${denied}`),
    },
    {
      name: "a directory that may not be entered",
      commands: [
        "push HERE/hidden/image.tar TO",
        "cp docker-archive:HERE/hidden/image.tar TO",
        "pull IMAGE HERE/hidden/a",
      ],
      code: 1,
      says: new RegExp(`cannot (read|write) .*/hidden/.*: ${denied}`),
    },
    {
      name: "an archive that may not be read",
      commands: ["push HERE/unreadable.tar TO", "digest --tarball HERE/unreadable.tar"],
      code: 1,
      says: new RegExp(`cannot read .*/unreadable\\.tar: ${denied}`),
    },
    {
      name: "a layout whose index may not be read",
      commands: ["push HERE/no-index TO", "ls oci:HERE/no-index"],
      code: 1,
      says: new RegExp(`cannot read .*/no-index/index\\.json: ${denied}`),
    },
    {
      name: "a layout whose blobs may not be read",
      commands: ["push HERE/no-blobs TO", "validate oci:HERE/no-blobs"],
      code: 1,
      says: new RegExp(`cannot (open|read) .*/no-blobs/blobs/sha256/.*: ${denied}|not as the digests say`),
    },
    {
      name: "a login that cannot be kept",
      commands: [`auth login GUARDED -u ann -p ${secret} --no-check`],
      env: { DOCKER_CONFIG: "HERE/unwritable" },
      code: 1,
      says: new RegExp(`cannot write .*/unwritable/config\\.json: ${denied}`),
    },
  ];
  for (const { name, commands, env = {}, ...refusal } of cases)
    test(name, async (t) => {
      if (cannotRun !== undefined) return t.skip(cannotRun);
      const places = {
        HERE: shop.dir,
        IMAGE: `${server.host}/demo/app:v1`,
        GUARDED: guard.host,
        TO: `${server.host}/to/app:v1`,
      };
      const own = Object.fromEntries(Object.entries(env).map(([key, text]) => [key, wordsOf(text, places).join(" ")]));
      for (const command of commands) checkRefusal(await as(wordsOf(command, places), own), refusal, command);
      assert.deepEqual(registry.tags("to/app"), []);
      for (const folder of ["unwritable", "home"]) await checkFolder(shop.path(folder), name);
    });

  test("a configuration in a directory that may not be entered is one warning", async (t) => {
    if (cannotRun !== undefined) return t.skip(cannotRun);
    const { code, stderr } = await as(["digest", `${guard.host}/demo/app:v1`], { DOCKER_CONFIG: shop.path("hidden") });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Warning: .*\/hidden\/config\.json cannot be reached \(EACCES\); going on without it: .*\n$/);
  });
});
