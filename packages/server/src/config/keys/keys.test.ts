import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Key, variableOf, writtenValue } from "@dray/service/config";
import { loadSettings } from "../index.ts";
import { table } from "./index.ts";

const { keys, at: keyOf, namesBelow } = table;

/** Every key of distribution 3.1.2, and of 2.8 what was removed since. Below a driver or a refused part anything is covered. */
const distribution = `
version log.accesslog.disabled log.level log.formatter log.fields log.hooks log.reportcaller loglevel
storage.filesystem.rootdirectory storage.filesystem.maxthreads storage.inmemory storage.s3.bucket storage.s3aws.bucket
storage.azure.container storage.gcs.bucket storage.swift.authurl storage.oss.bucket storage.delete.enabled
storage.redirect.disable storage.cache.blobdescriptor storage.cache.blobdescriptorsize storage.cache.layerinfo
storage.tag.concurrencylimit storage.maintenance.uploadpurging.enabled storage.maintenance.uploadpurging.age
storage.maintenance.uploadpurging.interval storage.maintenance.uploadpurging.dryrun storage.maintenance.readonly.enabled
auth.none auth.silly.realm auth.silly.service auth.token.realm auth.token.service auth.token.issuer
auth.token.rootcertbundle auth.token.jwks auth.token.signingalgorithms auth.token.autoredirect
auth.token.autoredirectpath auth.htpasswd.realm auth.htpasswd.path
middleware.registry middleware.repository middleware.storage
http.addr http.net http.host http.prefix http.secret http.relativeurls http.draintimeout http.tls.certificate
http.tls.key http.tls.clientcas http.tls.clientauth http.tls.minimumtls http.tls.ciphersuites
http.tls.letsencrypt.cachefile http.tls.letsencrypt.email http.tls.letsencrypt.hosts http.tls.letsencrypt.directoryurl
http.headers http.debug.addr http.debug.prometheus.enabled http.debug.prometheus.path http.http2.disabled http.h2c.enabled
notifications.events.includereferences notifications.endpoints redis.addrs redis.addr redis.password redis.db redis.pool
redis.tls health.storagedriver.enabled health.storagedriver.interval health.storagedriver.threshold health.file
health.http health.tcp catalog.maxentries tags.maxtags proxy.remoteurl proxy.username proxy.password proxy.exec proxy.ttl
proxy.cachewritetimeout validation.enabled validation.disabled validation.manifests.urls.allow
validation.manifests.urls.deny validation.manifests.indexes.platforms validation.manifests.indexes.platformlist
policy.repository.classes compatibility.schema1.trustkey compatibility.schema1.enabled reporting.bugsnag reporting.newrelic
`
  .trim()
  .split(/\s+/);

test("every key of distribution is known", () => {
  for (const path of distribution) {
    const words = path.split(".");
    assert.ok(
      words.some((_, index) => keyOf.has(words.slice(0, index + 1).join("."))),
      path,
    );
  }
});

test("a path is one key, or has keys below it, never both", () => {
  assert.equal(keyOf.size, keys.length);
  for (const { path } of keys) assert.deepEqual(namesBelow(path), [], path);
});

test("no word of a key has what separates the words of a variable", () => {
  for (const { path } of keys) assert.match(path, /^[a-z0-9]+(?:\.[a-z0-9]+)*$/);
});

test("defaults pass their own checks", () => {
  for (const { path, type, check, fallback, fallbackWithFile } of keys)
    for (const value of [fallback, fallbackWithFile]) {
      if (value === undefined) continue;
      assert.equal(check?.(value), undefined, path);
      const text = String(writtenValue(value, type.name));
      const origin = { kind: "default" } as const;
      assert.deepEqual(type.read({ kind: "scalar", text, plain: true, origin }), value, path);
    }
});

test("each supported key can be said by its variable", () => {
  for (const { path, status, type, fallback } of keys) {
    if (status !== "supported" || fallback === undefined || path.startsWith("auth.")) continue;
    const variable = variableOf(table, path);
    const { settings } = loadSettings({ env: { [variable]: String(writtenValue(fallback, type.name)) } });
    const said = settings.effective.find(({ key }) => key === path);
    assert.deepEqual(said, { key: path, value: fallback, origin: { kind: "variable", name: variable } });
  }
});

const page = new URL("../../../../../docs/serve-config.md", import.meta.url);
const marks = /(<!-- keys -->\n)[^]*(<!-- \/keys -->)/;
const words = { supported: "yes", needless: "not needed", ignored: "no effect", refused: "refused" } as const;

/** A table for each part of the file. */
const tables = (): string =>
  [...Map.groupBy(keys, ({ path }) => path.split(".")[0] ?? "")]
    .map(
      ([part, members]) =>
        `\n### ${part}\n\n| key | | default | meaning |\n|---|---|---|---|\n${members.map(row).join("")}`,
    )
    .join("");

const row = (key: Key): string => {
  const status = `${words[key.status]}${key.status === "supported" && key.reloadable ? " ○" : ""}`;
  return `| \`${key.path}\` | ${status} | ${defaultOf(key)} | ${key.about.replaceAll("|", "\\|")} |\n`;
};

const defaultOf = ({ type, fallback, fallbackWithFile, fallbackText = "" }: Key): string => {
  const shown = [fallback, fallbackWithFile].map((value) => `\`${String(writtenValue(value, type.name))}\``);
  if (fallback === undefined) return fallbackText;
  return fallbackWithFile === undefined ? (shown[0] ?? "") : `${shown[0]}; with a file ${shown[1]}`;
};

/** `DRAY_WRITE_DOCS=1` writes the tables into the page instead. */
test("the page of all keys says what the table says", () => {
  const text = readFileSync(page, "utf8");
  const expected = text.replace(marks, (_, begin: string, end: string) => `${begin}${tables()}\n${end}`);
  assert.match(text, marks);
  if (process.env["DRAY_WRITE_DOCS"] === "1") writeFileSync(page, expected);
  else assert.equal(text, expected);
});
