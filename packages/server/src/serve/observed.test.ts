import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { freePort } from "@dray/testkit/peers";
import { bytesBody, collect } from "dray/content";
import { connection } from "dray/http";
import { digestOf } from "dray/oci";
import { loadSettings, type Settings } from "../config/index.ts";
import { running } from "./control-socket.ts";
import { maintain } from "./maintain.ts";
import { serve } from "./serve.ts";

const never = new AbortController().signal;
/** `ann` with the password `secret`. */
const users = "ann:$2y$04$5FVECItZ1kMHeRMcFrm/Ye.N8cOCp6z8XL67OQBMaNtTzlwPzyPOa\n";

let root: string;
before(() => {
  root = temporaryFolder("observed");
});
const settingsOf = (name: string, ...set: string[]): Settings =>
  loadSettings({
    flags: {
      data: join(root, name),
      listen: "127.0.0.1:0",
      set: ["log.accesslog.disabled=true", "log.level=error", ...set],
    },
  }).settings;

const send = connection({ env: {} });
after(() => send.close());
const ask = async (origin: string, target: string, password?: string): Promise<{ status: number; text: string }> => {
  const credentials = Buffer.from(`ann:${password}`).toString("base64");
  const headers: [string, string][] = password === undefined ? [] : [["Authorization", `Basic ${credentials}`]];
  const { status, body } = await send({ method: "GET", origin, target, headers });
  return { status, text: Buffer.from(await collect(body.chunks, 1 << 20, target)).toString() };
};

describe("what an operator did is told", () => {
  const deeds = async (file: string): Promise<[string, string, string][]> =>
    (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { action: string; outcome: string; reason: string })
      .map(({ action, outcome, reason }) => [action, outcome, reason]);

  test("of a registry that runs, by its socket and by a signal", async () => {
    const file = join(root, "audit.log");
    const debug = `127.0.0.1:${await freePort()}`;
    const settings = settingsOf("audited", `dray.log.audit.to=${file}`, `http.debug.addr=${debug}`);
    let fail = false;
    const serving = await serve(settings, {
      version: "test",
      settings: async () => {
        if (fail) throw new Error("the file is damaged");
        return settings;
      },
    });
    try {
      const client = (await running(settings)) ?? assert.fail();
      await client.ask("read-only", { on: true });
      await client.ask("read-only", { on: false });
      await client.ask("gc", { dryRun: true });
      await client.ask("check", {});
      await client.ask("gc", {});
      await client.ask("gc-pause", { milliseconds: 60_000 });
      assert.match(String((await client.ask("status", {}))["gcPausedUntil"]), /^2\S+Z$/);
      await client.ask("gc-pause", { milliseconds: 0 });
      assert.equal((await client.ask("status", {}))["gcPausedUntil"], undefined);
      for (const health of ["down", "up"]) {
        const target = `/debug/health/${health}`;
        const { status, body } = await send({ method: "POST", origin: `http://${debug}`, target, headers: [] });
        await body.discard();
        assert.deepEqual([status, (await client.ask("status", {}))["health"]], [200, health]);
      }
      await client.ask("rebuild", {});
      await serving.reload();
      fail = true;
      await assert.rejects(client.ask("reload", {}));
    } finally {
      await serving.stop(never);
    }
    assert.deepEqual(await deeds(file), [
      ["operate", "done", "read-only on"],
      ["operate", "done", "read-only off"],
      ["operate", "done", "garbage collection"],
      ["operate", "done", "garbage collection paused for 60 s"],
      ["operate", "done", "garbage collection goes on"],
      ["operate", "done", "health down"],
      ["operate", "done", "health up"],
      ["operate", "done", "rebuild of the index"],
      ["operate", "done", "reload by the program"],
      ["operate", "failed", "reload by the control socket: the file is damaged"],
    ]);
  });

  test("and why something was refused, as its client was told", async () => {
    const file = join(root, "refused.log");
    const passwords = join(root, "refused.htpasswd");
    await writeFile(passwords, users);
    const auth = ["auth.htpasswd.realm=r", `auth.htpasswd.path=${passwords}`, "dray.access.lockout.attempts=1"];
    const set = [`dray.log.audit.to=${file}`, ...auth, "dray.quotas=['a/**=3']", "storage.delete.enabled=false"];
    const settings = settingsOf("refused", ...set);
    const serving = await serve(settings, { version: "test" });
    const did = async (method: string, target: string, body = "", password = "secret"): Promise<number> => {
      const bytes = Buffer.from(body);
      const headers: [string, string][] = [
        ["Authorization", `Basic ${Buffer.from(`ann:${password}`).toString("base64")}`],
        ["Content-Length", String(bytes.length)],
      ];
      const asked = { method, origin: serving.origin, target, headers, body: bytesBody(bytes) };
      const answer = await send(asked);
      await answer.body.discard();
      return answer.status;
    };
    const blob = (text: string): string => `/v2/a/b/blobs/uploads/?digest=${digestOf(Buffer.from(text))}`;
    try {
      assert.equal(await did("POST", blob("four"), "four"), 403);
      assert.equal(await did("DELETE", "/v2/a/b/manifests/v1"), 405);
      assert.equal(await did("PUT", "/v2/a/b/manifests/v1", "{}"), 400);
      assert.equal(await did("POST", blob("one"), "two"), 400);
      assert.equal(await did("DELETE", "/v2/a/b/manifests/v1"), 405);
      await ((await running(settings)) ?? assert.fail()).ask("read-only", { on: true });
      assert.equal(await did("POST", blob("one"), "one"), 405);
      assert.equal(await did("GET", "/v2/", "", "wrong"), 401);
    } finally {
      await serving.stop(never);
    }
    const told = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { status?: number; reason: string })
      .flatMap(({ status, reason }) => (status === undefined ? [] : [[status, reason] as const]));
    const reasons: readonly (readonly [number, RegExp])[] = [
      [403, /^a\/b may take 3 B and has 0 B/],
      [405, /^deleting is disabled here$/],
      [400, /^schemaVersion null is not 2$/],
      [400, /digest/],
      [405, /^deleting is disabled here$/],
      [405, /^the registry is read-only at the moment$/],
      [401, /password/],
    ];
    assert.deepEqual(
      told.map(([status]) => status),
      reasons.map(([status]) => status),
    );
    for (const [at, [, says]] of reasons.entries()) assert.match(told[at]?.[1] ?? "", says);
  });

  test("of a volume that nobody serves", async () => {
    const file = join(root, "alone.log");
    await mkdir(join(root, "alone"));
    const settings = settingsOf("alone", `dray.log.audit.to=${file}`);
    const offline = { who: "a test", onNotice: () => {} };
    await maintain(settings, offline, (client) => client.ask("rebuild", {}));
    await maintain(settings, offline, (client) => client.ask("gc", { dryRun: true }));
    assert.deepEqual(await deeds(file), [["operate", "done", "rebuild of the index"]]);
  });
});

