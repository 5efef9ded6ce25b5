import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerWith, hosts, memoryRegistry, put, type RegistryAccess, sampleImage, tokenServer } from "@dray/testkit";
import { clientOf, failsWith } from "../../test/registry-client.ts";
import { type Keychain, staticCredential } from "../auth/index.ts";
import { copy } from "../copy/index.ts";
import { type Handler, header } from "../http/index.ts";
import { connect } from "./connect.ts";

const users = { ann: "hunter2" };
const ann = staticCredential({ username: "ann", password: "hunter2", source: "a test" });
const image = sampleImage();

/** A registry that says to strangers of all but `/v2/` what `said` answers, and of `/v2/` the truth unless that is open. */
const hiding = (said: { status: number; code: string }, access: RegistryAccess, { open = false } = {}) => {
  const registry = memoryRegistry({ access });
  put(registry, "a/b", "v1", image);
  const seen: string[] = [];
  const body = JSON.stringify({ errors: [{ code: said.code, message: "no" }] });
  const handler: Handler = async (request) => {
    const { method, target, headers } = request;
    const scheme = header(headers, "Authorization")?.split(" ", 1)[0] ?? "bare";
    seen.push(`${scheme} ${method} ${target.replace(/sha256:.*/, "DIGEST")}`);
    const response = await registry.handler(request);
    if (response.status !== 401 || scheme !== "bare") return response;
    await response.body.discard();
    if (target === "/v2/") return open ? answerWith(200)(request, registry.handler) : registry.handler(request);
    return answerWith(said.status, { "Content-Type": "application/json" }, body)(request, registry.handler);
  };
  return { registry, seen, handler };
};

const basic: RegistryAccess = { scheme: "basic", users };
const answers = [
  { status: 404, code: "MANIFEST_UNKNOWN" },
  { status: 403, code: "DENIED" },
  { status: 401, code: "UNAUTHORIZED" },
];
const wires = (handler: Handler, more: Readonly<Record<string, Handler>> = {}): Handler =>
  hosts({ "https://r.test": handler, ...more });

describe("a registry where only /v2/ asks who comes", () => {
  for (const said of answers)
    test(`is asked there before its ${said.status} counts, and from then on gets the credentials at once`, async () => {
      const { handler, seen } = hiding(said, basic);
      const repository = clientOf(wires(handler), { credentials: ann }).repository("a/b");
      assert.equal((await repository.resolve("v1")).digest, image.root.digest);
      await repository.manifest("v1");
      assert.deepEqual(seen, [
        "bare HEAD /v2/a/b/manifests/v1",
        "bare GET /v2/",
        "Basic HEAD /v2/a/b/manifests/v1",
        "Basic GET /v2/a/b/manifests/v1",
      ]);
    });

  test("with tokens, and for lists, blobs and writes as for manifests", async () => {
    const tokens = tokenServer({ users });
    const access: RegistryAccess = { scheme: "bearer", tokens, realm: "https://auth.test/token" };
    const { handler } = hiding({ status: 404, code: "NAME_UNKNOWN" }, access);
    const network = wires(handler, { "https://auth.test": tokens.handler });
    const ofNew = () => clientOf(network, { credentials: ann }).repository("a/b");
    assert.deepEqual(await Array.fromAsync(ofNew().tags()), ["v1"]);
    for (const [digest, bytes] of image.blobs)
      assert.equal((await ofNew().describe(digest)).size, bytes.byteLength, digest);
    await ofNew().remove("v1");
    assert.deepEqual(await Array.fromAsync(ofNew().tags()), []);
  });

  test("is asked once by all who come at the same time, each of whom gets what is there", async () => {
    const { handler, seen } = hiding({ status: 404, code: "MANIFEST_UNKNOWN" }, basic);
    const slow: Handler = async (request) => {
      const response = await handler(request);
      await new Promise((resolve) => setImmediate(resolve));
      return response;
    };
    const repository = clientOf(wires(slow), { credentials: ann }).repository("a/b");
    const asks = Array.from({ length: 4 }, () => repository.manifest("v1"));
    for (const { descriptor } of await Promise.all(asks)) assert.equal(descriptor.digest, image.root.digest);
    assert.equal(seen.filter((line) => line.endsWith(" /v2/")).length, 1);
  });

  test("is not asked without credentials, nor twice for the same scopes", async () => {
    const { handler, seen } = hiding({ status: 404, code: "MANIFEST_UNKNOWN" }, basic);
    const nobody = clientOf(wires(handler), { credentials: async () => undefined }).repository("a/b");
    await assert.rejects(nobody.resolve("v1"), failsWith("NOT_FOUND"));
    assert.ok(!seen.includes("bare GET /v2/"));
    seen.length = 0;
    const open = memoryRegistry();
    put(open, "a/b", "v1", image);
    const counting: Handler = (request) => (seen.push(request.target), open.handler(request));
    const token: Keychain = async () => ({ identityToken: "t", source: "a test" });
    const repository = clientOf(wires(counting), { credentials: token }).repository("a/b");
    for (let i = 0; i < 3; i++) await assert.rejects(repository.resolve("v2"), failsWith("NOT_FOUND"));
    assert.equal(seen.filter((target) => target === "/v2/").length, 1);
  });

  test("is not asked for the look-ups of a push, whose write is challenged", async () => {
    const registry = memoryRegistry({ access: basic });
    const seen: string[] = [];
    const handler: Handler = async (request) => {
      const { method, target, headers } = request;
      seen.push(`${method} ${target.replace(/sha256:.*/, "DIGEST")}`);
      const bare = header(headers, "Authorization") === undefined;
      return bare && (method === "HEAD" || (method === "GET" && target !== "/v2/"))
        ? answerWith(404)(request, registry.handler)
        : registry.handler(request);
    };
    const target = clientOf(wires(handler), { credentials: ann }).repository("c/d");
    const local = memoryRegistry();
    put(local, "a/b", "v1", image);
    const source = clientOf(local.handler).repository("a/b");
    await copy({ store: source, name: "v1", location: "a/b:v1" }, { store: target, name: "v1", location: "c/d:v1" });
    assert.ok(registry.manifest("c/d", "v1"));
    const firstWrite = seen.findIndex((line) => !line.startsWith("HEAD") && !line.includes("/manifests/"));
    assert.ok(firstWrite > 0 && !seen.slice(0, firstWrite).includes("GET /v2/"), seen.join("\n"));
  });
});

describe("a registry that asks nowhere", () => {
  const said = { status: 404, code: "NAME_UNKNOWN" };

  test("gets the password once it says that nothing is there, as with other clients", async () => {
    const { handler } = hiding(said, basic, { open: true });
    const repository = clientOf(wires(handler), { credentials: ann }).repository("a/b");
    assert.deepEqual(await Array.fromAsync(repository.tags()), ["v1"]);
  });

  test("does not get it over plain http, unless plain http was asked for", async () => {
    for (const plainHttp of [undefined, true]) {
      const { handler, seen } = hiding(said, basic, { open: true });
      const connection = hosts({ "http://localhost:5000": handler });
      const options = { credentials: ann, connection, stateDir: false as const, plainHttp };
      const tags = Array.fromAsync(connect("localhost:5000", options).repository("a/b").tags());
      if (plainHttp) assert.deepEqual(await tags, ["v1"]);
      else await assert.rejects(tags, failsWith("NOT_FOUND"));
      assert.equal(
        seen.some((line) => line.startsWith("Basic")),
        plainHttp === true,
      );
    }
  });
});
