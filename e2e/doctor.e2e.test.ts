/** What `dray doctor` says of registries that something is wrong with, each over sockets of its own; and of real ones that are well. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  faults,
  type Listener,
  type ListenOptions,
  listen,
  memoryRegistry,
  put,
  rateLimit,
  rewrite,
  sampleImage,
  testCertificates,
  tokenServer,
} from "@dray/testkit";
import { findPeer, startDockerRegistry } from "@dray/testkit/peers";
import type { Handler } from "dray/http";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { freeAddress } from "./serving.ts";

const image = sampleImage({ seed: "doctor" });
const day = 24 * 60 * 60 * 1000;

interface Finding {
  readonly check: string;
  readonly outcome: string;
  readonly said: string;
  readonly remedy?: string;
}

describe("dray doctor", () => {
  let shop: Sandbox;
  const closing: (() => Promise<unknown>)[] = [];
  const serve = async (handler: Handler, options: ListenOptions = {}): Promise<Listener> => {
    const server = await listen(handler, options);
    closing.push(() => server.close());
    return server;
  };
  const raw = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    await once(server.listen(0, "127.0.0.1"), "listening");
    closing.push(async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const withImage = (handler = memoryRegistry()): Handler => {
    put(handler, "team/app", "v1", image);
    return handler.handler;
  };
  before(async () => {
    shop = await workshop();
  });
  after(async () => {
    await Promise.all(closing.map((close) => close()));
    await shop.close();
  });

  const examined = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const run =
      Object.keys(env).length === 0
        ? shop.here(["doctor", ...words, "-o", "json"])
        : shop.dray(["doctor", ...words, "-o", "json"], { env });
    const { code, stdout, stderr } = await run;
    assert.equal(stderr, "");
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
    assert.equal(code, ok ? 0 : 1);
    return { ok, findings, failed: findings.filter(({ outcome }) => outcome === "failed") };
  };
  /** The one thing that is wrong, which is the last or has nothing to do with the rest. */
  const fault = async (words: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> => {
    const { failed, findings } = await examined(words, env);
    assert.equal(failed.length, 1, JSON.stringify(findings, null, 1));
    const [{ check, said, remedy = "" }] = failed as [Finding];
    return `${check}: ${said}; ${remedy}`;
  };

  test("1: no such name", async () => {
    assert.match(
      await fault(["no-such-registry.invalid"]),
      /^name: no-such-registry\.invalid: (?:no such host|the resolver does not answer) \(\w+\); check the name, and the resolver/,
    );
    assert.match(
      await fault(["no-such-image-anywhere"]),
      /; for the image no-such-image-anywhere of Docker Hub write docker\.io\/library\/no-such-image-anywhere$/,
    );
  });

  test("2: a certificate that has expired", async () => {
    const { ca, server } = testCertificates({ now: new Date(Date.now() - 10 * day) });
    await writeFile(shop.path("old.pem"), ca.cert);
    const { host } = await serve(withImage(), { tls: server });
    assert.match(
      await fault(["--ca-file", shop.path("old.pem"), `https://${host}`]),
      /^tls: .*its certificate has expired; renew it there; --insecure skips the check \(it shows: localhost by Dray test CA, ended (?:9|10) days ago/,
    );
  });

  test("3: an authority that nobody knows", async () => {
    const { host } = await serve(withImage(), { tls: testCertificates().server });
    assert.match(
      await fault([host]),
      /^tls: .*signed by an unknown authority; trust its authority with --ca-file FILE.*\(it shows: localhost by Dray test CA, 0 days left/,
    );
  });

  test("a certificate that is not checked, because somebody said so, is warned of", async () => {
    const { host } = await serve(withImage(), { tls: testCertificates({ days: 90 }).server });
    const { ok, findings } = await examined(["--insecure", host]);
    assert.equal(ok, true);
    const tls = findings.find(({ check }) => check === "tls");
    assert.equal(tls?.outcome, "warning");
    assert.match(tls?.said ?? "", /^TLSv1\.[23]; localhost by Dray test CA, 89 days left.*; it was not checked$/);
  });

  test("4: http on the port of TLS", async () => {
    const { host } = await serve(withImage());
    assert.match(
      await fault([`https://${host}`]),
      /^tls: cannot reach 127\.0\.0\.1:\d+: it does not speak TLS; use plain http with --insecure, or another port/,
    );
  });

  test("5: a page of the network's", async () => {
    const host = await raw((_, answer) => {
      answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>Welcome to the hotel</title>");
    });
    assert.match(
      await fault([host]),
      /^api: http:\/\/127.*\/v2\/ answers 200 with a web page, which no registry does; log in to the network/,
    );
  });

  test("a refusal in HTML, as proxies before a registry write it, is what its status says", async () => {
    const page = (status: number, headers: Readonly<Record<string, string>> = {}) =>
      raw((_, answer) => {
        answer.writeHead(status, { "Content-Type": "text/html", ...headers }).end("<html><title>nginx</title></html>");
      });
    const asksWho = await examined([await page(401, { "WWW-Authenticate": 'Basic realm="team"' })]);
    assert.deepEqual(
      asksWho.findings.filter(({ check }) => ["api", "challenge"].includes(check)).map(({ outcome }) => outcome),
      ["ok", "ok"],
      JSON.stringify(asksWho.findings),
    );
    for (const [status, says] of [
      [401, /^api: .* answers 401 with a web page, which no registry does; log in to the network/],
      [403, /^api: .* answers 403; somebody before the registry refuses us: ask its operator$/],
      [404, /^api: .* answers 404; no registry is there, or a proxy before it passes/],
      [429, /^limits: .* answers 429; wait, or log in for a higher limit$/],
      [503, /^api: .* answers 503; the registry has a fault: ask its operator, or try again later$/],
      [511, /^api: .* answers 511 with a web page, which no registry does; log in to the network/],
    ] as const)
      assert.match(await fault([await page(status)]), says);
  });

  test("6: a token service that cannot be reached", async () => {
    const nobody = await freeAddress();
    const challenge = `Bearer realm="http://${nobody}/token",service="r"`;
    const { host } = await serve(faults(withImage(), [{ effect: answerWith(401, { "WWW-Authenticate": challenge }) }]));
    assert.match(
      await fault([`${host}/team/app:v1`]),
      new RegExp(`^token: .*${nobody}.*connection refused; check the port`),
    );
  });

  test("7: a clock that is two hours ahead", async () => {
    const then = new Date(Date.now() - 2 * 60 * 60 * 1000).toUTCString();
    const { host } = await serve(faults(withImage(), [{ effect: rewrite({ Date: then }) }]));
    assert.match(
      await fault([`${host}/team/app:v1`]),
      /^clock: this machine's clock is 2 h ahead of the registry's; set the clock that is wrong/,
    );
  });

  test("8: a limit", async () => {
    const limited = faults(withImage(), [{ target: /team/, effect: answerWith(429, { "Retry-After": "3600" }) }]);
    const { host } = await serve(limited);
    assert.match(
      await fault([`${host}/team/app:v1`]),
      /^limits: .*(?:429|limits us|wait).*log in for a higher limit, wait longer with --max-wait, or try again later/,
    );
    const { host: atOnce } = await serve(faults(withImage(), [{ effect: answerWith(429, { "Retry-After": "60" }) }]));
    assert.match(await fault([atOnce]), /^limits: /);
    const { handler } = rateLimit(withImage(), { requests: 1000, windowSeconds: 60 });
    const { host: counting } = await serve(handler);
    const told = await examined([`${counting}/team/app:v1`]);
    assert.equal(told.ok, true);
    const counted = faults(withImage(), [
      {
        target: /manifests/,
        effect: rewrite({ "RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600" }),
      },
    ]);
    const { findings } = await examined([`${(await serve(counted)).host}/team/app:v1`]);
    assert.equal(findings.find(({ check }) => check === "limits")?.said, "76 left of 100 in 6 h");
  });

  test("9: a proxy that wants to know who we are", async () => {
    const proxy = createServer();
    proxy.on("connect", (_, socket) =>
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
    );
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    closing.push(async () => once(proxy.close(), "close"));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    assert.match(
      await fault(["registry.example.com"], { HTTPS_PROXY: url }),
      /^proxy: the proxy .* refused a connection to registry\.example\.com.* with 407; give it a user and password: http:\/\/USER:PASSWORD@HOST:PORT/,
    );
  });

  test("10: an account that may only pull", async () => {
    const tokens = tokenServer({ allow: (_, { actions }) => actions.filter((action) => action === "pull") });
    const realm = `${(await serve(tokens.handler)).origin}/token`;
    const { host } = await serve(withImage(memoryRegistry({ access: { scheme: "bearer", tokens, realm } })));
    const { findings, failed } = await examined(["--push", `${host}/team/app:v1`]);
    assert.deepEqual(
      failed.map(({ check }) => check),
      ["push"],
      JSON.stringify(findings),
    );
    assert.match(failed[0]?.said ?? "", /401|403|DENIED|insufficient|not allowed/i);
    for (const check of ["token", "pull", "range", "referrers"])
      assert.equal(findings.find((each) => each.check === check)?.outcome, "ok", check);
    // Without the flag nothing is tried, and nothing is wrong.
    const careful = await examined([`${host}/team/app:v1`]);
    assert.equal(careful.ok, true);
    assert.deepEqual(
      careful.findings.filter(({ outcome }) => outcome === "skipped").map(({ check }) => check),
      ["push", "mount", "delete"],
    );
  });

  for (const peer of ["docker-registry", "registry"] as const)
    test(`${peer}, by TLS, is well: each thing is one line`, { skip: missing([peer, findPeer(peer)]) }, async () => {
      const registry = await startDockerRegistry({ peer, tls: true });
      assert.ok(registry);
      closing.push(() => registry.close());
      const ca = ["--ca-file", registry.ca ?? ""];
      const source = await serve(withImage());
      await shop.ok([
        "cp",
        "--dest-ca-file",
        registry.ca ?? "",
        `${source.host}/team/app:v1`,
        `${registry.host}/team/app:v1`,
      ]);
      const { code, stdout, stderr } = await shop.here(["doctor", ...ca, "--push", `${registry.host}/team/app`]);
      assert.equal(code, 0, stdout + stderr);
      const words = stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s+/, 2).join(" "));
      const referrers = peer === "registry" ? "ok referrers" : "warning referrers";
      assert.deepEqual(
        words.filter((each) => each !== referrers && !/referrers/.test(each)),
        [
          "proxy",
          "name",
          "address",
          "tls",
          "api",
          "clock",
          "challenge",
          "credentials",
          "mirrors",
          "pull",
          "range",
          "push",
          "mount",
          "delete",
        ].map((check) => (check === "tls" ? "warning tls" : `ok ${check}`)),
        stdout,
      );
      assert.match(
        stdout,
        /^warning tls +TLSv1\.[23]; localhost by Dray test CA, 0 days left; .*renew it there before it ends$/m,
      );
    });
});
