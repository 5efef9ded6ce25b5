import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { testCertificates, tokenServer } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { collect } from "dray/content";
import type { HttpRequest } from "dray/http";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importPKCS8, type JWK, SignJWT } from "jose";
import { libtrustName } from "../../libtrust.ts";
import type { Notice } from "../../notice.ts";
import type { Access, Action, Need, Verdict } from "../access.ts";
import { type TokensOptions, tokens } from "./tokens.ts";

const folder = temporaryFolder("tokens");
const realm = "https://auth.test/token";
const service = "registry.test";
const issuer = "auth.test";
const start = Date.parse("2030-01-01T00:00:00Z");
const known: Need = { known: true };
const pull = (repository: string): Need => ({ repository, actions: ["pull"] });
const push = (repository: string): Need => ({ repository, actions: ["pull", "push"] });

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

interface Signer {
  readonly algorithm: string;
  readonly jwk: JWK;
  readonly key: SigningKey | Uint8Array;
}

const signer = async (algorithm: string, kid?: string): Promise<Signer> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    algorithm,
    jwk: { ...(await exportJWK(publicKey)), ...(kid === undefined ? {} : { kid }) },
    key: privateKey,
  };
};

const ec = await signer("ES256", "first");
const rsa = await signer("RS256", "second");
const stranger = await signer("ES256", "first");

interface TokenWords {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly access?: unknown;
}

const all = [{ type: "repository", name: "team/app", actions: ["pull", "push"] }];
const seconds = start / 1000;

const sign = ({ algorithm, key, jwk }: Signer, { header, claims, access = all }: TokenWords = {}): Promise<string> =>
  new SignJWT({
    iss: issuer,
    aud: service,
    sub: "ann",
    exp: seconds + 300,
    nbf: seconds,
    iat: seconds,
    access,
    ...claims,
  })
    .setProtectedHeader({ typ: "JWT", alg: algorithm, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }), ...header })
    .sign(key);

let files = 0;
const write = async (content: unknown, path = join(folder, `file${++files}`)): Promise<string> => {
  await writeFile(`${path}.new`, typeof content === "string" ? content : JSON.stringify(content));
  await rename(`${path}.new`, path);
  return path;
};

interface Scene {
  readonly access: Access;
  readonly notices: Notice[];
  readonly clock: { now: number };
  readonly ask: (token: string | undefined, need?: Need) => Promise<Verdict>;
  readonly status: (token: string | undefined, need?: Need) => Promise<number>;
}

const request = (authorization?: string): HttpRequest => ({
  method: "GET",
  origin: "http://registry.test:5000",
  target: "/v2/",
  headers: authorization === undefined ? [] : [["Authorization", authorization]],
});

const scene = async (options: Partial<TokensOptions> = {}, keys: readonly Signer[] = [ec, rsa]): Promise<Scene> => {
  const notices: Notice[] = [];
  const clock = { now: start };
  const jwks = await write({ keys: keys.map(({ jwk }) => jwk) });
  const from = "rootcertbundle" in options || "jwksUrl" in options ? {} : { jwks };
  const onNotice = (notice: Notice): void => void notices.push(notice);
  const access = await tokens({ realm, service, issuer, now: () => clock.now, onNotice, ...from, ...options });
  const ask = async (token: string | undefined, need: Need = known): Promise<Verdict> =>
    access.authorise(request(token === undefined ? undefined : `Bearer ${token}`), need);
  const status = async (token: string | undefined, need?: Need): Promise<number> => {
    const verdict = await ask(token, need);
    return verdict.allowed ? 200 : verdict.status;
  };
  return { access, notices, clock, ask, status };
};

const challengeIn = (verdict: Verdict): string | undefined =>
  verdict.allowed ? undefined : verdict.headers?.["WWW-Authenticate"];

