import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerWith, listen, memoryRegistry, put, RequestLog, sampleImage, testCertificates } from "@dray/testkit";
import { anonymous, staticCredential } from "../auth/index.ts";
import { bytesBody } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import type { HttpRequest } from "../http/index.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { guessing } from "./guess.ts";
import type { Repository } from "./repository.ts";

const image = sampleImage({ layers: 1 });
const quiet: ConnectOptions = { credentials: anonymous, stateDir: false, ambient: false };

describe("a guess", () => {
  const ask = { method: "HEAD", target: "/v2/a/b/manifests/v1", headers: [] };
  type Given = { found?: string; method?: string; mayGuess?: boolean } & Partial<HttpRequest>;
  /** What becomes of one guess, where the registry turns out to be at `found`. */
  const guessed = async (
    answer: number | Error,
    { found = "http://r.test", method = "HEAD", mayGuess = true, ...more }: Given = {},
  ): Promise<{ status: number | undefined; asked: HttpRequest[] }> => {
    const asked: HttpRequest[] = [];
    const guess = guessing(async () => found, {
      origin: "http://r.test",
      send: async (request) => {
        asked.push(request);
        if (answer instanceof Error) throw answer;
        return {
          status: answer,
          headers: [],
          url: request.origin + request.target,
          body: bytesBody(new Uint8Array(0)),
        };
      },
      mayGuess: async () => mayGuess,
    });
    return { status: (await guess({ ...ask, method, ...more }))?.status, asked };
  };

  test("counts where it was right, and says what is there, or to a look-up that it is not", async () => {
    const context = { lookUp: true };
    for (const status of [200, 404]) assert.equal((await guessed(status, { context })).status, status);
    assert.equal((await guessed(200)).status, 200);
    for (const status of [301, 307, 400, 401, 403, 404, 429, 500, 503])
      assert.equal((await guessed(status)).status, undefined, `${status}`);
    assert.equal((await guessed(new DrayError("NETWORK", "nobody"))).status, undefined);
    assert.equal((await guessed(200, { found: "https://r.test" })).status, undefined);
  });

  test("is only about what reads, and nothing that carries a secret", async () => {
    for (const method of ["PUT", "POST", "PATCH", "DELETE"])
      assert.deepEqual(await guessed(200, { method }), { status: undefined, asked: [] });
    assert.deepEqual(await guessed(200, { mayGuess: false }), { status: undefined, asked: [] });
    for (const name of ["Authorization", "Cookie", "X-Key"])
      assert.deepEqual(await guessed(200, { headers: [[name, "secret"]] }), { status: undefined, asked: [] });
    assert.equal((await guessed(200, { headers: [["Accept", "*/*"]] })).status, 200);
  });

  test("that was wrong is given up, and nobody guesses once it is known", async () => {
    let asked = 0;
    const guess = guessing(async () => "https://r.test", {
      origin: "http://r.test",
      send: ({ signal }) =>
        new Promise((_, reject) => {
          asked++;
          signal?.addEventListener("abort", () => reject(signal.reason as Error));
        }),
      mayGuess: async () => true,
    });
    for (let i = 0; i < 2; i++) assert.equal(await guess(ask), undefined);
    assert.equal(asked, 1);
  });

  test("ends with the signal, and with a registry that is not found", async () => {
    const signal = AbortSignal.abort();
    const options = {
      origin: "http://r.test",
      send: async () => Promise.reject(new Error("cut")),
      mayGuess: async () => true,
    };
    await assert.rejects(guessing(async () => "http://r.test", options)({ ...ask, signal }), (error) =>
      isDrayError(error, "ABORTED"),
    );
    const nobody = async (): Promise<string> => Promise.reject(new DrayError("NETWORK", "nobody there"));
    await assert.rejects(guessing(nobody, options)(ask), /nobody there/);
  });
});

describe("the first question to a registry nearby", () => {
  test("is its only one where it speaks plain http", async () => {
    const registry = memoryRegistry();
    put(registry, "a/b", "v1", image);
    const log = new RequestLog();
    const server = await listen(log.middleware(registry.handler));
    const client = connect(server.host, quiet);
    try {
      assert.equal((await client.repository("a/b").resolve("v1")).digest, image.root.digest);
      assert.deepEqual(
        log.entries.map(({ method, target }) => `${method} ${target}`),
        ["HEAD /v2/a/b/manifests/v1"],
      );
    } finally {
      await client.close();
      await server.close();
    }
  });

  test("is asked again with credentials where strangers hear that nothing is there", async () => {
    const registry = memoryRegistry({ access: { scheme: "basic", users: { me: "secret" } } });
    put(registry, "a/b", "v1", image);
    const server = await listen(async (request) => {
      const response = await registry.handler(request);
      if (response.status !== 401 || request.target === "/v2/") return response;
      await response.body.discard();
      return answerWith(404)(request, registry.handler);
    });
    const credentials = staticCredential({ username: "me", password: "secret", source: "test" }, server.host);
    try {
      for (const ask of [
        (repository: Repository) => Array.fromAsync(repository.tags()),
        (repository: Repository) => repository.manifest("v1"),
        (repository: Repository) => Promise.all([...image.blobs.keys()].map((digest) => repository.describe(digest))),
      ]) {
        const client = connect(server.host, { ...quiet, credentials });
        await ask(client.repository("a/b"));
        await client.close();
      }
    } finally {
      await server.close();
    }
  });

  test("goes by TLS where an authority for it is given", async () => {
    const registry = memoryRegistry();
    put(registry, "a/b", "v1", image);
    const { ca, server: certificate } = testCertificates();
    const log = new RequestLog();
    const server = await listen(log.middleware(registry.handler), { tls: certificate });
    const client = connect(server.host, { ...quiet, ca: ca.cert });
    try {
      assert.equal((await client.repository("a/b").resolve("v1")).digest, image.root.digest);
      assert.equal(log.entries.length, 1);
    } finally {
      await client.close();
      await server.close();
    }
  });

  test("carries no credential, no header of the caller's, and nothing that a middleware adds", async () => {
    const registry = memoryRegistry({ access: { scheme: "basic", users: { me: "secret" } } });
    put(registry, "a/b", "v1", image);
    const server = await listen(registry.handler, { tls: testCertificates().server });
    /** What comes in the clear to where TLS is spoken. */
    const clear: string[] = [];
    const options: readonly ConnectOptions[] = [
      { credentials: staticCredential({ username: "me", password: "secret", source: "test" }, server.host) },
      {
        credentials: staticCredential({ username: "me", password: "secret", source: "test" }, server.host),
        headers: { "X-Key": "secret" },
      },
      {
        credentials: staticCredential({ username: "me", password: "secret", source: "test" }, server.host),
        middleware: (next) => (request) => next({ ...request, headers: [...request.headers, ["X-Key", "secret"]] }),
      },
    ];
    try {
      for (const own of options) {
        const traced: string[] = [];
        const client = connect(server.host, {
          ...quiet,
          ...own,
          skipTlsVerify: true,
          plainHttp: true,
          trace: ({ url, requestHeaders }) => void traced.push(`${url} ${JSON.stringify(requestHeaders)}`),
        });
        await client.repository("a/b").resolve("v1");
        clear.push(...traced.filter((line) => line.startsWith("http:")));
        await client.close();
      }
    } finally {
      await server.close();
    }
    assert.ok(clear.length <= 1, "only without headers and middlewares is anything sent in the clear");
    assert.ok(
      clear.every((line) => !/authorization|x-key|secret/i.test(line)),
      clear.join("\n"),
    );
  });
});
