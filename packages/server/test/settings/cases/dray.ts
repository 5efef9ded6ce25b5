import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endedOr, rawClient, statuses } from "@dray/testkit";
import { digestOf } from "dray/oci";
import type { Case } from "../case.ts";
import { imageOf, type Registry } from "../registry.ts";

const soon = { "dray.gc.grace": "0s", "dray.gc.lease": "0s" };
const gone = async (registry: Registry, target: string): Promise<boolean> =>
  (await registry.status("GET", target)) === 404;
let orphans = 0;
/** Pushes a blob that nothing names; gives its target. */
const orphan = async (registry: Registry): Promise<string> => {
  const content = `orphan ${orphans++}`;
  await registry.push("a", content);
  return `/v2/a/blobs/${digestOf(Buffer.from(content))}`;
};
/** Whether an orphan goes with a run of now. */
const collects = async (registry: Registry): Promise<boolean> => {
  const target = await orphan(registry);
  await (await registry.control()).ask("gc", {});
  return gone(registry, target);
};

const half = "GET /v2/ HTTP/1.1\r\n";
const rest = "Host: a\r\n\r\n";

/** Whether what is written there tells of a push. */
const told = (names: readonly string[], word: string) => async (registry: Registry) => {
  await registry.push("told", "x");
  await registry.flush();
  return names.map((name) => {
    const path = join(registry.folder, name);
    return existsSync(path) && readFileSync(path, "utf8").includes(word);
  });
};
const which = [
  [true, false],
  [false, true],
] as const;