test("a token allows what it names, whose it is, and nothing else", async () => {
  const { ask, status } = await scene();
  const token = await sign(ec);
  const verdict = await ask(token, push("team/app"));
  assert.ok(verdict.allowed);
  const { principal } = verdict;
  assert.equal(principal.name, "ann");
  const may = (repository: string, action: Action): boolean => principal.may(repository, action);
  assert.deepEqual(
    [may("team/app", "pull"), may("team/app", "push"), may("team/app", "delete"), may("team/other", "pull")],
    [true, true, false, false],
  );
  for (const [need, wanted] of [
    [known, 200],
    [pull("team/app"), 200],
    [{ repository: "team/app", actions: ["delete"] }, 401],
    [pull("team/app/x"), 401],
    [pull("team"), 401],
    [{ catalog: true }, 401],
    [{ nobody: true }, 403],
  ] as const)
    assert.equal(await status(token, need), wanted, JSON.stringify(need));
});

test("the claim access: wildcards, classes, several entries, none, and damaged ones", async () => {
  const { status, ask } = await scene();
  const app = (actions: unknown, more: object = {}): object => ({
    type: "repository",
    name: "team/app",
    actions,
    ...more,
  });
  for (const [access, need, wanted] of [
    [[app(["*"])], { repository: "team/app", actions: ["delete"] }, 200],
    [[app(["pull"], { class: "image" })], pull("team/app"), 200],
    [[app(["pull"]), app(["push"])], push("team/app"), 200],
    [[app(["push"])], push("team/app"), 401],
    [[{ type: "repository", name: "*", actions: ["*"] }], pull("team/app"), 401],
    [[{ type: "registry", name: "team/app", actions: ["*"] }], pull("team/app"), 401],
    [[{ type: "registry", name: "catalog", actions: ["*"] }], { catalog: true }, 200],
    [[], known, 200],
    [null, known, 200],
    [undefined, known, 200],
    [{}, known, 401],
    ["all", known, 401],
    [[null], known, 401],
    [[app("pull")], known, 401],
    [[app([1])], known, 401],
    [[{ type: "repository", actions: [] }], known, 401],
  ] as const) {
    const token = await sign(ec, { claims: { access }, access: undefined });
    assert.equal(await status(token, need), wanted, JSON.stringify(access));
  }
  const verdict = await ask(await sign(ec, { access: [{ type: "registry", name: "catalog", actions: ["*"] }] }), {
    catalog: true,
  });
  assert.ok(verdict.allowed && verdict.principal.may("whatever", "pull") && !verdict.principal.may("whatever", "push"));
});

test("a refusal names what the token lacks", async () => {
  const { ask } = await scene();
  const refused = async (actions: readonly string[], need: Need): Promise<string> => {
    const verdict = await ask(await sign(ec, { access: [{ type: "repository", name: "a", actions }] }), need);
    return verdict.allowed ? "allowed" : verdict.message;
  };
  assert.equal(await refused(["pull"], push("a")), "the token does not allow pushing to a");
  assert.equal(await refused([], push("a")), "the token does not allow pushing to a");
  assert.equal(
    await refused(["push"], push("a")),
    "the token does not allow pulling from a, which pushing to a takes as well",
  );
  assert.equal(await refused([], { catalog: true }), "the token does not allow listing all repositories");
});

test("a challenge says where tokens are given, for what, and why not", async () => {
  const { ask, clock } = await scene();
  const base = `Bearer realm="${realm}",service="${service}"`;
  const token = await sign(ec);
  assert.equal(challengeIn(await ask(undefined)), base);
  assert.equal(challengeIn(await ask(undefined, pull("a/b"))), `${base},scope="repository:a/b:pull"`);
  assert.equal(challengeIn(await ask(undefined, push("a/b"))), `${base},scope="repository:a/b:pull,push"`);
  assert.equal(challengeIn(await ask(undefined, { catalog: true })), `${base},scope="registry:catalog:*"`);
  assert.equal(
    challengeIn(await ask(token, pull("a"))),
    `${base},scope="repository:a:pull",error="insufficient_scope"`,
  );
  assert.equal(challengeIn(await ask("x")), `${base},error="invalid_token"`);
  clock.now += 400_000;
  const late = await ask(token, pull("team/app"));
  assert.equal(challengeIn(late), `${base},scope="repository:team/app:pull",error="invalid_token"`);
  assert.equal(late.allowed ? "" : late.message, "the token has expired");
});

