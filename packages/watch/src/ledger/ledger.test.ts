import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { answerWith, type Listener, listen } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { type Handler, header } from "dray/http";
import { type Digest, parseDigest } from "dray/oci";
import { openFile } from "../file/index.ts";
import { parseRepository } from "../repository.ts";
import {
  dockerHubTimes,
  githubTimes,
  harborTimes,
  keepTimes,
  ledgerTables,
  type PushTimes,
  quayTimes,
  releaseTime,
  timesOf,
} from "./index.ts";

const now = Date.UTC(2026, 10, 30);
const [one, two] = ["1", "2"].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];

describe("the release of an image", () => {
  const created = "org.opencontainers.image.created";
  const day = (n: number): string => `2026-05-${String(n).padStart(2, "0")}T00:00:00Z`;

  test("is what the first says that knows it", () => {
    const known = {
      registry: Date.parse(day(4)),
      "last-modified": Date.parse(day(5)),
      "first-seen": Date.parse(day(6)),
    };
    const info = { labels: { [created]: day(1) }, annotations: { [created]: day(2) }, createdAt: day(3) };
    const { labels: _, ...noLabel } = info;
    const { annotations: __, ...bare } = noLabel;
    const { registry: ___, ...modified } = known;
    for (const [facts, time, source] of [
      [{ info, known }, day(1), "label"],
      [{ info: noLabel, known }, day(2), "annotation"],
      [{ info: bare, known }, day(3), "configuration"],
      [{ known }, day(4), "registry"],
      [{ known: modified }, day(5), "last-modified"],
      [{ known: { "first-seen": known["first-seen"] } }, day(6), "first-seen"],
      [{ info, known, trusted: true }, day(4), "registry"],
    ] as const)
      assert.deepEqual(releaseTime({ ...facts, now }), { time, source }, source);
    assert.equal(releaseTime({ now }), undefined);
  });

  test("is not what reproducible builds write, nor what no time is, nor what lies ahead", () => {
    const known = { "first-seen": Date.parse(day(6)) };
    for (const wrong of [
      "1970-01-01T00:00:00Z",
      "1980-01-01T00:00:01Z",
      "0001-01-01T00:00:00Z",
      "yesterday",
      "2027-05-01T00:00:00Z",
      "",
    ]) {
      const info = { labels: { [created]: wrong }, createdAt: wrong };
      assert.deepEqual(releaseTime({ info, known, now }), { time: day(6), source: "first-seen" }, wrong);
    }
  });
});

test("the ledger keeps the first sight of each digest, and what its registry said last", async () => {
  const file = await openFile(":memory:", { rooms: [ledgerTables] });
  const keep = (digest: Digest, times: Parameters<typeof keepTimes>[3]): Promise<void> =>
    file.write((on) => keepTimes(on, "r.test/app", digest, times));
  await keep(one, { "first-seen": 5_000, registry: 4_000 });
  await keep(one, { "first-seen": 9_000, registry: 7_000 });
  await keep(two, { "first-seen": 9_000 });
  assert.deepEqual(timesOf(file.statements, "r.test/app", one), { "first-seen": 5_000, registry: 7_000 });
  assert.deepEqual(timesOf(file.statements, "r.test/app", two), { "first-seen": 9_000 });
  assert.deepEqual(timesOf(file.statements, "r.test/other", one), {});
  file.close();
});

