import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, fakeClock, memoryRegistry } from "@dray/testkit";
import { anonymous } from "dray/auth";
import type { Handler } from "dray/http";
import { putImage } from "../../test/watched.ts";
import { Budgets, budgetTables } from "../budget/index.ts";
import { eventTables } from "../events/index.ts";
import { openFile } from "../file/index.ts";
import { ledgerTables } from "../ledger/index.ts";
import { parseRepository } from "../repository.ts";
import { entryOf, repositoryNamed, stateTables, tagNamed } from "../state/index.ts";
import { budgetedClients, createRefresh } from "./index.ts";

const [minute, hour] = [60_000, 3_600_000];
/** In short a fifth of each, which comes to the same hours. */
const [images, quota] = process.env["DRAY_LONG_TESTS"] === "1" ? [300, 100] : [60, 20];

test("images of Docker Hub, three times as many as may be read in an hour: none beyond the quota, a share is left to pulls, and all are known as soon as that allows", async () => {
  const clock = fakeClock();
  const registry = memoryRegistry({ sparse: true });
  /** Reads of manifests that the registry has counted, by hours. */
  const counted: number[] = [];
  let refused = 0;
  const began = clock.now();
  const hub: Handler = async (request) => {
    const hours = Math.floor((clock.now() - began) / hour);
    const used = counted[hours] ?? 0;
    const isCounted = request.method === "GET" && request.target.includes("/manifests/");
    if (isCounted && used >= quota) {
      refused++;
      return answerWith(429, {}, "{}")(request, registry.handler);
    }
    if (isCounted) counted[hours] = used + 1;
    const response = await registry.handler(request);
    if (!request.target.includes("/manifests/")) return response;
    const left = quota - (counted[hours] ?? 0);
    const told: [string, string][] = [
      ["RateLimit-Limit", `${quota};w=3600`],
      ["RateLimit-Remaining", `${left};w=3600`],
    ];
    return { ...response, headers: [...response.headers, ...told] };
  };
  const repositories = Array.from({ length: images }, (_, n) => parseRepository(`team/app-${n}`));
  for (const { namespaceImage } of repositories) putImage(registry, namespaceImage, "1.0", namespaceImage);
  const file = await openFile(":memory:", { rooms: [stateTables, eventTables, ledgerTables, budgetTables] });
  const clients = budgetedClients({
    file,
    budgets: new Budgets(file.statements, { reserve: 0.3 }),
    keychain: () => anonymous,
    connect: () => ({ connection: hub, ambient: false }),
    clock,
  });
  const refresh = createRefresh({
    file,
    clock,
    clientFor: (repository) => clients.clientFor(repository),
    wanted: () => ({ text: "", wants: () => true, details: (tags) => tags }),
  });
  for (const repository of repositories) await refresh.add(repository);
  const known = (): number =>
    repositories.filter(({ text }) => {
      const id = repositoryNamed(file.statements, text)?.id ?? 0;
      const digest = tagNamed(file.statements, id, "1.0")?.digest;
      return digest !== undefined && entryOf(file.statements, digest) !== undefined;
    }).length;

  const ended = new AbortController();
  const running = refresh.run(ended.signal);
  const byHour: number[] = [];
  for (let hours = 0; hours < 6; hours++) {
    for (let minutes = 0; minutes < 60; minutes += 5) await clock.advance(5 * minute);
    byHour.push(known());
  }
  ended.abort();
  await clock.run(running);
  await clients.close();
  assert.equal(refused, 0);
  assert.ok(
    counted.every((reads) => reads <= quota * 0.7),
    counted.join(),
  );
  assert.equal(byHour[0], quota * 0.7);
  assert.equal(byHour.at(-1), images, byHour.join());
  file.close();
});
