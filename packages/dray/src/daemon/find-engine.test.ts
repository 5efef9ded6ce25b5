import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { parseEngineHost } from "./address.ts";
import { findEngine } from "./find-engine.ts";
import { sshWords } from "./ssh-relay.ts";

const home = temporaryFolder("engine-home");
const folderOf = (name: string): string => createHash("sha256").update(name).digest("hex");

const writeContext = (name: string, meta: string, tls: Readonly<Record<string, string>> = {}): void => {
  const folder = join(home, ".docker/contexts/meta", folderOf(name));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "meta.json"), meta);
  const secrets = join(home, ".docker/contexts/tls", folderOf(name), "docker");
  if (Object.keys(tls).length > 0) mkdirSync(secrets, { recursive: true });
  for (const [file, text] of Object.entries(tls)) writeFileSync(join(secrets, file), text);
};
const metaOf = (name: string, host: string, more: object = {}): string =>
  JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: { Host: host, ...more } } });

writeContext("far", metaOf("far", "tcp://10.0.0.1:2376"), { "ca.pem": "CA", "cert.pem": "CERT", "key.pem": "KEY" });
writeContext("near", metaOf("near", "unix:///run/near.sock"));
writeContext("loose", metaOf("loose", "tcp://h:1", { SkipTLSVerify: true }));
writeContext("half", metaOf("half", "unix:///x").slice(0, 30));
writeContext("kube", JSON.stringify({ Name: "kube", Endpoints: { kubernetes: {} } }));
writeContext("pair", metaOf("pair", "tcp://h:1"), { "cert.pem": "CERT" });
// A second one that says it is of this name, in a folder that is another's.
mkdirSync(join(home, ".docker/contexts/meta/0123"), { recursive: true });
writeFileSync(join(home, ".docker/contexts/meta/0123/meta.json"), metaOf("near", "unix:///run/impostor.sock"));

const found = async (env: Record<string, string>, options: object = {}): Promise<object[]> =>
  (await findEngine({ env: { HOME: home, ...env }, ...options })).map(({ host, from, tls }) =>
    tls === undefined ? { host, from } : { host, from, tls },
  );

