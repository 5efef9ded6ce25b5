import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { exchange } from "@dray/testkit";
import { bytesBody } from "dray/content";
import type { Handler } from "dray/http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { notices } from "../../test/notices.ts";
import { type Push, type WebhookInSettings, type WebhookOutcome, webhooks, webhookVendors } from "./index.ts";

const secret = "s3cret of the sender";
const start = Date.UTC(2026, 2, 1, 12, 5);
const google = { account: "push@project.iam.gserviceaccount.com", audience: "https://watch.example/" };
const keys = await generateKeyPair("RS256", { extractable: true });
const strangers = await generateKeyPair("RS256");

/** Google's keys, from memory. */
const googleKeys = async (): Promise<{ connection: Handler; asked: () => number }> => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "RS256", use: "sig" };
  let asked = 0;
  const connection: Handler = async ({ target }) => {
    asked++;
    const body = bytesBody(new TextEncoder().encode(JSON.stringify({ keys: [jwk] })));
    return { status: 200, headers: [["Cache-Control", "public, max-age=20000"]], url: target, body };
  };
  return { connection, asked: () => asked };
};

const token = (changes: Record<string, unknown> = {}, key = keys.privateKey): Promise<string> =>
  new SignJWT({
    email: google.account,
    email_verified: true,
    aud: google.audience,
    iss: "https://accounts.google.com",
    iat: start / 1000,
    exp: start / 1000 + 3600,
    ...changes,
  })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .sign(key);

const rig = async (hooks: readonly WebhookInSettings[]) => {
  const pushes: Push[] = [];
  const outcomes: WebhookOutcome["outcome"][] = [];
  const state = { now: start };
  const clock = { now: () => state.now, random: () => 0, sleep: async () => {} };
  const { connection, asked } = await googleKeys();
  const handler = webhooks({
    hooks,
    clock,
    connection,
    onPush: (push) => pushes.push(push),
    onOutcome: ({ outcome }) => outcomes.push(outcome),
  });
  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}, method = "POST") =>
    exchange(handler, method, `/v1/webhooks/${path}`, { body, headers });
  return { post, state, asked, pushes: () => pushes.splice(0), outcomes: () => outcomes.splice(0) };
};

/** How each kind proves itself: path and headers. */
const proved = async (
  type: WebhookInSettings["type"],
  body: string,
  word = secret,
): Promise<{ path: string; headers: Record<string, string> }> => {
  const path = `${type}${webhookVendors[type].proof === "path" ? `/${encodeURIComponent(word)}` : ""}`;
  switch (webhookVendors[type].proof) {
    case "signature":
      return {
        path,
        headers: { "X-Hub-Signature-256": `sha256=${createHmac("sha256", word).update(body).digest("hex")}` },
      };
    case "google":
      return { path, headers: { Authorization: `Bearer ${word === secret ? await token() : word}` } };
    case "path":
      return { path, headers: {} };
    default:
      return { path, headers: { [webhookVendors[type].header ?? "Authorization"]: word } };
  }
};

const hookOf = (type: WebhookInSettings["type"], registry?: string): WebhookInSettings => ({
  name: type,
  type,
  secret,
  google,
  registry,
});

test("each registry's notice is what its documentation shows, once, and nobody else's is taken", async () => {
  for (const { type, body, headers = {}, registry, pushes } of notices) {
    const { post, ...seen } = await rig([hookOf(type, registry)]);
    const text = JSON.stringify(body);
    for (const word of ["", "s3cret of somebody else", `${secret} `]) {
      const forged = await proved(type, text, word);
      assert.equal((await post(forged.path, text, { ...headers, ...forged.headers })).status, 401, `${type}: ${word}`);
    }
    assert.equal((await post(type, text, headers)).status, 401, type);
    assert.deepEqual([seen.pushes(), new Set(seen.outcomes())], [[], new Set(["forged"])]);
    const { path, headers: proof } = await proved(type, text);
    const taken = await post(path, text, { ...headers, ...proof });
    assert.equal(taken.status, 200, type);
    assert.deepEqual(seen.pushes(), pushes, type);
    assert.deepEqual(seen.outcomes(), [pushes.length === 0 ? "nothing" : "taken"]);
    const again = await post(path, text, { ...headers, ...proof });
    // Quay's have no id and no time: the next push of the same tag is the same bytes.
    const passed = type === "quay" ? { pushes: pushes.length } : { pushes: 0, passed: "repeated" };
    assert.deepEqual([again.status, again.json()], [200, passed], type);
    assert.deepEqual(seen.pushes(), type === "quay" ? pushes : []);
    for (const wrong of ["", "{", "[]", "null", "7", '{"events":7}', "\u00ff", JSON.stringify({ a: text })]) {
      const said = await proved(type, wrong);
      const { status } = await post(said.path, wrong, { ...headers, ...said.headers });
      if (headers["X-GitHub-Event"] === "ping" && wrong !== "" && wrong !== "{" && wrong !== "\u00ff") continue;
      assert.equal(status, 400, `${type}: ${wrong}`);
    }
    assert.deepEqual(seen.pushes(), []);
  }
});

