import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bytesBody } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import type { Handler } from "../http/index.ts";
import { endpoint, originsOf } from "./endpoint.ts";

describe("where a registry may be found", () => {
  const both = ["localhost", "localhost:5000", "a.localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.1:80", "[::1]:5000"];
  const nearby = [...both, "10.1.2.3", "172.16.0.1:5000", "172.31.255.255", "192.168.1.1:5000"];
  for (const registry of nearby)
    test(`${registry}: https, then http`, () =>
      assert.deepEqual(originsOf(registry, undefined), [`https://${registry}`, `http://${registry}`]));
  const far = [
    "ghcr.io",
    "example.com:5000",
    "172.32.0.1",
    "11.0.0.1",
    "128.0.0.1",
    "[::2]:5000",
    "x.local",
    "localhost.x",
  ];
  for (const registry of far) {
    test(`${registry}: https only`, () => assert.deepEqual(originsOf(registry, undefined), [`https://${registry}`]));
    test(`${registry} with plainHttp: https, then http`, () =>
      assert.deepEqual(originsOf(registry, true), [`https://${registry}`, `http://${registry}`]));
  }
  test("docker.io has its own host, and is never spoken to in the clear", () =>
    assert.deepEqual(originsOf("docker.io", true), ["https://registry-1.docker.io"]));
});

describe("the endpoint", () => {
  type Answer = number | Error | "never";
  const server = (answers: { https: Answer; http: Answer }): { send: Handler; asked: string[] } => {
    const asked: string[] = [];
    const send: Handler = async ({ method, origin, target, signal }) => {
      asked.push(`${method} ${origin}${target}`);
      const answer = answers[origin.startsWith("https") ? "https" : "http"];
      if (answer === "never")
        return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
      if (answer instanceof Error) throw answer;
      return { status: answer, headers: [], url: origin + target, body: bytesBody(new Uint8Array(0)) };
    };
    return { send, asked };
  };
  const refused = new DrayError("NETWORK", "connection refused");
  const untrusted = new DrayError("TLS", "the certificate is not trusted");

  test("https only: no request at all", async () => {
    const { send, asked } = server({ https: 500, http: 500 });
    assert.equal(await endpoint("ghcr.io", { send })(), "https://ghcr.io");
    assert.deepEqual(asked, []);
  });

  test("https answers: http is not tried, and nobody asks twice", async () => {
    const { send, asked } = server({ https: 401, http: 200 });
    const find = endpoint("localhost:5000", { send });
    assert.deepEqual(await Promise.all([find(), find()]), ["https://localhost:5000", "https://localhost:5000"]);
    await find();
    assert.deepEqual(asked, ["GET https://localhost:5000/v2/"]);
  });

  test("https fails: http at once", async () => {
    const { send, asked } = server({ https: untrusted, http: 200 });
    assert.equal(await endpoint("localhost:5000", { send, headStart: 1e6 })(), "http://localhost:5000");
    assert.equal(asked.length, 2);
  });

  test("https says nothing: http after the head start", async () => {
    const { send } = server({ https: "never", http: 200 });
    assert.equal(await endpoint("localhost:5000", { send, headStart: 1 })(), "http://localhost:5000");
  });

  test("both fail: the error tells both, has the code of https, and the next call tries again", async () => {
    const { send, asked } = server({ https: untrusted, http: 400 });
    const find = endpoint("10.0.0.1", { send });
    await assert.rejects(find(), (error) => {
      assert.ok(isDrayError(error, "TLS"));
      assert.match(error.message, /certificate is not trusted.*speaks https only/);
      return true;
    });
    await assert.rejects(find());
    assert.equal(asked.length, 4);
    const down = server({ https: refused, http: refused });
    await assert.rejects(endpoint("10.0.0.1", { send: down.send })(), (error) => isDrayError(error, "NETWORK"));
  });

  test("one who waits can leave; the others get their answer", async () => {
    const { send } = server({ https: "never", http: 200 });
    const find = endpoint("localhost", { send, headStart: 5 });
    const leaving = new AbortController();
    const [left, stayed] = [find(leaving.signal), find()];
    leaving.abort();
    await assert.rejects(left, (error) => isDrayError(error, "ABORTED"));
    assert.equal(await stayed, "http://localhost");
  });

  test("when all leave, the probe ends", async () => {
    const { send } = server({ https: "never", http: "never" });
    const leaving = new AbortController();
    const left = endpoint("localhost", { send, headStart: 1e6 })(leaving.signal);
    leaving.abort();
    await assert.rejects(left, (error) => isDrayError(error, "ABORTED"));
  });
});
