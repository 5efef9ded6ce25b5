import assert from "node:assert/strict";
import { test } from "node:test";
import {
  exchange,
  hosts,
  type MemoryRegistryOptions,
  memoryRegistry,
  type TokenServerOptions,
  tokenServer,
} from "@dray/testkit";
import { type Body, bytesBody, bytesContent, type Content, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Handler, type HttpRequest, type HttpResponse, header } from "../http/index.ts";
import { digestOf } from "../oci/index.ts";
import { type AuthenticateOptions, authenticate } from "./authenticate.ts";
import type { Credential, Keychain } from "./types.ts";

const own = "https://registry.test";
const realm = "https://auth.test/token";
const source = "a test";
const ann: Credential = { username: "ann", password: "hunter2", source };
const users = { ann: "hunter2" };

/** A keychain that always says the same and counts its questions. */
const keychainOf = (...answers: (Credential | undefined)[]) => {
  const asked: (boolean | undefined)[] = [];
  const keychain: Keychain = async (_target, options) => {
    asked.push(options?.fresh);
    return answers[Math.min(asked.length, answers.length) - 1];
  };
  return { keychain, asked };
};

interface Send {
  readonly method?: string;
  readonly scopes?: readonly string[];
  readonly body?: Body | Content;
  readonly origin?: string;
  readonly headers?: HttpRequest["headers"];
  readonly retry?: boolean;
  readonly signal?: AbortSignal;
}

/** The middleware over a little network, and a way to send requests through it. */
const client = (network: Parameters<typeof hosts>[0], options: Partial<AuthenticateOptions> = {}) => {
  const warnings: string[] = [];
  const handler = authenticate({
    registry: "registry.test",
    origins: [own],
    credentials: keychainOf(ann).keychain,
    tokens: hosts(network),
    onWarning: (message) => warnings.push(message),
    ...options,
  })(hosts(network));
  const send = async (
    target: string,
    { method = "GET", origin = own, headers = [], scopes, retry, ...rest }: Send = {},
  ) => {
    const context = { ...(scopes === undefined ? {} : { scopes }), ...(retry === undefined ? {} : { retry }) };
    const response = await handler({ method, origin, target, headers, context, ...rest });
    const bytes = await collect(response.body.chunks, 1e6, "answer");
    return { status: response.status, text: new TextDecoder().decode(bytes), url: response.url };
  };
  return { send, warnings, handler };
};

const pull = (name = "a"): string[] => [`repository:${name}:pull`];
const push = (name = "a"): string[] => [`repository:${name}:pull,push`];

/** A registry with tokens, and what passed. */
const bearer = (tokenOptions: TokenServerOptions = { users }, registryOptions: MemoryRegistryOptions = {}) => {
  const tokens = tokenServer(tokenOptions);
  const registry = memoryRegistry({
    access: { scheme: "bearer", tokens, realm, service: "registry" },
    ...registryOptions,
  });
  const blobs = Object.fromEntries(
    ["a", "b"].map((name) => [name, registry.addBlob(name, new TextEncoder().encode(name))]),
  );
  const network = { [own]: registry.handler, "https://auth.test": tokens.handler };
  return { tokens, registry, network, blobOf: (name = "a") => `/v2/${name}/blobs/${blobs[name]}` };
};

test("a registry open to all is asked nothing more, nor is the keychain", async () => {
  const registry = memoryRegistry();
  const { keychain, asked } = keychainOf(ann);
  const { send } = client({ [own]: registry.handler }, { credentials: keychain });
  for (let i = 0; i < 3; i++) assert.equal((await send("/v2/")).status, 200);
  assert.equal(registry.log.entries.length, 3);
  assert.deepEqual(asked, []);
});

test("Basic is learnt from the first 401 and sent at once from then on", async () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users } });
  const { keychain, asked } = keychainOf(ann);
  const { send } = client({ [own]: registry.handler }, { credentials: keychain });
  for (let i = 0; i < 3; i++) assert.equal((await send("/v2/")).status, 200);
  assert.deepEqual(
    registry.log.entries.map(({ status, authorization }) => [status, authorization]),
    [
      [401, undefined],
      [200, "Basic"],
      [200, "Basic"],
      [200, "Basic"],
    ],
  );
  assert.equal(asked.length, 1);
});

