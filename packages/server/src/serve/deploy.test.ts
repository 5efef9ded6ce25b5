/** What `deploy/` holds, as an operator takes it from there. What needs systemd or a container is started by `e2e/deploy`. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { remarkText } from "@dray/service/config";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { collect } from "dray/content";
import { connection } from "dray/http";
import { loadSettings, type Settings } from "../config/index.ts";
import { serve } from "./serve.ts";

const folder = fileURLToPath(new URL("../../../../deploy/", import.meta.url));
const contentOf = (name: string): string => readFileSync(join(folder, name), "utf8");
const configurations = ["config.yml", "container.yml"];
const never = new AbortController().signal;
const { server, ca } = testCertificates();
/** By `htpasswd -B`, cost 4; the password is `secret`. */
const users = "ann:$2y$04$5FVECItZ1kMHeRMcFrm/Ye.N8cOCp6z8XL67OQBMaNtTzlwPzyPOa\n";

let root: string;
before(() => {
  root = temporaryFolder("deploy");
});

test("no file is left out", () => {
  const tried = [
    "Dockerfile",
    "Dockerfile.dockerignore",
    "backup.sh",
    "certbot-hook.sh",
    "compose.yml",
    "dray.service",
    "kubernetes.yml",
  ];
  assert.deepEqual(readdirSync(folder).toSorted(), ["README.md", "data", ...configurations, ...tried].toSorted());
});

