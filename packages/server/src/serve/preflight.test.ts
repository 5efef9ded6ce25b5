import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { before, describe, test } from "node:test";
import { remarkText } from "@dray/service/config";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { loadSettings, type Settings, type Sources, usableSettings } from "../config/index.ts";
import { preflight } from "./preflight.ts";
import { serve } from "./serve.ts";

let root: string;
const { server, client, ca } = testCertificates();
const jwkOf = (key: string): object => createPublicKey(key).export({ format: "jwk" });
const long = testCertificates({ days: 60 }).server;
before(async () => {
  root = temporaryFolder("preflight");
  const files: Readonly<Record<string, string>> = {
    file: "words",
    cert: server.cert,
    key: server.key,
    "long.cert": long.cert,
    "long.key": long.key,
    "other.key": client.key,
    "past.ca": `${ca.cert}\n${testCertificates({ now: new Date(Date.now() - 40 * 86_400_000) }).ca.cert}`,
    "future.ca": testCertificates({ now: new Date(Date.now() + 40 * 86_400_000) }).ca.cert,
    "keys.json": JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", ...jwkOf(server.key) }] }),
    "private.json": JSON.stringify({ keys: [createPrivateKey(server.key).export({ format: "jwk" })] }),
    "no-keys.json": '{"keys":[]}',
    users: "ann:$2b$04$5FVECItZ1kMHeRMcFrm/Ye.N8cOCp6z8XL67OQBMaNtTzlwPzyPOa\n",
    "weak.users": "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text, { mode: 0o600 });
  await writeFile(join(root, "open.key"), server.key, { mode: 0o644 });
  await mkdir(join(root, "folder"));
  await mkdir(join(root, "locked"));
  await chmod(join(root, "locked"), 0o500);
  await mkdir(join(root, "blocked"));
  await writeFile(join(root, "blocked/docker"), "");
  for (const part of ["blobs", "repositories"]) {
    await mkdir(join(root, `away-${part}/docker/registry/v2`), { recursive: true });
    await symlink("/not/mounted", join(root, `away-${part}/docker/registry/v2/${part}`));
  }
  const accounts = new DatabaseSync(join(root, "accounts.db"));
  accounts.exec("CREATE TABLE accounts (name TEXT); INSERT INTO accounts VALUES ('me')");
  accounts.close();
});

const saying = (set: readonly string[]): Sources => {
  const said = set.map((each) => each.replaceAll("{}", root));
  const base = [`storage.filesystem.rootdirectory=${root}/data`, "http.addr=127.0.0.1:0", "log.level=error"];
  return { flags: { set: [...base, "log.accesslog.disabled=true", ...said] } };
};
const settingsOf = (...set: readonly string[]): Settings => loadSettings(saying(set)).settings;
const looked = (set: readonly string[], now?: number): ReturnType<typeof preflight> =>
  preflight(usableSettings(saying(set)), now);
const tls = (cert: string, key: string): string[] => [`http.tls.certificate={}/${cert}`, `http.tls.key={}/${key}`];
const users = (path: string): string[] => ["auth.htpasswd.realm=r", `auth.htpasswd.path={}/${path}`];
const tokens = (key: string, path: string): string[] => [
  "auth.token.realm=https://auth.test",
  "auth.token.service=s",
  "auth.token.issuer=i",
  `auth.token.${key}={}/${path}`,
];

const isRoot = process.getuid?.() === 0;

/** What is said, the key that is to blame, and a word of the remedy or reason. */
const refused: readonly [name: string, set: readonly string[], key: string, word: RegExp][] = [
  ["users that are not there", users("missing"), "auth.htpasswd.path", /make it: htpasswd -cB/],
  ["a folder for users", users("folder"), "auth.htpasswd.path", /is a directory/],
  ["a bundle that is not there", tokens("rootcertbundle", "missing"), "auth.token.rootcertbundle", /does not exist/],
  ["a bundle of words", tokens("rootcertbundle", "file"), "auth.token.rootcertbundle", /no certificate in PEM/],
  ["a set of keys of words", tokens("jwks", "file"), "auth.token.jwks", /no JSON/],
  [
    "a bundle that is a set of keys",
    tokens("rootcertbundle", "keys.json"),
    "auth.token.rootcertbundle",
    /auth\.token\.jwks/,
  ],
  ["a bundle that is a key", tokens("rootcertbundle", "key"), "auth.token.rootcertbundle", /private key/],
  ["a set of keys that is a bundle", tokens("jwks", "cert"), "auth.token.jwks", /auth\.token\.rootcertbundle/],
  ["a certificate that is not there", tls("missing", "key"), "http.tls.certificate", /does not exist/],
  ["a folder for a key", tls("cert", "folder"), "http.tls.key", /is a directory/],
  ["a key of another certificate", tls("cert", "other.key"), "http.tls.key", /made together/],
  ["an authority of words", [...tls("cert", "key"), "http.tls.clientcas=['{}/file']"], "http.tls.clientcas", /PEM/],
  [
    "a place that holds no files",
    ["storage.filesystem.rootdirectory=/proc/x/y"],
    "storage.filesystem.rootdirectory",
    /\/proc is a window into the kernel/,
  ],
  ["a file for the data", ["storage.filesystem.rootdirectory={}/file"], "storage.filesystem.rootdirectory", /file/],
  ["data below a file", ["storage.filesystem.rootdirectory={}/file/a"], "storage.filesystem.rootdirectory", /file/],
  [
    "a file where the tree begins",
    ["storage.filesystem.rootdirectory={}/blocked"],
    "storage.filesystem.rootdirectory",
    /blocked/,
  ],
  ...["blobs", "repositories"].flatMap((part) =>
    ["false", "true"].map((readOnly): (typeof refused)[number] => [
      `${part} on a disk that is not mounted${readOnly === "true" ? ", to be read" : ""}`,
      [`storage.filesystem.rootdirectory={}/away-${part}`, `storage.maintenance={"readonly":{"enabled":${readOnly}}}`],
      "storage.filesystem.rootdirectory",
      new RegExp(`/${part} is a link that leads nowhere; mount`),
    ]),
  ),
  ["an address of another machine", ["http.addr=192.0.2.1:0"], "http.addr", /no such address/],
  ["a name of no machine", ["http.addr=nowhere.invalid:0"], "http.addr", /nowhere\.invalid/],
  ["a debug address of another machine", ["http.debug.addr=192.0.2.1:0"], "http.debug.addr", /no such address/],
  ["a file in place of a socket", ["http.net=unix", "http.addr={}/file"], "http.addr", /no socket/],
  ["a socket in no folder", ["http.net=unix", "http.addr={}/file/socket"], "http.addr", /file/],
  [
    "a folder for the access log",
    ["log.accesslog.disabled=false", "dray.log.access.to={}/folder"],
    "dray.log.access.to",
    /directory/,
  ],
  ["a file for the index that is none", ["dray.index={}/file"], "dray.index", /no index of this registry.*no database/],
  ["a folder for the index", ["dray.index={}/folder"], "dray.index", /no index of this registry.*directory/],
  ["a database of another program", ["dray.index={}/accounts.db"], "dray.index", /another program/],
  ["an audit log below a file", ["dray.log.audit.to={}/file/audit"], "dray.log.audit.to", /file/],
];

describe("what would keep a registry from starting", () => {
  const tryOne = async (set: readonly string[], key: string, word: RegExp): Promise<void> => {
    const settings = settingsOf(...set);
    const { complaints } = await looked(set);
    assert.deepEqual(
      complaints.map((each) => each.key),
      [key],
      complaints.map(remarkText).join(),
    );
    assert.match(complaints[0]?.message ?? "", word);
    await assert.rejects(
      serve(settings, { version: "test" }).then((serving) => serving.stop(AbortSignal.abort())),
      () => true,
      "it starts all the same",
    );
  };
  for (const [name, set, key, word] of refused) test(name, () => tryOne(set, key, word));
  test("a folder that may not be written", { skip: isRoot ? "root may write everywhere" : false }, () =>
    tryOne(["storage.filesystem.rootdirectory={}/locked/data"], "storage.filesystem.rootdirectory", /belongs to/),
  );
});

test("what dray.index names by a slip is left as it is", async () => {
  for (const name of ["file", "accounts.db"]) {
    const bytes = readFileSync(join(root, name));
    await assert.rejects(serve(settingsOf(`dray.index={}/${name}`), { version: "test" }), /no index of this registry/);
    assert.deepEqual(readFileSync(join(root, name)), bytes);
  }
  await writeFile(join(root, "empty.db"), "");
  for (let start = 0; start < 2; start++) {
    const serving = await serve(settingsOf("dray.index={}/empty.db"), { version: "test" });
    await serving.stop(AbortSignal.abort());
  }
});

test("everything at once, and nothing is made to find it", async () => {
  const before = readdirSync(root).toSorted();
  const { complaints } = await looked([...users("missing"), ...tls("missing", "file"), "http.addr=192.0.2.1:0"]);
  assert.deepEqual(complaints.map(({ key }) => key).toSorted(), [
    "auth.htpasswd.path",
    "http.addr",
    "http.tls.certificate",
    "http.tls.key",
  ]);
  const fine = await looked([...users("users"), ...tls("long.cert", "long.key"), "dray.log.audit.to={}/audit"]);
  assert.deepEqual(fine, { complaints: [], warnings: [] }, "the folder of the data is not there yet");
  assert.deepEqual(readdirSync(root).toSorted(), before);
});

test("what this machine has is looked at where keys are wrong as well, but for those", async () => {
  const wrong = ["http.nonsense=1", "dray.gc.grace=soon", "auth.htpasswd.nonsense=1", "http.net=carrier-pigeon"];
  const { complaints } = await looked([
    ...wrong,
    ...tls("missing", "cert"),
    "auth.htpasswd.path={}/missing",
    "dray.log.audit.to={}/folder",
    "storage.filesystem.rootdirectory={}/file",
  ]);
  assert.deepEqual(complaints.map(({ key }) => key).toSorted(), [
    "auth.htpasswd.path",
    "dray.log.audit.to",
    "http.tls.certificate",
    "http.tls.key",
    "storage.filesystem.rootdirectory",
  ]);
  const unknown = await looked(["storage.filesystem.rootdirectory=[1]", "dray.log.audit.to=[2]", "http.tls=3"]);
  assert.deepEqual(unknown.complaints, [], "what is no path is looked for nowhere");
});

test("what clients or others would find out first warns", async () => {
  const day = 86_400_000;
  const said = async (now: number, ...set: readonly string[]): Promise<string> => {
    const { complaints, warnings } = await looked(set, now);
    assert.deepEqual(complaints, []);
    return warnings.map(remarkText).join("\n");
  };
  const now = Date.now();
  const pair = tls("long.cert", "long.key");
  assert.equal(await said(now, ...pair), "");
  assert.match(await said(now + 50 * day, ...pair), /http\.tls\.certificate: the certificate ends on .*within 14 days/);
  assert.match(await said(now + 61 * day, ...pair), /http\.tls\.certificate: the certificate ended on/);
  assert.match(await said(now - 2 * day, ...pair), /http\.tls\.certificate: the certificate begins on/);
  const authority = (file: string): string[] => [...pair, `http.tls.clientcas=['{}/${file}']`];
  assert.match(
    await said(now, ...authority("past.ca")),
    /http\.tls\.clientcas: .*past\.ca: its certificate 2 ended on/,
  );
  assert.match(
    await said(now, ...authority("future.ca")),
    /http\.tls\.clientcas: .*future\.ca: its certificate 1 begins on/,
  );
  assert.match(
    await said(now, ...tls("cert", "open.key")),
    /http\.tls\.key: .*open\.key is open to every user of this machine.*chmod 600/,
  );
  assert.match(
    await said(now, ...tokens("rootcertbundle", "future.ca")),
    /its certificate 1 begins on .*vouches for no other key/,
  );
  assert.match(
    await said(now, ...tokens("rootcertbundle", "past.ca")),
    /its certificate 2 ended on .*vouches for no other key/,
  );
  assert.match(await said(now, ...tokens("jwks", "private.json")), /its key 1 is a private one/);
  assert.match(await said(now, ...tokens("jwks", "no-keys.json")), /auth\.token\.jwks: .* holds no key that a token/);
  assert.equal(await said(now, ...tokens("jwks", "keys.json")), "");
  for (const host of ["", "0.0.0.0", "[::]"])
    assert.match(await said(now, `http.debug.addr=${host}:0`), /http\.debug\.addr: listens on every interface/);
  assert.equal(await said(now, "http.debug.addr=127.0.0.1:0"), "");
  assert.match(await said(now, "dray.memory=900TiB"), /dray\.memory: is as much as this machine has/);
  assert.match(
    await said(now, "dray.log.audit.to={}/new/er/audit"),
    /dray\.log\.audit\.to: there is no folder .*\/new\/er yet; the start makes it/,
  );
});

test("what may be over when it starts, or costs little, warns", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const serving = await serve(settingsOf(), { version: "test" });
  try {
    const { complaints, warnings } = await looked([
      "dray.freespace=4000TiB",
      ...users("weak.users"),
      `http.addr=127.0.0.1:${port}`,
      "dray.index={}/file/index.db",
    ]);
    assert.deepEqual(complaints, []);
    const said = warnings.map(remarkText).join("\n");
    for (const word of [
      /http\.addr: .*another program does/,
      /a registry serves this folder now/,
      /dray\.index: cannot write/,
      /dray\.freespace: is as much as the whole disk has/,
    ])
      assert.match(said, word);
    assert.match(said, /auth\.htpasswd\.path: .*line 1: .*bcrypt/);
  } finally {
    await serving.stop(AbortSignal.abort());
    other.close();
  }
});
