import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenServer } from "@dray/testkit";
import { isDrayError } from "../errors.ts";
import type { Handler } from "../http/index.ts";
import { parseScopes } from "./scope.ts";
import { tokenCache } from "./tokens.ts";

const source = "a test";
const ann = { username: "ann", password: "secret", source };

const setup = (options: Parameters<typeof tokenServer>[0] = {}) => {
  let now = 0;
  const server = tokenServer({
    users: { ann: "secret", bob: "secret" },
    refreshTokens: { i: "ann" },
    now: () => now,
    ...options,
  });
  let gate: Promise<unknown> = Promise.resolve();
  const handler: Handler = async (request) => {
    await gate;
    return server.handler(request);
  };
  const cache = tokenCache({ handler, registry: "registry.test", allowPrivate: [], now: () => now });
  const get = (
    scopes: string,
    asked: { refused?: string; signal?: AbortSignal; credential?: typeof ann; realm?: string } = {},
  ) =>
    cache.get(
      {
        realm: new URL(asked.realm ?? "https://auth.test/token"),
        service: "registry",
        scopes: parseScopes([scopes]),
        credential: asked.credential ?? ann,
      },
      asked,
    );
  return {
    get,
    server,
    count: () => server.log.entries.length,
    at: (time: number) => (now = time),
    hold: (until: Promise<unknown>): void => {
      gate = until;
    },
  };
};

test("a token is given out until shortly before its end", async () => {
  const { get, count, at } = setup({ lifetimeSeconds: 300 });
  const { text, fresh } = await get("repository:a:pull");
  assert.equal(fresh, true);
  at(289_999);
  assert.deepEqual([(await get("repository:a:pull")).text, (await get("repository:a:pull")).fresh], [text, false]);
  at(290_000);
  assert.notEqual((await get("repository:a:pull")).text, text);
  assert.equal(count(), 2);
});

test("one for more actions serves fewer; other resources, services and people have their own", async () => {
  const { get, count } = setup();
  const { text } = await get("repository:a:pull,push");
  assert.equal((await get("repository:a:pull")).text, text);
  assert.equal((await get("repository:a:push,pull")).text, text);
  assert.equal(count(), 1);
  const others = [
    await get("repository:a:pull,push,delete"),
    await get("repository:b:pull"),
    await get("repository:a:pull repository:b:pull"),
    await get("repository:a:pull", { credential: { ...ann, username: "bob" } }),
    await get("repository:a:pull", { realm: "https://auth.test/other" }),
  ];
  assert.equal(new Set([text, ...others.map((token) => token.text)]).size, 6);
  assert.equal(count(), 6);
});

test("no token carries a repository that was not asked for with it", async () => {
  const { get, server } = setup();
  for (const name of ["a", "b", "c"]) await get(`repository:${name}:pull`);
  await get("repository:c:push repository:a:pull");
  const scopes = server.log.entries.map(({ target }) => new URL(target, "https://x").searchParams.getAll("scope"));
  assert.deepEqual(scopes, [
    ["repository:a:pull"],
    ["repository:b:pull"],
    ["repository:c:pull"],
    ["repository:c:push", "repository:a:pull"],
  ]);
});

test("a refused token is replaced once for all who hold it", async () => {
  const { get, count } = setup();
  const { text } = await get("repository:a:pull");
  const renewed = await Promise.all([1, 2, 3].map(() => get("repository:a:pull", { refused: text })));
  assert.equal(new Set(renewed.map((token) => token.text)).size, 1);
  assert.notEqual(renewed[0]?.text, text);
  // One who comes later with the old token gets the new one from the cache.
  assert.equal((await get("repository:a:pull", { refused: text })).fresh, false);
  assert.equal(count(), 2);
});

test("one exchange is in flight for all who ask at once, and each can be cancelled alone", async () => {
  const { get, count, hold } = setup();
  let open = (): void => {};
  hold(new Promise<void>((resolve) => (open = resolve)));
  const controller = new AbortController();
  const cancelled = get("repository:a:pull", { signal: controller.signal });
  const others = Promise.all([get("repository:a:pull"), get("repository:a:pull")]);
  controller.abort();
  await assert.rejects(cancelled, (error) => isDrayError(error, "ABORTED"));
  open();
  const [one, other] = await others;
  assert.equal(one?.text, other?.text);
  assert.equal(count(), 1);
});

test("a refusal is not remembered", async () => {
  const users: Record<string, string> = {};
  const { get } = setup({ users });
  await assert.rejects(get("repository:a:pull"), (error) => isDrayError(error, "UNAUTHORIZED"));
  users["ann"] = "secret";
  assert.ok((await get("repository:a:pull")).text);
});

test("a new refresh token replaces the one it was got with; one that is refused gives way to the original", async () => {
  const sent: string[] = [];
  let next: string | undefined = "second";
  const cache = tokenCache({
    handler: async (request) => {
      const body = request.body !== undefined && "open" in request.body ? request.body.open() : [];
      let form = "";
      for await (const chunk of body) form += new TextDecoder().decode(chunk);
      const refreshToken = new URLSearchParams(form).get("refresh_token") ?? "";
      sent.push(refreshToken);
      const status = refreshToken === "revoked" ? 401 : 200;
      const text = JSON.stringify({
        access_token: `t${sent.length}`,
        ...(next === undefined ? {} : { refresh_token: next }),
      });
      const bytes = new TextEncoder().encode(text);
      const chunks = (async function* () {
        yield bytes;
      })();
      return { status, headers: [], url: "", body: { chunks, discard: async () => {} } };
    },
    registry: "registry.test",
    allowPrivate: [],
    now: () => 0,
  });
  const credential = { identityToken: "first", source };
  const get = (name: string) =>
    cache.get({
      realm: new URL("https://auth.test/token"),
      scopes: parseScopes([`repository:${name}:pull`]),
      credential,
    });
  await get("a");
  next = undefined;
  await get("b");
  next = "revoked";
  await get("c");
  await assert.rejects(get("d"), (error) => isDrayError(error, "UNAUTHORIZED"));
  await get("d");
  assert.deepEqual(sent, ["first", "second", "second", "revoked", "first"]);
});
