import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { remarkText, SettingsInvalid } from "@dray/service/config";
import { isDrayError } from "dray/errors";
import { loadSettings, type Sources } from "./index.ts";

const text = "version: 0.1\nstorage: {filesystem: {rootdirectory: /d}}\nhttp: {addr: '127.0.0.1:5000'}\n";
const load = (env: Record<string, string>, sources: Sources = { text }) => loadSettings({ ...sources, env });
const complaints = (env: Record<string, string>, sources: Sources = { text }): string[] => {
  try {
    load(env, sources);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.complaints.map(remarkText);
    throw error;
  }
  return [];
};
const warnings = (env: Record<string, string>): string[] => load(env).warnings.map(remarkText);

describe("variables of distribution", () => {
  test("win over the file", () => {
    const { settings } = load({ REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: "/v", REGISTRY_HTTP_ADDR: "127.0.0.1:1" });
    assert.equal(settings.storage.driver === "filesystem" && settings.storage.root, "/v");
    assert.deepEqual(settings.listen.address, { host: "127.0.0.1", port: 1 });
  });

  test("say more than one word in YAML", () => {
    const { settings } = load({
      REGISTRY_HTTP_TLS: "{certificate: /c, key: /k}",
      REGISTRY_HTTP_TLS_CLIENTCAS: "[/a, /b]",
      "REGISTRY_HTTP_HEADERS_Access-Control-Allow-Origin": "['http://ui.example']",
      REGISTRY_LOG_FIELDS_SERVICE: "r",
    });
    assert.deepEqual(settings.listen.tls?.clientCas, ["/a", "/b"]);
    assert.deepEqual(settings.listen.headers, { "Access-Control-Allow-Origin": ["http://ui.example"] });
    assert.deepEqual(settings.log.fields, { SERVICE: "r" });
  });

  test("name elements of lists by their number", () => {
    const file = `${text}dray: {trustedproxies: [10.0.0.1]}\n`;
    const { settings } = load(
      { REGISTRY_DRAY_TRUSTEDPROXIES_0: "10.0.0.2", DRAY_SERVE_TRUSTEDPROXIES_1: "10.0.0.3" },
      { text: file },
    );
    assert.deepEqual(settings.listen.trustedProxies, ["10.0.0.2", "10.0.0.3"]);
    assert.deepEqual(complaints({ DRAY_SERVE_TRUSTEDPROXIES_4: "10.0.0.2" }), [
      "DRAY_SERVE_TRUSTEDPROXIES_4: dray.trustedproxies.4: names element 4 of a list that has 0",
    ]);
  });

  test("name a way of access first and its options after it", () => {
    const { settings } = load({
      REGISTRY_AUTH_HTPASSWD_REALM: "r",
      REGISTRY_AUTH: "htpasswd",
      REGISTRY_AUTH_HTPASSWD_PATH: "/p",
    });
    assert.equal(settings.access.kind, "htpasswd");
  });

  test("replace the driver", () => {
    assert.deepEqual(load({ REGISTRY_STORAGE: "inmemory" }).settings.storage, { driver: "inmemory" });
    assert.deepEqual(
      complaints({ REGISTRY_STORAGE_S3_BUCKET: "b" }).map((line) => line.split(". ")[0]),
      [
        "REGISTRY_STORAGE_S3_BUCKET: storage.s3: is not supported",
        "REGISTRY_STORAGE_S3_BUCKET: storage: there is room for one driver, and here are filesystem (config.yml:2:11), s3 (REGISTRY_STORAGE_S3_BUCKET); keep one",
      ],
    );
  });

  describe("structured keys that distribution panics at", () => {
    for (const env of [
      { REGISTRY_STORAGE_MAINTENANCE_READONLY: "true" },
      { REGISTRY_STORAGE_MAINTENANCE_READONLY: '{"enabled":true}' },
      { REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED: "true" },
      { REGISTRY_STORAGE_MAINTENANCE: "{readonly: {enabled: true}}" },
      { REGISTRY_STORAGE_MAINTENANCE_READONLY: "false", REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED: "yes" },
      { DRAY_SERVE_READ_ONLY: "true" },
    ])
      test(JSON.stringify(env), () => {
        assert.equal(load(env as Record<string, string>).settings.registry.readOnly, true);
      });
    test("nonsense is told as such", () => {
      assert.deepEqual(complaints({ REGISTRY_STORAGE_MAINTENANCE_READONLY: "maybe" }), [
        'REGISTRY_STORAGE_MAINTENANCE_READONLY: storage.maintenance.readonly.enabled: "maybe" is neither true nor false',
      ]);
      assert.deepEqual(complaints({ REGISTRY_STORAGE_MAINTENANCE_READONLY: "[1]" }), [
        "REGISTRY_STORAGE_MAINTENANCE_READONLY: storage.maintenance.readonly: a list stands where a map belongs; its keys are enabled",
      ]);
    });
    test("upload purging likewise", () => {
      assert.equal(
        load({ REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING: "false" }).settings.registry.uploads?.age,
        Infinity,
      );
      assert.equal(
        load({ REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE: "1h" }).settings.registry.uploads?.age,
        3_600_000,
      );
    });
  });

  test("what Kubernetes injects is one warning", () => {
    const [only, ...more] = warnings({
      REGISTRY_PORT: "tcp://10.0.0.1:5000",
      REGISTRY_SERVICE_HOST: "10.0.0.1",
      REGISTRY_SERVICE_PORT: "5000",
      REGISTRY_SERVICE_PORT_HTTP: "5000",
      REGISTRY_PORT_5000_TCP: "tcp://10.0.0.1:5000",
      REGISTRY_PORT_5000_TCP_ADDR: "10.0.0.1",
      REGISTRY_AUTH_PORT: "tcp://10.0.0.2:80",
      REGISTRY_AUTH_SERVICE_HOST: "10.0.0.2",
      REGISTRY_REDIS_PORT_6379_TCP_PROTO: "tcp",
      DRAY_SERVE_SERVICE_HOST: "10.0.0.3",
    });
    assert.match(
      only ?? "",
      /^variables that Kubernetes sets .*REGISTRY_AUTH_PORT.*REGISTRY_REDIS.*enableServiceLinks: false/,
    );
    assert.deepEqual(more, []);
  });

  test("unknown ones warn, with what was meant", () => {
    assert.deepEqual(warnings({ REGISTRY_HTTP_ADRR: ":1", REGISTRY_VERSION: "2.8.3" }), [
      "REGISTRY_HTTP_ADRR: no key is called so, and it changes nothing; did you mean REGISTRY_HTTP_ADDR?",
      "REGISTRY_VERSION: no key is called so, and it changes nothing",
    ]);
    // Nobody who gives a password is told to open the registry.
    assert.deepEqual(warnings({ REGISTRY_USERNAME: "ann", REGISTRY_URL: "https://r", DRAY_SERVE_DATE: "/d" }), [
      "REGISTRY_URL: no key is called so, and it changes nothing",
      "REGISTRY_USERNAME: no key is called so, and it changes nothing",
      "DRAY_SERVE_DATE: no key is called so, and it changes nothing; did you mean DRAY_SERVE_DATA?",
    ]);
  });

  test("the one that names the passwords of clients is no key, and changes nothing", () => {
    const { settings, warnings } = load(
      { REGISTRY_AUTH_FILE: "/run/containers/0/auth.json" },
      { text: `${text}auth: {htpasswd: {realm: r, path: /p}}\n` },
    );
    assert.equal(settings.access.kind, "htpasswd");
    assert.deepEqual(warnings, []);
  });

  test("an unknown way of access is no typing error to pass over", () => {
    assert.deepEqual(complaints({ REGISTRY_AUTH_LDAP_URL: "ldap://x" }), [
      "REGISTRY_AUTH_LDAP_URL: auth.ldap: no key is called so; remove it, or choose among none, htpasswd, token, silly",
    ]);
  });

  test("empty ones change nothing: access stays closed", () => {
    const { settings, warnings } = load(
      { REGISTRY_AUTH: "", DRAY_SERVE_DATA: " " },
      { text: `${text}auth: {htpasswd: {realm: r, path: /p}}\n` },
    );
    assert.equal(settings.access.kind, "htpasswd");
    assert.equal(warnings.length, 2);
  });

  test("addresses that are no YAML", () => {
    assert.deepEqual(load({ REGISTRY_HTTP_ADDR: "[::1]:5000" }).settings.listen.address, { host: "::1", port: 5000 });
  });

  test("values stay out of messages about headers and the secret", () => {
    const said = [
      ...complaints({ "REGISTRY_HTTP_HEADERS_X-A": "[hush\u0001]" }),
      ...complaints({ REGISTRY_HTTP_SECRET: "[hush", REGISTRY_HTTP_ADDR: "x" }),
    ];
    assert.equal(said.length > 1, true);
    assert.doesNotMatch(said.join(), /hush/);
  });
});

