import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, tokenServer } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Rehearsed, type RehearseOptions, rehearse } from "../../test/rehearse.ts";

const secret = "open-sesame";
const image = sampleImage({ seed: "auth" });

describe("credentials", () => {
  let server: Listener;
  let service: Listener;
  let home: string;
  const tokens = tokenServer({ users: { ann: secret } });
  const dray = async (words: readonly string[], options?: RehearseOptions): Promise<Rehearsed> => {
    const ended = await rehearse(home, words, options);
    if (words[1] !== "get")
      assert.ok(!`${ended.stdout}${ended.stderr}`.includes(secret), "the secret is in the output");
    return ended;
  };
  const done = async (words: readonly string[], options?: RehearseOptions): Promise<Rehearsed> => {
    const ended = await dray(words, options);
    assert.equal(ended.exitCode, 0, `${words.join(" ")}: ${ended.stderr}`);
    return ended;
  };
  const refused = async (
    exitCode: number,
    says: RegExp,
    words: readonly string[],
    options?: RehearseOptions,
  ): Promise<void> => {
    const ended = await dray(words, options);
    assert.equal(ended.exitCode, exitCode, `${words.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, says);
  };
  const config = async (): Promise<{ auths?: Record<string, unknown> }> =>
    JSON.parse(await readFile(join(home, ".docker/config.json"), "utf8"));

  before(async () => {
    home = temporaryFolder("auth");
    service = await listen(tokens.handler);
    const registry = memoryRegistry({ access: { scheme: "bearer", tokens, realm: `${service.origin}/token` } });
    put(registry, "team/app", "1", image);
    server = await listen(registry.handler);
  });
  after(async () => {
    await Promise.all([server.close(), service.close()]);
  });

  test("without credentials, wrong ones, right ones", async () => {
    const app = `${server.host}/team/app:1`;
    await refused(6, /team\/app|401|denied|credentials|authenti/i, ["digest", app]);
    await refused(6, /^Error: /, ["digest", "--username", "ann", "--password", "wrong", app]);
    const digest = `${image.root.digest}\n`;
    assert.equal((await done(["digest", "--username", "ann", "--password", secret, app])).stdout, digest);
    assert.equal(
      (await done(["digest", "--username", "ann", "--password-stdin", app], { stdin: `${secret}\r\n` })).stdout,
      digest,
    );
    const env = { DRAY_REGISTRY_HOSTNAME: server.host, DRAY_REGISTRY_USERNAME: "ann", DRAY_REGISTRY_PASSWORD: secret };
    assert.equal((await done(["digest", app], { env })).stdout, digest);
    assert.equal(
      (await done(["digest", app], { env: { DRAY_USERNAME: "ann", DRAY_PASSWORD: secret } })).stdout,
      digest,
    );
  });

  test("login asks the registry first, get and explain find it, logout forgets it", async () => {
    await refused(6, /^Error: /, ["auth", "login", server.host, "-u", "ann", "-p", "wrong"]);
    await assert.rejects(stat(join(home, ".docker")), "wrong credentials are not kept");
    await refused(2, /username and password required/, ["auth", "login", server.host, "-u", "ann"]);
    const { stdout, stderr } = await done(["auth", "login", server.host, "-u", "ann", "--password-stdin"], {
      stdin: `${secret}\n`,
    });
    assert.equal(stdout, "");
    assert.match(stderr, /Warning: the password is not encrypted in .*config\.json/);
    assert.match(stderr, /logged in to .* via .*config\.json/);
    assert.deepEqual(Object.keys((await config()).auths ?? {}), [server.host]);
    assert.equal((await stat(join(home, ".docker/config.json"))).mode & 0o777, 0o600);
    const answer = `{"Username":"ann","Secret":"${secret}"}\n`;
    assert.equal((await done(["auth", "get", server.host])).stdout, answer);
    assert.equal((await done(["auth", "get"], { stdin: `https://${server.host}/v1/\n` })).stdout, answer);
    assert.equal((await done(["digest", `${server.host}/team/app:1`])).stdout, `${image.root.digest}\n`);
    const explained = (await done(["auth", "explain", `${server.host}/team/app`])).stdout.split("\n");
    assert.match(explained[0] ?? "", new RegExp(`^${server.host}/team/app: password of ann from .*config\\.json`));
    const document = JSON.parse((await done(["auth", "explain", "-o", "json", server.host])).stdout);
    assert.deepEqual(
      [document.schemaVersion, document.registry, document.chosen.kind, document.chosen.username],
      [1, server.host, "password", "ann"],
    );
    assert.match((await done(["auth", "logout", server.host])).stderr, /logged out of/);
    assert.deepEqual((await config()).auths, {});
    assert.match((await done(["auth", "logout", server.host])).stderr, /not logged in/);
    const none = await dray(["auth", "get", server.host]);
    assert.deepEqual([none.exitCode, none.stdout], [1, "credentials not found in native keychain\n"]);
  });

  test("logout tells of what another file still has", async () => {
    const podman = join(home, "podman");
    await mkdir(join(podman, "containers"), { recursive: true });
    const auth = Buffer.from(`ann:${secret}`).toString("base64");
    await writeFile(join(podman, "containers/auth.json"), JSON.stringify({ auths: { "both.example": { auth } } }));
    const env = { XDG_CONFIG_HOME: podman };
    const says =
      /^Warning: .*podman\/containers\/auth\.json .* still has a password for both\.example, which is used from now on$/m;
    await refused(0, says, ["auth", "logout", "both.example"], { env });
    await done(["auth", "login", "both.example", "-u", "ann", "-p", secret, "--no-check"], { env });
    await refused(0, says, ["auth", "logout", "both.example"], { env });
    assert.doesNotMatch((await done(["auth", "logout", "other.example"], { env })).stderr, /Warning/);
  });

  test("login asks at a terminal for what was not said, and shows no password", async () => {
    const typed = async (words: readonly string[], ...lines: string[]): Promise<Rehearsed & { raw: boolean[] }> => {
      const raw: boolean[] = [];
      const keyboard = new PassThrough();
      const setRawMode = (on: boolean): void => void raw.push(on);
      const stdin = Object.assign(keyboard, { isTTY: true, setRawMode });
      const ended = dray(["auth", "login", server.host, ...words], { stdin });
      for (const line of lines) {
        keyboard.write(line);
        // The next question comes when this one is answered.
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      }
      return { ...(await ended), raw };
    };
    const both = await typed([], "bob\u007f\u007f\u007fann\n", `x\u0015${secret}\r`);
    assert.equal(both.exitCode, 0, both.stderr);
    assert.match(both.stderr, new RegExp(`^User name for ${server.host}: Password: \n`));
    assert.deepEqual(both.raw, [true, false]);
    assert.equal((await done(["digest", `${server.host}/team/app:1`])).stdout, `${image.root.digest}\n`);
    await done(["auth", "logout", server.host]);
    const named = await typed(["-u", "ann"], "wrong\r");
    assert.equal(named.exitCode, 6);
    assert.match(named.stderr, /refuses the password of ann \(401\); nothing was kept/);
    assert.doesNotMatch(named.stderr, /dray auth login/);
    assert.deepEqual((await config()).auths, {});
    assert.equal((await typed([], "ann\n", "\u0003")).exitCode, 130);
    await refused(2, /username and password required: -u NAME with --password-stdin/, ["auth", "login", server.host]);
  });

  test("a refusal says whose password from where was refused", async () => {
    const basic = await listen(memoryRegistry({ access: { scheme: "basic", users: { ann: secret } } }).handler);
    const folder = join(home, "stale");
    await mkdir(folder);
    const auth = Buffer.from("ann:stale").toString("base64");
    await writeFile(
      join(folder, "config.json"),
      JSON.stringify({ auths: { [basic.host]: { auth }, [server.host]: { auth } } }),
    );
    const env = { DOCKER_CONFIG: folder };
    const says =
      /the password of ann from .*stale\/config\.json \(auths, .*\) was refused; log in with: dray auth login/;
    await refused(6, says, ["digest", `${basic.host}/team/app:1`], { env });
    await refused(6, /refuses the password of ann from .*stale/, ["digest", `${server.host}/team/app:1`], { env });
    await refused(6, /password of ann from --username was refused/, [
      "ls",
      "--username",
      "ann",
      "--password",
      "x",
      `${basic.host}/a`,
    ]);
    await basic.close();
  });

  test("--username is for one registry: for two it is refused, and the second sees nothing", async () => {
    const second = memoryRegistry({ access: { scheme: "basic", users: { ann: secret } } });
    const other = await listen(second.handler);
    const flags = ["--username", "ann", "--password", secret];
    const [app, evil] = [`${server.host}/team/app:1`, `${other.host}/evil/app:1`];
    const says = /--username: a password is for one registry, and this command names two, .* and /;
    await refused(2, says, ["pull", ...flags, app, evil, join(home, "x.tar")]);
    await refused(2, says, ["validate", ...flags, app, evil]);
    const env = { DRAY_USERNAME: "ann", DRAY_PASSWORD: secret };
    const variable = /DRAY_USERNAME: a password is for one registry, and this command names two/;
    await refused(2, variable, ["pull", app, evil, join(home, "x.tar")], { env });
    await refused(2, /DRAY_USERNAME: say for which of/, ["cp", app, evil], { env });
    const stale = { ...env, DRAY_PASSWORD: "x" };
    await refused(6, /password of ann from DRAY_USERNAME/, ["digest", app], { env: stale });
    assert.equal(
      second.log.entries.some(({ authorization }) => authorization !== undefined),
      false,
    );
    await done(["validate", ...flags, app, app]);
    await other.close();
  });

  test("short flags take = as crane has them, blank ones were not said", async () => {
    const folder = join(home, "short");
    const env = { DOCKER_CONFIG: folder };
    await done(["auth", "login", "-u=ann", `-p=${secret}`, "--no-check", "short.example"], { env });
    assert.equal(
      (await dray(["auth", "get", "short.example"], { env })).stdout,
      `{"Username":"ann","Secret":"${secret}"}\n`,
    );
    const blank = ["--username", "", "--password", "", "--authfile", "", "--ca-file="];
    const ended = await done(["auth", "get", ...blank, "short.example"], { env });
    assert.equal(ended.stdout, `{"Username":"ann","Secret":"${secret}"}\n`);
    const open = memoryRegistry();
    put(open, "a", "1", image);
    const listener = await listen(open.handler);
    const list = (...flags: string[]) => done(["ls", ...flags, `${listener.host}/a`]);
    assert.equal((await list("-o=json")).stdout.startsWith("{"), true);
    assert.equal((await list("-O=true")).stdout, "1\n");
    assert.match((await list("-vO=true")).stderr, /GET/);
    assert.doesNotMatch((await list("-v=false")).stderr, /GET/);
    await refused(2, /-O=maybe|=maybe/, ["ls", "-O=maybe", `${listener.host}/a`]);
    await listener.close();
  });

  test("explain shows nothing that a terminal would act on", async () => {
    const odd = { auths: { "r.test": { username: "\u001b[31mann", password: secret } } };
    const { stdout } = await done(["auth", "explain", "r.test"], { env: { DOCKER_AUTH_CONFIG: JSON.stringify(odd) } });
    assert.match(stdout, /password of .*ann/);
    assert.equal(stdout.includes("\u001b"), false);
  });

  test("half a credential: by a flag a mistake, in a variable as good as none, which explain tells", async () => {
    const open = memoryRegistry();
    put(open, "a", "1", image);
    const listener = await listen(open.handler);
    const app = `${listener.host}/a:1`;
    const list = (words: readonly string[], env: Record<string, string>) => done([...words, app], { env });
    for (const env of [
      { DRAY_USERNAME: "ann" },
      { DRAY_PASSWORD: secret },
      { DRAY_USERNAME: "ann", DRAY_PASSWORD: "" },
    ] as Record<string, string>[]) {
      assert.equal((await list(["digest"], env)).stderr, "");
      const [half = "", other = ""] = env["DRAY_USERNAME"] ? ["USERNAME", "PASSWORD"] : ["PASSWORD", "USERNAME"];
      const { stdout } = await list(["auth", "explain"], env);
      assert.ok(stdout.includes(`  DRAY_${half}: set, but without DRAY_${other}\n`), stdout);
    }
    await done(["cp", app, `${listener.host}/b:1`], { env: { DRAY_SRC_USERNAME: "ann" } });
    const another = await listen(open.handler);
    await done(["cp", app, `${another.host}/b:1`], { env: { DRAY_USERNAME: "ann" } });
    await another.close();
    await done(["digest", "--username", "ann", app], { env: { DRAY_PASSWORD: secret } });
    await done(["digest", "--password-stdin", app], { env: { DRAY_USERNAME: "ann" }, stdin: secret });
    await refused(2, /both: --username was given without a password/, ["digest", "--username", "ann", app]);
    await refused(2, /both: --password was given without --username/, ["digest", "--password", secret, app]);
    await refused(2, /--username: the password on stdin is empty/, [
      "digest",
      "--username=ann",
      "--password-stdin",
      app,
    ]);
    await refused(2, /both: --src-username was given without/, ["cp", "--src-username", "ann", app, app]);
    await listener.close();
  });

  test("login at a registry that asks for nothing keeps the credentials, and says that nobody checked them", async () => {
    const open = await listen(memoryRegistry().handler);
    const env = { DOCKER_CONFIG: join(home, "open") };
    const words = ["auth", "login", open.host, "-u", "ann", "-p", secret];
    const { stderr } = await done(words, { env });
    assert.match(stderr, /^Warning: \S+ asked for no credentials: they are kept, but nobody has checked them$/m);
    assert.match((await dray(["auth", "get", open.host], { env })).stdout, /"ann"/);
    for (const more of [["--no-check"], []]) {
      const at = more.length === 0 ? server.host : open.host;
      assert.doesNotMatch(
        (await done(["auth", "login", at, ...words.slice(3), ...more], { env })).stderr,
        /asked for no/,
      );
    }
    await open.close();
  });

  test("login --no-check and --authfile", async () => {
    const authfile = join(home, "auth.json");
    await done(["auth", "login", "--no-check", "--authfile", authfile, "gone.example", "-u", "ann", "-p", secret]);
    assert.equal(
      (await done(["auth", "get", "--authfile", authfile, "gone.example"])).stdout,
      `{"Username":"ann","Secret":"${secret}"}\n`,
    );
    await refused(2, /nowhere\.json/, [
      "digest",
      "--authfile",
      join(home, "nowhere.json"),
      `${server.host}/team/app:1`,
    ]);
  });

  test("token: a JSON answer, or a header", async () => {
    const signedIn = ["--username", "ann", "--password", secret];
    const { stdout } = await done(["auth", "token", ...signedIn, `${server.host}/team/app`]);
    const answer = JSON.parse(stdout);
    assert.equal(typeof answer.token, "string");
    const headerLine = (
      await done(["auth", "token", "-H", "--push", "-m", "team/other", ...signedIn, `${server.host}/team/app`])
    ).stdout;
    assert.match(headerLine, /^Authorization: Bearer [!-~]+$/);
    const asked = tokens.log.entries.at(-1)?.target ?? "";
    assert.match(decodeURIComponent(asked), /repository:team\/app:pull,push|repository:team\/app:push,pull/);
    assert.match(decodeURIComponent(asked), /repository:team\/other:pull/);
    const open = await listen(memoryRegistry().handler);
    await refused(1, /answered 200 without asking for a token: none is needed$/m, [
      "auth",
      "token",
      `${open.host}/team/app`,
    ]);
    const basic = await listen(memoryRegistry({ access: { scheme: "basic", users: { ann: secret } } }).handler);
    for (const flags of [[], signedIn])
      await refused(1, /takes the user name and password with each request \(Basic\): there are no tokens, and none/, [
        "auth",
        "token",
        ...flags,
        `${basic.host}/team/app`,
      ]);
    await basic.close();
    await open.close();
  });

  test("a helper that is missing is one warning and anonymous access", async () => {
    // Everybody gets a token here, but is asked who they are.
    const everybody = tokenServer();
    const realm = await listen(everybody.handler);
    const registry = memoryRegistry({
      access: { scheme: "bearer", tokens: everybody, realm: `${realm.origin}/token` },
    });
    put(registry, "open", "1", image);
    const open = await listen(registry.handler);
    await mkdir(join(home, "helper"));
    await writeFile(join(home, "helper/config.json"), JSON.stringify({ credsStore: "not-there" }));
    const env = { DOCKER_CONFIG: join(home, "helper") };
    const { stderr } = await done(["cp", `${open.host}/open:1`, `${open.host}/copy:1`], { env });
    assert.equal(stderr.match(/Warning: .*docker-credential-not-there/g)?.length, 1, stderr);
    await Promise.all([open.close(), realm.close()]);
  });

  test("a helper of the system is asked", async () => {
    await mkdir(join(home, "bin"));
    await writeFile(
      join(home, "bin/docker-credential-test"),
      `#!/bin/sh\ncat >/dev/null\necho '{"Username":"ann","Secret":"${secret}"}'\n`,
    );
    await chmod(join(home, "bin/docker-credential-test"), 0o755);
    await mkdir(join(home, "store"));
    await writeFile(join(home, "store/config.json"), JSON.stringify({ credHelpers: { [server.host]: "test" } }));
    const env = { DOCKER_CONFIG: join(home, "store"), PATH: `${join(home, "bin")}:${process.env["PATH"]}` };
    assert.equal((await done(["digest", `${server.host}/team/app:1`], { env })).stdout, `${image.root.digest}\n`);
  });

  test("a configuration that cannot be understood is named", async () => {
    await mkdir(join(home, "bad"));
    await writeFile(join(home, "bad/config.json"), "{ not json");
    for (const words of [
      ["digest", `${server.host}/team/app:1`],
      ["auth", "explain", server.host],
    ])
      await refused(2, /bad\/config\.json is no valid JSON; correct it/, words, {
        env: { DOCKER_CONFIG: join(home, "bad") },
      });
  });
});
