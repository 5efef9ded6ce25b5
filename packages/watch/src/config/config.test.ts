import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SettingsInvalid } from "@dray/service/config";
import { temporaryFolder } from "@dray/testkit/files";
import { happened } from "../../test/events.ts";
import { loadWatchSettings, selects, type WatchSettings } from "./index.ts";

const load = (text: string, env: Record<string, string> = {}): WatchSettings =>
  loadWatchSettings({ text: text === "" ? "{}" : text, env: { HOME: "/home/ann", ...env } }).settings;
const wrong = (text: string, env: Record<string, string> = {}): string => {
  try {
    load(text, env);
    return "";
  } catch (error) {
    assert.ok(error instanceof SettingsInvalid, String(error));
    return error.message;
  }
};

test("each key says what it is called for, in the file and by its variable", () => {
  const cases: [
    key: string,
    yaml: string,
    variable: string | undefined,
    read: (settings: WatchSettings) => unknown,
    expected: unknown,
  ][] = [
    ["db", "db: /a/b.db", "/a/b.db", ({ db }) => db, "/a/b.db"],
    [
      "repositories",
      "repositories: [alpine]",
      "[alpine]",
      ({ repositories }) => repositories,
      ["docker.io/library/alpine"],
    ],
    ["include", "include: ['ghcr.io/**']", "['ghcr.io/**']", ({ names }) => names.include, ["ghcr.io/**"]],
    ["exclude", "exclude: ['ghcr.io/**']", "['ghcr.io/**']", ({ names }) => names.exclude, ["ghcr.io/**"]],
    ["tags.include", "tags: { include: ['1.*'] }", "['1.*']", ({ tags }) => tags.include, ["1.*"]],
    ["tags.exclude", "tags: { exclude: ['*-rc*'] }", "['*-rc*']", ({ tags }) => tags.exclude, ["*-rc*"]],
    ["tags.details", "tags: { details: 3 }", "3", ({ details }) => details, 3],
    [
      "policies",
      "policies: { a: { repositories: ['**'], policy: { semver: { range: ^1 } } } }",
      undefined,
      ({ policies }) => policies,
      [{ name: "a", repositories: ["**"], policy: { semver: { range: "^1" } } }],
    ],
    ["schedule.cron", "schedule: { cron: '0 3 * * *' }", "'0 3 * * *'", ({ schedule }) => schedule.cron, ["0 3 * * *"]],
    [
      "schedule.timezone",
      "schedule: { timezone: Europe/Vienna }",
      "Europe/Vienna",
      ({ schedule }) => schedule.timezone,
      "Europe/Vienna",
    ],
    ["schedule.jitter", "schedule: { jitter: 1m }", "1m", ({ schedule }) => schedule.jitter, 60_000],
    ["interval.least", "interval: { least: 1m }", "1m", ({ interval }) => interval.least, 60_000],
    ["interval.most", "interval: { most: 1d }", "1d", ({ interval }) => interval.most, 86_400_000],
    [
      "http.addr",
      "http: { addr: '127.0.0.1:99' }",
      "127.0.0.1:99",
      ({ listen }) => listen.address,
      { host: "127.0.0.1", port: 99 },
    ],
    ["http.token", "http: { token: abc }", "abc", ({ token }) => token, "abc"],
    [
      "http.tls.certificate",
      "http: { tls: { certificate: /c.pem, key: /k.pem } }",
      undefined,
      ({ listen }) => listen.tls?.certificate,
      "/c.pem",
    ],
    [
      "http.tls.key",
      "http: { tls: { certificate: /c.pem, key: /k.pem } }",
      undefined,
      ({ listen }) => listen.tls?.key,
      "/k.pem",
    ],
    [
      "http.trustedproxies",
      "http: { trustedproxies: [192.0.2.1] }",
      "[192.0.2.1]",
      ({ listen }) => listen.trustedProxies,
      ["192.0.2.1"],
    ],
    [
      "webhooks",
      "webhooks: { hub: { type: dockerhub, secret: s } }",
      undefined,
      ({ webhooks }) => webhooks,
      [{ type: "dockerhub", secret: "s", name: "hub" }],
    ],
    [
      "sinks",
      "sinks: { phone: { type: ntfy, topic: t, priority: 4 } }",
      undefined,
      ({ sinks }) => sinks.map(({ sink }) => sink),
      [{ type: "ntfy", topic: "t", priority: 4, name: "phone" }],
    ],
    ["delivery.timeout", "delivery: { timeout: 5s }", "5s", ({ delivery }) => delivery.timeout, 5000],
    ["delivery.giveup", "delivery: { giveup: 1h }", "1h", ({ delivery }) => delivery.giveUp, 3_600_000],
    ["retention.keep", "retention: { keep: 2d }", "2d", ({ retention }) => retention.keep, 172_800_000],
    ["retention.events", "retention: { events: 7 }", "7", ({ retention }) => retention.most, 7],
    [
      "source",
      "source: https://watch.example/",
      "https://watch.example/",
      ({ source }) => source,
      "https://watch.example/",
    ],
    ["log.level", "log: { level: debug }", "debug", ({ log }) => log.level, "debug"],
    ["log.format", "log: { format: json }", "json", ({ log }) => log.format, "json"],
    ["registry.reserve", "registry: { reserve: 30% }", "30%", ({ reserve }) => reserve, 0.3],
    ["registry.concurrency", "registry: { concurrency: 9 }", "9", ({ concurrency }) => concurrency, 9],
  ];
  for (const [key, yaml, variable, read, expected] of cases) {
    assert.deepEqual(read(load(yaml)), expected, key);
    assert.notDeepEqual(read(load("")), expected, `${key} says something else than its default`);
    const name = `DRAY_WATCH_${key.toUpperCase().replaceAll(".", "_")}`;
    if (variable !== undefined) assert.deepEqual(read(load("", { [name]: variable })), expected, name);
  }
  const keys = load("http: { token: a, tls: { certificate: /c, key: /k } }\nsource: x").effective.map(({ key }) => key);
  for (const key of keys)
    assert.ok(
      cases.some(([known]) => known === key),
      `${key} has its case`,
    );
});

