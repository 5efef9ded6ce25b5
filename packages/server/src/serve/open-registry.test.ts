import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import { loadSettings } from "../config/index.ts";
import { openRegistry } from "./open-registry.ts";

const users = join(temporaryFolder("lockout"), "users");

/** Wrong passwords that are heard before nobody listens any more, as the configuration says. */
const heard = async (attempts: number): Promise<number> => {
  const text = [
    "version: 0.1",
    "storage: {inmemory: {}}",
    `auth: {htpasswd: {realm: registry, path: ${JSON.stringify(users)}}}`,
    `dray: {access: {lockout: {attempts: ${attempts}}}}`,
  ].join("\n");
  const { settings } = loadSettings({ text });
  const { access, registry } = await openRegistry(settings, { onNotice: () => {}, who: "a test" });
  const authorization = `Basic ${Buffer.from("ann:wrong").toString("base64")}`;
  const request = {
    method: "GET",
    origin: "http://registry.test",
    target: "/v2/",
    headers: [["Authorization", authorization]] as const,
    peer: "192.0.2.1:4000",
  };
  try {
    for (let asked = 0; asked < 20; asked++) {
      const verdict = await access.authorise(request, { known: true });
      assert.ok(!verdict.allowed);
      if (verdict.status === 429) return asked;
    }
    return Number.POSITIVE_INFINITY;
  } finally {
    await registry.close();
  }
};

test("as many wrong passwords are heard as dray.access.lockout.attempts says", async () => {
  await writeFile(users, `ann:${hashSync("right", 4)}\n`);
  assert.deepEqual([await heard(2), await heard(5)], [2, 5]);
});
