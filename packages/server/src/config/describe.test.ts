import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { configSchema } from "@dray/service/config";
import { describeSettings, describeText, loadSettings, reloadable, type Settings } from "./index.ts";
import { table } from "./keys/index.ts";

const example = (name: string): string => fileURLToPath(new URL(`testdata/${name}.yml`, import.meta.url));
const minimal = "version: 0.1\nstorage: {filesystem: {rootdirectory: /d}}\nhttp: {addr: '127.0.0.1:5000'}\n";

test("check-config shows each key with who said it", () => {
  const { settings } = loadSettings({
    text: minimal,
    file: "config.yml",
    env: { REGISTRY_STORAGE_DELETE_ENABLED: "true" },
    flags: { listen: ":6000" },
  });
  const shown = new Map(describeSettings(settings).map((each) => [each.key, each]));
  assert.deepEqual(shown.get("http.addr"), { key: "http.addr", value: ":6000", origin: "--listen", reloadable: false });
  assert.equal(shown.get("storage.delete.enabled")?.origin, "REGISTRY_STORAGE_DELETE_ENABLED");
  assert.equal(shown.get("storage.filesystem.rootdirectory")?.origin, "config.yml:2:24");
  assert.deepEqual(shown.get("dray.gc.grace"), {
    key: "dray.gc.grace",
    value: "24h",
    origin: "default",
    reloadable: true,
  });
  assert.equal(shown.get("dray.memory")?.value, "64MiB");
  assert.equal(shown.get("dray.index")?.value, "/d/dray/index.db");
  assert.match(describeText(settings), /^http\.addr {2,}:6000 {2,}--listen$/m);
});

test("no secret is shown, and what memory is not for", () => {
  const { settings } = loadSettings({ file: example("htpasswd-tls") });
  assert.doesNotMatch(describeText(settings) + JSON.stringify(settings), /never-shown/);
  const memory = loadSettings({ text: "version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:1'}\n" }).settings;
  const shown = describeSettings(memory).map(({ key }) => key);
  assert.ok(shown.includes("storage.inmemory"));
  assert.ok(!shown.includes("storage.filesystem.rootdirectory"));
});

const of = (more: string): Settings => loadSettings({ text: minimal + more }).settings;

test("what a reload applies, and what waits for a restart", () => {
  const table: [before: string, after: string, applies: string[], restart: string[]][] = [
    ["", "", [], []],
    ["", "log: {level: debug}\n", ["log.level"], []],
    ["", "dray: {gc: {grace: 1h}, retention: {untagged: 1d}}\n", ["dray.gc.grace", "dray.retention.untagged"], []],
    ["", "dray: {memory: 1GiB}\n", [], ["dray.memory"]],
    ["", "auth: {htpasswd: {realm: r, path: /p}}\n", [], ["auth.htpasswd.realm", "auth.htpasswd.path"]],
    [
      "auth: {htpasswd: {realm: r, path: /p}}\n",
      "auth: {htpasswd: {realm: r, path: /q}}\n",
      [],
      ["auth.htpasswd.path"],
    ],
    ["dray: {limits: {idle: 1s}}\n", "dray: {limits: {idle: 2s}}\n", [], ["dray.limits.idle"]],
  ];
  for (const [before, after, applies, restart] of table)
    assert.deepEqual(reloadable(of(before), of(after)), { applies, restart }, after);
});

test("TLS that comes or goes needs a restart, another certificate does not", () => {
  const tls = (file: string): string => minimal.replace("http: {", `http: {tls: {certificate: ${file}, key: k}, `);
  const load = (text: string): Settings => loadSettings({ text }).settings;
  assert.deepEqual(reloadable(load(tls("a")), load(tls("b"))), { applies: ["http.tls.certificate"], restart: [] });
  assert.deepEqual(reloadable(load(minimal), load(tls("a"))).applies, []);
});

test("the schema has every key, and refuses others", () => {
  const schema = configSchema(table);
  for (const { path, about } of table.keys) {
    let at: unknown = schema;
    for (const name of path.split(".")) at = (at as { properties: Record<string, unknown> }).properties[name];
    assert.ok((at as { description: string }).description.includes(about), path);
  }
  assert.equal(schema["additionalProperties"], false);
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
});
