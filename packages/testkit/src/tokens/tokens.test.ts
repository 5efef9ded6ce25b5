import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { testCertificates } from "../certificates/index.ts";
import { type Exchange, exchange } from "../exchange.ts";
import { memoryRegistry } from "../registry/index.ts";
import { parseScopes } from "./access.ts";
import { type Access, tokenServer } from "./index.ts";

const basic = (user: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const pull: Access = { type: "repository", name: "a", actions: ["pull"] };
const push: Access = { type: "repository", name: "a", actions: ["pull", "push"] };
const scope = "scope=repository:a:pull,push";
const tokenIn = (answer: Exchange): string => (answer.json() as { token: string }).token;

test("scopes are read from both ends: names may hold a port", () => {
  assert.deepEqual(parseScopes("repository:a/b:pull,push registry:catalog:* repository:host:5000/x:pull"), [
    { type: "repository", name: "a/b", actions: ["pull", "push"] },
    { type: "registry", name: "catalog", actions: ["*"] },
    { type: "repository", name: "host:5000/x", actions: ["pull"] },
  ]);
});

test("a token allows what was asked for, and only as long as it lives", async () => {
  let now = 1_000_000;
  const tokens = tokenServer({ lifetimeSeconds: 5, now: () => now });
  const answer = await exchange(tokens.handler, "GET", `/token?service=s&${scope}`);
  const { token, access_token, expires_in } = answer.json() as Record<string, unknown>;
  assert.equal(token, access_token);
  assert.equal(expires_in, 5);
  assert.equal(tokens.check(token as string, [push]), "ok");
  assert.equal(tokens.check(token as string, [{ ...pull, name: "b" }]), "insufficient");
  assert.equal(tokens.check("guessed", [pull]), "unknown");
  now += 4_999;
  assert.equal(tokens.check(token as string, [pull]), "ok");
  now += 1;
  assert.equal(tokens.check(token as string, [pull]), "expired");
  const next = tokenIn(await exchange(tokens.handler, "GET", `/token?${scope}`));
  tokens.expireAll();
  assert.equal(tokens.check(next, []), "expired");
});

test("who gets a token, and for what", async () => {
  const tokens = tokenServer({
    users: { ann: "secret" },
    refreshTokens: { r1: "ann" },
    allow: (account, { actions }) => (account === "ann" ? actions : actions.filter((action) => action === "pull")),
  });
  const post = (body: string): Promise<Exchange> => exchange(tokens.handler, "POST", "/token", { body });
  const get = (headers?: Record<string, string>): Promise<Exchange> =>
    exchange(tokens.handler, "GET", `/token?${scope}`, headers ? { headers } : {});
  for (const [answer, status, granted] of [
    [await get(), 200, pull],
    [await get(basic("ann", "secret")), 200, push],
    [await get(basic("ann", "wrong")), 401, undefined],
    [await get(basic("toString", "x")), 401, undefined],
    [await post(`grant_type=password&username=ann&password=secret&${scope}`), 200, push],
    [await post(`grant_type=password&username=ann&password=wrong&${scope}`), 401, undefined],
    [await post(`grant_type=refresh_token&refresh_token=r1&${scope}`), 200, push],
    [await post(`grant_type=refresh_token&refresh_token=r2&${scope}`), 401, undefined],
    [await post(scope), 401, undefined],
  ] as const) {
    assert.equal(answer.status, status);
    if (granted === undefined) continue;
    assert.equal(tokens.check(tokenIn(answer), [granted]), "ok");
    if (granted === pull) assert.equal(tokens.check(tokenIn(answer), [push]), "insufficient");
  }
});

test("the forms an answer may have", async () => {
  const members = async (options: Parameters<typeof tokenServer>[0]): Promise<string[]> =>
    Object.keys((await exchange(tokenServer(options).handler, "GET", "/token")).json() as object).sort();
  assert.deepEqual(await members({ member: "access_token" }), ["access_token", "expires_in", "issued_at"]);
  assert.deepEqual(await members({ member: "token", expiresIn: false }), ["issued_at", "token"]);
  const lying = await exchange(tokenServer({ expiresIn: 3600, lifetimeSeconds: 1 }).handler, "GET", "/token");
  assert.equal((lying.json() as { expires_in: number }).expires_in, 3600);
  assert.equal((await exchange(tokenServer({ post: false }).handler, "POST", "/token")).status, 404);
});

test("a registry with tokens challenges, says what is needed and why not", async () => {
  const tokens = tokenServer({ users: { ann: "secret" }, allow: (_, { actions }) => actions });
  const registry = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "http://auth.test/token" } });
  const challenge = async (method: string, target: string, token?: string): Promise<string | undefined> => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const answer = await exchange(registry.handler, method, target, { headers });
    assert.equal(answer.status === 401, answer.header("WWW-Authenticate") !== undefined);
    return answer.header("WWW-Authenticate");
  };
  const start = 'Bearer realm="http://auth.test/token",service="registry"';
  assert.equal(await challenge("GET", "/v2/"), start);
  assert.equal(await challenge("GET", "/v2/a/tags/list"), `${start},scope="repository:a:pull"`);
  assert.equal(
    await challenge("POST", "/v2/a/blobs/uploads/?mount=sha256:0&from=b"),
    `${start},scope="repository:a:pull,push repository:b:pull"`,
  );
  assert.equal(await challenge("DELETE", "/v2/a/manifests/v1"), `${start},scope="repository:a:delete"`);
  assert.equal(await challenge("GET", "/v2/_catalog"), `${start},scope="registry:catalog:*"`);
  const token = tokenIn(await exchange(tokens.handler, "GET", "/token?scope=repository:a:pull"));
  assert.equal(await challenge("GET", "/v2/", token), undefined);
  assert.equal(await challenge("GET", "/v2/a/tags/list", token), undefined);
  assert.match((await challenge("POST", "/v2/a/blobs/uploads/", token)) ?? "", /error="insufficient_scope"$/);
  tokens.expireAll();
  assert.match((await challenge("GET", "/v2/a/tags/list", token)) ?? "", /error="invalid_token"$/);
  assert.deepEqual(registry.log.entries.at(-1)?.authorization, "Bearer");
  assert.ok(!JSON.stringify(registry.log.entries).includes(token));
});

