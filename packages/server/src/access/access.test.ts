import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import type { HttpRequest } from "dray/http";
import { exportJWK, generateKeyPair, importPKCS8, SignJWT } from "jose";
import { needOf } from "../endpoints/api.ts";
import { type Access, htpasswd, openAccess, tokens } from "./index.ts";

/*
 * The authorisation table: every kind of route, every method, every principal. Written out by hand, so that a change of the table of
 * needs must be made in both places.
 *
 * k: any known user  c: the catalog  r: pull  w: pull and push  d: delete  a: all three  n: nobody
 */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "constructor"] as const;
const routes: Readonly<Record<string, string>> = {
  // prettier: one letter for each method above
  ping: "kknnnnnnn",
  catalog: "ccnnnnnnn",
  extensions: "kknnnnnnn",
  "extensions in": "rraaaaaaa",
  "tags in": "rraaaaaaa",
  "manifest in": "rrawadaaa",
  "blob in": "rraaadaaa",
  "uploads in": "aawaaaaaa",
  "upload in": "wwawwwaaa",
  "referrers in": "rraaaaaaa",
  invalid: "kkkkkkkkk",
  unknown: "kkkkkkkkk",
  "a route of tomorrow": "nnnnnnnnn",
  "a route of tomorrow in": "nnnnnnnnn",
  constructor: "nnnnnnnnn",
};
const repository = "team/app";

interface Asked {
  readonly access: Access;
  readonly authorization?: string;
  readonly peer?: string;
  /** Statuses by the letters `k c r w d a n`. */
  readonly answers: string;
}

const everything = "200 200 200 200 200 200 200";
const nothing = "401 401 401 401 401 401 401";
const knownOnly = "200 401 401 401 401 401 403";
const publicly = "401 401 200 401 401 401 401";
const locked = "429 429 429 429 429 429 429";

const folder = temporaryFolder("access");
const passwords = async (): Promise<Record<string, Asked>> => {
  const file = join(folder, "users");
  await writeFile(file, `ann:${hashSync("right", 4)}\n`);
  const access = await htpasswd({ file, lockout: { attempts: 1, window: 3_600_000 } });
  const open = await htpasswd({ file, anonymousPull: ["team/*"], lockout: false });
  after(() => Promise.all([access.close?.(), open.close?.()]));
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const user = "200 200 200 200 200 200 403";
  const peer = "192.0.2.66:1";
  await access.authorise(request({ access, authorization: basic("ann", "wrong"), peer, answers: "" }), { known: true });
  return {
    "passwords: anonymous": { access, answers: nothing },
    "passwords: an empty user": { access, authorization: "Basic Og==", answers: nothing },
    "passwords: a user": { access, authorization: basic("ann", "right"), answers: user },
    "passwords: locked out": { access, authorization: basic("ann", "right"), peer, answers: locked },
    "passwords: the user elsewhere": {
      access,
      authorization: basic("ann", "right"),
      peer: "192.0.2.67:1",
      answers: user,
    },
    "passwords: a token": { access, authorization: "Bearer x", answers: nothing },
    "public: anonymous": { access: open, answers: publicly },
    "public: an empty user": { access: open, authorization: "Basic Og==", answers: publicly },
    "public: a user": { access: open, authorization: basic("ann", "right"), answers: user },
    "public: a wrong password": { access: open, authorization: basic("ann", "wrong"), answers: nothing },
    "public: an unknown user": { access: open, authorization: basic("eve", "right"), answers: nothing },
    "public: a token": { access: open, authorization: "Bearer x", answers: nothing },
  };
};

const service = "registry.test";
const issuer = "auth.test";

