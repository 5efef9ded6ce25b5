import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  hosts,
  type MemoryRegistry,
  memoryRegistry,
  RequestLog,
  type TokenServerOptions,
  tokenServer,
} from "@dray/testkit";
import { collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Handler } from "../http/index.ts";
import { authenticate } from "./authenticate.ts";
import { Credentials } from "./credentials.ts";
import type { Credential, Keychain } from "./types.ts";

const origin = "https://registry.test";
const users = { ann: "a", bob: "b", cid: "c" };
const of = (username: string, password: string): Credential => ({
  username,
  password,
  source: `secret of ${username}`,
});
const sets = (...credentials: readonly Credential[]): Credentials =>
  credentials.reduce((all, each) => all.beside(new Credentials([["registry.test", each]])), new Credentials());

interface Client {
  readonly get: (name: string) => Promise<number>;
  readonly log: RequestLog;
  readonly warnings: string[];
}

const client = (network: Readonly<Record<string, Handler>>, credentials: Keychain, from = origin): Client => {
  const log = new RequestLog();
  const warnings: string[] = [];
  const next = hosts(network);
  const handler = authenticate({
    registry: "registry.test",
    origins: [from],
    credentials,
    tokens: next,
    plainHttp: from.startsWith("http:"),
    onWarning: (message) => warnings.push(message),
  })(log.middleware(next));
  const get = async (name: string): Promise<number> => {
    const context = { scopes: [`repository:${name}:pull`], repository: name };
    const target = `/v2/${name}/tags/list`;
    const { status, body } = await handler({ method: "GET", origin: from, target, headers: [], context });
    await collect(body.chunks, 1e6, "answer");
    return status;
  };
  return { get, log, warnings };
};

const filled = (registry: MemoryRegistry): MemoryRegistry => {
  for (const name of ["one", "two"])
    registry.addManifest(name, {
      mediaType: "application/vnd.oci.image.index.v1+json",
      bytes: new TextEncoder().encode('{"schemaVersion":2,"manifests":[]}'),
    });
  return registry;
};

describe("of several credentials for a registry each is tried where those before it are refused", () => {
  const three = [of("ann", "wrong"), of("bob", "old"), of("cid", "c")];

  test("with Basic, and the one that was taken is used from then on", async () => {
    const registry = filled(memoryRegistry({ access: { scheme: "basic", users } }));
    const { get, log } = client({ [origin]: registry.handler }, sets(...three).keychain);
    assert.equal(await get("one"), 200);
    assert.deepEqual(
      log.entries.map(({ status }) => status),
      [401, 401, 401, 200],
    );
    assert.equal(await get("one"), 200);
    assert.equal(log.entries.length, 5);
    // What one repository refuses may be right for the next.
    assert.equal(await get("two"), 200);
  });

  const bearer = (options: TokenServerOptions) => {
    const tokens = tokenServer(options);
    const access = { scheme: "bearer", tokens, realm: "https://auth.test/token" } as const;
    const registry = filled(memoryRegistry({ access }));
    return { [origin]: registry.handler, "https://auth.test": tokens.handler };
  };

  test("with a token service that knows two of them no more", async () => {
    const { get } = client(bearer({ users }), sets(...three).keychain);
    assert.equal(await get("one"), 200);
    assert.equal(await get("one"), 200);
  });

  test("with a token service that gives those without rights a token for nothing", async () => {
    const right: Readonly<Record<string, string>> = { one: "bob", two: "ann" };
    const allow: TokenServerOptions["allow"] = (account, { name, actions }) => (right[name] === account ? actions : []);
    const { get } = client(bearer({ users, allow }), sets(of("ann", "a"), of("bob", "b")).keychain);
    assert.deepEqual([await get("one"), await get("two"), await get("one")], [200, 200, 200]);
  });

  test("where each is refused, that is the answer, and the first is asked again next time", async () => {
    const registry = filled(memoryRegistry({ access: { scheme: "basic", users } }));
    const { get, log } = client({ [origin]: registry.handler }, sets(...three.slice(0, 2)).keychain);
    assert.deepEqual([await get("one"), log.entries.length], [401, 3]);
    assert.deepEqual([await get("one"), log.entries.length], [401, 5]);
    const refusing = client(bearer({ users }), sets(...three.slice(0, 2)).keychain);
    await assert.rejects(refusing.get("one"), (error) => isDrayError(error, "UNAUTHORIZED"));
  });

  test("two that ask at once both get there", async () => {
    const { get } = client(bearer({ users }), sets(...three).keychain);
    assert.deepEqual(await Promise.all(["one", "two", "one", "two"].map(get)), [200, 200, 200, 200]);
  });

  test("the specific first, then the general; a merged set has one for each server", () => {
    const at = (server: string, username: string): Credentials => new Credentials([[server, of(username, "p")]]);
    const all = at("registry.test", "general")
      .beside(at("registry.test/team", "first"))
      .beside(at("registry.test/team", "second"));
    const { username, others = [] } = all.find({ registry: "registry.test", repository: "team/app" }) ?? {};
    assert.deepEqual([username, ...others.map((each) => each.username)], ["first", "second", "general"]);
    assert.equal(all.find({ registry: "registry.test", repository: "other" })?.others, undefined);
    assert.deepEqual(all.hosts, ["registry.test", "registry.test/team"]);
    const merged = all
      .merge(at("registry.test/team", "last"))
      .find({ registry: "registry.test", repository: "team/app" });
    assert.deepEqual([merged?.username, merged?.others?.length], ["last", 1]);
  });
});

test("what is for registries that speak https alone is not sent over plain http", async () => {
  const registry = filled(memoryRegistry({ access: { scheme: "basic", users } }));
  const token: Keychain = async () => ({ ...of("ann", "a"), secureOnly: true });
  const plain = "http://registry.test";
  const over = client({ [plain]: registry.handler }, token, plain);
  assert.deepEqual([await over.get("one"), await over.get("one")], [401, 401]);
  assert.ok(over.log.entries.every(({ authorization }) => authorization === undefined));
  assert.deepEqual(over.warnings, [
    "the credentials from secret of ann are not sent to registry.test over plain http, where anybody could be called so; name it without http://",
  ]);
  const secure = client({ [origin]: registry.handler }, token);
  assert.equal(await secure.get("one"), 200);
});
