import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../config/index.ts";
import { Reloading } from "./reloading.ts";

test("of two reloads at once the one that was asked for later is what applies", async () => {
  const settingsOf = (name: string): Settings =>
    ({ name, effective: [], listen: {}, access: {} }) as unknown as Settings;
  const { promise: late, resolve: go } = Promise.withResolvers<void>();
  const said: string[] = [];
  const applied: Settings[] = [];
  let reads = 0;
  const reloading = new Reloading(settingsOf("start"), {
    again: async () => settingsOf(`read ${++reads}`),
    renew: async () => {
      if (reads === 1) await late;
      if (reads === 2) throw new Error("a file is broken");
    },
    apply: async (next) => void applied.push(next),
    log: (_, message) => void said.push(message),
  });
  const [first, second, third] = [reloading.reload(), reloading.reload(), reloading.reload()];
  const broken = assert.rejects(second, /a file is broken/);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(reads, 1);
  go();
  await Promise.all([first, broken, third]);
  assert.deepEqual(applied, [settingsOf("read 1"), settingsOf("read 3")]);
  assert.deepEqual(reloading.current, settingsOf("read 3"));
  assert.equal(said.filter((message) => message.startsWith("not reloaded")).length, 1);
});
