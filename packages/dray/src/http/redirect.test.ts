import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesBody, bytesContent, type ProgressEvent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { redirect } from "./redirect.ts";
import { type HttpRequest, type HttpResponse, header } from "./types.ts";

type Site = Readonly<Record<string, readonly [status: number, location?: string]>>;

/** Answers by URL; what is not listed is 200. */
const visit = async (site: Site, request: Partial<HttpRequest> = {}) => {
  const seen: HttpRequest[] = [];
  let discarded = 0;
  const send = redirect()(async (hop): Promise<HttpResponse> => {
    seen.push(hop);
    const url = hop.origin + hop.target;
    const [status, location] = site[url] ?? [200];
    const body = { ...bytesBody(new Uint8Array()), discard: async () => void discarded++ };
    return { status, headers: location === undefined ? [] : [["Location", location]], url, body };
  });
  const first: HttpRequest = { method: "GET", origin: "https://r.example", target: "/v2/a", headers: [], ...request };
  const answer = await send(first);
  return { answer, seen, discarded, urls: seen.map(({ origin, target }) => origin + target) };
};

test("redirects are followed to the end, whose URL is reported", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { answer, urls, discarded } = await visit({
      "https://r.example/v2/a": [status, "https://s.example/b?sig=%2Fx%3D"],
      "https://s.example/b?sig=%2Fx%3D": [status, "../c"],
    });
    assert.deepEqual([answer.status, answer.url], [200, "https://s.example/c"], String(status));
    assert.deepEqual(urls, ["https://r.example/v2/a", "https://s.example/b?sig=%2Fx%3D", "https://s.example/c"]);
    assert.equal(discarded, 2);
  }
});

test("a Location is read against the URL that named it", async () => {
  const table: readonly [string, string][] = [
    ["/x?y=1", "https://r.example/x?y=1"],
    ["b", "https://r.example/v2/b"],
    ["?n=1", "https://r.example/v2/a?n=1"],
    ["//s.example/x", "https://s.example/x"],
    ["HTTPS://S.example:443/x#fragment", "https://s.example/x"],
    ["https://us:pw@s.example/x", "https://s.example/x"],
    ["https://s.example:8443/a%2Fb/../c", "https://s.example:8443/c"],
  ];
  for (const [location, url] of table) {
    const { urls } = await visit({ "https://r.example/v2/a": [307, location] });
    assert.equal(urls[1], url, location);
  }
});

test("credentials and headers that somebody has added stay with their origin, a range goes along", async () => {
  const headers: HttpRequest["headers"] = [
    ["Authorization", "Bearer secret"],
    ["Cookie", "secret"],
    ["Private-Token", "secret"],
    ["Range", "bytes=5-"],
    ["Accept", "x/y"],
  ];
  const site: Site = {
    "https://r.example/v2/a": [307, "/v2/b"],
    "https://r.example/v2/b": [307, "https://r.example:444/c"],
    "https://r.example:444/c": [307, "https://r.example/d"],
  };
  const { seen } = await visit(site, { headers });
  const held = seen.map((hop) =>
    ["authorization", "cookie", "private-token", "range", "accept"].map((name) => header(hop.headers, name)),
  );
  const bare = [undefined, undefined, undefined, "bytes=5-", "x/y"];
  assert.deepEqual(held, [
    ["Bearer secret", "secret", "secret", "bytes=5-", "x/y"],
    ["Bearer secret", "secret", "secret", "bytes=5-", "x/y"],
    bare,
    // Back at the first origin they are not given again: the auth middleware inside decides anew.
    bare,
  ]);
});

test("the method and a content go along; only 303 asks by GET", async () => {
  const body = bytesContent(Buffer.from("x"));
  const table: readonly [string, number, Partial<HttpRequest>, string | undefined, boolean][] = [
    ["HEAD", 303, {}, "HEAD", false],
    ["HEAD", 307, {}, "HEAD", false],
    ["PUT", 307, { body }, "PUT", true],
    ["PUT", 308, { body }, "PUT", true],
    ["PUT", 302, { body }, "PUT", true],
    ["POST", 303, { body }, "GET", false],
    ["DELETE", 307, {}, "DELETE", false],
    ["PUT", 307, { body: bytesBody(Buffer.from("x")) }, undefined, false],
    ["PATCH", 307, { body, context: { repeatable: false } }, "PATCH", true],
    ["POST", 303, { body: bytesBody(Buffer.from("x")) }, "GET", false],
  ];
  for (const [method, status, request, then, hasBody] of table) {
    const headers: HttpRequest["headers"] = [["Content-Type", "x/y"]];
    const site: Site = { "https://r.example/v2/a": [status, "/b"] };
    const { seen, answer } = await visit(site, { ...request, method, headers });
    assert.equal(seen[1]?.method, then, `${method} ${status}`);
    if (then === undefined) assert.equal(answer.status, status);
    else assert.equal(seen[1]?.body !== undefined, hasBody, `${method} ${status}`);
    if (then === "GET") assert.equal(header(seen[1]?.headers ?? [], "content-type"), undefined);
  }
});