describe("the API of a registry's own", () => {
  const open: Listener[] = [];
  after(() => Promise.all(open.map((server) => server.close())));

  /** Answers by path; what it was asked, with what it was shown. */
  const serving = async (answers: (host: string) => Readonly<Record<string, unknown>>) => {
    const asked: string[] = [];
    const handler: Handler = (request) => {
      const { target } = request;
      asked.push(`${target} ${header(request.headers, "Authorization") ?? ""}`.trim());
      const body = answers(server.host)[target];
      return answerWith(
        body === undefined ? 404 : 200,
        { "Content-Type": "application/json" },
        typeof body === "string" ? body : JSON.stringify(body),
      )(request, handler);
    };
    const server = await listen(handler);
    open.push(server);
    return { api: server.origin, asked };
  };
  const all = async (times: PushTimes, repository = "r.test/team/sub/app"): Promise<string[]> => {
    const found: string[] = [];
    for await (const { tag, time, digest } of times(parseRepository(repository)))
      found.push(`${tag} ${new Date(time).toISOString().slice(0, 10)} ${digest?.slice(7, 8) ?? "-"}`);
    return found;
  };

  test("of Docker Hub gives a hundred times a page", async () => {
    const first = "/v2/repositories/library/alpine/tags?page_size=100&ordering=last_updated";
    const { api, asked } = await serving((host) => ({
      [first]: {
        next: `http://${host}/v2/repositories/library/alpine/tags?page=2&page_size=100`,
        results: [
          { name: "3.22", tag_last_pushed: "2026-05-02T08:00:00.123456Z", digest: one },
          { name: "old", tag_last_pushed: null, last_updated: "2024-01-01T00:00:00Z" },
        ],
      },
      "/v2/repositories/library/alpine/tags?page=2&page_size=100": {
        next: null,
        results: [{ name: "", last_updated: "x" }, null, { name: "2.1", last_updated: "2016-01-01T00:00:00Z" }],
      },
    }));
    assert.deepEqual(await all(dockerHubTimes({ api }), "alpine"), [
      "3.22 2026-05-02 1",
      "old 2024-01-01 -",
      "2.1 2016-01-01 -",
    ]);
    for await (const { tag } of dockerHubTimes({ api })(parseRepository("alpine"))) if (tag === "3.22") break;
    assert.equal(asked.length, 3, "who has what was wanted asks for no further page");
  });

  test("of Quay says it in seconds", async () => {
    const at = (page: number): string =>
      `/api/v1/repository/team/sub/app/tag/?limit=100&onlyActiveTags=true&page=${page}`;
    const { api } = await serving(() => ({
      [at(1)]: { has_additional: true, tags: [{ name: "v2", start_ts: 1_777_000_000, manifest_digest: two }] },
      [at(2)]: { has_additional: false, tags: [{ name: "v1", last_modified: "Sat, 02 May 2020 10:00:00 -0000" }] },
    }));
    assert.deepEqual(await all(quayTimes({ api })), ["v2 2026-04-24 2", "v1 2020-05-02 -"]);
  });

  test("of Harbor has the tags of each artifact, and slashes that are encoded twice", async () => {
    const { api, asked } = await serving(() => ({
      "/api/v2.0/projects/team/repositories/sub%252Fapp/artifacts?with_tag=true&page_size=100&page=1&sort=-push_time": [
        {
          digest: one,
          push_time: "2026-05-02T00:00:00Z",
          tags: [{ name: "a", push_time: "2026-05-03T00:00:00Z" }, { name: "b" }],
        },
        { digest: two, push_time: "2026-05-01T00:00:00Z", tags: null },
      ],
    }));
    assert.deepEqual(await all(harborTimes({ api })), ["a 2026-05-03 1", "b 2026-05-02 1"]);
    assert.equal(asked.length, 1);
  });

  test("of GitHub wants a token, and has the tags of each version", async () => {
    const { api, asked } = await serving(() => ({
      "/orgs/team/packages/container/sub%2Fapp/versions?per_page=100&page=1": [
        { name: one, created_at: "2026-05-02T00:00:00Z", metadata: { container: { tags: ["1.0", "latest"] } } },
        { name: two, created_at: "2026-05-01T00:00:00Z", metadata: { container: { tags: [] } } },
      ],
    }));
    assert.deepEqual(await all(githubTimes({ api, token: "t0ken" })), ["1.0 2026-05-02 1", "latest 2026-05-02 1"]);
    assert.match(asked[0] ?? "", / Bearer t0ken$/);
  });

  test("that answers nonsense, leads elsewhere or in a circle is said to", async () => {
    const first = "/v2/repositories/library/alpine/tags?page_size=100&ordering=last_updated";
    for (const [answer, code] of [
      ["<p>Log in</p>", "REGISTRY"],
      [{ next: "https://elsewhere.test/", results: [] }, "REGISTRY"],
      [{ next: first, results: [] }, "REGISTRY"],
      [{ next: "http://[elsewhere", results: [] }, "REGISTRY"],
      [undefined, "NOT_FOUND"],
    ] as const) {
      const { api } = await serving(() => (answer === undefined ? {} : { [first]: answer }));
      await assert.rejects(
        all(dockerHubTimes({ api }), "alpine"),
        (error) => isDrayError(error, code),
        JSON.stringify(answer),
      );
    }
    for (const odd of [null, 3, [], {}, { results: "x" }, { next: 7 }, { next: {}, results: [{ name: "a" }] }]) {
      const { api } = await serving(() => ({ [first]: JSON.stringify(odd) }));
      assert.deepEqual(await all(dockerHubTimes({ api }), "alpine"), []);
    }
    const late = await serving(() => ({ [first]: '{"results":[{"name":"a","last_updated":1e999}]}' }));
    assert.deepEqual(await all(dockerHubTimes({ api: late.api }), "alpine"), []);
  });

  test("that gives the same page under each address is left after the second", async () => {
    const tags = Array.from({ length: 100 }, (_, n) => ({
      tags: [{ name: `${n}` }],
      push_time: "2026-05-01T00:00:00Z",
    }));
    const { api, asked } = await serving(() => new Proxy({}, { get: () => tags }));
    await assert.rejects(all(harborTimes({ api })), (error) => isDrayError(error, "REGISTRY"));
    assert.equal(asked.length, 2);
  });
});
