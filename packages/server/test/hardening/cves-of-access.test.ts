import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accessLog, observe } from "@dray/service/observe";
import { type Exchange, exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import { header } from "dray/http";
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from "jose";
import { type Access, type Action, htpasswd, tokens } from "../../src/access/index.ts";
import { deletes, filled, learn, reads } from "./lesson.ts";
import { blobDigest, image, imageDigest } from "./sample.ts";

/* What went wrong in other registries with who may do what, by their advisories and issues. */

const folder = temporaryFolder("cves");
const statusOf = async (answer: Promise<Exchange>): Promise<number> => (await answer).status;

/** Rights by name of a user, who says it in a header: `{ann: {"team/*": ["pull"]}}`. */
const rights = (table: Readonly<Record<string, Readonly<Record<string, readonly Action[]>>>>): Access => ({
  authorise: (request, need) => {
    const name = header(request.headers, "X-Test-User") ?? "";
    const may = (repository: string, action: Action): boolean => table[name]?.[repository]?.includes(action) === true;
    if ("repository" in need && !need.actions.every((action) => may(need.repository, action)))
      return { allowed: false, status: 403, message: "not allowed" };
    return { allowed: true, principal: { name, may } };
  },
});
const as = (name: string): { headers: Record<string, string> } => ({ headers: { "X-Test-User": name } });

/** Everything that writes. */
const writes: readonly (readonly [method: string, target: string])[] = [
  ["POST", "/v2/app/blobs/uploads/"],
  ["POST", `/v2/app/blobs/uploads/?digest=${blobDigest}`],
  ["POST", `/v2/app/blobs/uploads/?mount=${blobDigest}&from=app`],
  ["PUT", "/v2/app/manifests/new"],
  ["PUT", `/v2/app/manifests/${imageDigest}?tag=new`],
  ["PATCH", "/v2/app/blobs/uploads/01234567-89ab-cdef-0123-456789abcdef"],
  ["PUT", `/v2/app/blobs/uploads/01234567-89ab-cdef-0123-456789abcdef?digest=${blobDigest}`],
  ...deletes.map((target) => ["DELETE", target] as const),
];

const basic = (password: string): { headers: Record<string, string> } => ({
  headers: { Authorization: `Basic ${Buffer.from(`ann:${password}`).toString("base64")}` },
});
const usersFile = async (text: string): Promise<string> => {
  const file = join(await mkdtemp(join(folder, "users-")), "htpasswd");
  await writeFile(file, text);
  return file;
};

const service = "registry.test";
const issuer = "auth.test";
const tokenWorld = async () => {
  const keys = await generateKeyPair("RS256", { extractable: true });
  const jwks = join(await mkdtemp(join(folder, "keys-")), "jwks");
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: "own" }] }));
  const access = await tokens({ realm: "https://auth.test/token", service, issuer, jwks });
  const make = async (
    grants: Readonly<Record<string, readonly string[]>>,
    {
      key = keys.privateKey,
      extra = {},
    }: { key?: GenerateKeyPairResult["privateKey"]; extra?: Record<string, unknown> } = {},
  ): Promise<{ headers: Record<string, string> }> => {
    const list = Object.entries(grants).map(([name, actions]) => ({ type: "repository", name, actions }));
    const token = await new SignJWT({ access: list })
      .setProtectedHeader({ alg: "RS256", kid: "own", ...extra })
      .setIssuer(issuer)
      .setAudience(service)
      .setSubject("ann")
      .setIssuedAt()
      .setNotBefore("-1m")
      .setExpirationTime("1h")
      .sign(key);
    return { headers: { Authorization: `Bearer ${token}` } };
  };
  return { access, make };
};