describe("which engine is meant", () => {
  test("an option, DOCKER_HOST, DOCKER_CONTEXT, the current context, in this order", async () => {
    const config = temporaryFolder("engine-config");
    writeFileSync(join(config, "config.json"), JSON.stringify({ currentContext: "elsewhere" }));
    const all = { DOCKER_HOST: "unix:///env.sock", DOCKER_CONTEXT: "near" };
    assert.deepEqual(await found(all, { host: "unix:///given.sock" }), [
      { host: "unix:///given.sock", from: "the host option" },
    ]);
    assert.deepEqual(await found(all, { context: "near" }), [
      { host: "unix:///run/near.sock", from: "the context option" },
    ]);
    assert.deepEqual(await found(all), [{ host: "unix:///env.sock", from: "DOCKER_HOST" }]);
    assert.deepEqual(await found({ DOCKER_CONTEXT: "near", DOCKER_HOST: "" }), [
      { host: "unix:///run/near.sock", from: "DOCKER_CONTEXT" },
    ]);
    await assert.rejects(
      found({ DOCKER_CONFIG: config }),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") &&
        /^currentContext in .*config\.json: there is no docker context "elsewhere"; there is none$/.test(error.message),
    );
    writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ auths: {}, currentContext: "near" }));
    assert.deepEqual(await found({}), [
      { host: "unix:///run/near.sock", from: `currentContext in ${join(home, ".docker/config.json")}` },
    ]);
    assert.equal((await found({ DOCKER_CONTEXT: "default" })).length, 3);
    assert.deepEqual(await found({ DOCKER_HOST: " ", DOCKER_CONTEXT: "near" }), [
      { host: "unix:///run/near.sock", from: "DOCKER_CONTEXT" },
    ]);
    writeFileSync(join(home, ".docker/config.json"), "");
  });

  test("where nobody says, the usual sockets", async () => {
    assert.deepEqual(await found({ XDG_RUNTIME_DIR: "/run/user/7" }), [
      { host: "unix:///var/run/docker.sock", from: "the usual place" },
      { host: "unix:///run/user/7/docker.sock", from: "the usual place" },
      { host: `unix://${home}/.docker/run/docker.sock`, from: "the usual place" },
      { host: "unix:///run/user/7/podman/podman.sock", from: "the usual place" },
      { host: "unix:///run/podman/podman.sock", from: "the usual place" },
    ]);
  });

  test("TLS as docker has it: certificates in a folder, verified where it is said", async () => {
    const folder = temporaryFolder("engine-certs");
    await assert.rejects(
      found({ DOCKER_HOST: "tcp://h:1", DOCKER_CERT_PATH: folder }),
      /has none of ca\.pem, cert\.pem/,
    );
    writeFileSync(join(folder, "ca.pem"), "CA");
    const [one] = await found({ DOCKER_HOST: "tcp://h:1", DOCKER_CERT_PATH: folder, DOCKER_TLS_VERIFY: "1" });
    assert.deepEqual(one, { host: "tcp://h:1", from: "DOCKER_HOST", tls: { ca: "CA", skipTlsVerify: undefined } });
    const [lax] = await found({ DOCKER_HOST: "tcp://h:1", DOCKER_CERT_PATH: folder });
    assert.deepEqual(lax, { host: "tcp://h:1", from: "DOCKER_HOST", tls: { ca: "CA", skipTlsVerify: true } });
    writeFileSync(join(folder, "key.pem"), "KEY");
    await assert.rejects(
      found({ DOCKER_HOST: "tcp://h:1", DOCKER_CERT_PATH: folder }),
      /DOCKER_CERT_PATH: .*cert\.pem is not there, and the other half of it is/,
    );
  });

  test("a context with its certificates, and what may be wrong with one", async () => {
    assert.deepEqual(await found({ DOCKER_CONTEXT: "far" }), [
      { host: "tcp://10.0.0.1:2376", from: "DOCKER_CONTEXT", tls: { ca: "CA", cert: "CERT", key: "KEY" } },
    ]);
    assert.deepEqual(await found({ DOCKER_CONTEXT: "loose" }), [
      { host: "tcp://h:1", from: "DOCKER_CONTEXT", tls: { skipTlsVerify: true } },
    ]);
    for (const [name, says] of [
      ["half", /meta\.json of the context "half" names no host of an engine: it is damaged or was written half/],
      ["kube", /the context "kube" names no host of an engine/],
      ["pair", /key\.pem is not there, and the other half of it is/],
      [
        "gone",
        /^DOCKER_CONTEXT: there is no docker context "gone"; there are far, half, kube, loose, near and 1 more$/,
      ],
    ] as const)
      await assert.rejects(
        found({ DOCKER_CONTEXT: name }),
        (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message),
        name,
      );
  });

  test("a configuration that is no JSON is not guessed at, and not shown", async () => {
    const config = temporaryFolder("engine-broken");
    writeFileSync(join(config, "config.json"), '{"auths": {"r": {"auth": "c2VjcmV0"');
    await assert.rejects(
      found({ DOCKER_CONFIG: config }),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") && /is no valid JSON/.test(error.message) && !/c2Vj/.test(error.message),
    );
  });
});

