import assert from "node:assert/strict";
import { test } from "node:test";
import { type DrayError, isDrayError } from "dray/errors";
import { Webhook } from "standardwebhooks";
import { happened } from "../../test/events.ts";
import { type Received, type Reply, receiver } from "../../test/receiver.ts";
import type { WatchEvent } from "../events/index.ts";
import { type SinkSettings, sinkOf, testSink } from "./index.ts";

const secret = "s3cret-token-of-somebody";
const event = happened("app:1.0", 0, "tag.moved");
const text = "registry.example/app:1.0 was moved: aaaaaaaaaaaa (before: bbbbbbbbbbbb)";
const title = "registry.example/app:1.0 was moved";
const signal = new AbortController().signal;

/** Each kind that posts, and what it posts of one event. */
const kinds = (url: string): readonly [SinkSettings, Partial<Received>, object][] => [
  [{ type: "slack", name: "a", url: `${url}/services/${secret}` }, { target: `/services/${secret}` }, { text }],
  [
    { type: "discord", name: "a", url: `${url}/api/webhooks/1/${secret}` },
    { target: `/api/webhooks/1/${secret}?wait=true` },
    { content: text, allowed_mentions: { parse: [] } },
  ],
  [
    { type: "telegram", name: "a", url, token: secret, chat: "@images", thread: 7 },
    { target: `/bot${secret}/sendMessage` },
    { chat_id: "@images", message_thread_id: 7, text, link_preview_options: { is_disabled: true } },
  ],
  [
    { type: "ntfy", name: "a", url, topic: "images", token: secret, priority: 4 },
    { target: "/", headers: { authorization: `Bearer ${secret}` } },
    { topic: "images", title, message: text, priority: 4 },
  ],
  [
    { type: "ntfy", name: "a", url, topic: "images", user: "ann", password: secret },
    { target: "/", headers: { authorization: `Basic ${Buffer.from(`ann:${secret}`).toString("base64")}` } },
    { topic: "images", title, message: text },
  ],
  [
    { type: "gotify", name: "a", url: `${url}/below/`, token: secret, priority: 5 },
    { target: "/below/message", headers: { "x-gotify-key": secret } },
    { title, message: text, priority: 5 },
  ],
  [
    { type: "matrix", name: "a", url, token: secret, room: "!abc:example.org" },
    {
      method: "PUT",
      target: `/_matrix/client/v3/rooms/!abc%3Aexample.org/send/m.room.message/${event.id}`,
      headers: { authorization: `Bearer ${secret}` },
    },
    { msgtype: "m.text", body: text },
  ],
  [
    {
      type: "pushover",
      name: "a",
      url,
      token: secret,
      user: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
      device: "phone",
      priority: -1,
    },
    { target: "/1/messages.json" },
    { token: secret, user: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG", title, message: text, device: "phone", priority: -1 },
  ],
  [
    { type: "apprise", name: "a", url, key: secret, tag: "images" },
    { target: `/notify/${secret}` },
    { title, body: text, type: "info", format: "text", tag: "images" },
  ],
  [
    { type: "apprise", name: "a", url, urls: [`json://${secret}@host`, "syslog://"] },
    { target: "/notify" },
    { title, body: text, type: "info", format: "text", urls: `json://${secret}@host,syslog://` },
  ],
];

test("each service gets a message in its own form", async () => {
  const server = await receiver();
  for (const [settings, expected, json] of kinds(server.origin)) {
    const sink = await sinkOf(settings);
    assert.equal(await sink.send([event], signal), undefined);
    const request = server.received.pop() as Received;
    assert.equal(request.method, expected.method ?? "POST");
    assert.equal(request.target, expected.target, settings.type);
    assert.equal(request.headers["content-type"], "application/json; charset=utf-8");
    for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(request.headers[name], value);
    assert.deepEqual(JSON.parse(request.body), json, settings.type);
    await sink.close?.();
  }
  await server.close();
});

test("Teams gets a card", async () => {
  const server = await receiver(() => ({ status: 202 }));
  const sink = await sinkOf({ type: "teams", name: "a", url: `${server.origin}/workflows/1?sig=${secret}` });
  assert.equal(await sink.send([event, happened("app:2.0")], signal), undefined);
  const card = JSON.parse(server.received[0]?.body ?? "") as {
    type: string;
    attachments: { contentType: string; content: { type: string; body: { text: string }[] } }[];
  };
  assert.equal(card.type, "message");
  const [attachment] = card.attachments;
  assert.equal(attachment?.contentType, "application/vnd.microsoft.card.adaptive");
  assert.equal(attachment?.content.type, "AdaptiveCard");
  assert.deepEqual(
    attachment?.content.body.map((block) => block.text),
    ["2 changes of images", `${text}\n\nregistry.example/app:2.0 was added: aaaaaaaaaaaa`],
  );
  await sink.close?.();
  await server.close();
});

test("texts stay within what each service takes", async () => {
  const server = await receiver();
  const many: WatchEvent[] = Array.from({ length: 1500 }, (_, index) => happened(`app:${index}<&>"é🚀`, index));
  const sizes: Readonly<Record<string, (json: Record<string, string>, body: string) => boolean>> = {
    slack: ({ text: said = "" }) =>
      said.length <= 40_000 && said.length > 39_900 && !/[<>]|&(?!(?:amp|lt|gt);)/.test(said),
    discord: ({ content = "" }) => content.length <= 2000 && content.length > 1990,
    telegram: ({ text: said = "" }) => said.length <= 4096 && said.length > 4080,
    ntfy: ({ message = "" }) => Buffer.byteLength(message) <= 4096 && Buffer.byteLength(message) > 4080,
    matrix: (_, body) => body.length < 65_000 && Buffer.byteLength(body) < 65_000,
    pushover: ({ message = "", title: said = "" }) =>
      message.length <= 1024 && message.length > 1000 && said.length <= 250,
    teams: (_, body) => Buffer.byteLength(body) < 28 * 1024,
    gotify: () => true,
    apprise: () => true,
  };
  const long = `{{image}}${"<&>é🚀".repeat(100)}`;
  const settings: SinkSettings[] = [
    ...kinds(server.origin).map(([one]) => one),
    { type: "teams", name: "a", url: server.origin },
  ];
  for (const one of settings)
    for (const events of [many, [event]]) {
      const sink = await sinkOf(events === many ? one : ({ ...one, title: long } as SinkSettings));
      await sink.send(events, signal);
      const body = server.received.pop()?.body ?? "";
      assert.ok(body.isWellFormed(), one.type);
      if (events === many)
        assert.ok(sizes[one.type]?.(JSON.parse(body) as Record<string, string>, body), `${one.type}: ${body.length}`);
      else if (one.type === "pushover") assert.ok((JSON.parse(body) as { title: string }).title.length <= 250);
      await sink.close?.();
    }
  await server.close();
});

test("a webhook is a CloudEvent that the library of Standard Webhooks verifies", async () => {
  const server = await receiver(() => ({ status: 204, body: "" }));
  for (const key of ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw", "plain text of an operator"]) {
    const sink = await sinkOf({
      type: "webhook",
      name: "ci",
      url: `${server.origin}/hook`,
      secret: key,
      headers: { "X-Env": "test" },
    });
    const judge = key.startsWith("whsec_") ? new Webhook(key) : new Webhook(key, { format: "raw" });
    assert.equal(await sink.send([event], signal), undefined);
    const one = server.received.pop() as Received;
    assert.equal(one.headers["content-type"], "application/cloudevents+json; charset=UTF-8");
    assert.equal(one.headers["x-env"], "test");
    assert.equal(one.headers["webhook-id"], event.id);
    const said = judge.verify(one.body, one.headers) as { specversion: string; id: string; subject: string };
    assert.deepEqual([said.specversion, said.id, said.subject], ["1.0", event.id, "registry.example/app:1.0"]);
    assert.throws(() => judge.verify(one.body.replace("moved", "added"), one.headers));
    await sink.send([event, happened("app:2")], signal);
    const two = server.received.pop() as Received;
    assert.equal(two.headers["content-type"], "application/cloudevents-batch+json; charset=UTF-8");
    assert.equal((judge.verify(two.body, two.headers) as object[]).length, 2);
    await sink.close?.();
  }
  await server.close();
});

const refused = async (reply: Reply, settings?: (url: string) => SinkSettings): Promise<DrayError | string> => {
  const server = await receiver(() => reply);
  const sink = await sinkOf(
    settings?.(server.origin) ?? { type: "slack", name: "a", url: `${server.origin}/services/${secret}` },
  );
  try {
    return (await sink.send([event], signal))?.refused ?? "taken";
  } catch (error) {
    assert.ok(isDrayError(error));
    return error as DrayError;
  } finally {
    await sink.close?.();
    await server.close();
  }
};

test("what a service says decides: refused for good, later, or not before a moment", async () => {
  const later = async (reply: Reply): Promise<unknown[]> => {
    const error = (await refused(reply)) as DrayError;
    return [error.code, error.status, error.retryAfter];
  };
  assert.match(String(await refused({ status: 400, body: "invalid_payload" })), /answered 400: invalid_payload/);
  assert.match(String(await refused({ status: 413 })), /413/);
  assert.deepEqual(await later({ status: 429, headers: [["Retry-After", "30"]] }), ["RATE_LIMITED", 429, 30]);
  assert.deepEqual(await later({ status: 429, body: '{"retry_after": 1.2}' }), ["RATE_LIMITED", 429, 2]);
  assert.deepEqual(await later({ status: 429, body: '{"ok":false,"parameters":{"retry_after":9}}' }), [
    "RATE_LIMITED",
    429,
    9,
  ]);
  assert.deepEqual(await later({ status: 429, body: '{"retry_after_ms": 2500}' }), ["RATE_LIMITED", 429, 3]);
  assert.deepEqual(await later({ status: 429 }), ["RATE_LIMITED", 429, undefined]);
  assert.deepEqual(await later({ status: 503, headers: [["Retry-After", "7"]] }), ["SINK", 503, 7]);
  assert.deepEqual(await later({ status: 500, body: "<html>" }), ["SINK", 500, undefined]);
  assert.deepEqual(await later({ status: 401 }), ["UNAUTHORIZED", 401, undefined]);
  assert.deepEqual(await later({ status: 403 }), ["DENIED", 403, undefined]);
  assert.deepEqual(await later({ status: 404, body: "no_service" }), ["NOT_FOUND", 404, undefined]);
  const apprise = (url: string): SinkSettings => ({ type: "apprise", name: "a", url, key: "home" });
  assert.equal(((await refused({ status: 204, body: "" }, apprise)) as DrayError).code, "SINK");
});

test("no redirect is followed, and no secret is in what is said", async () => {
  const elsewhere = await receiver();
  for (const status of [301, 302, 307, 308]) {
    const error = (await refused({ status, headers: [["Location", `${elsewhere.origin}/${secret}`]] })) as DrayError;
    assert.match(error.message, /leads to 127\.0\.0\.1:\d+, and is not followed/);
  }
  assert.deepEqual(elsewhere.received, []);
  for (const [settings] of kinds(elsewhere.origin))
    for (const status of [400, 401, 500]) {
      const echo = `the address /${secret} and ${encodeURIComponent(secret)} and Bearer ${secret} is wrong`;
      const said = await refused(
        { status, body: echo },
        (url) =>
          ({ ...settings, url: (settings as { url: string }).url.replace(elsewhere.origin, url) }) as SinkSettings,
      );
      const words =
        typeof said === "string" ? said : JSON.stringify([said.message, said.cause, said.headers, String(said.stack)]);
      assert.ok(!words.includes(secret), `${settings.type} ${status}: ${words}`);
      assert.match(words, /\*\*\*/);
    }
  await elsewhere.close();
  for (const [settings] of kinds(elsewhere.origin)) {
    const sink = await sinkOf(settings);
    await assert.rejects(
      sink.send([event], signal),
      (error) => isDrayError(error, "NETWORK") && !error.message.includes(secret),
    );
    await sink.close?.();
  }
});

test("a service that says nothing is left when the time is over", async () => {
  const server = await receiver();
  const silent = await import("node:net").then(({ createServer }) => createServer(() => {}).listen(0, "127.0.0.1"));
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  const sink = await sinkOf({ type: "gotify", name: "a", url: `http://127.0.0.1:${port}`, token: secret });
  await assert.rejects(sink.send([event], AbortSignal.timeout(50)), { code: "TIMEOUT" });
  await sink.close?.();
  silent.close();
  await server.close();
});

test("an event that never happened shows whether a sink is set up", async () => {
  const server = await receiver();
  const sink = await sinkOf({ type: "gotify", name: "a", url: server.origin, token: secret });
  assert.equal(await testSink(sink, signal), undefined);
  assert.match(server.received[0]?.body ?? "", /registry\.example\/dray\/test:hello was added/);
  await sink.close?.();
  await server.close();
});

test("an address with a name and a password says both, and no part of what lets one in is ever told", async () => {
  const server = await receiver(({ headers, target }) => ({
    status: 500,
    body: `you said ${target} ${JSON.stringify(headers)}`,
  }));
  const { origin: url, received } = server;
  const there = url.replace("://", "://ann:p%40ss%zzword@");
  const base64 = Buffer.from("hook:hunter2").toString("base64");
  for (const [settings, authorization, hidden] of [
    [
      { type: "webhook", name: "a", url: `${url.replace("://", "://ann:p%40ssword@")}/in?sig=shorter` },
      `Basic ${Buffer.from("ann:p@ssword").toString("base64")}`,
      ["p@ssword", Buffer.from("ann:p@ssword").toString("base64"), "shorter"],
    ],
    [
      { type: "webhook", name: "a", url: there },
      `Basic ${Buffer.from("ann:p%40ss%zzword").toString("base64")}`,
      ["zzword"],
    ],
    [
      { type: "webhook", name: "a", url: there, headers: { Authorization: "Bearer hunter2222" } },
      "Bearer hunter2222",
      ["hunter2222"],
    ],
    [{ type: "ntfy", name: "a", url, topic: "t", user: "hook", password: "hunter2" }, `Basic ${base64}`, [base64]],
  ] as const) {
    const sink = await sinkOf(settings);
    const error = await sink.send([event], signal).catch((thrown: unknown) => thrown);
    await sink.close?.();
    assert.equal(received.at(-1)?.headers["authorization"], authorization);
    assert.ok(error instanceof Error && error.message.includes("you said"));
    for (const word of hidden) assert.ok(!error.message.includes(word), `${word} in ${error.message}`);
  }
  await server.close();
});