learn([
  {
    id: "CVE-2025-24976",
    what: "a token was verified with the key that it brought itself",
    test: async () => {
      const { access, make } = await tokenWorld();
      const registry = filled({ access });
      const evil = await generateKeyPair("RS256", { extractable: true });
      const jwk = { ...(await exportJWK(evil.publicKey)), kid: "own" };
      const forged = await make({ app: ["pull"] }, { key: evil.privateKey, extra: { jwk } });
      assert.equal(await statusOf(exchange(registry, "GET", "/v2/app/manifests/latest", forged)), 401);
      const own = await make({ app: ["pull"] });
      assert.equal(await statusOf(exchange(registry, "GET", "/v2/app/manifests/latest", own)), 200);
      await registry.close();
    },
  },
  {
    id: "CVE-2026-33540",
    what: "a proxy sent its credentials to a realm that somebody else named",
    nothing: "this registry asks no other one: there is no pull-through yet",
  },
  {
    id: "CVE-2024-39897",
    what: "one pool of blobs for all let HEAD and mount reach those of repositories that one may not read",
    test: async () => {
      const access = rights({ eve: { mine: ["pull", "push"] }, ann: { mine: ["pull", "push"], app: ["pull"] } });
      const registry = filled({ access });
      for (const method of ["GET", "HEAD"]) {
        assert.equal(await statusOf(exchange(registry, method, `/v2/app/blobs/${blobDigest}`, as("eve"))), 403);
        assert.equal(await statusOf(exchange(registry, method, `/v2/mine/blobs/${blobDigest}`, as("eve"))), 404);
        assert.equal(await statusOf(exchange(registry, method, `/v2/mine/manifests/${imageDigest}`, as("eve"))), 404);
      }
      for (const from of ["", "&from=app", "&from=mine"]) {
        const mount = `/v2/mine/blobs/uploads/?mount=${blobDigest}${from}`;
        assert.equal(await statusOf(exchange(registry, "POST", mount, as("eve"))), 202);
      }
      assert.equal(await statusOf(exchange(registry, "GET", `/v2/mine/blobs/${blobDigest}`, as("eve"))), 404);
      const mount = `/v2/mine/blobs/uploads/?mount=${blobDigest}`;
      assert.equal(await statusOf(exchange(registry, "POST", mount, as("ann"))), 201);
      await registry.close();
    },
  },
  {
    id: "CVE-2025-23208",
    what: "rights were added at each login and never taken away",
    test: async () => {
      const { access, make } = await tokenWorld();
      const registry = filled({ access });
      const push = (token: Parameters<typeof exchange>[3]): Promise<number> =>
        statusOf(exchange(registry, "POST", "/v2/app/blobs/uploads/", token));
      assert.equal(await push(await make({ app: ["pull", "push"] })), 202);
      assert.equal(await push(await make({ app: ["pull"] })), 401);
      await registry.close();
      // And who is no longer in the file is not let in because a password was right once.
      const file = await usersFile(`ann:${hashSync("right", 4)}\n`);
      const users = await htpasswd({ file });
      const guarded = filled({ access: users });
      assert.equal(await statusOf(exchange(guarded, "GET", "/v2/", basic("right"))), 200);
      await writeFile(file, `bob:${hashSync("right", 4)}\n`);
      await users.reload?.();
      assert.equal(await statusOf(exchange(guarded, "GET", "/v2/", basic("right"))), 401);
      await guarded.close();
    },
  },
  {
    id: "CVE-2025-48374",
    what: "secrets were written to logs",
    test: async () => {
      const lines: string[] = [];
      const file = await usersFile(`ann:${hashSync("s3cr3t", 4)}\n`);
      const registry = filled({
        access: await htpasswd({ file }),
        onNotice: ({ message }) => lines.push(message),
      });
      const to = { write: (line: string) => lines.push(line) };
      const logged = observe([accessLog("json", to), accessLog("text", to)])(registry);
      for (const [target, options] of [
        ["/v2/app/manifests/latest?password=s3cr3t&token=s3cr3t", basic("s3cr3t")],
        ["/v2/?access_token=s3cr3t", basic("wr0ng-s3cr3t")],
        ["http://ann:s3cr3t@registry.test/v2/", {}],
      ] as const)
        await exchange(logged, "GET", target, options);
      assert.ok(lines.length >= 6, `${lines.length}`);
      for (const line of lines)
        assert.doesNotMatch(line, new RegExp(`s3cr3t|${Buffer.from("ann:s3cr3t").toString("base64").slice(0, 10)}`));
      await registry.close();
    },
  },
  {
    id: "zot #4238",
    what: "a login page sent its user wherever a parameter said",
    nothing: "there is no login page and no redirect: no answer of this registry has a 3xx but 304",
  },
  {
    id: "CVE-2019-16097",
    what: "who registered could make himself an administrator",
    nothing: "nobody registers here: users are lines of a file or subjects of a token",
  },
  {
    id: "CVE-2022-46463",
    what: "what a project called public could be read without a login, to somebody's surprise",
    test: async () => {
      const file = await usersFile(`ann:${hashSync("right", 4)}\n`);
      const registry = filled({ access: await htpasswd({ file, anonymousPull: ["public/**"] }) });
      for (const target of reads) assert.equal(await statusOf(exchange(registry, "GET", target)), 401, target);
      assert.equal(await statusOf(exchange(registry, "GET", "/v2/public/x/manifests/latest")), 404);
      await registry.close();
    },
  },
  {
    id: "CVE-2022-31666 to 31671",
    what: "an id in a path was not looked up together with the project it belongs to",
    test: async () => {
      const all: readonly Action[] = ["pull", "push", "delete"];
      const registry = filled({ access: rights({ ann: { app: all }, eve: { app: all, mine: all } }) });
      const begun = await exchange(registry, "POST", "/v2/app/blobs/uploads/", as("ann"));
      const own = begun.header("Location") ?? "";
      for (const [target, name] of [
        [own, "eve"],
        [own.replace("/app/", "/mine/"), "eve"],
        [own.replace("/app/", "/mine/"), "ann"],
      ] as const)
        for (const method of ["GET", "HEAD", "PATCH", "PUT", "DELETE"]) {
          const query = method === "PUT" ? `?digest=${blobDigest}` : "";
          const status = await statusOf(exchange(registry, method, `${target}${query}`, as(name)));
          assert.equal(status, name === "eve" ? 404 : 403, `${method} ${target} as ${name}`);
        }
      assert.equal(await statusOf(exchange(registry, "GET", own, as("ann"))), 204);
      await registry.close();
    },
  },
  {
    id: "CVE-2024-22278",
    what: "a side endpoint changed what the main one protected",
    test: async () => {
      const registry = filled({ access: rights({ ann: { app: ["pull"] } }) });
      for (const [method, target] of writes)
        assert.equal(
          await statusOf(exchange(registry, method, target, { ...as("ann"), body: image })),
          403,
          `${method} ${target}`,
        );
      for (const target of reads)
        assert.equal(await statusOf(exchange(registry, "GET", target, as("ann"))), 200, target);
      await registry.close();
    },
  },
  {
    id: "CVE-2025-30086",
    what: "a filter over users could ask for their password hashes",
    nothing: "there is no list of users to ask, and no filter but `artifactType`",
  },
  {
    id: "CVE-2026-27771",
    what: "private images could be pulled by anybody",
    test: async () => {
      const file = await usersFile(`ann:${hashSync("right", 4)}\n`);
      const { access } = await tokenWorld();
      for (const guard of [await htpasswd({ file }), access]) {
        const registry = filled({ access: guard });
        for (const target of reads)
          for (const method of ["GET", "HEAD"]) {
            const answer = await exchange(registry, method, target);
            assert.equal(answer.status, 401, `${method} ${target}`);
            assert.equal(answer.header("Docker-Content-Digest"), undefined);
          }
        for (const [method, target] of writes)
          assert.equal(await statusOf(exchange(registry, method, target, { body: image })), 401, `${method} ${target}`);
        await registry.close();
      }
    },
  },
]);