describe("who wins", () => {
  const env = { REGISTRY_HTTP_ADDR: "127.0.0.1:2", DRAY_SERVE_LISTEN: "127.0.0.1:3" };
  test("our variables over distribution's, flags over both", () => {
    assert.deepEqual(load(env).settings.listen.address, { host: "127.0.0.1", port: 3 });
    const { settings } = loadSettings({
      text,
      env,
      flags: { listen: ":4", data: "#d", readOnly: true, logLevel: "debug" },
    });
    assert.deepEqual(settings.listen.address, { host: "::", port: 4 });
    assert.equal(settings.storage.driver === "filesystem" && settings.storage.root, "#d");
    assert.equal(settings.registry.readOnly, true);
    assert.equal(settings.log.level, "debug");
  });
  test("--listen on a socket, and away from one", () => {
    assert.deepEqual(loadSettings({ flags: { listen: "unix:/run/r.sock" } }).settings.listen.address, {
      unix: "/run/r.sock",
    });
    const socket = "version: 0.1\nstorage: inmemory\nhttp: {net: unix, addr: /run/r.sock}\n";
    assert.deepEqual(loadSettings({ text: socket, flags: { listen: ":1" } }).settings.listen.address, {
      host: "::",
      port: 1,
    });
  });
  test("--set says any key", () => {
    const { settings } = loadSettings({
      flags: { set: ["dray.gc.grace=5s", "dray.gc.lease=0", "auth={htpasswd: {realm: r, path: /p}}"] },
    });
    assert.equal(settings.registry.gc?.grace, 5000);
    assert.equal(settings.registry.gc?.lease, 0);
    assert.equal(settings.access.kind, "htpasswd");
  });
  test("--set that names no key", () => {
    assert.throws(
      () => loadSettings({ flags: { set: ["dray.gc.grade=5s"] } }),
      /--set: dray\.gc\.grade: no key is called so; did you mean dray.gc.grace\?/,
    );
    assert.throws(() => loadSettings({ flags: { set: ["nothing"] } }), /--set: nothing: no key.*write KEY=VALUE/);
  });
  test("the file that a variable names", () => {
    assert.throws(
      () => loadSettings({ env: { REGISTRY_CONFIGURATION_PATH: "/nowhere/config.yml" } }),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") && error.message.includes("/nowhere/config.yml: it does not exist"),
    );
  });
});