describe("what is declared is counted", () => {
  test("when garbage was last collected, also by a process before this one", async () => {
    const debug = `127.0.0.1:${await freePort()}`;
    const settings = settingsOf("before", `http.debug.addr=${debug}`, "http.debug.prometheus.enabled=true");
    const at = async (): Promise<number> => {
      const serving = await serve(settings, { version: "test" });
      try {
        const { text } = await ask(`http://${debug}`, "/metrics");
        return Number(/^dray_gc_last_run_timestamp_seconds (.+)$/m.exec(text)?.[1]);
      } finally {
        await serving.stop(never);
      }
    };
    assert.equal(await at(), 0);
    await mkdir(join(root, "before/dray/schedule"), { recursive: true });
    await writeFile(join(root, "before/dray/schedule/gc"), "2026-01-02T03:04:05.000Z\n");
    assert.equal(await at(), Date.parse("2026-01-02T03:04:05Z") / 1000);
  });

  test("refused logins, lockouts, and when the certificate ends", async () => {
    const { server, ca } = testCertificates();
    const [cert, key, passwords] = ["cert.pem", "key.pem", "htpasswd"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(cert, server.cert);
    await writeFile(key, server.key);
    await writeFile(passwords, users);
    const debug = `127.0.0.1:${await freePort()}`;
    const settings = settingsOf(
      "counted",
      `http.tls.certificate=${cert}`,
      `http.tls.key=${key}`,
      `http.debug.addr=${debug}`,
      "http.debug.prometheus.enabled=true",
      "auth.htpasswd.realm=r",
      `auth.htpasswd.path=${passwords}`,
      "dray.access.lockout.attempts=2",
    );
    const secure = connection({ env: {}, ca: [ca.cert] });
    const serving = await serve(settings, { version: "test" });
    try {
      const metric = async (name: string): Promise<number> => {
        const { text } = await ask(`http://${debug}`, "/metrics");
        return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
      };
      const login = async (password: string): Promise<number> => {
        const credentials = Buffer.from(`ann:${password}`).toString("base64");
        const { status, body } = await secure({
          method: "GET",
          origin: serving.origin,
          target: "/v2/",
          headers: [["Authorization", `Basic ${credentials}`]],
        });
        await body.discard();
        return status;
      };
      assert.equal(await metric("dray_logins_refused_total"), 0);
      assert.equal(await metric("dray_lockouts_total"), 0);
      assert.deepEqual([await login("a"), await login("b"), await login("c")], [401, 401, 429]);
      assert.equal(await metric("dray_logins_refused_total"), 3);
      assert.equal(await metric("dray_lockouts_total"), 1);
      const ends = async (pem: string): Promise<void> =>
        assert.equal(
          await metric("dray_certificate_end_timestamp_seconds"),
          Date.parse(new X509Certificate(pem).validTo) / 1000,
        );
      await ends(server.cert);
    } finally {
      await serving.stop(never);
      await secure.close();
    }
  });
});