test("wrong credentials for Basic: the 401 is returned, after the keychain was asked anew", async () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users } });
  const { keychain, asked } = keychainOf({ ...ann, password: "wrong" });
  const { send } = client({ [own]: registry.handler }, { credentials: keychain });
  const { status, text } = await send("/v2/");
  assert.equal(status, 401);
  assert.match(text, /UNAUTHORIZED/);
  assert.deepEqual(asked, [false, true]);
  assert.equal(registry.log.entries.length, 2);
});

test("credentials that have changed meanwhile are tried once", async () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users } });
  const { keychain } = keychainOf({ ...ann, password: "old" }, ann);
  const { send } = client({ [own]: registry.handler }, { credentials: keychain });
  assert.equal((await send("/v2/")).status, 200);
});

test("no credentials for Basic: the 401 is returned", async () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users } });
  const { send } = client({ [own]: registry.handler }, { credentials: keychainOf(undefined).keychain });
  assert.equal((await send("/v2/")).status, 401);
  assert.equal((await send("/v2/")).status, 401);
  assert.equal(registry.log.count({}), 2);
});

test("a token is got once and sent at once from then on", async () => {
  const { tokens, registry, network, blobOf } = bearer();
  const { send } = client(network);
  for (let i = 0; i < 3; i++) assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.deepEqual(
    registry.log.entries.map(({ status }) => status),
    [401, 200, 200, 200],
  );
  assert.equal(tokens.log.entries.length, 1);
});

test("anonymously too", async () => {
  const { tokens, network, blobOf } = bearer({});
  const { send } = client(network, { credentials: keychainOf(undefined).keychain });
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.equal(tokens.log.entries[0]?.authorization, undefined);
});

test("of many first requests at once one finds out, and one asks for the token", async () => {
  const { tokens, registry, network, blobOf } = bearer();
  const { send } = client(network);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(blobOf(), { scopes: pull() })));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(registry.log.count({ status: 401 }), 1);
  assert.equal(tokens.log.entries.length, 1);
});

test("if the one that finds out fails, the others go on", async () => {
  const { registry, network, blobOf } = bearer();
  let first = true;
  const flaky: Handler = async (request) => {
    if (!first) return registry.handler(request);
    first = false;
    throw new Error("cut");
  };
  const { send } = client({ ...network, [own]: flaky });
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => send(blobOf(), { scopes: pull() })));
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.status : "cut")),
    ["cut", 200, 200, 200, 200],
  );
});

test("tokens of two repositories are two; the two of a mount are one", async () => {
  const { tokens, network, blobOf, registry } = bearer();
  const { send } = client(network);
  await send(blobOf("a"), { scopes: pull("a") });
  await send(blobOf("b"), { scopes: pull("b") });
  const digest = digestOf(new TextEncoder().encode("a"));
  const target = `/v2/b/blobs/uploads/?mount=${digest}&from=a`;
  assert.equal((await send(target, { method: "POST", scopes: [...push("b"), ...pull("a")] })).status, 201);
  const scopes = tokens.log.entries.map((entry) => new URL(entry.target, own).searchParams.getAll("scope"));
  assert.deepEqual(
    scopes.map((each) => each.sort()),
    [pull("a"), pull("b"), [...pull("a"), ...push("b")]],
  );
  assert.equal(registry.log.count({ status: 401 }), 1);
});

test("a scope that only the challenge names is asked for, and remembered", async () => {
  const { tokens, registry, network, blobOf } = bearer();
  const { send } = client(network);
  // The request says too little: pull, while it deletes.
  const remove = { method: "DELETE", scopes: pull() };
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.equal((await send(blobOf(), remove)).status, 202);
  assert.equal((await send(blobOf(), remove)).status, 404);
  assert.equal((await send(blobOf("b"), {})).status, 200);
  assert.deepEqual(
    registry.log.entries.map(({ method, status }) => [method, status]),
    [
      ["GET", 401],
      ["GET", 200],
      ["DELETE", 401],
      ["DELETE", 202],
      ["DELETE", 404],
      ["GET", 401],
      ["GET", 200],
    ],
  );
  assert.equal(tokens.log.entries.length, 4);
});