describe("addresses of engines", () => {
  const parsed = (host: string, tls?: object) => parseEngineHost({ host, from: "DOCKER_HOST", tls });
  test("are sockets, TCP and ssh", () => {
    assert.deepEqual(parsed("unix:///var/run/docker.sock"), { kind: "socket", path: "/var/run/docker.sock" });
    const http = (origin: string, path = "") => ({ kind: "http", origin, path });
    assert.deepEqual(parsed("tcp://10.0.0.1"), http("http://10.0.0.1:2375"));
    assert.deepEqual(parsed("tcp://10.0.0.1", {}), http("https://10.0.0.1:2376"));
    assert.deepEqual(parsed("tcp://h:80"), http("http://h"));
    assert.deepEqual(parsed("tcp://[::1]:2375/"), http("http://[::1]:2375"));
    assert.deepEqual(parsed("https://h:1"), http("https://h:1"));
    // What docker's own client makes of it.
    assert.deepEqual(parsed("127.0.0.1:2375"), http("http://127.0.0.1:2375"));
    assert.deepEqual(parsed("h"), http("http://h:2375"));
    assert.deepEqual(parsed(":1234"), http("http://localhost:1234"));
    assert.deepEqual(parsed("tcp://"), http("http://localhost:2375"));
    assert.deepEqual(parsed("tcp://", {}), http("https://localhost:2376"));
    assert.deepEqual(parsed(" tcp://h:1/one/two/\n"), http("http://h:1", "/one/two"));
    assert.deepEqual(parsed("unix://"), { kind: "socket", path: "/var/run/docker.sock" });
    assert.deepEqual(parsed("ssh://me@h:22/run/x.sock"), {
      kind: "ssh",
      destination: { user: "me", host: "h", port: "22", socket: "/run/x.sock" },
    });
    assert.deepEqual(parsed("ssh://h"), {
      kind: "ssh",
      destination: { user: undefined, host: "h", port: undefined, socket: undefined },
    });
  });

  for (const [text, code, says] of [
    ["npipe:////./pipe/docker_engine", "UNSUPPORTED", /not reached by npipe/],
    ["fd://", "UNSUPPORTED", /not reached by fd/],
    ["/var/run/docker.sock", "CONFIG_INVALID", /expected unix/],
    ["tcp://h:99999", "CONFIG_INVALID", /expected unix/],
    ["tcp://h:1?x", "CONFIG_INVALID", /expected unix/],
    ["tcp://h:1#x", "CONFIG_INVALID", /expected unix/],
    ["tcp:///var/run/docker.sock", "CONFIG_INVALID", /expected unix/],
    ["http://", "CONFIG_INVALID", /expected unix/],
    ["foo://h:1", "CONFIG_INVALID", /expected unix/],
    ["tcp://me:secret@h:1", "CONFIG_INVALID", /^DOCKER_HOST is "tcp:\/\/…@h:1"; expected/],
    ["ssh://-oProxyCommand=evil", "CONFIG_INVALID", /expected ssh/],
    ["ssh://-oProxyCommand=evil@h", "CONFIG_INVALID", /expected ssh/],
    ["ssh://%2DoProxyCommand=evil@h", "CONFIG_INVALID", /expected ssh/],
    ["ssh://%2DoProxyCommand=evil", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h%41", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h#x", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h/run/x.sock#x", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h?x", "CONFIG_INVALID", /expected ssh/],
    ["ssh://%zz@h", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h/run/%zz.sock", "CONFIG_INVALID", /expected ssh/],
    ["ssh://h/run/a%0Ab.sock", "CONFIG_INVALID", /expected ssh/],
    ["ssh://me:secret@h", "CONFIG_INVALID", /ssh takes no password from an address/],
  ] as const)
    test(`"${text}" is refused`, () =>
      assert.throws(
        () => parsed(text),
        (error) => isDrayError(error, code) && says.test(error.message) && !/secret/.test(error.message),
      ));
});

test("the socket of an engine on another machine is one word for the shell there", () => {
  const words = (host: string): readonly string[] => {
    const parsed = parseEngineHost({ host, from: "DOCKER_HOST" });
    assert.ok(parsed.kind === "ssh");
    return sshWords(parsed.destination);
  };
  const socketOf = (host: string): string | undefined => words(host).at(-3);
  assert.equal(socketOf("ssh://h/run/user/1000/docker.sock"), "unix:///run/user/1000/docker.sock");
  assert.equal(socketOf("ssh://h/a%20b;id"), "'unix:///a b;id'");
  for (const name of ["$(id)", "a'b", "`id`", "x;y z"]) {
    const word = socketOf(`ssh://h/${encodeURIComponent(name)}`) ?? "";
    const said = spawnSync("sh", ["-c", `printf %s ${word}`], { encoding: "utf8" }).stdout;
    assert.equal(said, `unix:///${name}`);
  }
});