test("a registry with passwords", async () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users: { ann: "se:cret" } } });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await exchange(registry.handler, "GET", "/v2/", { headers })).status;
  assert.equal(await status({}), 401);
  assert.equal(await status(basic("ann", "secret")), 401);
  assert.equal(await status(basic("ann", "se:cret")), 200);
  const refused = await exchange(registry.handler, "GET", "/v2/");
  assert.equal(refused.header("WWW-Authenticate"), 'Basic realm="registry"');
});

test("signed tokens are JWTs with their certificate and the granted access", async () => {
  const { ca, server } = testCertificates();
  const tokens = tokenServer({ signer: { issuer: "dray", ...server }, now: () => 1_700_000_000_500 });
  const answer = await exchange(tokens.handler, "GET", `/token?service=here&${scope}`);
  const [head = "", body = "", signature = ""] = tokenIn(answer).split(".");
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const [chain] = read(head)["x5c"] as [string];
  const leaf = new X509Certificate(Buffer.from(chain, "base64"));
  assert.ok(leaf.verify(new X509Certificate(ca.cert).publicKey));
  const key = { key: leaf.publicKey, dsaEncoding: "ieee-p1363" } as const;
  assert.ok(verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")));
  const { jti, ...claims } = read(body);
  assert.equal(typeof jti, "string");
  assert.deepEqual(claims, {
    iss: "dray",
    sub: "",
    aud: "here",
    iat: 1_700_000_000,
    nbf: 1_699_999_990,
    exp: 1_700_000_300,
    access: [push],
  });
});