test("a scope that is not granted: asked for once, then the refusal is returned", async () => {
  const { tokens, registry, network } = bearer({ users, allow: () => ["pull"] });
  const { send } = client(network);
  const upload = { method: "POST", scopes: push() };
  assert.equal((await send("/v2/a/blobs/uploads/", upload)).status, 401);
  assert.equal(registry.log.entries.length, 2);
  assert.equal(tokens.log.entries.length, 1);
});

test("a 403 for want of scope asks once for the larger scope; any other 403 is returned as it is", async () => {
  const { tokens, network } = bearer();
  const wanted = [{ type: "repository", name: "a", actions: ["pull", "delete"] }];
  let [scope, error] = ["repository:a:pull,delete", "insufficient_scope"];
  const statuses: number[] = [];
  const strict: Handler = async (request) => {
    const token = header(request.headers, "authorization")?.slice(7);
    const allowed = token !== undefined && tokens.check(token, wanted) === "ok";
    const status = allowed ? 200 : token === undefined ? 401 : 403;
    statuses.push(status);
    const challenge = `Bearer realm="${realm}",scope="${token === undefined ? "repository:a:pull" : scope}",error="${error}"`;
    return { status, headers: [["WWW-Authenticate", challenge]], url: own, body: bytesBody(new Uint8Array()) };
  };
  const { send } = client({ ...network, [own]: strict });
  assert.equal((await send("/x", { scopes: pull() })).status, 200);
  assert.equal((await send("/x", { scopes: pull() })).status, 200);
  assert.deepEqual(statuses, [401, 403, 200, 200]);
  // It goes on asking for more: the answer is returned, and not asked for again and again.
  wanted[0]?.actions.push("push");
  assert.equal((await send("/x", { scopes: pull() })).status, 403);
  assert.deepEqual(statuses.slice(4), [403, 403]);
  [scope, error] = ["repository:a:pull,delete,push", "denied"];
  assert.equal((await send("/x", { scopes: pull() })).status, 403);
  assert.equal(statuses.length, 7);
});

test("tokens that live 5 seconds carry a copy of 60 seconds without a single refusal", async () => {
  let now = 0;
  const { tokens, registry, network, blobOf } = bearer({ users, lifetimeSeconds: 5, now: () => now });
  const { send } = client(network, { now: () => now });
  for (; now <= 60_000; now += 500) assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.equal(registry.log.count({ status: 401 }), 1);
  assert.ok(tokens.log.entries.length >= 12 && tokens.log.entries.length <= 18, `${tokens.log.entries.length} tokens`);
});

test("a token that ends before it said is replaced once, for all who hold it, and the request repeated once", async () => {
  const { tokens, registry, network, blobOf } = bearer({ users, expiresIn: 3600 });
  const { send } = client(network);
  await send(blobOf(), { scopes: push() });
  tokens.expireAll();
  registry.log.clear();
  const bytes = new TextEncoder().encode("c");
  const target = `/v2/a/blobs/uploads/?digest=${digestOf(bytes)}`;
  const [uploaded, ...read] = await Promise.all([
    send(target, { method: "POST", scopes: push(), body: bytesContent(bytes) }),
    ...Array.from({ length: 5 }, () => send(blobOf(), { scopes: push() })),
  ]);
  assert.equal(uploaded?.status, 201);
  assert.ok(read.every(({ status }) => status === 200));
  assert.equal(registry.log.count({ status: 401 }), 6);
  assert.equal(tokens.log.entries.length, 2);
});

test("a refusal that does not name the realm again", async () => {
  const { tokens, registry, network, blobOf } = bearer({ users, expiresIn: 3600 });
  let terse = false;
  const refusing: Handler = async (request) => {
    const response = await registry.handler(request);
    if (!terse || response.status !== 401) return response;
    return { ...response, headers: [["WWW-Authenticate", 'Bearer error="invalid_token"']] };
  };
  const { send } = client({ ...network, [own]: refusing });
  await send(blobOf(), { scopes: pull() });
  tokens.expireAll();
  terse = true;
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
});