/** Settings that a comment holds ready, as they are without its mark. */
const uncommented = (text: string): string => text.replaceAll(/^( *)#( *[a-z]+:)/gm, "$1$2");

describe("a configuration", () => {
  for (const name of configurations) {
    test(`${name} has no key that is not known, also in what it holds ready`, () => {
      const text = contentOf(name);
      for (const said of [text, uncommented(text)]) {
        const { warnings } = loadSettings({ text: said });
        assert.deepEqual(
          warnings.map(remarkText).filter((each) => !each.includes("whoever reaches it may push")),
          [],
        );
      }
    });

    test(`${name} starts, with the files that its machine has`, async () => {
      const at = (file: string): string => join(root, `${name}-${file}`);
      await writeFile(at("cert"), server.cert);
      await writeFile(at("key"), server.key);
      await writeFile(at("users"), users);
      const text = contentOf(name);
      const env: Record<string, string> = { REGISTRY_HTTP_ADDR: "127.0.0.1:0", REGISTRY_LOG_LEVEL: "error" };
      const places: readonly [said: string, variable: string, file: string][] = [
        ["/var/lib/registry", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", at("data")],
        ["/etc/dray/tls.crt", "REGISTRY_HTTP_TLS_CERTIFICATE", at("cert")],
        ["/etc/dray/tls.key", "REGISTRY_HTTP_TLS_KEY", at("key")],
        ["/etc/dray/htpasswd", "REGISTRY_AUTH_HTPASSWD_PATH", at("users")],
        ["127.0.0.1:5001", "REGISTRY_HTTP_DEBUG_ADDR", "127.0.0.1:0"],
        ["/var/log/dray/audit.log", "DRAY_SERVE_LOG_AUDIT_TO", at("audit")],
      ];
      for (const [said, variable, file] of places) if (text.includes(`: ${said}\n`)) env[variable] = file;
      const { settings } = loadSettings({ file: join(folder, name), env: { ...env, ...quiet } });
      const serving = await serve(settings, { version: "test" });
      const send = connection({ env: {}, ca: [ca.cert] });
      try {
        const ask = async (target: string): Promise<number> => {
          const { status, body } = await send({ method: "GET", origin: serving.origin, target, headers: [] });
          await collect(body.chunks, 1 << 20, target);
          return status;
        };
        assert.equal(await ask("/readyz"), 200);
        assert.equal(await ask("/v2/"), text.includes("htpasswd") ? 401 : 200);
      } finally {
        await send.close();
        await serving.stop(never);
      }
    });
  }
});

/** Lines of requests go where nobody reads them. */
const quiet = { REGISTRY_LOG_ACCESSLOG_DISABLED: "true" };
const settingsOf = (name: string): Settings => loadSettings({ file: join(folder, name) }).settings;

test("whoever has it runs collects garbage by itself, and writes its log in one form", () => {
  for (const name of configurations) {
    const { registry, log } = settingsOf(name);
    assert.equal(registry.gc?.interval, 24 * 3_600_000, name);
    assert.equal(log.access?.format, log.format, name);
  }
});

test("the unit serves that configuration, and waits longer than its requests may", () => {
  const unit = contentOf("dray.service");
  assert.match(unit, /^ExecStart=\S+\/dray serve \/etc\/dray\/config\.yml$/m);
  const seconds = Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1]);
  assert.ok(seconds * 1000 > settingsOf("config.yml").listen.drain);
  assert.match(unit, /^\[Unit\](?:\n(?!\[).*)*\nStartLimitIntervalSec=0$/m, "it is never given up");
  assert.doesNotMatch(unit, /^#?LoadCredential/m, "what is copied at the start is never renewed");
});

test("the unit may write where its configuration and the page say", () => {
  const unit = contentOf("dray.service");
  const folders = { StateDirectory: "/var/lib", LogsDirectory: "/var/log", CacheDirectory: "/var/cache" };
  const writable = Object.entries(folders).map(
    ([key, above]) => `${above}/${new RegExp(`^${key}=(.+)$`, "m").exec(unit)?.[1] ?? assert.fail(key)}`,
  );
  const { storage, log } = settingsOf("config.yml");
  const page = readFileSync(join(folder, "../docs/operating.md"), "utf8");
  const places = [
    storage.driver === "filesystem" ? `${storage.root}/docker` : assert.fail(),
    log.audit?.to ?? assert.fail("who deleted what is told nowhere"),
    /`dray\.index: (\/[^`]+)`/.exec(page)?.[1] ?? assert.fail(),
    /^\$ mv (\S+audit\.log) /m.exec(page)?.[1] ?? assert.fail(),
  ];
  for (const place of places) assert.ok(writable.includes(place.replace(/\/[^/]*$/, "")), place);
  assert.equal(log.audit?.to, places.at(-1), "what is rotated is what is written");
  assert.doesNotMatch(unit, /^DynamicUser=yes$/m, "its folders are closed to the user's own commands");
});

test("the page moves no tree into another one, and checks a configuration as the user of the service", () => {
  const page = readFileSync(join(folder, "../docs/operating.md"), "utf8");
  const moves = page.match(/^\$ mv .*\/docker$/gm) ?? [];
  assert.ok(moves.length >= 2);
  for (const each of moves) assert.match(each, /^\$ mv -T /);
  for (const text of [page, contentOf("README.md")]) {
    const checks = text.match(/^.*dray serve check-config \/etc\/dray\/config\.yml$/gm) ?? [];
    assert.ok(checks.length > 0);
    for (const each of checks) assert.match(each, /runuser -u dray -- /);
  }
});

test("the image serves the configuration that is copied into it, from what the build sees, and is asked how it is", () => {
  const file = contentOf("Dockerfile");
  assert.doesNotMatch(file, /--chmod|--mount|<</, "what only BuildKit knows");
  const program = /^ENTRYPOINT \["([^"]+)", "serve"\]$/m.exec(file)?.[1] ?? assert.fail();
  const place = /^CMD \["([^"]+)"\]$/m.exec(file)?.[1] ?? assert.fail();
  assert.match(file, new RegExp(`^COPY .*deploy/container\\.yml ${place}$`, "m"));
  const health = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(file)?.[1] ?? assert.fail();
  assert.deepEqual(JSON.parse(health), [program, "serve", "status", place]);
  const copied = [...file.matchAll(/^COPY (?:--\S+ )*(\S+) /gm)].map(([, from = ""]) => `!${from}`);
  assert.deepEqual(contentOf("Dockerfile.dockerignore").trim().split("\n"), ["*", ...copied]);
});
