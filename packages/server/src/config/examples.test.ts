import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { remarkText, SettingsInvalid } from "@dray/service/config";
import { loadSettings, type Sources } from "./index.ts";

const example = (name: string): string => fileURLToPath(new URL(`testdata/${name}.yml`, import.meta.url));

/** What is wrong, a line for each, without the folder of the examples. */
const complaints = (sources: Sources): string[] => {
  try {
    loadSettings(sources);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.complaints.map((each) => remarkText(each).replace(/^\S*\//, ""));
    throw error;
  }
  return [];
};
test("without a file: ./data, loopback, deletes on, gc by itself", () => {
  const { settings, warnings } = loadSettings();
  assert.deepEqual(warnings, []);
  assert.deepEqual(settings.storage, {
    driver: "filesystem",
    root: "./data",
    durability: "full",
  });
  assert.deepEqual(settings.listen.address, { host: "127.0.0.1", port: 5000 });
  assert.deepEqual(settings.access, { kind: "none" });
  assert.equal(settings.registry.deletes, true);
  assert.equal(settings.registry.gc?.interval, 24 * 3_600_000);
  assert.deepEqual(settings.log, {
    level: "info",
    format: "text",
    fields: {},
    access: { format: "text", to: "stdout" },
  });
  assert.equal(settings.debug, undefined);
});

test("a minimal file of distribution: its defaults", () => {
  const { settings, warnings } = loadSettings({ file: example("minimal") });
  assert.equal(settings.registry.deletes, false);
  assert.equal(settings.registry.gc?.interval, 24 * 3_600_000);
  assert.deepEqual(settings.listen.address, { host: "::", port: 5000 });
  assert.equal(settings.log.access?.format, "text");
  assert.equal(settings.registry.completeIndexes, "none");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? "", /whoever reaches it may push/);
});

test("the file of the Debian package", () => {
  const { settings, warnings } = loadSettings({ file: example("debian") });
  assert.equal(settings.registry.deletes, true);
  assert.deepEqual(settings.log.fields, { service: "registry" });
  assert.deepEqual({ ...settings.listen.headers }, { "X-Content-Type-Options": ["nosniff"] });
  assert.deepEqual(
    warnings.map(({ key }) => key),
    ["health.storagedriver.interval", "health.storagedriver.threshold"],
  );
});

test("htpasswd, TLS and our own keys", () => {
  const { settings, warnings } = loadSettings({ file: example("htpasswd-tls") });
  assert.deepEqual(warnings, []);
  assert.deepEqual(settings.access, {
    kind: "htpasswd",
    options: {
      realm: "registry",
      file: "/etc/registry/htpasswd",
      lockout: { attempts: 10, window: 60_000 },
      anonymousPull: ["public/**"],
      anonymousPing: false,
    },
  });
  assert.deepEqual(settings.listen.tls, {
    certificate: "/etc/registry/tls.crt",
    key: "/etc/registry/tls.key",
    clientCas: ["/etc/registry/clients.pem"],
    clientAuth: "require",
    minVersion: "TLSv1.2",
    ciphers: "ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
  });
  assert.deepEqual(settings.listen.address, { host: "::1", port: 5443 });
  assert.deepEqual(settings.listen.trustedProxies, ["10.0.0.0/8", "::1"]);
  assert.equal(settings.listen.limits.connections, 1000);
  assert.equal(settings.listen.drain, 90_000);
  assert.deepEqual(settings.registry.locations, {
    relative: false,
    host: "https://registry.example:5443",
    prefix: "/images",
  });
  assert.deepEqual(settings.registry.gc, {
    grace: 2 * 86_400_000,
    lease: 3_600_000,
    untagged: 30 * 86_400_000,
    interval: 6 * 3_600_000,
  });
  assert.deepEqual(settings.registry.pages, { tags: 200, catalog: 500, referrers: 1000 });
  assert.equal(settings.registry.uploads?.age, 72 * 3_600_000);
  assert.equal(settings.purging.interval, 12 * 3_600_000);
  assert.equal(settings.registry.completeIndexes, "all");
  assert.equal(settings.registry.deletes, true);
  assert.equal(settings.registry.readOnly, false);
  assert.deepEqual(settings.debug, { address: { host: "localhost", port: 5001 }, metrics: "/metrics" });
  assert.deepEqual(
    { ...settings.log, fields: { ...settings.log.fields } },
    {
      level: "warn",
      format: "json",
      fields: { service: "registry", environment: "staging" },
      audit: { to: "/var/log/registry/audit.log" },
    },
  );
});

test("a token service, memory, a unix socket", () => {
  const { settings, warnings } = loadSettings({ file: example("token") });
  assert.deepEqual(warnings, []);
  assert.deepEqual(settings.storage, { driver: "inmemory" });
  assert.deepEqual(settings.listen.address, { unix: "/run/registry/registry.sock" });
  assert.equal(settings.log.level, "debug");
  assert.deepEqual(settings.access, {
    kind: "token",
    options: {
      realm: "https://auth.example/token",
      service: "registry.example",
      issuer: "auth.example",
      rootcertbundle: "/etc/registry/tokens.pem",
      signingalgorithms: ["EdDSA", "ES256"],
      autoredirect: true,
      anonymousPull: [],
      anonymousPing: false,
    },
  });
});

test("S3 and redis are refused by line, without a secret", () => {
  const said = complaints({ file: example("s3") });
  assert.deepEqual(
    said.map((line) => line.split(". ")[0]),
    ["s3.yml:3:3: storage.s3: is not supported", "s3.yml:10:1: redis: is not supported"],
  );
  assert.doesNotMatch(said.join(), /never-in-a-message|AKIA/);
});

test("proxy, middleware, notifications and letsencrypt are refused, all at once", () => {
  const said = complaints({ file: example("proxy") });
  assert.deepEqual(
    said.map((line) => line.split(". ")[0]),
    [
      "proxy.yml:5:1: middleware: is not supported",
      "proxy.yml:11:3: notifications.endpoints: is not supported",
      "proxy.yml:22:5: http.tls.letsencrypt: is not supported",
      "proxy.yml:25:1: proxy: is not supported",
    ],
  );
  assert.doesNotMatch(said.join(), /never-in-a-message/);
});

test("whatever is left of an example when it is cut is read, or complained about", () => {
  for (const name of ["debian", "htpasswd-tls", "minimal", "proxy", "s3", "token"]) {
    const whole = readFileSync(example(name), "utf8");
    for (let length = 0; length < whole.length; length += 31)
      for (const text of [
        whole.slice(0, length),
        whole.slice(length),
        `${whole.slice(0, length)}[${whole.slice(length)}`,
      ])
        try {
          loadSettings({ text });
        } catch (error) {
          if (!(error instanceof SettingsInvalid)) throw error;
          for (const { message } of error.complaints) assert.doesNotMatch(message, /never-in-a-message/);
        }
  }
});

test("no example is left out", () => {
  const names = readdirSync(fileURLToPath(new URL("testdata", import.meta.url))).toSorted();
  assert.deepEqual(names, ["debian.yml", "htpasswd-tls.yml", "minimal.yml", "proxy.yml", "s3.yml", "token.yml"]);
});

test("which manifests of an index must be there: all, those of a list, none; absent and switched off is none", () => {
  const said = (...set: string[]): unknown => loadSettings({ flags: { set } }).settings.registry.completeIndexes;
  const platforms = (word: string): string => `validation.manifests.indexes.platforms=${word}`;
  const list = "validation.manifests.indexes.platformlist=[{os: linux, architecture: arm64}]";
  assert.equal(said(), "none");
  assert.equal(said(platforms("All")), "all");
  assert.deepEqual(said(platforms("list"), list), [{ os: "linux", architecture: "arm64" }]);
  assert.deepEqual(said(platforms("list")), []);
  assert.equal(said(list), "none");
  assert.equal(said(platforms("all"), "validation.disabled=true"), "none");
  assert.throws(
    () => said(platforms("list"), "validation.manifests.indexes.platformlist=[{os: linux}]"),
    /architecture/,
  );
});