export const drayCases: readonly Case[] = [
  {
    key: "dray.durability",
    looksAt: "whether a push waits for the disk",
    values: ["full", "relaxed"],
    storage: "files",
    see: async (registry) => {
      const before = await registry.syncs();
      await registry.push("a", "x");
      return (await registry.syncs()) > before;
    },
    sees: [true, false],
  },
  {
    key: "dray.index",
    looksAt: "where the index lies",
    values: ["{data}/one.db", "{data}/two.db"],
    storage: "files",
    see: async (registry) => ["one.db", "two.db"].map((name) => existsSync(join(registry.folder, name))),
    sees: which,
  },
  {
    key: "dray.freespace",
    looksAt: "the answer to a push",
    values: ["0", "4000TiB"],
    storage: "files",
    see: async (registry) => (await registry.push("a", "x")).status,
    sees: [201, 503],
  },
  {
    key: "dray.quotas",
    looksAt: "the answer to a push of ten bytes to a/b",
    values: ["['a/**=9', '**=1GiB']", "['c/**=9']"],
    see: async (registry) => (await registry.push("a/b", "x".repeat(10))).status,
    sees: [403, 201],
  },
  {
    key: "dray.memory",
    looksAt: "whether more than 1 MiB of manifests is kept in memory",
    values: ["1MiB", "64MiB"],
    storage: "files",
    see: async (registry) => {
      for (let at = 0; at < 12; at++) {
        const digest = await registry.pushImage("a", `t${at}`, "x".repeat(200_000 + at));
        await registry.status("GET", `/v2/a/manifests/${digest}`);
      }
      return Number((await (await registry.control()).ask("status", {}))["memory"]) > 1024 * 1024;
    },
    sees: [false, true],
  },
  {
    key: "dray.recheck",
    looksAt: "whether a tag that was changed in the tree is served as it is there",
    values: ["1ms", "1h"],
    storage: "files",
    see: async (registry) => {
      const former = await registry.pushImage("a", "former", "former");
      const latter = await registry.pushImage("a", "tag", "latter");
      await registry.status("GET", "/v2/a/manifests/tag");
      const link = "docker/registry/v2/repositories/a/_manifests/tags/tag/current/link";
      await writeFile(join(registry.folder, "data", link), former);
      await sleep(20);
      return (await registry.ask("GET", "/v2/a/manifests/tag")).header("Docker-Content-Digest") === latter;
    },
    sees: [false, true],
  },
  {
    key: "dray.manifestsize",
    looksAt: "the answer to a manifest of 3,000 bytes",
    values: ["2KiB", "4KiB"],
    see: async (registry) => {
      await registry.push("a", "{}");
      return (await registry.put("a", "1", imageOf("x".repeat(3000)))).status;
    },
    sees: [413, 201],
  },
  {
    key: "dray.validation.sparseimages",
    looksAt: "the answer to an image without its configuration",
    values: ["true", "false"],
    see: async (registry) => (await registry.put("sparse", "1", imageOf(""))).status,
    sees: [201, 400],
  },
  {
    key: "dray.referrers",
    looksAt: "referrers in the first page",
    values: ["1", "2"],
    see: async (registry) => {
      const digest = await registry.pushImage("a", "1");
      const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: imageOf("").length };
      for (const note of ["one", "two"])
        await registry.put("a", note, JSON.stringify({ ...(JSON.parse(imageOf(note)) as object), subject }));
      const page = JSON.parse((await registry.ask("GET", `/v2/a/referrers/${digest}`)).text) as {
        manifests: unknown[];
      };
      return page.manifests.length;
    },
    sees: [1, 2],
  },
  {
    key: "dray.gc.grace",
    looksAt: "whether a blob that nothing names is collected",
    values: ["0s", "1h"],
    beside: { "dray.gc.lease": "0s" },
    storage: "files",
    see: collects,
    sees: [true, false],
    without: false,
  },
  {
    key: "dray.gc.lease",
    looksAt: "whether a blob that nothing names is collected",
    values: ["0s", "1h"],
    beside: { "dray.gc.grace": "0s" },
    storage: "files",
    see: collects,
    sees: [true, false],
  },
  {
    key: "dray.gc.interval",
    looksAt: "whether a blob that nothing names is collected by itself",
    values: ["100ms", "0s"],
    beside: soon,
    see: async (registry) => {
      const target = await orphan(registry);
      const ends = performance.now() + (registry.said("dray.gc.interval") === "100ms" ? 20_000 : 500);
      while (performance.now() < ends && !registry.written("err").includes("gc removed")) await sleep(25);
      return gone(registry, target);
    },
    sees: [true, false],
  },
  {
    key: "dray.verify.interval",
    looksAt: "whether the registry is verified by itself",
    values: ["100ms", "0s"],
    see: async (registry) => {
      const ends = performance.now() + (registry.said("dray.verify.interval") === "100ms" ? 20_000 : 500);
      const isDone = (): boolean => registry.written("err").includes("the registry was verified");
      while (performance.now() < ends && !isDone()) await sleep(25);
      return isDone();
    },
    sees: [true, false],
  },
  {
    key: "dray.verify.rate",
    looksAt: "whether a run comes to its end soon",
    values: ["1", "0"],
    storage: "files",
    see: async (registry) => {
      await registry.push("a", "as many bytes as seconds");
      const cut = new AbortController();
      const client = await registry.control();
      const run = client.ask("verify", {}, { signal: cut.signal }).then(
        () => true,
        () => false,
      );
      const enough = sleep(registry.said("dray.verify.rate") === "1" ? 500 : 20_000, false, { ref: false });
      const isDone = await Promise.race([run, enough]);
      cut.abort();
      await run;
      return isDone;
    },
    sees: [false, true],
  },
  {
    key: "dray.retention.untagged",
    looksAt: "whether an image without a tag is collected",
    values: ["0s", "1h"],
    beside: soon,
    storage: "files",
    see: async (registry) => {
      const digest = await registry.pushImage("a", "moving", String(orphans++));
      await registry.pushImage("a", "moving", String(orphans++));
      await (await registry.control()).ask("gc", {});
      return gone(registry, `/v2/a/manifests/${digest}`);
    },
    sees: [true, false],
    without: false,
  },
  {
    key: "dray.uploads.silence",
    looksAt: "whether an upload whose connection is silent may be taken over within half a second",
    values: ["20ms", "1h"],
    see: async (registry) => {
      const place = (await registry.ask("POST", "/v2/a/blobs/uploads/")).header("Location");
      const silent = await rawClient(registry.port);
      silent.send(`PATCH ${place} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`);
      await silent.until(/100 Continue/);
      silent.send("x");
      const asked = registry.status("GET", place);
      const ends = registry.said("dray.uploads.silence") === "20ms" ? 20_000 : 500;
      const over = await Promise.race([asked, sleep(ends, 0)]);
      silent.socket.destroy();
      await asked;
      return over === 204;
    },
    sees: [true, false],
  },
  {
    key: "dray.trustedproxies",
    looksAt: "whether the word of a proxy at 127.0.0.1 counts",
    values: ["[127.0.0.0/8]", "[10.0.0.0/8]"],
    beside: { "http.relativeurls": "false" },
    see: async (registry) => {
      const headers = { "X-Forwarded-Proto": "https" };
      return new URL((await registry.ask("POST", "/v2/a/blobs/uploads/", { headers })).header("Location")).protocol;
    },
    sees: ["https:", "http:"],
  },
  {
    key: "dray.limits.headers",
    looksAt: "whether headers may take 400 ms",
    values: ["50ms", "1h"],
    see: async (registry) => {
      const client = await rawClient(registry.port);
      client.send(half);
      await endedOr(client, 400, registry.said("dray.limits.headers") === "50ms");
      client.send(`Connection: close\r\n${rest}`);
      return statuses((await client.ended()).text)[0] === 200;
    },
    sees: [false, true],
  },
  {
    key: "dray.limits.idle",
    looksAt: "whether a body may stand still for 400 ms",
    values: ["50ms", "1h"],
    see: async (registry) => {
      const place = (await registry.ask("POST", "/v2/a/blobs/uploads/")).header("Location");
      const client = await rawClient(registry.port);
      client.send(`PATCH ${place} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nx`);
      await endedOr(client, 400, registry.said("dray.limits.idle") === "50ms");
      client.send("x");
      return statuses((await client.ended()).text).includes(202);
    },
    sees: [false, true],
  },
  {
    key: "dray.limits.keepalive",
    looksAt: "whether a connection may rest for 1.5 s",
    values: ["50ms", "1h"],
    see: async (registry) => {
      const client = await rawClient(registry.port);
      client.send(half + rest);
      await client.until(/\r\n\r\n/);
      await endedOr(client, 1500, registry.said("dray.limits.keepalive") === "50ms");
      client.send(`${half}Connection: close\r\n${rest}`);
      return statuses((await client.ended()).text).length;
    },
    sees: [1, 2],
  },
  {
    key: "dray.limits.headersize",
    looksAt: "the answer to 4,000 bytes of headers",
    values: ["2KiB", "16KiB"],
    see: (registry) => registry.status("GET", "/v2/", { headers: { "X-Long": "x".repeat(4000) } }),
    sees: [431, 200],
  },
  {
    key: "dray.limits.target",
    looksAt: "the answer to a path with 300 characters",
    values: ["100", "1000"],
    see: (registry) => registry.status("GET", `/v2/?${"x".repeat(300)}`),
    sees: [414, 200],
  },
  {
    key: "dray.limits.connections",
    looksAt: "whether a second connection is served",
    values: ["1", "0"],
    see: async (registry) => {
      const [first, second] = [await rawClient(registry.port), await rawClient(registry.port)];
      first.send(half + rest);
      await first.until(/\r\n\r\n/);
      second.send(`${half}Connection: close\r\n${rest}`);
      const { text } = await second.ended();
      first.socket.destroy();
      return text.includes("200 OK");
    },
    sees: [false, true],
  },
  {
    key: "dray.limits.memory",
    looksAt: "whether beginnings of 24 blobs that stand still lie in files",
    values: ["1MiB", "32MiB"],
    storage: "files",
    see: async (registry) => {
      const digest = digestOf(Buffer.from("x"));
      const clients = await Promise.all(Array.from({ length: 24 }, () => rawClient(registry.port)));
      for (const client of clients)
        client.send(
          `POST /v2/a/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: a\r\nContent-Length: 60001\r\n\r\n${"x".repeat(60_000)}`,
        );
      const uploads = join(registry.folder, "data/docker/registry/v2/repositories/a/_uploads");
      const isThere = (): boolean => existsSync(uploads) && readdirSync(uploads).length > 0;
      const ends = performance.now() + (registry.said("dray.limits.memory") === "1MiB" ? 20_000 : 400);
      while (performance.now() < ends && !isThere()) await sleep(25);
      const found = isThere();
      for (const { socket } of clients) socket.destroy();
      return found;
    },
    sees: [true, false],
  },
  {
    key: "dray.log.access.format",
    looksAt: "how the line of a request begins",
    values: ["json", "text"],
    see: async (registry) => {
      await registry.ask("GET", "/v2/");
      await registry.flush();
      return registry.written("out")[0] === "{";
    },
    sees: [true, false],
  },
  {
    key: "dray.log.access.to",
    looksAt: "the file that has the line of a request",
    values: ["{data}/one.log", "{data}/two.log"],
    see: told(["one.log", "two.log"], "/v2/told/"),
    sees: which,
  },
  {
    key: "dray.log.audit.to",
    looksAt: "the file that has the line of a push",
    values: ["{data}/one.log", "{data}/two.log"],
    see: told(["one.log", "two.log"], '"action":"push"'),
    sees: which,
  },
];