test("a body that was changed has no signature, and a delivery under another id is known by what it says", async () => {
  const { body } = notices.find(({ type }) => type === "ghcr") ?? { body: {} };
  const { post, pushes } = await rig([hookOf("ghcr")]);
  const text = JSON.stringify(body);
  const { headers } = await proved("ghcr", text);
  const event = { ...headers, "X-GitHub-Event": "registry_package" };
  assert.equal((await post("ghcr", text.replace("1.0", "6.6"), { ...event, "X-GitHub-Delivery": "a" })).status, 401);
  assert.equal((await post("ghcr", text, { ...event, "X-GitHub-Delivery": "b" })).status, 200);
  assert.equal(pushes().length, 1);
  await post("ghcr", text, { ...event, "X-GitHub-Delivery": "c" });
  assert.equal(pushes().length, 0);
});

test("what is huge, old, elsewhere or by another method is not looked at", async () => {
  const { post, state, pushes, outcomes } = await rig([hookOf("distribution"), { name: "open", type: "quay" }]);
  const headers = { Authorization: `Bearer ${secret}` };
  const huge = new Uint8Array(1.5 * 1024 * 1024).fill(32);
  assert.equal((await post("distribution", huge, headers)).status, 413);
  assert.equal((await post("distribution", "{}", { ...headers, "Content-Length": String(1 << 30) })).status, 413);
  assert.equal((await post("distribution", huge)).status, 401, "who is a stranger is not read");
  assert.equal((await post("nobody", "{}", headers)).status, 404);
  assert.equal((await post("distribution/more/of/it", "{}", headers)).status, 404);
  assert.equal((await post("distribution", "{}", headers, "PUT")).status, 405);
  assert.equal((await post("open/", "{}")).status, 401, "one without a secret takes nothing");
  outcomes();
  const text = JSON.stringify(notices[0]?.body);
  state.now += 2 * 86_400_000;
  assert.equal((await post("distribution", text, headers)).status, 200, "or its sender would say it for ever");
  assert.deepEqual([pushes(), outcomes()], [[], ["old"]]);
});

test("a secret may be the header, behind Bearer, or the password of Basic; the header may have another name", async () => {
  const text = JSON.stringify(notices[0]?.body);
  for (const said of [
    secret,
    `Bearer ${secret}`,
    `bearer ${secret}`,
    `Basic ${Buffer.from(`watch:${secret}`).toString("base64")}`,
  ]) {
    const { post, pushes } = await rig([
      hookOf("distribution"),
      { ...hookOf("distribution"), name: "own", header: "X-Api-Key" },
    ]);
    assert.equal((await post("distribution", text, { authorization: said })).status, 200, said);
    assert.equal((await post("own", text, { authorization: said })).status, 401);
    assert.equal((await post("own", text, { "x-api-key": said })).status, 200);
    assert.equal(pushes().length, 4);
  }
});

test("a token of Google is of the right account, for us, by Google, and not over; its keys are asked for once", async () => {
  const { body } = notices.find(({ type }) => type === "google") ?? { body: {} };
  const { post, asked, pushes } = await rig([hookOf("google")]);
  const text = JSON.stringify(body);
  const wrong = [
    await token({ email: "somebody@project.iam.gserviceaccount.com" }),
    await token({ email_verified: false }),
    await token({ aud: "https://other.example/" }),
    await token({ iss: "https://accounts.example" }),
    await token({ exp: start / 1000 - 120 }),
    await token({}, strangers.privateKey),
    "no.token.atall",
    `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify({ email: google.account })).toString("base64url")}.`,
  ];
  for (const one of wrong) assert.equal((await post("google", text, { Authorization: `Bearer ${one}` })).status, 401);
  assert.deepEqual(pushes(), []);
  assert.equal((await post("google", text, { Authorization: `Bearer ${await token()}` })).status, 200);
  assert.equal(pushes().length, 1);
  assert.equal(asked(), 1);
});