const byTokens = async (): Promise<Record<string, Asked>> => {
  const own = await generateKeyPair("RS256", { extractable: true });
  const foreign = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(own.publicKey)), kid: "own" };
  const foreignJwk = await exportJWK(foreign.publicKey);
  const { ca, client } = testCertificates();
  const evil = testCertificates();
  const bundle = join(folder, "bundle");
  const jwks = join(folder, "keys");
  await writeFile(bundle, ca.cert);
  await writeFile(jwks, JSON.stringify({ keys: [jwk] }));
  const options = { realm: "https://auth.test/token", service, issuer, rootcertbundle: bundle, jwks };
  const access = await tokens(options);
  const open = await tokens({ ...options, anonymousPull: ["team/**"] });

  interface Made {
    readonly actions?: readonly string[];
    readonly name?: string;
    readonly type?: string;
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly key?: Parameters<SignJWT["sign"]>[0];
  }
  const now = Math.floor(Date.now() / 1000);
  const make = (made: Made): Promise<string> => {
    const { actions = ["*"], name = repository, type = "repository", claims, header, key = own.privateKey } = made;
    const times = { exp: now + 3600, nbf: now - 10, iat: now };
    return new SignJWT({
      iss: issuer,
      aud: service,
      sub: "ann",
      ...times,
      access: [{ type, name, actions }],
      ...claims,
    })
      .setProtectedHeader({ alg: "RS256", kid: "own", ...header })
      .sign(key);
  };
  const base64 = (text: string): string => Buffer.from(text).toString("base64url");
  const good = await make({});
  const [head = "", body = "", signature = ""] = good.split(".");
  const pem = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" }).export({ type: "spki", format: "pem" });
  const der = ({ cert }: { cert: string }): string => cert.replace(/-----.*-----|\s/g, "");
  const x5c = async (chain: readonly { cert: string }[], key: string): Promise<string> =>
    make({ header: { alg: "ES256", kid: undefined, x5c: chain.map(der) }, key: await importPKCS8(key, "ES256") });
  const fromForeign = (header: Readonly<Record<string, unknown>>): Promise<string> =>
    make({ header, key: foreign.privateKey });

  const all = "200 401 200 200 200 200 403";
  const list: Record<string, [token: string | undefined, answers: string, publicAnswers?: string]> = {
    anonymous: [undefined, nothing, publicly],
    pull: [await make({ actions: ["pull"] }), "200 401 200 401 401 401 403"],
    "pull and push": [await make({ actions: ["pull", "push"] }), "200 401 200 200 401 401 403"],
    "push alone": [await make({ actions: ["push"] }), knownOnly, "200 401 200 200 401 401 403"],
    delete: [await make({ actions: ["delete"] }), "200 401 401 401 200 401 403", "200 401 200 401 200 401 403"],
    "all three": [await make({ actions: ["pull", "push", "delete"] }), all],
    "the wildcard": [good, all],
    "by a chain of certificates": [await x5c([client], client.key), all],
    catalog: [
      await make({ type: "registry", name: "catalog" }),
      "200 200 401 401 401 401 403",
      "200 200 200 401 401 401 403",
    ],
    "another repository": [await make({ name: "team/other" }), knownOnly, "200 401 200 401 401 401 403"],
    "the repository above": [await make({ name: "team" }), knownOnly, "200 401 200 401 401 401 403"],
    "another type": [await make({ type: "registry" }), knownOnly, "200 401 200 401 401 401 403"],
    expired: [await make({ claims: { exp: now - 61 } }), nothing],
    "not yet": [await make({ claims: { nbf: now + 3000 } }), nothing],
    "wrong aud": [await make({ claims: { aud: "other" } }), nothing],
    "wrong iss": [await make({ claims: { iss: "other" } }), nothing],
    "alg none": [`${base64(JSON.stringify({ alg: "none", kid: "own" }))}.${body}.`, nothing],
    "alg none, signed": [`${base64(JSON.stringify({ alg: "none" }))}.${body}.${signature}`, nothing],
    "HS256 with the RSA public key": [
      await make({ header: { alg: "HS256" }, key: new TextEncoder().encode(pem.toString()) }),
      nothing,
    ],
    "HS256 with the RSA public key, unnamed": [
      await make({ header: { alg: "HS256", kid: undefined }, key: new TextEncoder().encode(pem.toString()) }),
      nothing,
    ],
    "kid of another's key": [await fromForeign({}), nothing],
    "kid injection: a path": [await fromForeign({ kid: "../../../../dev/null" }), nothing],
    "kid injection: a prototype": [await fromForeign({ kid: "__proto__" }), nothing],
    "jwk injection": [await fromForeign({ kid: undefined, jwk: foreignJwk }), nothing],
    "jwk injection under a configured kid": [
      await fromForeign({ kid: undefined, jwk: { ...foreignJwk, kid: "own" } }),
      nothing,
    ],
    "jku injection": [await fromForeign({ kid: undefined, jku: "https://evil.test/keys" }), nothing],
    "x5c with a foreign root": [await x5c([evil.client, evil.ca], evil.client.key), nothing],
    "x5c with a foreign root beside a configured kid": [
      await make({
        header: { alg: "ES256", x5c: [der(evil.client)] },
        key: await importPKCS8(evil.client.key, "ES256"),
      }),
      nothing,
    ],
    "x5c of another's key": [await x5c([client], evil.client.key), nothing],
    "tampered payload": [
      `${head}.${base64(Buffer.from(body, "base64url").toString().replace("ann", "eve"))}.${signature}`,
      nothing,
    ],
    "tampered header": [`${base64(JSON.stringify({ alg: "RS256", kid: "own", x: 1 }))}.${body}.${signature}`, nothing],
    "no signature": [`${head}.${body}.`, nothing],
    "no token": ["x", nothing],
  };
  const asked: Record<string, Asked> = {
    "tokens: a password": { access, authorization: `Basic ${base64("ann:right")}`, answers: nothing },
    "public tokens: a password": { access: open, authorization: `Basic ${base64("ann:right")}`, answers: nothing },
  };
  for (const [title, [token, answers, publicAnswers = answers]] of Object.entries(list)) {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    asked[`tokens: ${title}`] = { access, ...authorization, answers };
    asked[`public tokens: ${title}`] = { access: open, ...authorization, answers: publicAnswers };
  }
  return asked;
};