/** A body that can be read once. */
const onceBody = (text: string) => {
  let reads = 0;
  const chunks = {
    [Symbol.asyncIterator]: () => {
      reads++;
      return bytesBody(new TextEncoder().encode(text)).chunks[Symbol.asyncIterator]();
    },
  };
  return { body: { length: text.length, chunks, discard: async () => {} }, reads: () => reads };
};

test("a body that can be read once: sent again only if nobody had begun to read it", async () => {
  const { tokens, registry, network, blobOf } = bearer({ users, expiresIn: 3600 });
  let reading = false;
  const eager: Handler = async (request) => {
    if (reading && request.body !== undefined && !("open" in request.body)) {
      for await (const _ of request.body.chunks) break;
    }
    return registry.handler(request);
  };
  const { send } = client({ ...network, [own]: eager });
  await send(blobOf(), { scopes: push() });
  const target = `/v2/a/blobs/uploads/?digest=${digestOf(new TextEncoder().encode("d"))}`;
  const upload = (body: Body) => send(target, { method: "POST", scopes: push(), body });

  tokens.expireAll();
  const untouched = onceBody("d");
  assert.equal((await upload(untouched.body)).status, 201);
  assert.equal(untouched.reads(), 1);

  tokens.expireAll();
  reading = true;
  const touched = onceBody("d");
  assert.equal((await upload(touched.body)).status, 401);
  assert.equal(touched.reads(), 1);
});

test("before the first body is sent, the registry is asked how it wants to be asked", async () => {
  const { registry, network } = bearer();
  const { send } = client(network);
  const bytes = new TextEncoder().encode("e");
  const target = `/v2/a/blobs/uploads/?digest=${digestOf(bytes)}`;
  assert.equal((await send(target, { method: "POST", scopes: push(), body: bytesContent(bytes) })).status, 201);
  assert.deepEqual(
    registry.log.entries.map(({ method, status, bytesIn }) => [method, status, bytesIn]),
    [
      ["GET", 401, 0],
      ["POST", 201, 1],
    ],
  );
});

test("a probe is sent bare, and what it learns serves the next request", async () => {
  const { tokens, registry, network, blobOf } = bearer();
  const { send } = client(network);
  assert.equal((await send("/v2/", { retry: false })).status, 401);
  assert.equal(tokens.log.entries.length, 0);
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.deepEqual(
    registry.log.entries.map(({ status }) => status),
    [401, 200],
  );
  assert.equal((await send("/v2/", { retry: false })).status, 401);
  // Anything but a probe is answered, whether it may be retried or not.
  assert.equal((await send("/v2/")).status, 200);
  tokens.expireAll();
  assert.equal((await send(blobOf(), { scopes: pull(), retry: false })).status, 200);
});

test("a registry token is sent as it is, whatever the registry asks for", async () => {
  const { tokens, network, registry, blobOf } = bearer({});
  const { token: registryToken } = (await exchange(tokens.handler, "GET", `/token?scope=${pull().join()}`)).json() as {
    token: string;
  };
  tokens.log.clear();
  const { send } = client(network, { credentials: keychainOf({ registryToken, source }).keychain });
  for (let i = 0; i < 2; i++) assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.equal(tokens.log.entries.length, 0);
  assert.deepEqual(
    registry.log.entries.map(({ status }) => status),
    [401, 200, 200],
  );
  tokens.expireAll();
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 401);
});

