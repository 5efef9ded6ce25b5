import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { login, token } from "../files.ts";
import type { Registry } from "../registry.ts";

const passwords = { "auth.htpasswd.realm": "registry", "auth.htpasswd.path": "{files}/ann.users" };
const tokens = {
  "auth.token.realm": "https://auth.test/token",
  "auth.token.service": "registry",
  "auth.token.issuer": "issuer",
  "auth.token.rootcertbundle": "{files}/one.pem",
};
const { "auth.token.rootcertbundle": _, ...keysApart } = tokens;

const challenge = async (registry: Registry): Promise<string> =>
  (await registry.ask("GET", "/v2/a/tags/list")).header("WWW-Authenticate");
const challenged = (name: string) => async (registry: Registry) =>
  new RegExp(`${name}="([^"]*)"`).exec(await challenge(registry))?.[1];
const asAnn = (registry: Registry): Promise<number> => registry.status("GET", "/v2/", { headers: login("ann") });
const withToken = (by: "certificate" | "name") => async (registry: Registry) =>
  registry.status("GET", "/v2/a/tags/list", { headers: await token(by) });
const withCertificate = withToken("certificate");
const withName = withToken("name");

const guess = (registry: Registry): Promise<number> =>
  registry.status("GET", "/v2/", { headers: login("ann", "wrong") });

export const accessCases: readonly Case[] = [
  {
    key: "auth.htpasswd.realm",
    looksAt: "the realm that a client is told",
    values: ["one", "two"],
    beside: passwords,
    see: challenged("realm"),
    sees: ["one", "two"],
  },
  {
    key: "auth.htpasswd.path",
    looksAt: "whether ann may log in, who is in the first file",
    values: ["{files}/ann.users", "{files}/bob.users"],
    beside: passwords,
    see: asAnn,
    sees: [200, 401],
  },
  {
    key: "auth.token.realm",
    looksAt: "where a client is told to get its token",
    values: ["https://one.test/token", "https://two.test/token"],
    beside: tokens,
    see: challenged("realm"),
    sees: ["https://one.test/token", "https://two.test/token"],
  },
  {
    key: "auth.token.service",
    looksAt: "the service that a client is told, and whether its token is taken",
    values: ["registry", "other"],
    beside: tokens,
    see: async (registry) => [await challenged("service")(registry), await withCertificate(registry)],
    sees: [
      ["registry", 404],
      ["other", 401],
    ],
  },
  {
    key: "auth.token.issuer",
    looksAt: "whether a token of that issuer is taken",
    values: ["issuer", "other"],
    beside: tokens,
    see: withCertificate,
    sees: [404, 401],
  },
  {
    key: "auth.token.rootcertbundle",
    looksAt: "whether a token by the first certificate is taken",
    values: ["{files}/one.pem", "{files}/two.pem"],
    beside: tokens,
    see: withCertificate,
    sees: [404, 401],
  },
  {
    key: "auth.token.jwks",
    looksAt: "whether a token by the first set's key is taken",
    values: ["{files}/one.jwks", "{files}/two.jwks"],
    beside: keysApart,
    see: withName,
    sees: [404, 401],
  },
  {
    key: "auth.token.signingalgorithms",
    looksAt: "whether a token signed by ES256 is taken",
    values: ["[ES256]", "[RS256]"],
    beside: tokens,
    see: withCertificate,
    sees: [404, 401],
  },
  {
    key: "auth.token.autoredirect",
    looksAt: "whether the realm is on the registry's own host",
    values: ["false", "true"],
    beside: tokens,
    see: async (registry) => (await challenge(registry)).includes(new URL(registry.origin).host),
    sees: [false, true],
  },
  {
    key: "auth.token.autoredirectpath",
    looksAt: "the path of the realm",
    values: ["/one", "/two"],
    beside: { ...tokens, "auth.token.autoredirect": "true" },
    see: async (registry) => new URL((await challenged("realm")(registry)) ?? "").pathname,
    sees: ["/one", "/two"],
  },
  {
    key: "dray.access.anonymouspull",
    looksAt: "what nobody in particular is answered in a/b",
    values: ["['a/**']", "['b/**']"],
    beside: passwords,
    see: (registry) => registry.status("GET", "/v2/a/b/tags/list"),
    sees: [404, 401],
  },
  {
    key: "dray.access.anonymousping",
    looksAt: "what nobody in particular is answered at /v2/",
    values: ["true", "false"],
    beside: { ...passwords, "dray.access.anonymouspull": "['**']" },
    see: (registry) => registry.status("GET", "/v2/"),
    sees: [200, 401],
  },
  {
    key: "dray.access.jwksurl",
    looksAt: "whether a token by the key that one place has is taken",
    values: ["http://127.0.0.1:{port}/one.jwks", "http://127.0.0.1:{port}/two.jwks"],
    beside: keysApart,
    see: withName,
    sees: [404, 401],
    around: async ({ files, port }, work) => {
      const server = createServer((request, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(readFileSync(join(files, request.url ?? "")));
      });
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      try {
        await work();
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  },
  {
    key: "dray.access.lockout.attempts",
    looksAt: "the answers to two wrong passwords",
    values: ["1", "2"],
    beside: passwords,
    see: async (registry) => [await guess(registry), await guess(registry)],
    sees: [
      [401, 429],
      [401, 401],
    ],
  },
  {
    key: "dray.access.lockout.window",
    looksAt: "whether a user who is locked out may try again",
    values: ["100ms", "1h"],
    beside: { ...passwords, "dray.access.lockout.attempts": "1" },
    see: async (registry) => {
      await guess(registry);
      await guess(registry);
      await sleep(300);
      return guess(registry);
    },
    sees: [401, 429],
  },
];