test("the realm may be this registry's own host", async () => {
  const auto = await scene({ autoredirect: true });
  assert.match(
    challengeIn(await auto.ask(undefined)) ?? "",
    /^Bearer realm="https:\/\/registry\.test:5000\/auth\/token\/"/,
  );
  const own = await scene({ autoredirect: true, autoredirectpath: "/t" });
  assert.match(challengeIn(await own.ask(undefined)) ?? "", /realm="https:\/\/registry\.test:5000\/t"/);
  const strange = await own.access.authorise({ ...request(), origin: 'http://x"y/z' }, known);
  assert.match(challengeIn(strange) ?? "", /realm="https:\/\/auth\.test\/token"/);
});

test("claims: issuer, audience, times, subject", async () => {
  const { status } = await scene();
  for (const [claims, wanted] of [
    [{ aud: [service, "other"] }, 200],
    [{ aud: ["other"] }, 401],
    [{ aud: `${service}.` }, 401],
    [{ aud: undefined }, 401],
    [{ iss: "other" }, 401],
    [{ iss: undefined }, 401],
    [{ iss: [issuer] }, 401],
    [{ exp: seconds - 59 }, 200],
    [{ exp: seconds - 60 }, 401],
    [{ exp: undefined }, 401],
    [{ exp: `${seconds + 300}` }, 401],
    [{ nbf: seconds + 60 }, 200],
    [{ nbf: seconds + 61 }, 401],
    [{ nbf: undefined }, 200],
    [{ sub: undefined }, 200],
    [{ sub: "" }, 200],
    [{ sub: 1 }, 401],
  ] as const)
    assert.equal(await status(await sign(ec, { claims })), wanted, JSON.stringify(claims));
});

test("a remembered token ends when it ends", async () => {
  const { status, clock } = await scene();
  const token = await sign(ec);
  assert.equal(await status(token), 200);
  clock.now += 359_000;
  assert.equal(await status(token), 200);
  clock.now += 1_000;
  assert.equal(await status(token), 401);
});

