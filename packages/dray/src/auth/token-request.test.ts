import assert from "node:assert/strict";
import { test } from "node:test";
import { hosts, tokenServer } from "@dray/testkit";
import { bytesBody, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Handler, type HttpRequest, type HttpResponse, header, isContent } from "../http/index.ts";
import { parseScopes } from "./scope.ts";
import { requestToken, type TokenOrder } from "./token-request.ts";

const realm = "https://auth.test/token";
const source = "a test";
const ann = { username: "ann", password: "hunter2", source };

const ask = (handler: Handler, order: Partial<TokenOrder> = {}, now = 1000) =>
  requestToken(
    { realm: new URL(realm), service: "registry", scopes: parseScopes(["repository:a:pull"]), ...order },
    { handler, registry: "registry.test", allowPrivate: [], now: () => now },
    new AbortController().signal,
  );

const answer = (
  request: HttpRequest,
  status: number,
  body: string,
  headers: HttpResponse["headers"] = [],
): HttpResponse => ({
  status,
  headers,
  url: request.origin + request.target,
  body: bytesBody(new TextEncoder().encode(body)),
});

/** A handler that answers by a function of the request and writes down what came. */
const scripted = (script: (request: HttpRequest) => HttpResponse) => {
  const seen: { request: HttpRequest; body: string }[] = [];
  const handler: Handler = async (request) => {
    const chunks = request.body !== undefined && isContent(request.body) ? request.body.open() : request.body?.chunks;
    const body = chunks === undefined ? "" : new TextDecoder().decode(await collect(chunks, 1e6, "body"));
    seen.push({ request, body });
    return script(request);
  };
  return { handler, seen };
};

test("GET with a name and password, service and scopes each a parameter, beside those of the realm", async () => {
  const { handler, seen } = scripted((request) => answer(request, 200, '{"token":"t"}'));
  const order = {
    realm: new URL(`${realm}?account=x`),
    scopes: parseScopes(["repository:a:pull,push repository:b:pull"]),
    credential: ann,
  };
  assert.equal((await ask(handler, order)).text, "t");
  const request = seen[0]?.request as HttpRequest;
  assert.equal(request.method, "GET");
  assert.equal(request.origin, "https://auth.test");
  const { pathname, searchParams } = new URL(request.target, request.origin);
  assert.equal(pathname, "/token");
  assert.deepEqual(
    [...searchParams],
    [
      ["account", "x"],
      ["service", "registry"],
      ["scope", "repository:a:pull,push"],
      ["scope", "repository:b:pull"],
    ],
  );
  assert.equal(header(request.headers, "authorization"), `Basic ${Buffer.from("ann:hunter2").toString("base64")}`);
});

test("anonymously without Authorization; what the registry did not name is left out", async () => {
  const { handler, seen } = scripted((request) => answer(request, 200, '{"token":"t"}'));
  await ask(handler, { service: undefined, scopes: [] });
  assert.equal(seen[0]?.request.target, "/token");
  assert.equal(header(seen[0]?.request.headers ?? [], "authorization"), undefined);
});

test("POST with an identity token, as OAuth2 has it", async () => {
  const { handler, seen } = scripted((request) => answer(request, 200, '{"access_token":"t","refresh_token":"next"}'));
  const token = await ask(handler, { credential: { identityToken: "i", source } });
  assert.deepEqual([token.text, token.refreshToken], ["t", "next"]);
  assert.equal(seen[0]?.request.method, "POST");
  assert.equal(header(seen[0]?.request.headers ?? [], "content-type"), "application/x-www-form-urlencoded");
  assert.deepEqual(Object.fromEntries(new URLSearchParams(seen[0]?.body)), {
    grant_type: "refresh_token",
    client_id: "dray",
    service: "registry",
    scope: "repository:a:pull",
    refresh_token: "i",
  });
});

const fallbacks: [what: string, status: number, credential: object, pair: string][] = [
  ["with the name and password", 404, { username: "ann", password: "p", identityToken: "i" }, "ann:p"],
  ["with the token as the user's password", 405, { username: "ann", identityToken: "i" }, "ann:i"],
  ["with the token as nobody's password", 404, { identityToken: "i" }, "<token>:i"],
];

for (const [what, status, credential, pair] of fallbacks) {
  test(`a service that answers POST with ${status} is asked by GET, ${what}`, async () => {
    const { handler, seen } = scripted((request) =>
      request.method === "POST" ? answer(request, status, "no") : answer(request, 200, '{"token":"t"}'),
    );
    assert.equal((await ask(handler, { credential: { ...credential, source } })).text, "t");
    const basic = `Basic ${Buffer.from(pair).toString("base64")}`;
    assert.equal(header(seen[1]?.request.headers ?? [], "authorization"), basic);
  });
}

test("the testkit's token server: password, refresh token, no POST, one member only", async () => {
  const users = { ann: "hunter2" };
  for (const options of [{ users }, { users, member: "token" }, { users, member: "access_token" }] as const) {
    const server = tokenServer(options);
    const { text } = await ask(server.handler, { credential: ann });
    assert.equal(server.check(text, [{ type: "repository", name: "a", actions: ["pull"] }]), "ok");
  }
  const { handler, log } = tokenServer({ users, refreshTokens: { i: "ann" } });
  await ask(handler, { credential: { identityToken: "i", source } });
  assert.equal(log.count({ method: "POST", status: 200 }), 1);
  await assert.rejects(ask(handler, { credential: { identityToken: "j", source } }), (error) =>
    isDrayError(error, "UNAUTHORIZED"),
  );
  const old = tokenServer({ users, post: false });
  await ask(old.handler, { credential: { ...ann, identityToken: "i" } });
  assert.deepEqual(
    old.log.entries.map(({ method, status }) => [method, status]),
    [
      ["POST", 404],
      ["GET", 200],
    ],
  );
});