const request = ({ authorization, peer = "192.0.2.1:1" }: Asked): HttpRequest => ({
  method: "GET",
  origin: "http://registry.test",
  target: "/",
  headers: authorization === undefined ? [] : [["Authorization", authorization]],
  peer,
});

const principals: Record<string, Asked> = {
  "open: anonymous": { access: openAccess(), answers: everything },
  "open: a password": { access: openAccess(), authorization: "Basic eDp5", answers: everything },
  ...(await passwords()),
  ...(await byTokens()),
};

let cases = 0;
for (const [who, asked] of Object.entries(principals))
  test(who, async () => {
    const answers = asked.answers.split(" ");
    for (const [route, letters] of Object.entries(routes))
      for (const [at, method] of methods.entries()) {
        const kind = route.replace(/ in$/, "");
        const need = needOf(method, kind === route ? { kind } : { kind, repository });
        const verdict = await asked.access.authorise(request(asked), need);
        const expected = answers["kcrwdan".indexOf(letters[at] ?? "?")];
        const name = `${who}: ${method} ${route}`;
        assert.ok(expected !== undefined, name);
        assert.equal(verdict.allowed ? 200 : verdict.status, Number(expected), name);
        assert.equal(
          !verdict.allowed && verdict.status === 401,
          !verdict.allowed && "WWW-Authenticate" in (verdict.headers ?? {}),
          name,
        );
        assert.equal(
          !verdict.allowed && verdict.status === 429,
          !verdict.allowed && "Retry-After" in (verdict.headers ?? {}),
          name,
        );
        cases++;
      }
  });

test("the authorisation table is whole", () => {
  const wanted = Object.keys(principals).length * Object.keys(routes).length * methods.length;
  assert.equal(cases, wanted);
  console.log(`the authorisation table: ${cases} cases, all as written`);
});
