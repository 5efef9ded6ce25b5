/** Who may keep whom waiting: guessers, and clients that do not read, as others of the served program meet it. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findPeer, succeed } from "@dray/testkit/peers";
import { digestOf } from "dray/oci";
import { ask } from "./ask.ts";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { type Running, serveDray } from "./serving.ts";

const htpasswd = findPeer("htpasswd");
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("behind a proxy", { skip: missing(["htpasswd", htpasswd]) }, () => {
  let shop: Sandbox;
  let server: Running;
  before(async () => {
    shop = await workshop();
    await writeFile(shop.path("users"), await succeed([htpasswd as string, "-nbB", "-C", "5", "ci", "right"]));
  });
  after(() => shop.close());

  const start = async (...set: string[]): Promise<void> => {
    const all = [`auth.htpasswd.realm=r`, `auth.htpasswd.path=${shop.path("users")}`, ...set];
    server = await serveDray(shop, ["--data", shop.path("data"), ...all.flatMap((one) => ["--set", one])]);
  };
  const login = async (password: string, client: string): Promise<number> => {
    const headers = { Authorization: basic("ci", password), "X-Forwarded-For": client };
    return (await ask(server.host, "GET", "/v2/", { headers })).status;
  };
  const guess = async (): Promise<void> => {
    for (let time = 0; time < 11; time++) await login(`guess${time}`, "192.0.2.99");
    assert.equal(await login("guess", "192.0.2.99"), 429);
  };

  test("that nobody named: who logged in goes on whatever others guess, and the log names the key once", async () => {
    await start();
    try {
      assert.equal(await login("right", "192.0.2.7"), 200);
      await guess();
      assert.equal(await login("right", "192.0.2.7"), 200);
    } finally {
      await server.stop();
    }
    assert.equal(server.said().match(/127\.0\.0\.1 says whom it speaks for .* dray\.trustedproxies/g)?.length, 1);
  });

  test("that is trusted: each client has attempts of its own, and nothing is warned of", async () => {
    await start("dray.trustedproxies=127.0.0.1");
    try {
      await guess();
      assert.equal(await login("right", "192.0.2.7"), 200, "though it never logged in before");
    } finally {
      await server.stop();
    }
    assert.doesNotMatch(server.said(), /says whom it speaks for/);
  });
});

test("where memory is short, clients that are silent for ten seconds go, the log says so, and others are served", async () => {
  const shop = await workshop();
  const server = await serveDray(shop, ["--data", shop.path("data"), "--set", "dray.limits.memory=1MiB"]);
  const [host, port] = server.host.split(":");
  let gone = 0;
  const silent = Array.from({ length: 80 }, () =>
    connect({ host, port: Number(port) })
      .on("error", () => {})
      .on("close", () => gone++)
      .pause(),
  );
  try {
    // More than the system keeps of what nobody reads.
    const content = Buffer.alloc(24 * 1024 * 1024, "x");
    const digest = digestOf(content);
    const push = { body: content };
    assert.equal((await ask(server.host, "POST", `/v2/a/blobs/uploads/?digest=${digest}`, push)).status, 201);
    for (const socket of silent) socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const words =
      /moved no byte of a body and lost the connection, .*: memory or descriptors are short: dray\.limits\.memory /;
    while (!words.test(server.said())) {
      assert.equal((await ask(server.host, "GET", "/v2/")).status, 200);
      await sleep(50);
    }
    assert.equal((await ask(server.host, "HEAD", `/v2/a/blobs/${digest}`)).status, 200);
    // Paused sockets learn of their end where they read.
    for (const socket of silent) socket.resume();
    while (gone === 0) await sleep(10);
  } finally {
    for (const socket of silent) socket.destroy();
    await server.stop();
    await shop.close();
  }
});
