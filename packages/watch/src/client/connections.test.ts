import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryRegistry } from "@dray/testkit";
import { Connections } from "./connections.ts";

const { handler } = memoryRegistry();
const keychain = async (): Promise<undefined> => undefined;

test("there is one connection for each registry and keychain", async () => {
  const connections = new Connections(() => ({ connection: handler, ambient: false }));
  const seen = new Set<unknown>();
  const use = (host: string, credentials?: typeof keychain): Promise<unknown> =>
    connections.with(host, credentials, async (registry) => seen.add(registry));
  await use("a.example");
  await use("a.example");
  assert.equal(seen.size, 1);
  await use("a.example", keychain);
  await use("b.example", keychain);
  await use("b.example", keychain);
  assert.equal(seen.size, 3);
  assert.equal(connections.size, 3);
});

test("what was not used for longest is closed, never while somebody uses it", async () => {
  const connections = new Connections(() => ({ connection: handler, ambient: false }), 2);
  const use = (host: string): Promise<unknown> => connections.with(host, undefined, async (registry) => registry);
  let finish = (): void => {};
  const long = connections.with("long.example", undefined, () => new Promise<void>((resolve) => (finish = resolve)));
  const first = await use("a.example");
  for (const host of ["b.example", "c.example", "d.example"]) await use(host);
  assert.equal(connections.size, 2);
  assert.notEqual(await use("a.example"), first);
  finish();
  await long;
  await connections.close();
  assert.equal(connections.size, 0);
});

test("after the end the last user closes", async () => {
  const connections = new Connections(() => ({ connection: handler, ambient: false }));
  let finish = (): void => {};
  const long = connections.with("a.example", undefined, () => new Promise<void>((resolve) => (finish = resolve)));
  await connections.close();
  assert.equal(connections.size, 1);
  finish();
  await long;
  assert.equal(connections.size, 0);
});