test("a registry token that no header may hold is a fault of the configuration", async () => {
  const { network, blobOf } = bearer();
  const { send } = client(network, { credentials: keychainOf({ registryToken: "hunter2\n", source }).keychain });
  await assert.rejects(send(blobOf(), { scopes: pull() }), (error) => {
    assert.ok(isDrayError(error, "CONFIG_INVALID"));
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

test("an identity token is exchanged", async () => {
  const { tokens, network, blobOf } = bearer({ users, refreshTokens: { i: "ann" } });
  const { send } = client(network, { credentials: keychainOf({ identityToken: "i", source }).keychain });
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
  assert.equal(tokens.log.entries[0]?.method, "POST");
});

test("a token service that refuses: looked up anew, then an error that says whose credentials, and no anonymous access", async () => {
  const { tokens, registry, network, blobOf } = bearer({ users, allow: (_account, { actions }) => actions });
  const { keychain, asked } = keychainOf({ ...ann, password: "hunter3" });
  const { send } = client(network, { credentials: keychain });
  await assert.rejects(send(blobOf(), { scopes: pull() }), (error) => {
    assert.ok(isDrayError(error, "UNAUTHORIZED"));
    assert.match(error.message, /token service auth\.test of registry\.test refuses the password of ann from a test/);
    assert.doesNotMatch(error.message, /hunter/);
    assert.equal(error.status, 401);
    return true;
  });
  assert.deepEqual(asked, [false, true]);
  assert.ok(tokens.log.entries.every(({ authorization }) => authorization === "Basic"));
  assert.equal(registry.log.entries.length, 1);
});

test("credentials that the token service refuses and that have changed meanwhile", async () => {
  const { network, blobOf } = bearer();
  const { send } = client(network, { credentials: keychainOf({ ...ann, password: "old" }, ann).keychain });
  assert.equal((await send(blobOf(), { scopes: pull() })).status, 200);
});

test("a token service in trouble is an error that may be retried", async () => {
  const { network, blobOf } = bearer();
  const busy: Handler = async ({ origin }) => ({
    status: 429,
    headers: [["Retry-After", "3"]],
    url: origin,
    body: bytesBody(new Uint8Array()),
  });
  const { send } = client({ ...network, "https://auth.test": busy });
  await assert.rejects(send(blobOf(), { scopes: pull() }), (error) => {
    assert.ok(isDrayError(error, "RATE_LIMITED"));
    assert.deepEqual([error.retryable, error.retryAfter], [true, 3]);
    return true;
  });
});

/** A registry that answers 401 with some challenges, and 200 to whoever sends anything. */
const challenging = (...challenges: string[]) => {
  const sent: (string | undefined)[] = [];
  const handler: Handler = async (request) => {
    const authorization = header(request.headers, "authorization");
    sent.push(authorization);
    const headers = challenges.map((value) => ["WWW-Authenticate", value] as const);
    const status = authorization === undefined ? 401 : 200;
    return { status, headers, url: request.origin, body: bytesBody(new Uint8Array()) };
  };
  return { handler, sent };
};

/** A token service that gives a token to everybody and writes down what it saw. */
const generous = () => {
  const sent: (string | undefined)[] = [];
  const handler: Handler = async (request) => {
    sent.push(header(request.headers, "authorization"));
    return { status: 200, headers: [], url: "", body: bytesBody(new TextEncoder().encode('{"token":"t"}')) };
  };
  return { handler, sent };
};

const basicOfAnn = `Basic ${Buffer.from("ann:hunter2").toString("base64")}`;

test("of several challenges a token service that may be asked comes first, then Basic", async () => {
  const choices: [challenges: string[], sent: string][] = [
    [[`Basic realm="r",Bearer realm="${realm}"`], "Bearer t"],
    [['Basic realm="r"', `bearer REALM="${realm}"`], "Bearer t"],
    [['Bearer realm="Artifactory Realm"', 'Basic realm="Artifactory Realm"'], basicOfAnn],
    [['Bearer realm="https://10.0.0.1/token"', 'Basic realm="r"'], basicOfAnn],
    [['Negotiate, Basic realm="https://registry.test/"'], basicOfAnn],
  ];
  for (const [challenges, sent] of choices) {
    const registry = challenging(...challenges);
    const { send } = client({ [own]: registry.handler, "https://auth.test": generous().handler });
    assert.equal((await send("/v2/")).status, 200, challenges.join());
    assert.equal(registry.sent[1], sent);
  }
});

test("what nobody can answer is returned as it is", async () => {
  for (const challenges of [[], ["Negotiate"], ['Digest realm="r",nonce="n"'], [""]]) {
    const registry = challenging(...challenges);
    const { send } = client({ [own]: registry.handler });
    assert.equal((await send("/v2/")).status, 401);
    assert.deepEqual(registry.sent, [undefined]);
    // A registry token can be sent unasked, for it is no password.
    const withToken = client(
      { [own]: registry.handler },
      { credentials: keychainOf({ registryToken: "r", source }).keychain },
    );
    assert.equal((await withToken.send("/v2/")).status, 200);
  }
});

const refusedRealms: [named: string, code: string, said: RegExp][] = [
  ["http://auth.test/token", "ADDRESS_REFUSED", /is http/],
  ["https://127.0.0.1/token", "ADDRESS_REFUSED", /private/],
  ["https://169.254.169.254/token", "ADDRESS_REFUSED", /link-local/],
  ["https://ann:x@auth.test/token", "ADDRESS_REFUSED", /credentials of its own/],
  ["", "REGISTRY", /is no URL/],
  ["\u001b[31mred\u0007 \u202eevil", "REGISTRY", /\\u001b\[31mred\\u0007 \\u202eevil/],
];

for (const [named, code, said] of refusedRealms) {
  test(`a realm that is refused: ${JSON.stringify(named)}`, async () => {
    const registry = challenging(`Bearer realm="${named}"`);
    const { send } = client({ [own]: registry.handler });
    await assert.rejects(send("/v2/"), (error) => {
      assert.ok(isDrayError(error));
      assert.equal(error.code, code);
      assert.match(error.message, said);
      assert.equal(error.registry, "registry.test");
      return true;
    });
    assert.deepEqual(registry.sent, [undefined]);
  });
}

test("a private token service that is allowed is asked", async () => {
  const tokens = generous();
  const registry = challenging('Bearer realm="https://10.0.0.1/token"');
  const network = { [own]: registry.handler, "https://10.0.0.1": tokens.handler };
  const { send } = client(network, { allowPrivate: ["10.0.0.0/8"] });
  assert.equal((await send("/v2/")).status, 200);
  assert.deepEqual(tokens.sent, [basicOfAnn]);
});

test("plain http: credentials stay with the registry's host; another is asked anonymously, with one warning", async () => {
  const plain = "http://registry.test:5000";
  const elsewhere = generous();
  const same = generous();
  const network = { "http://auth.test": elsewhere.handler, "http://registry.test:5001": same.handler };
  const suspect = client(
    { ...network, [plain]: challenging('Bearer realm="http://auth.test/token"').handler },
    { origins: [plain] },
  );
  for (const scope of ["a", "b"])
    assert.equal((await suspect.send("/v2/x", { origin: plain, scopes: pull(scope) })).status, 200);
  assert.deepEqual(elsewhere.sent, [undefined, undefined]);
  assert.equal(suspect.warnings.length, 1);
  assert.match(suspect.warnings[0] ?? "", /auth\.test.*over plain http.*credentials from a test are not sent/);

  const fine = client(
    { ...network, [plain]: challenging('Bearer realm="http://registry.test:5001/token"').handler },
    { origins: [plain] },
  );
  assert.equal((await fine.send("/v2/", { origin: plain })).status, 200);
  assert.deepEqual(same.sent, [basicOfAnn]);
  assert.deepEqual(fine.warnings, []);
});

test("another origin, as after a redirect, sees no credentials, even those it was sent by mistake", async () => {
  const blobs = challenging();
  const open: Handler = async (request) => ({ ...(await blobs.handler(request)), status: 200 });
  const { send } = client({ "https://blobs.test": open });
  await send("/blob", { origin: "https://blobs.test", scopes: pull(), headers: [["Authorization", basicOfAnn]] });
  assert.deepEqual(blobs.sent, [undefined]);
});

test("another origin that wants a token gets an anonymous one, whatever it names; Basic gets nothing", async () => {
  const tokens = generous();
  const other = challenging(`Bearer realm="${realm}",scope="repository:a:pull"`);
  const network = {
    [own]: challenging().handler,
    "https://other.test": other.handler,
    "https://auth.test": tokens.handler,
  };
  const { keychain, asked } = keychainOf(ann);
  const { send } = client(network, { credentials: keychain });
  assert.equal((await send("/blob", { origin: "https://other.test", scopes: pull() })).status, 200);
  assert.equal((await send("/blob", { origin: "https://other.test", scopes: pull() })).status, 200);
  assert.deepEqual(other.sent, [undefined, "Bearer t", "Bearer t"]);
  assert.deepEqual(tokens.sent, [undefined]);
  assert.deepEqual(asked, []);

  const basic = challenging('Basic realm="r"');
  const { send: sendTo } = client({ "https://other.test": basic.handler }, { credentials: keychain });
  assert.equal((await sendTo("/blob", { origin: "https://other.test" })).status, 401);
  assert.deepEqual(asked, []);
});

test("another origin whose token service may not be asked, or refuses: its own 401 is returned", async () => {
  const refusing: Handler = async () => ({ status: 403, headers: [], url: "", body: bytesBody(new Uint8Array()) });
  for (const named of [realm, "http://auth.test/t", "https://169.254.169.254/t", "no URL"]) {
    const other = challenging(`Bearer realm="${named}",scope="repository:a:pull"`);
    const { send } = client({ "https://other.test": other.handler, "https://auth.test": refusing });
    assert.equal((await send("/blob", { origin: "https://other.test" })).status, 401, named);
  }
});

test("the registry may have several origins, written in any way; before it has one nobody sees anything", async () => {
  const registry = challenging('Basic realm="r"');
  const network = { "https://mirror.test": registry.handler, "https://registry.test:443": registry.handler };
  const several = client(network, { origins: ["https://mirror.test", own] });
  assert.equal((await several.send("/v2/", { origin: "https://mirror.test" })).status, 200);
  assert.equal((await several.send("/v2/", { origin: "https://registry.test:443" })).status, 200);
  const none = client(network, { origins: [] });
  assert.equal((await none.send("/v2/", { origin: "https://mirror.test" })).status, 401);
});

test("a registry behind a unix socket; another socket is another origin", async () => {
  const [mine, other] = [challenging('Basic realm="r"'), challenging('Basic realm="r"')];
  const network = { "unix:/run/mine.sock": mine.handler, "unix:/run/other.sock": other.handler };
  const { send } = client(network, { origins: ["unix:/run/mine.sock"] });
  assert.equal((await send("/v2/", { origin: "unix:/run/mine.sock" })).status, 200);
  assert.equal((await send("/v2/", { origin: "unix:/run/other.sock" })).status, 401);
});

test("a request with an Authorization of its own goes to the registry as it is", async () => {
  const registry = challenging('Basic realm="r"');
  const { send } = client({ [own]: registry.handler });
  assert.equal((await send("/v2/", { headers: [["authorization", "Bearer mine"]] })).status, 200);
  assert.deepEqual(registry.sent, ["Bearer mine"]);
});

test("one who waits for another's first request or token can be cancelled alone", async () => {
  const { registry, network, blobOf } = bearer();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow: Handler = async (request) => {
    await gate;
    return registry.handler(request);
  };
  const { send } = client({ ...network, [own]: slow });
  const controller = new AbortController();
  const first = send(blobOf(), { scopes: pull() });
  const second = send(blobOf(), { scopes: pull(), signal: controller.signal });
  controller.abort();
  await assert.rejects(second, (error) => isDrayError(error, "ABORTED"));
  open();
  assert.equal((await first).status, 200);
});

test("answers that are not returned are let go of", async () => {
  const { registry, network, blobOf } = bearer();
  let [opened, discarded] = [0, 0];
  const counting: Handler = async (request) => {
    const response: HttpResponse = await registry.handler(request);
    if (response.status !== 401) return response;
    opened++;
    const discard = async (): Promise<void> => {
      discarded++;
      await response.body.discard();
    };
    return { ...response, body: { ...response.body, discard } };
  };
  const { send } = client({ ...network, [own]: counting });
  await send(blobOf(), { scopes: pull() });
  const broken = client({ [own]: counting });
  await assert.rejects(broken.send(blobOf(), { scopes: pull() }), (error) => isDrayError(error, "NETWORK"));
  assert.deepEqual([opened, discarded], [2, 2]);
});
