import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { testCache } from "../../test/cache-contract.ts";
import { openFile } from "../file/index.ts";
import { cacheTables, sqliteCache } from "./index.ts";

const file = await openFile(":memory:", { rooms: [cacheTables] });
let now = Date.UTC(2026, 11, 1);
const cache = sqliteCache(file, { clock: { now: () => now } });

describe("a cache in the file of a watch", () => {
  after(() => file.close());
  testCache(
    () => cache,
    () => now,
  );

  test("keeps a value for twice the time to its deadline and an hour at least, and removes what is older", async () => {
    await cache.set("hour", Buffer.from("1"), now + 1000);
    await cache.set("day", Buffer.from("1"), now + 86_400_000);
    now += 3_600_000 - 1;
    assert.ok(await cache.get("hour"));
    now += 1;
    assert.equal(await cache.get("hour"), undefined);
    now += 2 * 86_400_000 - 3_600_000 - 1;
    assert.ok(await cache.get("day"));
    now += 1;
    assert.equal(await cache.get("day"), undefined);
    const rows = (): number => Number(file.statements.get("SELECT count(*) FROM cache WHERE until <= ?", now)?.[0]);
    while (rows() > 0) {
      const before = rows();
      await cache.set("new", Buffer.from("1"), now + 1000);
      assert.ok(rows() < before);
    }
    assert.ok(await cache.get("new"));
  });
});
