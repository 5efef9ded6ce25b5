import assert from "node:assert/strict";
import { test } from "node:test";
import { type Credentials, credentialsOf } from "./credentials.ts";

const read = (...values: string[]): Credentials =>
  credentialsOf({ headers: values.map((value) => ["authorization", value] as const) });
const encoded = (text: string | Uint8Array): string => `Basic ${Buffer.from(text).toString("base64")}`;

test("who says who they are, and who says nothing", () => {
  for (const nobody of [read(), read(""), read(encoded(":"))]) assert.deepEqual(nobody, { kind: "none" });
  const ann = { kind: "basic", user: "ann", password: "a:b ö" };
  assert.deepEqual(read(encoded("ann:a:b ö")), ann);
  assert.deepEqual(read(encoded("ann:a:b ö").replace("Basic ", "BASIC   ").replace(/=+$/, "")), ann);
  assert.deepEqual(read(encoded("ann:")), { kind: "basic", user: "ann", password: "" });
  assert.deepEqual(read(encoded(":x")), { kind: "basic", user: "", password: "x" });
  assert.deepEqual(read("bearer a.b-c_d"), { kind: "bearer", token: "a.b-c_d" });
});

test("what says who somebody is, and cannot be right, is never nobody", () => {
  for (const values of [
    ["Basic"],
    ["Basic "],
    ["Bearer"],
    ["Bearer  "],
    ["Bearer a b"],
    ["Digest x"],
    ["ann:secret"],
    ["Basic !!!!"],
    [encoded("ann")],
    [encoded("ann:\0")],
    [encoded("ann:x\r")],
    [encoded(Uint8Array.of(0x3a, 0xff))],
    ["", ""],
    [encoded("ann:x"), encoded("ann:x")],
    [encoded(":"), encoded("ann:x")],
  ])
    assert.deepEqual(read(...values), { kind: "unusable" }, JSON.stringify(values));
});