test("what is no redirect is an answer", async () => {
  for (const status of [200, 201, 202, 300, 304, 404])
    assert.equal((await visit({ "https://r.example/v2/a": [status, "/b"] })).answer.status, status);
  assert.equal((await visit({ "https://r.example/v2/a": [307] })).answer.status, 307);
});

test("downgrades, other schemes, circles and endless chains are refused", async () => {
  const r = "https://r.example/v2/a";
  const chain = Object.fromEntries(
    Array.from({ length: 20 }, (_, n): [string, [number, string]] => [`https://r.example/${n}`, [307, `/${n + 1}`]]),
  );
  const table: readonly [string, Site, "ADDRESS_REFUSED" | "REGISTRY", RegExp][] = [
    ["http", { [r]: [307, "http://r.example/v2/a"] }, "ADDRESS_REFUSED", /from https to http/],
    ["file", { [r]: [307, "file:///etc/passwd"] }, "ADDRESS_REFUSED", /file:/],
    ["unix", { [r]: [307, "unix:/run/docker.sock"] }, "ADDRESS_REFUSED", /unix:/],
    ["itself", { [r]: [307, "/v2/a"] }, "REGISTRY", /circle/],
    ["two", { [r]: [307, "/b"], "https://r.example/b": [307, "/v2/a"] }, "REGISTRY", /circle/],
    ["endless", { ...chain, [r]: [307, "/0"] }, "REGISTRY", /more than 10 times/],
    ["no URL", { [r]: [307, "https://"] }, "REGISTRY", /no URL/],
  ];
  for (const [name, site, code, words] of table)
    await assert.rejects(visit(site), (error) => isDrayError(error, code) && words.test(error.message), name);

  const { answer } = await visit(
    { "http://r.example/v2/a": [307, "http://s.example/"] },
    { origin: "http://r.example" },
  );
  assert.equal(answer.url, "http://s.example/");
});

test("ten hops are allowed", async () => {
  const site = Object.fromEntries(
    Array.from({ length: 9 }, (_, n): [string, [number, string]] => [`https://r.example/${n}`, [307, `/${n + 1}`]]),
  );
  const { urls } = await visit({ ...site, "https://r.example/v2/a": [307, "/0"] });
  assert.equal(urls.length, 11);
});

test("a user name in a Location is never sent, and where that is refused it is said", async () => {
  for (const [status, warns] of [
    [401, 1],
    [403, 1],
    [200, 0],
  ] as const) {
    const heard: ProgressEvent[] = [];
    const { seen } = await visit(
      { "https://r.example/v2/a": [307, "https://user:pw@s.example/b"], "https://s.example/b": [status] },
      { context: { onEvent: (event) => heard.push(event) } },
    );
    assert.equal(heard.length, warns);
    const said = JSON.stringify([heard, seen]);
    assert.equal(said.includes("pw"), false);
    if (warns === 1) assert.match(said, /s\.example refuses.*r\.example led there with a user name in the address/);
  }
});

test("a chain that has left its host carries nothing from there on, also when it comes back", async () => {
  const away = await visit({
    "https://r.example/v2/a": [307, "https://r.example:443/v2/b"],
    "https://r.example/v2/b": [307, "https://s.example/c"],
    "https://s.example/c": [307, "https://r.example/v2/d"],
  });
  assert.deepEqual(
    away.seen.map(({ context }) => context?.foreign ?? false),
    [false, false, true, true],
  );
  const upgraded = await visit(
    { "http://r.example/v2/a": [307, "https://r.example/v2/a"] },
    { origin: "http://r.example" },
  );
  assert.equal(upgraded.seen[1]?.context?.foreign, undefined);
});
