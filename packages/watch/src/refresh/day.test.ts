import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { answerWith, chanceOf, fakeClock, memoryRegistry } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { Keychain } from "dray/auth";
import { DrayError } from "dray/errors";
import { type Handler, header } from "dray/http";
import type { Digest } from "dray/oci";
import { clients } from "../../test/clients.ts";
import { putImage, removeTag, watchFile } from "../../test/watched.ts";
import { EventLog } from "../events/index.ts";
import { parseRepository } from "../repository.ts";
import { allRepositories } from "../state/index.ts";
import { createRefresh } from "./index.ts";

const [minute, hour] = [60_000, 3_600_000];

/** Where each repository lies, and what its registry goes through. */
const hosts = ["quiet.example", "stormy.example", "down.example", "locked.example"] as const;

test("a day in the life: fifty repositories, a storm of 429, six hours of outage, a restart, and a password that changes", async () => {
  const clock = fakeClock(Date.UTC(2026, 2, 1));
  const start = clock.now();
  const chance = chanceOf(24);
  const registry = memoryRegistry({ sparse: true });
  let [theirs, ours] = ["first", "first"];
  const between = (from: number, to: number): boolean =>
    clock.now() >= start + from * hour && clock.now() < start + to * hour;
  let refused = 0;

  const handler: Handler = async (request) => {
    const host = request.origin.replace(/^https?:\/\//, "");
    if (host === "down.example" && between(8, 14)) throw new DrayError("NETWORK", "no route to host");
    if (host === "stormy.example" && between(3, 5) && chance.next() < 0.7) {
      refused++;
      return answerWith(
        429,
        chance.next() < 0.5 ? { "Retry-After": "600" } : {},
        "slow down",
      )(request, registry.handler);
    }
    if (host === "locked.example") {
      const sent = Buffer.from(
        (header(request.headers, "Authorization") ?? "").replace(/^Basic /, ""),
        "base64",
      ).toString();
      if (sent !== `ann:${theirs}`)
        return answerWith(401, { "WWW-Authenticate": 'Basic realm="r"' })(request, registry.handler);
    }
    return registry.handler(request);
  };
  const keychain: Keychain = async ({ registry: host }) =>
    host === "locked.example" ? { username: "ann", password: ours, source: "test" } : undefined;
  const repositories = Array.from({ length: 50 }, (_, n) => ({
    path: `team/app-${n}`,
    host: hosts[n % hosts.length] as string,
  }));
  const nameOf = ({ host, path }: (typeof repositories)[number]): string => `${host}/${path}`;

  // What is there before anybody looks.
  const there = new Map(repositories.map((each) => [nameOf(each), new Map<string, Digest>()]));
  const changed = new Map<string, number>();
  let texts = 0;
  const put = (each: (typeof repositories)[number], tag: string): Digest => {
    const digest = putImage(registry, each.path, tag, `${each.path} ${texts++}`);
    there.get(nameOf(each))?.set(tag, digest);
    return digest;
  };
  for (const each of repositories) for (const tag of ["1.0", "1.1", "latest"]) put(each, tag);

  const path = join(temporaryFolder("watch-day"), "watch.db");
  const begin = async () => {
    const file = await watchFile(path);
    const { factory } = clients(
      {
        clock,
        maxWait: 0,
        connect: () => ({ connection: handler, ambient: false, plainHttp: false, retry: { attempts: 1 } }),
      },
      registry,
    );
    const intervals = { first: 100 * minute, least: 80 * minute, most: 120 * minute };
    const options = { file, clock, listIntervals: intervals, tagIntervals: intervals };
    const clientFor = (repository: ReturnType<typeof parseRepository>) => factory.clientFor(repository, keychain);
    const refresh = createRefresh({ ...options, clientFor });
    const stop = new AbortController();
    for (const each of repositories) await refresh.add(parseRepository(nameOf(each)));
    const run = refresh.run(stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await clock.run(run);
      file.close();
    };
    return { file, end };
  };

  const expected: string[] = [];
  const note = (type: string, name: string, tag: string, digest?: Digest, previous?: Digest): void =>
    void expected.push([type, name, tag, digest, previous].join(" "));
  /** Something happens to a tag that has been left alone for long enough to have been seen. */
  const happen = async (): Promise<void> => {
    const each = repositories[Math.floor(chance.next() * repositories.length)] as (typeof repositories)[number];
    const [name, tags] = [nameOf(each), there.get(nameOf(each)) as Map<string, Digest>];
    const tag = [...tags.keys(), "1.2", "1.3", "edge"][Math.floor(chance.next() * (tags.size + 3))] as string;
    if (clock.now() - (changed.get(`${name}:${tag}`) ?? start) < 9 * hour && changed.has(`${name}:${tag}`)) return;
    changed.set(`${name}:${tag}`, clock.now());
    const previous = tags.get(tag);
    if (previous === undefined) return note("tag.added", name, tag, put(each, tag));
    if (chance.next() < 0.6) return note("tag.moved", name, tag, put(each, tag), previous);
    await removeTag(registry, each.path, tag);
    tags.delete(tag);
    note("tag.removed", name, tag, undefined, previous);
  };

  let watch = await begin();
  await clock.advance(hour);
  for (let at = 60; at < 24 * 60; at += 10) {
    for (let n = 0; n < 3; n++) await happen();
    await clock.advance(5 * minute);
    if (at === 16 * 60) theirs = "second";
    if (at === 18 * 60) ours = "second";
    // In the middle of whatever is going on.
    if (at === 4 * 60 || at === 11 * 60 || at === 17 * 60) {
      await watch.end();
      watch = await begin();
    }
    await clock.advance(5 * minute);
  }
  await clock.advance(4 * hour);

  const events = new EventLog(watch.file.statements).list({ limit: 10_000 });
  const told = events.map(({ type, repository, tag, digest, previous }) =>
    [type, repository, tag, digest, previous].join(" "),
  );
  assert.deepEqual(told.toSorted(), expected.toSorted());
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  assert.ok(expected.length > 150 && refused > 10, `${expected.length} changes, ${refused} refusals`);
  assert.deepEqual(
    allRepositories(watch.file.statements).filter(({ problem }) => problem !== undefined),
    [],
  );
  await watch.end();
});