test("keys are found by name, by thumbprint, by libtrust's name, by being brought along, or tried", async () => {
  const { status } = await scene();
  const thumbprint = await calculateJwkThumbprint(ec.jwk);
  const libtrust = libtrustName(createPublicKey({ key: ec.jwk as JsonWebKey, format: "jwk" }));
  assert.match(libtrust, /^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
  const { kid: _, ...unnamed } = ec.jwk;
  for (const header of [
    { kid: "first" },
    { kid: thumbprint },
    { kid: libtrust },
    { kid: undefined },
    { kid: undefined, jwk: ec.jwk },
    { kid: undefined, jwk: unnamed },
    // Whatever key it brings, the configured one of that name verifies (CVE-2025-24976).
    { kid: undefined, jwk: { ...stranger.jwk, kid: "first" } },
  ])
    assert.equal(await status(await sign(ec, { header })), 200, JSON.stringify(header));
});

test("CVE-2025-24976: a key in the token never verifies it, whatever it is called", async () => {
  const { status } = await scene();
  const thumbprint = await calculateJwkThumbprint(ec.jwk);
  for (const header of [
    { kid: "first" },
    { kid: undefined },
    { kid: undefined, jwk: stranger.jwk },
    { kid: undefined, jwk: { ...stranger.jwk, kid: thumbprint } },
    { kid: "first", jwk: stranger.jwk },
    { kid: undefined, jwk: "first" },
    { kid: undefined, jwk: { kid: "first" } },
    { kid: undefined, jku: "https://evil.test/keys" },
    { kid: "__proto__" },
    { kid: "../../../dev/null" },
    { kid: "" },
    { kid: ["first"] },
  ])
    assert.equal(await status(await sign(stranger, { header })), 401, JSON.stringify(header));
});

test("no algorithm but those of the key's own kind: none, HS256 with a public key, another family", async () => {
  const { status } = await scene();
  const body = (await sign(rsa)).split(".")[1] ?? "";
  for (const alg of ["none", "None", "NONE", "", undefined, 1, null])
    for (const kid of ["first", undefined]) {
      assert.equal(await status(`${part({ alg, kid })}.${body}.`), 401, String(alg));
      assert.equal(await status(`${part({ alg, kid })}.${body}.AAAA`), 401, String(alg));
    }
  const spki = createPublicKey({ key: rsa.jwk as JsonWebKey, format: "jwk" }).export({ type: "spki", format: "pem" });
  for (const secret of [spki.toString(), spki.toString().trim(), rsa.jwk.n ?? "", JSON.stringify(rsa.jwk)])
    for (const header of [{ kid: "second" }, { kid: undefined }, { kid: undefined, jwk: rsa.jwk }]) {
      const forged: Signer = { algorithm: "HS256", jwk: rsa.jwk, key: new TextEncoder().encode(secret) };
      assert.equal(await status(await sign(forged, { header })), 401);
    }
  const pss = await importPKCS8(await pkcs8(rsa), "PS256");
  assert.equal(await status(await sign({ ...rsa, algorithm: "PS256", key: pss })), 200, "the same key, the same kind");
  const bound = await scene({}, [{ ...rsa, jwk: { ...rsa.jwk, alg: "RS256" } }]);
  assert.equal(await bound.status(await sign({ ...rsa, algorithm: "PS256", key: pss })), 401);
  assert.equal(await bound.status(await sign(rsa)), 200);
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const pkcs8 = async ({ key }: Signer): Promise<string> => {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", key as never));
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----`;
};

test("every algorithm that distribution takes, and only those that were configured", async () => {
  for (const algorithm of ["EdDSA", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"]) {
    const own = await signer(algorithm, algorithm);
    const { status } = await scene({}, [own]);
    assert.equal(await status(await sign(own)), 200, algorithm);
    const other = await scene({ signingalgorithms: ["ES256"] }, [own]);
    assert.equal(await other.status(await sign(own)), 401, algorithm);
  }
  const secret = Buffer.alloc(32, 7);
  const shared: Signer = {
    algorithm: "HS256",
    jwk: { kty: "oct", k: secret.toString("base64url"), kid: "s" },
    key: secret,
  };
  assert.equal(await (await scene({}, [shared])).status(await sign(shared)), 200);
  await assert.rejects(scene({ signingalgorithms: ["none"] }), { code: "CONFIG_INVALID" });
});

test("what is no token at all", async () => {
  const { status, access } = await scene();
  const token = await sign(ec);
  const [head = "", body = "", signature = ""] = token.split(".");
  const tampered = Buffer.from(body, "base64url").toString().replace("team/app", "team/ape");
  const critical = `${part({ alg: "ES256", kid: "first", crit: ["x"], x: 1 })}.${body}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signed = await crypto.subtle.sign(algorithm, ec.key as never, new TextEncoder().encode(critical));
  for (const text of [
    "x",
    "..",
    `${critical}.${Buffer.from(signed).toString("base64url")}`,
    `${head}.${body}`,
    `${head}.${body}.`,
    `${head}.${body}.${signature}.${signature}`,
    `${head}.${Buffer.from(tampered).toString("base64url")}.${signature}`,
    `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    `${body}.${head}.${signature}`,
    `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`,
    "a".repeat(100_000),
  ])
    assert.equal(await status(text), 401, text.slice(0, 20));
  for (const authorization of [`Basic ${Buffer.from("ann:x").toString("base64")}`, `Token ${token}`, token, "Bearer"]) {
    const verdict = await access.authorise(request(authorization), known);
    assert.ok(!verdict.allowed && verdict.status === 401, authorization.slice(0, 10));
  }
});

test("a chain of certificates that leads to the bundle, as the testkit's token server sends it", async () => {
  const certificates = testCertificates({ now: new Date(start) });
  const foreign = testCertificates({ now: new Date(start) });
  const give = async ({ cert, key }: { cert: string; key: string }): Promise<string> => {
    const server = tokenServer({ signer: { issuer, cert, key }, now: () => start });
    const target = `/token?service=${service}&scope=repository:team/app:pull,push`;
    const answer = await server.handler({ method: "GET", origin: "http://auth.test", target, headers: [] });
    const bytes = await collect(answer.body.chunks, 65536, "token");
    return (JSON.parse(new TextDecoder().decode(bytes)) as { token: string }).token;
  };
  const token = await give(certificates.client);
  const bundle = async (...list: { cert: string }[]): Promise<Scene> =>
    scene({ rootcertbundle: await write(list.map(({ cert }) => `a comment\n${cert}`).join("\n")) });
  assert.equal(await (await bundle(certificates.ca)).status(token, push("team/app")), 200);
  assert.equal(await (await bundle(foreign.ca, certificates.ca)).status(token, push("team/app")), 200);
  assert.equal(await (await bundle(certificates.client)).status(token, push("team/app")), 200);
  assert.equal(await (await bundle(foreign.ca)).status(token), 401);
  assert.equal(await (await bundle(certificates.server)).status(token), 401);
  const late = await bundle(certificates.ca);
  late.clock.now += 2 * 24 * 60 * 60 * 1000;
  assert.equal(await late.status(token), 401);
});

test("a key of the bundle by its name, without a chain; libtrust's chain within the key", async () => {
  const { ca, client } = testCertificates({ now: new Date(start) });
  const key = await importPKCS8(client.key, "ES256");
  const publicKey = createPublicKey(client.cert);
  const own: Signer = { algorithm: "ES256", jwk: {}, key };
  const { status } = await scene({ rootcertbundle: await write(`${ca.cert}${client.cert}`) });
  const jwk = publicKey.export({ format: "jwk" });
  const kid = await calculateJwkThumbprint(jwk as JWK);
  const x5c = [client.cert.replace(/-----.*-----|\s/g, "")];
  assert.equal(await status(await sign(own, { header: { kid } })), 200);
  assert.equal(await status(await sign(own, { header: { kid: libtrustName(publicKey) } })), 200);
  assert.equal(await status(await sign(own, { header: { jwk: { ...jwk, x5c } } })), 200);
  assert.equal(await status(await sign(own, { header: { x5c } })), 200);
  assert.equal(await status(await sign(stranger, { header: { x5c, kid: undefined } })), 401);
  assert.equal(await status(await sign(stranger, { header: { x5c: [], kid: undefined, jwk } })), 401);
});

test("a file of keys that changes counts from its next look on; tokens of a key that is gone are over", async () => {
  const jwks = await write({ keys: [ec.jwk] });
  const { status, clock, notices } = await scene({ jwks });
  const [old, fresh] = [await sign(ec), await sign(rsa)];
  assert.deepEqual([await status(old), await status(fresh)], [200, 401]);
  await write({ keys: [rsa.jwk] }, jwks);
  clock.now += 1000;
  assert.deepEqual([await status(old), await status(fresh)], [401, 200]);
  await write('{"keys": [', jwks);
  clock.now += 1000;
  assert.deepEqual([await status(old), await status(fresh)], [401, 200]);
  assert.match(notices.at(-1)?.message ?? "", /stays in force as it was last read: .* it is no JSON/);
  assert.equal((await readFile(jwks, "utf8")).length, 10);
});

test("keys by URL: fetched once, again for another name at most once a minute, kept where it fails", async () => {
  let published: unknown = { keys: [ec.jwk] };
  let fetched = 0;
  const jwksUrl = "https://auth.test/keys?secret=PLANTED";
  const fetchJson = async (): Promise<unknown> => {
    fetched++;
    if (published instanceof Error) throw published;
    return published;
  };
  const { status, clock, notices } = await scene({ jwksUrl, fetchJson });
  const [old, fresh] = [await sign(ec), await sign(rsa)];
  assert.equal(fetched, 0, "nothing before the first token");
  assert.deepEqual(await Promise.all([status(old), status(old), status(fresh)]), [200, 200, 401]);
  assert.equal(fetched, 1);
  published = { keys: [ec.jwk, rsa.jwk] };
  assert.equal(await status(fresh), 401, "within the minute");
  assert.equal(fetched, 1);
  clock.now += 60_000;
  assert.equal(await status(fresh), 200);
  assert.equal(fetched, 2);
  published = new Error("down: PLANTED");
  clock.now += 60_000;
  assert.equal(await status(await sign(stranger, { header: { kid: "third" } })), 401);
  assert.equal(await status(fresh), 200);
  assert.equal(fetched, 3);
  assert.equal(notices.length, 1);
  assert.doesNotMatch(JSON.stringify(notices), /PLANTED/);
});

test("keys by URL that could never be fetched: nobody is told that their token is wrong", async () => {
  let published: unknown;
  const fetchJson = async (): Promise<unknown> => published;
  const { ask, clock } = await scene({ jwksUrl: "https://auth.test/keys", fetchJson });
  const token = await sign(ec);
  const early = await ask(token);
  assert.ok(!early.allowed);
  assert.deepEqual([early.status, early.headers], [503, { "Retry-After": "5" }]);
  published = { keys: [ec.jwk] };
  clock.now += 5_000;
  assert.ok((await ask(token)).allowed);
});

test("keys by URL that were withdrawn stop counting after ten minutes", async () => {
  let published: unknown = { keys: [ec.jwk] };
  const fetchJson = async (): Promise<unknown> => published;
  const { status, clock, access } = await scene({ jwksUrl: "https://auth.test/keys", fetchJson });
  const token = await sign(ec, { claims: { exp: seconds + 3600 } });
  assert.equal(await status(token), 200);
  published = { keys: [rsa.jwk] };
  clock.now += 9 * 60_000;
  assert.equal(await status(token), 200);
  clock.now += 60_000;
  await status(token);
  // The fetch goes on behind that answer.
  await access.reload?.();
  assert.equal(await status(token), 401);
});

test("nobody may pull what matches, with a token for something else too, but not with a wrong one", async () => {
  const { ask, status } = await scene({ anonymousPull: ["public/**"] });
  const verdict = await ask(undefined, pull("public/a"));
  assert.ok(verdict.allowed && verdict.principal.name === "" && !verdict.principal.may("team/app", "pull"));
  const token = await sign(ec);
  assert.equal(await status(token, pull("public/a")), 200);
  assert.equal(await status(token, push("public/a")), 401);
  assert.equal(await status("x", pull("public/a")), 401);
  assert.equal(await status(undefined), 401);
  assert.equal(await status(undefined, push("public/a")), 401);
  assert.equal(await status(undefined, { catalog: true }), 401);
});

test("options that make no sense, and files that cannot be used, are told at the start", async () => {
  const wrong: [Partial<TokensOptions>, RegExp][] = [
    [{ realm: "" }, /realm/],
    [{ service: "a\r\nb" }, /service/],
    [{ jwksUrl: "https://x" }, /fetch/],
    [{ jwks: join(folder, "none") }, /none: it does not exist/],
    [{ jwks: await write("PLANTED") }, /no JSON/],
    [{ jwks: await write({ keys: "PLANTED" }) }, /no set of keys/],
    [{ rootcertbundle: await write("PLANTED") }, /no certificate/],
    [
      { rootcertbundle: await write("-----BEGIN CERTIFICATE-----\nPLANTED\n-----END CERTIFICATE-----") },
      /certificate 1/,
    ],
    [{ anonymousPull: ["A"] }, /pattern/],
  ];
  for (const [options, message] of wrong)
    await assert.rejects(scene(options), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /PLANTED/);
      return true;
    });
  await assert.rejects(tokens({ realm, service, issuer }), /rootcertbundle/);
});

test("keys that verify nothing are left out and told by their place", async () => {
  const jwks = await write({
    keys: [
      { kty: "oct", k: Buffer.from("PLANTED").toString("base64url"), kid: "weak" },
      { kty: "RSA", n: "AQAB", e: "AQAB", kid: "tiny" },
      { ...ec.jwk, use: "enc" },
      { kty: "XX" },
      ec.jwk,
    ],
  });
  const { notices, status } = await scene({ jwks });
  assert.deepEqual(
    notices.map(({ message }) => /its key (\d)/.exec(message)?.[1]),
    ["1", "2", "3", "4"],
  );
  assert.equal(await status(await sign(ec)), 200);
});

test("no token and no claim is told by a message", async () => {
  const { ask, notices } = await scene();
  const planted = await sign(ec, { claims: { sub: "PLANTED", jti: "PLANTED", iss: "PLANTED" } });
  const said = JSON.stringify([
    await ask(planted),
    await ask("PLANTED"),
    await ask(await sign(ec), push("x")),
    notices,
  ]);
  assert.doesNotMatch(said, /PLANTED|eyJ/);
});
