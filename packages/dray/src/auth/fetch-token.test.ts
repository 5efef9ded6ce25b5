import assert from "node:assert/strict";
import { test } from "node:test";
import { hosts, memoryRegistry, tokenServer } from "@dray/testkit";
import { isDrayError } from "../errors.ts";
import { fetchToken } from "./authenticate.ts";
import { staticCredential } from "./keychain.ts";

const own = "https://registry.test";
const users = { ann: "secret" };
const credentials = staticCredential({ username: "ann", password: "secret", source: "a test" });

test("a token for scopes, with its end", async () => {
  const tokens = tokenServer({ users, now: () => 0, lifetimeSeconds: 100 });
  const registry = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
  const network = hosts({ [own]: registry.handler, "https://auth.test": tokens.handler });
  const token = await fetchToken({
    registry: "registry.test",
    origin: own,
    connection: network,
    tokens: network,
    credentials,
    scopes: ["repository:a:pull,push", "repository:b:pull"],
    now: () => 0,
  });
  const needed = [
    { type: "repository", name: "a", actions: ["push"] },
    { type: "repository", name: "b", actions: ["pull"] },
  ];
  assert.equal(tokens.check(token.text, needed), "ok");
  assert.equal(token.expiresAt, 100_000);
});

test("a registry that does not work with tokens", async () => {
  for (const registry of [memoryRegistry(), memoryRegistry({ access: { scheme: "basic", users } })]) {
    const network = hosts({ [own]: registry.handler });
    const options = { registry: "registry.test", origin: own, connection: network, tokens: network, credentials };
    await assert.rejects(fetchToken({ ...options, scopes: [] }), (error) => isDrayError(error, "UNSUPPORTED"));
  }
});