test("what begins with * says what it says: quoted in a file, and as it stands in a variable or a flag", () => {
  for (const glob of ["*-rc*", "*"]) assert.deepEqual(load("", { DRAY_WATCH_TAGS_EXCLUDE: glob }).tags.exclude, [glob]);
  const cron = "*/5 * * * *";
  assert.deepEqual(load("", { DRAY_WATCH_SCHEDULE_CRON: cron }).schedule.cron, [cron]);
  const set = [`schedule.cron=${cron}`, "exclude=**/secret"];
  const { schedule, names } = loadWatchSettings({ flags: { set } }).settings;
  assert.deepEqual([schedule.cron, names.exclude], [[cron], ["**/secret"]]);
  assert.deepEqual(load("tags: &x { include: [&v '1.*', *v] }").tags.include, ["1.*", "1.*"]);
  assert.match(
    wrong("tags:\n  exclude: [*-rc*, '*-dev']"),
    /:2:\d+: tags\.exclude\S*: begins with \*, .*put it in quotes/,
  );
  assert.match(wrong("schedule: { cron: *nightly }"), /put it in quotes/);
});

test("what a sink and a webhook want to hear of is theirs, and their secrets may lie elsewhere", () => {
  const file = join(temporaryFolder("watch-config"), "token");
  writeFileSync(file, "from-a-file\n");
  const { sinks, webhooks, token } = load(
    `
http: { token: { file: ${file} } }
sinks:
  bot: { type: telegram, token: { variable: BOT }, chat: "@a", events: [tag.moved], include: ["registry.example/**"], exclude: ["**/secret"], quiet: { from: 22:00, to: 07:00, timezone: UTC, afterwards: digest } }
webhooks:
  cloud: { type: google, account: a@b, audience: us }
`,
    { BOT: "from-a-variable" },
  );
  assert.equal(token, "from-a-file");
  const [bot] = sinks;
  assert.deepEqual(bot?.sink, { type: "telegram", token: "from-a-variable", chat: "@a", name: "bot" });
  assert.deepEqual(bot?.quiet, { from: "22:00", to: "07:00", timeZone: "UTC", afterwards: "digest" });
  const wants = ["app:1 tag.moved", "app:1 tag.added", "secret:1 tag.moved"].map((said) => {
    const [image = "", type] = said.split(" ");
    return bot?.wants(happened(image, 0, type as "tag.moved"));
  });
  assert.deepEqual(wants, [true, false, false]);
  assert.deepEqual(webhooks, [{ type: "google", google: { account: "a@b", audience: "us" }, name: "cloud" }]);
});

test("what cannot be used is told with its place, and never with a secret", () => {
  const cases: [yaml: string, words: RegExp][] = [
    ["http: { addr: ':8085' }", /http\.token: is missing, and others than this machine reach :8085/],
    ["http: { addr: nowhere }", /http\.addr/],
    ["http: { tls: { certificate: /c.pem } }", /http\.tls\.key: is missing; TLS needs both/],
    ["http: { token: { variable: NOT_SET } }", /NOT_SET is not set/],
    ["http: { token: ' ' }", /http\.token: is blank, and should be a secret/],
    ["http: { token: { file: /nowhere/token } }", /\/nowhere\/token cannot be read: ENOENT/],
    ["repositories: ['NOT A NAME']", /repositories: NOT A NAME:/],
    ["interval: { least: 2d, most: 1d }", /interval\.most: is less than interval\.least/],
    ["schedule: { timezone: Vienna }", /Vienna is no time zone/],
    ["registry: { reserve: lots }", /registry\.reserve: is no share/],
    ["registry: { reserve: 100% }", /registry\.reserve: is no share/],
    [
      "sinks: { a: { type: slack, url: not-an-address-s3cret } }",
      /sinks: a: its url begins with https:\/\/ or http:\/\//,
    ],
    ["sinks: { a: { type: mqtt, url: 'https://x' } }", /mqtt:\/\//],
    ["sinks: { a: { type: ntfy, topic: t, quiet: { from: late, to: 07:00 } } }", /late is no time of day/],
    ["sinks: { a: { type: fax } }", /there are webhook, slack/],
    ["webhooks: { a: { type: ghcr } }", /without secret/],
    ["webhooks: { a: { type: dockerhub, secret: s, header: X } }", /has no key header/],
  ];
  for (const [yaml, words] of cases) {
    const said = wrong(yaml);
    assert.match(said, words, yaml);
    assert.doesNotMatch(said, /s3cret/);
  }
  assert.equal(wrong("http: { addr: ':8085', token: t }"), "");
});

test("globs select, and those that leave out win", () => {
  const chosen = selects({ include: ["docker.io/library/*", "ghcr.io/**"], exclude: ["**/old"] });
  for (const [name, expected] of [
    ["docker.io/library/alpine", true],
    ["docker.io/team/app", false],
    ["ghcr.io/a/b/c", true],
    ["ghcr.io/a/old", false],
  ] as const)
    assert.equal(chosen(name), expected, name);
  assert.equal(selects({ include: [], exclude: [] })("anything"), true);
});