test("an envelope whose events have no ids is none that came before, and one whose host is none holds up no other", async () => {
  const { post, pushes } = await rig([hookOf("distribution")]);
  const event = (host: string, tag: string, others: object = {}) => ({
    action: "push",
    target: { repository: "team/app", tag, digest: "none" },
    request: { host },
    ...others,
  });
  const say = async (...events: object[]) => {
    await post("distribution", JSON.stringify({ events }), { Authorization: secret });
    return pushes().map(({ repository, tag }) => [repository, tag]);
  };
  const app = "registry.example/team/app";
  assert.deepEqual(await say(event("registry.example", "1")), [[app, "1"]]);
  assert.deepEqual(await say(event("registry.example", "2")), [[app, "2"]]);
  assert.deepEqual(await say(event("registry.example", "2")), [[app, "2"]]);
  const timed = event("registry.example", "2", { timestamp: "2026-03-01T12:00:00Z" });
  assert.deepEqual([await say(timed), await say(timed)], [[[app, "2"]], []], "what has a time is known again");
  const fine = event("registry.example", "3", { id: "fine" });
  for (const [n, host] of ["registry", "other.example/x", "user@other.example", "a b", ""].entries())
    assert.deepEqual(await say(event(host, "1", { id: `${n}` }), { ...fine, id: `fine ${n}` }), [[app, "3"]], host);
  const odd = ["../../other/manifests/x", "x".repeat(200), "a\nb"].map((tag) => event("registry.example", tag));
  assert.deepEqual(await say(...odd), [[app, undefined]], "what is no tag is left out, and the same said once");
});

test("an account or a region that is none leads to no other host", async () => {
  const { post, pushes } = await rig([hookOf("ecr")]);
  const detail = { result: "SUCCESS", "action-type": "PUSH", "repository-name": "app", "image-tag": "1" };
  const said = { source: "aws.ecr", id: "1", "detail-type": "ECR Image Action", detail };
  for (const [account, region] of [
    ["other.example/a", "eu-west-1"],
    ["123456789012", "x.other.example/eu-west-1"],
    ["123456789012", "eu@west"],
  ]) {
    const { status } = await post("ecr", JSON.stringify({ ...said, account, region }), { Authorization: secret });
    assert.deepEqual([status, pushes()], [400, []], `${account} ${region}`);
  }
});

test("GitHub's other form of a body is read", async () => {
  const { body, pushes: expected } = notices.find(({ type }) => type === "ghcr") ?? { body: {}, pushes: [] };
  const { post, pushes } = await rig([hookOf("ghcr")]);
  const text = new URLSearchParams({ payload: JSON.stringify(body) }).toString();
  const { headers } = await proved("ghcr", text);
  const form = { "Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Event": "registry_package" };
  assert.equal((await post("ghcr", text, { ...headers, ...form })).status, 200);
  assert.deepEqual(pushes(), expected);
});

test("an answer that is no keys of Google is asked for again", async () => {
  const { body } = notices.find(({ type }) => type === "google") ?? { body: {} };
  const { connection } = await googleKeys();
  const answers = ["{}", "<html>", '{"keys":[]}'];
  const pushes: Push[] = [];
  const handler = webhooks({
    hooks: [hookOf("google")],
    clock: { now: () => start, random: () => 0, sleep: async () => {} },
    onPush: (push) => pushes.push(push),
    connection: async (request) => {
      const answer = answers.shift();
      if (answer === undefined) return connection(request);
      return { status: 200, headers: [], url: "", body: bytesBody(new TextEncoder().encode(answer)) };
    },
  });
  const headers = { Authorization: `Bearer ${await token()}` };
  const statuses: number[] = [];
  for (let n = 0; n < 4; n++)
    statuses.push(
      (await exchange(handler, "POST", "/v1/webhooks/google", { body: JSON.stringify(body), headers })).status,
    );
  assert.deepEqual([statuses, pushes.length], [[503, 503, 503, 200], 1]);
});
