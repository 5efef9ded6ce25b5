import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import type { HttpRequest } from "dray/http";
import type { Access, Need, Verdict } from "./access.ts";
import { type HtpasswdOptions, htpasswd } from "./htpasswd.ts";

const folder = temporaryFolder("htpasswd");
const secret = "correct-horse";
const hashes = { ann: hashSync(secret, 4), bob: hashSync("battery", 4) };
const known: Need = { known: true };
const pull = (repository: string): Need => ({ repository, actions: ["pull"] });
const push = (repository: string): Need => ({ repository, actions: ["pull", "push"] });

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const request = (authorization?: string): HttpRequest => ({
  method: "GET",
  origin: "http://registry.test",
  target: "/v2/",
  headers: authorization === undefined ? [] : [["Authorization", authorization]],
  peer: "192.0.2.1:4000",
});

interface Scene {
  readonly access: Access;
  readonly ask: (authorization: string | undefined, need?: Need) => Promise<Verdict>;
  readonly status: (authorization: string | undefined, need?: Need) => Promise<number>;
}

let files = 0;
const opened: Access[] = [];
after(async () => {
  for (const access of opened) await access.close?.();
});

const scene = async (options: Partial<HtpasswdOptions> = {}): Promise<Scene> => {
  const file = join(folder, `users${++files}`);
  await writeFile(file, `ann:${hashes.ann}\nbob:${hashes.bob}\n`);
  const access = await htpasswd({ file, lockout: false, ...options });
  opened.push(access);
  const ask = async (authorization: string | undefined, need: Need = known): Promise<Verdict> =>
    access.authorise(request(authorization), need);
  return {
    access,
    ask,
    status: async (...asked) => {
      const verdict = await ask(...asked);
      return verdict.allowed ? 200 : verdict.status;
    },
  };
};

test("who is in the file may do everything, whatever the other does not", async () => {
  const { ask, status } = await scene();
  const verdict = await ask(basic("ann", secret), push("a/b"));
  assert.ok(verdict.allowed);
  assert.equal(verdict.principal.name, "ann");
  assert.ok(verdict.principal.may("any", "delete"));
  for (const authorization of [
    basic("ann", "wrong"),
    basic("ann", ""),
    basic("", secret),
    basic("eve", secret),
    basic("__proto__", secret),
    basic("bob", secret),
    basic("ann", `${secret}\0`),
    basic("ann\n", secret),
    `Bearer ${Buffer.from(`ann:${secret}`).toString("base64")}`,
    "Basic",
    "Basic !",
    `Basic ${Buffer.from("ann").toString("base64")}`,
    `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString("base64")}`,
    `Negotiate ${basic("ann", secret)}`,
  ])
    assert.equal(await status(authorization), 401, authorization);
});

test("nobody is asked for a password by a challenge that the realm is quoted in", async () => {
  const { ask } = await scene({ realm: 'the "best"' });
  const verdict = await ask(undefined);
  assert.ok(!verdict.allowed);
  assert.deepEqual([verdict.status, verdict.headers], [401, { "WWW-Authenticate": 'Basic realm="the \\"best\\""' }]);
  await assert.rejects(scene({ realm: "two\nlines" }), { code: "CONFIG_INVALID" });
});

test("two Authorization headers are none that count", async () => {
  const { access } = await scene();
  const right = basic("ann", secret);
  const twice = { ...request(), headers: [["Authorization", right] as const, ["authorization", right] as const] };
  const verdict = await access.authorise(twice, known);
  assert.ok(!verdict.allowed && verdict.status === 401);
});

test("nobody may pull what matches, and nothing else", async () => {
  const { ask, status } = await scene({ anonymousPull: ["public/**", "mirror/*"] });
  const verdict = await ask(undefined, pull("public/a/b"));
  assert.ok(verdict.allowed);
  assert.equal(verdict.principal.name, "");
  const may = (repository: string, action: "pull" | "push" | "delete"): boolean =>
    verdict.principal.may(repository, action);
  assert.deepEqual(
    [may("public/x", "pull"), may("public/x", "push"), may("public/x", "delete"), may("private", "pull")],
    [true, false, false, false],
  );
  // Podman and skopeo without credentials.
  assert.equal(await status("Basic Og==", pull("public/a")), 200);
  for (const [authorization, need] of [
    [undefined, pull("private")],
    [undefined, pull("mirror/a/b")],
    [undefined, push("public/a")],
    [undefined, { repository: "public/a", actions: ["delete"] }],
    [undefined, { catalog: true }],
    [undefined, known],
    [undefined, { nobody: true }],
    [basic("ann", "wrong"), pull("public/a")],
    [basic("eve", "x"), pull("public/a")],
    ["Bearer x", pull("public/a")],
  ] as const)
    assert.equal(await status(authorization, need), 401, JSON.stringify([authorization, need]));
  assert.equal(await status(basic("ann", secret), { nobody: true }), 403);
});

test("/v2/ may answer anybody, for clients that give up where they are asked", async () => {
  const { status } = await scene({ anonymousPull: ["**"], anonymousPing: true });
  assert.equal(await status(undefined), 200);
  assert.equal(await status(undefined, push("a")), 401);
  assert.equal(await status(basic("ann", "wrong")), 401);
});
