/** `docs/operating.md` names every metric and every member of a line of the logs, and no others. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { freePort } from "@dray/testkit/peers";
import { hashSync } from "bcryptjs";
import { bytesContent, collect } from "dray/content";
import { connection } from "dray/http";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { loadSettings } from "../config/index.ts";
import { running } from "./control-socket.ts";
import { type Serving, serve } from "./serve.ts";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/operating.md", import.meta.url)), "utf8");
/** The words of the first column of the tables below a heading or a sentence, up to the next one. */
const namedBelow = (begin: string): string[] => {
  const from = page.indexOf(begin);
  assert.ok(from > 0, begin);
  const [table = ""] = page.slice(from).split(/\n\n(?![|\n])(?=[^|]*$|[^|]*\n\n[^|])/m);
  const rows = (table.match(/^\|.*$/gm) ?? []).slice(2);
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word));
};

const never = new AbortController().signal;
const users = `ann:${hashSync("secret", 4)}\n`;
const { server, ca } = testCertificates();
const at = (name: string): string => join(root, name);
const linesOf = (name: string): Record<string, unknown>[] =>
  readFileSync(at(name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

let root: string;
let serving: Serving;
let debug: string;
const send = connection({ env: {}, ca: [ca.cert] });
const asked = async (method: string, target: string, password: string, body?: Uint8Array): Promise<number> => {
  const credentials = Buffer.from(`ann:${password}`).toString("base64");
  const headers: [string, string][] = [
    ["Authorization", `Basic ${credentials}`],
    ["User-Agent", "test"],
    ["Content-Type", mediaTypes.ociIndex],
  ];
  const answer = await send({
    method,
    origin: serving.origin,
    target,
    headers,
    ...(body === undefined ? {} : { body: bytesContent(body) }),
  });
  await answer.body.discard();
  return answer.status;
};

before(async () => {
  root = temporaryFolder("operating");
  await Promise.all([
    writeFile(at("cert"), server.cert),
    writeFile(at("key"), server.key),
    writeFile(at("users"), users),
  ]);
  debug = `127.0.0.1:${await freePort()}`;
  const set = {
    "http.tls.certificate": at("cert"),
    "http.tls.key": at("key"),
    "auth.htpasswd.realm": "test",
    "auth.htpasswd.path": at("users"),
    "http.debug.addr": debug,
    "http.debug.prometheus.enabled": "true",
    "log.level": "error",
    "dray.log.access.format": "json",
    "dray.log.access.to": at("access"),
    "dray.log.audit.to": at("audit"),
    "dray.gc.lease": "0s",
  };
  const { settings } = loadSettings({
    flags: {
      data: at("data"),
      listen: "127.0.0.1:0",
      set: Object.entries(set).map(([key, value]) => `${key}=${value}`),
    },
  });
  serving = await serve(settings, { version: "test" });
  const [first, second] = ["1", "2"].map((name) =>
    encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { name } }),
  ) as [Uint8Array, Uint8Array];
  for (const bytes of [first, second]) assert.equal(await asked("PUT", "/v2/a/manifests/v1", "secret", bytes), 201);
  assert.equal(await asked("GET", "/v2/", "wrong"), 401);
  assert.equal(await asked("DELETE", "/v2/a/manifests/v1", "secret"), 202);
  assert.equal(await asked("PUT", `/v2/a/blobs/uploads/none?digest=${digestOf(first)}`, "secret", first), 404);
  const client = (await running(settings)) ?? assert.fail();
  await client.ask("gc", { grace: 0, lease: 0, untagged: 0 });
});
after(async () => {
  await send.close();
});

test("every metric has its row, and no row is of another one", async () => {
  const plain = connection({ env: {} });
  const { body } = await plain({ method: "GET", origin: `http://${debug}`, target: "/metrics", headers: [] });
  const text = Buffer.from(await collect(body.chunks, 1 << 20, "metrics")).toString();
  await plain.close();
  const families = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
  const ours = families.filter((name) => /^(?:dray|registry)_/.test(name));
  assert.ok(ours.length > 20 && ours.length < families.length);
  assert.deepEqual(namedBelow("| metric | what | alert |").toSorted(), ours.toSorted());
});

describe("every member of a line has its row", () => {
  before(() => serving.stop(never));

  test("of the access log", () => {
    const named = new Set(namedBelow("**The access log**"));
    const found = new Set(linesOf("access").flatMap((line) => Object.keys(line)));
    assert.ok(found.size > 10);
    // What only an answer that broke off has.
    assert.deepEqual([...found, "whole"].toSorted(), [...named].toSorted());
  });

  test("of the audit log", () => {
    const named = new Set(namedBelow("**The audit log**"));
    const found = [...new Set(linesOf("audit").flatMap((line) => Object.keys(line)))];
    assert.deepEqual(found.toSorted(), [...named].toSorted());
  });
});
