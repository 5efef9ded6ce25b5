import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { connection, header } from "dray/http";
import { digestOf } from "dray/oci";
import { ask, pushBlob } from "../../test/ask.ts";
import { loadSettings, type Settings } from "../config/index.ts";
import { running } from "./control-socket.ts";
import { maintain } from "./maintain.ts";
import { type Serving, serve } from "./serve.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const quiet = ["log.accesslog.disabled=true", "log.level=error"];
const never = new AbortController().signal;

let root: string;
before(() => {
  root = temporaryFolder("serve");
});
const settingsOf = (name: string, ...set: string[]): Settings =>
  loadSettings({ flags: { data: join(root, name), listen: "127.0.0.1:0", set: [...quiet, ...set] } }).settings;

/** A manifest without a tag, with all that it needs. Tells where it lies. */
const pushImage = async (origin: string, repository: string): Promise<string> => {
  await pushBlob(origin, repository, "{}");
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(text("{}")), size: 2 };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
  const target = `/v2/${repository}/manifests/${digestOf(text(manifest))}`;
  assert.equal((await ask(origin, "PUT", target, manifest)).status, 201);
  return target;
};

describe("a registry by its settings", () => {
  test("serves, keeps what it was given over a restart, and gives the volume back", async () => {
    const settings = settingsOf("kept");
    for (const round of [1, 2]) {
      const serving = await serve(settings, { version: "test" });
      try {
        if (round === 1) assert.equal((await pushBlob(serving.origin, "a", "hello")).status, 201);
        const blob = await ask(serving.origin, "GET", `/v2/a/blobs/${digestOf(text("hello"))}`);
        assert.deepEqual([blob.status, blob.text], [200, "hello"]);
        assert.deepEqual(JSON.parse((await ask(serving.origin, "GET", "/readyz")).text).status, "ready");
      } finally {
        await serving.stop(never);
      }
    }
  });

  test("a volume that is served, and an address that is taken, are refused with the remedy", async () => {
    const settings = settingsOf("twice");
    const serving = await serve(settings, { version: "test" });
    try {
      await assert.rejects(serve(settings, { version: "test", patience: 0 }), { code: "LOCKED" });
      const port = new URL(serving.origin).port;
      const other = loadSettings({ flags: { data: join(root, "other"), listen: `127.0.0.1:${port}`, set: quiet } });
      await assert.rejects(serve(other.settings, { version: "test" }), /another program does; .*--listen/);
      // What failed holds nothing.
      const again = await serve(settingsOf("other"), { version: "test" });
      await again.stop(never);
    } finally {
      await serving.stop(never);
    }
  });

  test("the operator's questions, to one that runs and to a volume that nobody serves", async () => {
    const settings = settingsOf("asked", "dray.gc.lease=0s", "dray.gc.grace=0s");
    const serving = await serve(settings, { version: "test" });
    try {
      await pushBlob(serving.origin, "a", "garbage");
      const client = (await running(settings)) ?? assert.fail();
      assert.deepEqual((await client.ask("check", {})).differences, 0);
      assert.deepEqual((await client.ask("verify", {})).findings, 0);
      await client.ask("read-only", { on: true });
      assert.equal((await pushBlob(serving.origin, "a", "more")).status, 405);
      await client.ask("read-only", { on: false });
      assert.equal((await client.ask("gc", { dryRun: true })).blobs, 1);
      assert.equal((await client.ask("status", {}))["origin"], serving.origin);
    } finally {
      await serving.stop(never);
    }
    const collected = await maintain(settings, { who: "a test", onNotice: () => {} }, (client) => client.ask("gc", {}));
    assert.deepEqual([collected.blobs, collected.bytes], [1, 7]);
  });

  test("retention that is switched off lets nothing go, whether asked for or by the clock", async () => {
    const common = ["dray.gc.lease=0s", "dray.gc.grace=0s"];
    const [on, off] = [["dray.retention.untagged=0s"], []];
    let current = settingsOf("retained", ...common, ...on);
    const serving = await serve(current, { version: "test", settings: async () => current });
    try {
      const collected = async (...retention: readonly string[]): Promise<number> => {
        current = settingsOf("retained", ...common, ...retention);
        await serving.reload();
        await setTimeout(5);
        const client = (await running(current)) ?? assert.fail();
        return (await client.ask("gc", {})).manifests;
      };
      const target = await pushImage(serving.origin, "a");
      assert.equal(await collected(...off), 0);
      assert.equal((await ask(serving.origin, "GET", target)).status, 200);
      assert.equal(await collected(...on), 1);
      assert.equal((await ask(serving.origin, "GET", target)).status, 404);
    } finally {
      await serving.stop(never);
    }
  });

  test("a run by the clock keeps what a reload said, and its time is noted for the next start", async () => {
    const common = ["dray.gc.lease=300ms", "dray.gc.grace=0s", "dray.gc.interval=20ms"];
    let current = settingsOf("by-the-clock", ...common, "dray.retention.untagged=24h");
    const serving = await serve(current, { version: "test", settings: async () => current });
    const noted = join(root, "by-the-clock/dray/schedule/gc");
    try {
      const target = await pushImage(serving.origin, "a");
      await pushBlob(serving.origin, "a", "garbage");
      current = settingsOf("by-the-clock", ...common);
      await serving.reload();
      while ((await ask(serving.origin, "GET", `/v2/a/blobs/${digestOf(text("garbage"))}`)).status !== 404)
        await setTimeout(5);
      assert.equal((await ask(serving.origin, "GET", target)).status, 200);
      while (!existsSync(noted)) await setTimeout(5);
      assert.ok(Date.now() - Date.parse((await readFile(noted, "utf8")).trim()) < 60_000);
    } finally {
      await serving.stop(never);
    }
  });

  test("headers, the read-only switch and the level of the log follow a reload; the rest is named", async () => {
    let current = settingsOf("reloaded");
    const serving = await serve(current, { version: "test", settings: async () => current });
    try {
      assert.equal(header((await ask(serving.origin, "GET", "/v2/")).headers, "X-Ours"), undefined);
      current = settingsOf("reloaded", 'http.headers={"X-Ours": ["yes"]}', "storage.maintenance.readonly.enabled=true");
      await serving.reload();
      assert.equal(header((await ask(serving.origin, "GET", "/v2/")).headers, "X-Ours"), "yes");
      assert.equal((await pushBlob(serving.origin, "a", "x")).status, 405);
    } finally {
      await serving.stop(never);
    }
  });

  test("the operator's headers take the place of ours, and browsers see what they need", async () => {
    let current = settingsOf("headers");
    const serving = await serve(current, { version: "test", settings: async () => current });
    const shown = async (method: string, target: string, name: string): Promise<(string | undefined)[]> => {
      const { headers } = await ask(serving.origin, method, target);
      return headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    };
    try {
      for (const target of ["/", "/v2/", "/v2/a/tags/list", "/livez", "/nowhere"])
        assert.deepEqual(await shown("GET", target, "X-Content-Type-Options"), ["nosniff"], target);
      assert.deepEqual(await shown("GET", "/v2/", "Access-Control-Expose-Headers"), []);
      current = settingsOf(
        "headers",
        `http.headers=${JSON.stringify({
          "x-content-type-options": ["other"],
          "access-control-allow-origin": ["https://ui.example"],
          "Access-Control-Allow-Methods": ["GET"],
          "Access-Control-Max-Age": ["7"],
        })}`,
      );
      await serving.reload();
      assert.deepEqual(await shown("GET", "/v2/", "X-Content-Type-Options"), ["other"]);
      assert.match((await shown("GET", "/v2/", "Access-Control-Expose-Headers")).join(), /Docker-Content-Digest.*Link/);
      assert.deepEqual(await shown("OPTIONS", "/v2/", "Access-Control-Allow-Methods"), ["GET"]);
      assert.deepEqual(await shown("OPTIONS", "/v2/", "Access-Control-Max-Age"), ["7"]);
      assert.match((await shown("OPTIONS", "/v2/", "Access-Control-Allow-Headers")).join(), /Authorization/);
    } finally {
      await serving.stop(never);
    }
  });

  test("another certificate is shown after a reload", async () => {
    const { server, ca } = testCertificates();
    const [cert, key] = [join(root, "cert.pem"), join(root, "key.pem")];
    await writeFile(cert, server.cert);
    await writeFile(key, server.key);
    const settings = settingsOf("tls", `http.tls.certificate=${cert}`, `http.tls.key=${key}`);
    let serving: Serving | undefined;
    const shown = async (authority: string): Promise<number> => {
      const secure = connection({ env: {}, ca: [authority] });
      try {
        const { status, body } = await secure({
          method: "GET",
          origin: serving?.origin ?? "",
          target: "/v2/",
          headers: [],
        });
        await body.discard();
        return status;
      } finally {
        await secure.close();
      }
    };
    try {
      serving = await serve(settings, { version: "test" });
      assert.equal(await shown(ca.cert), 200);
      const next = testCertificates();
      await writeFile(cert, next.server.cert);
      await writeFile(key, next.server.key);
      await serving.reload();
      assert.equal(await shown(next.ca.cert), 200);
      await assert.rejects(shown(ca.cert), { code: "TLS" });
    } finally {
      await serving?.stop(never);
    }
  });
});