const refusals: [
  status: number,
  body: string,
  headers: HttpResponse["headers"],
  code: string,
  said: RegExp,
  facts: object,
][] = [
  [
    401,
    '{"errors":[{"code":"UNAUTHORIZED","message":"wrong"}]}',
    [],
    "UNAUTHORIZED",
    /refuses the password of ann from a test .*\(401: wrong\); log in/,
    { registryCode: "UNAUTHORIZED", retryable: false },
  ],
  [403, '{"details":"denied"}', [], "DENIED", /\(403: denied\)/, {}],
  [429, "slow down", [["Retry-After", "7"]], "RATE_LIMITED", /\(429: slow down\)/, { retryAfter: 7, retryable: true }],
  [503, "<html>", [], "REGISTRY", /\(503\)/, { retryable: true }],
  [400, "\u001b[2Jbad\u202e", [], "REGISTRY", /\\u001b\[2Jbad\\u202e/, { retryable: false }],
  [200, "{}", [], "REGISTRY", /answered 200 without a token/, {}],
  [200, '{"token":"a\\r\\nX: y"}', [], "REGISTRY", /without a token/, {}],
  [200, `{"token":"${"x".repeat(65536)}"}`, [], "LIMIT_EXCEEDED", /larger than 65536/, {}],
];

for (const [status, body, headers, code, said, facts] of refusals) {
  test(`a service that answers ${status} ${body.slice(0, 30)}: ${code}`, async () => {
    const { handler } = scripted((request) => answer(request, status, body, headers));
    await assert.rejects(ask(handler, { credential: ann }), (error) => {
      assert.ok(isDrayError(error));
      assert.equal(error.code, code);
      assert.match(error.message, said);
      assert.match(error.message, /auth\.test of registry\.test/);
      assert.doesNotMatch(error.message, /hunter2/);
      for (const [name, value] of Object.entries(facts)) assert.equal(Reflect.get(error, name), value);
      return true;
    });
  });
}

test("nobody is told to log in", async () => {
  const { handler } = scripted((request) => answer(request, 401, ""));
  await assert.rejects(
    ask(handler),
    /gives nobody a token for repository:a:pull without credentials \(401\); log in to registry\.test/,
  );
});

const redirect = (to: string, status = 307) => {
  const { handler, seen } = scripted((request) => {
    const url = request.origin + request.target;
    if (url.startsWith(realm)) return answer(request, status, "", [["Location", to]]);
    return answer(request, 200, '{"token":"t"}');
  });
  return { handler, seen };
};

test("a redirect within the service keeps the credentials, one to another origin drops them", async () => {
  for (const [to, kept] of [
    ["/v2/token?x=1", true],
    ["https://auth.test:443/v2/token", true],
    ["https://auth.test:8443/token", false],
    ["https://elsewhere.test/token", false],
  ] as const) {
    const { handler, seen } = redirect(to);
    await ask(handler, { credential: ann });
    assert.equal(seen.length, 2);
    assert.equal(header(seen[1]?.request.headers ?? [], "authorization") !== undefined, kept, to);
  }
});

test("credentials that were dropped on the way out do not come back", async () => {
  const { handler, seen } = scripted((request) => {
    const next: Record<string, string> = {
      "https://auth.test/token": "https://elsewhere.test/a",
      "https://elsewhere.test/a": "https://auth.test/b",
    };
    const to = next[request.origin + request.target.split("?")[0]];
    return to === undefined ? answer(request, 200, '{"token":"t"}') : answer(request, 302, "", [["Location", to]]);
  });
  await ask(handler, { credential: ann });
  assert.deepEqual(
    seen.map(({ request }) => header(request.headers, "authorization") !== undefined),
    [true, false, false],
  );
  assert.deepEqual(
    seen.map(({ request }) => request.context?.foreign),
    [false, true, true],
  );
});

const refusedRedirects: [to: string, credential: object, status: number][] = [
  ["http://auth.test/token", ann, 307],
  ["https://127.0.0.1/token", ann, 307],
  ["https://169.254.169.254/token", ann, 307],
  ["file:///etc/passwd", ann, 307],
  ["https://", ann, 307],
  ["https://auth.test/token", ann, 307],
  ["https://elsewhere.test/token", { identityToken: "hunter2", source }, 307],
  ["/other", { identityToken: "hunter2", source }, 302],
];

for (const [to, credential, status] of refusedRedirects) {
  test(`a redirect of ${"identityToken" in credential ? "a POST" : "a GET"} to ${to} is refused`, async () => {
    const { handler } = redirect(to, status);
    await assert.rejects(ask(handler, { credential: { source, ...credential } }), (error) => {
      assert.ok(isDrayError(error, "ADDRESS_REFUSED"));
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });
}

test("a POST goes on within its own origin where the method stays", async () => {
  const { handler, seen } = redirect("/v2/token", 308);
  await ask(handler, { credential: { identityToken: "i", source } });
  assert.deepEqual([seen[1]?.request.method, seen[1]?.body], ["POST", seen[0]?.body]);
});

test("what the connection throws is thrown", async () => {
  await assert.rejects(ask(hosts({})), (error) => isDrayError(error, "NETWORK"));
});
