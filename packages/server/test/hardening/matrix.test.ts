import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { HttpRequest } from "dray/http";
import { routeOf } from "../../src/endpoints/api.ts";
import { memoryDriver } from "../../src/storage/index.ts";
import type { MemoryFiles } from "../../src/storage/memory-driver.ts";
import type { Case } from "./case.ts";
import { conditions } from "./cases/conditions.ts";
import { digests } from "./cases/digests.ts";
import { limits } from "./cases/limits.ts";
import { manifests } from "./cases/manifests.ts";
import { methodsNotAllowed, writesWhileReadOnly } from "./cases/methods.ts";
import { names } from "./cases/names.ts";
import { ranges } from "./cases/ranges.ts";
import { sessions } from "./cases/sessions.ts";
import { readDocumented } from "./documented.ts";
import { makeFixture } from "./fixture.ts";
import { imageDigest } from "./sample.ts";
import { checkTreePath, watched } from "./watched.ts";

/** Every file with its bytes, but not what an upload session has: that may wait in memory or in its file. */
const filesOf = (driver: MemoryFiles, path = "docker"): Map<string, string> => {
  const inside = driver.listSync(path);
  if (inside === undefined) return new Map([[path, Buffer.from(driver.getSync(path) ?? []).toString("base64")]]);
  return new Map(inside.flatMap((name) => (name === "_uploads" ? [] : [...filesOf(driver, `${path}/${name}`)])));
};

let passed = 0;
const tables: Readonly<Record<string, readonly Case[]>> = {
  digests,
  manifests,
  names,
  ranges,
  limits,
  conditions,
  sessions,
  methodsNotAllowed,
  writesWhileReadOnly,
};

const documented = readDocumented(await readFile(new URL("../../../../docs/server-http.md", import.meta.url), "utf8"));
const sampleOf = (path: string): string =>
  path.replace("<name>", "app").replace("<digest>", imageDigest).replace("<tag>", "v1").replace("<session>", "x");
const told = new Map<string, ReadonlySet<string>>();
for (const { path, methods, answers } of documented.endpoints)
  for (const method of methods) told.set(`${method} ${routeOf(sampleOf(path)).kind}`, answers);
const seen = new Set<string>();
/** Every answer is one that the page of the HTTP API tells of. */
const hear = ({ method, target }: HttpRequest, answer: string): void => {
  const { kind } = routeOf(target.split("?", 1)[0] ?? "");
  seen.add(`${method} ${kind}: ${answer}`);
  if (documented.anywhere.has(answer) || method === "OPTIONS" || method === "HEAD") return;
  assert.ok(
    told.get(`${method} ${kind}`)?.has(answer),
    `docs/server-http.md tells nothing of ${answer} to ${method} ${kind}`,
  );
};

for (const [table, cases] of Object.entries(tables))
  suite(table, () => {
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length, "two cases of one name");
    for (const one of cases)
      test(one.name, async () => {
        const driver = memoryDriver();
        const paths = new Set<string>();
        const fixture = await makeFixture(
          watched(driver, (path) => paths.add(path)),
          one.settings,
          hear,
        );
        for (const ask of one.before ?? []) await fixture.ask(ask);
        if (table === "writesWhileReadOnly") fixture.registry.setReadOnly(true);
        const files = filesOf(driver);
        await fixture.ask(one);
        if (one.status >= 400 && one.changes === undefined)
          assert.ok(isDeepStrictEqual(filesOf(driver), files), "what was refused changed something");
        for (const ask of one.after ?? []) await fixture.ask(ask);
        for (const path of paths) checkTreePath(path, one.name);
        // Nothing of all this is a fault of the registry.
        assert.deepEqual(fixture.notices, []);
        await fixture.registry.close();
        passed++;
      });
  });

test("and everything that the page tells of was seen", () => {
  const wanted = [...told].flatMap(([asked, answers]) => [...answers].map((answer) => `${asked}: ${answer}`));
  assert.deepEqual(
    wanted.filter((asked) => !asked.startsWith("HEAD ") && !seen.has(asked)),
    [],
  );
});

after(() => {
  const cases = Object.values(tables).flat().length;
  console.log(passed === cases ? `${cases} cases, all as written` : `${passed} of ${cases} cases as written`);
});
