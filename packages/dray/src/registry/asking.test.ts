import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  cutResponse,
  faults,
  hosts,
  loseAnswer,
  memoryRegistry,
  put,
  redirectTo,
  rewrite,
  sampleImage,
  seededBytes,
  tokenServer,
} from "@dray/testkit";
import { against, clientOf, failsWith } from "../../test/registry-client.ts";
import { staticCredential } from "../auth/index.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Handler, header } from "../http/index.ts";
import { digestOf, encodeJson, mediaTypes } from "../oci/index.ts";

const image = sampleImage();
const withImage = (options: Parameters<typeof memoryRegistry>[0] = {}) => {
  const registry = memoryRegistry(options);
  put(registry, "a/b", "v1", image);
  return registry;
};
const asked = (at: { log: { select(): readonly { method: string; target: string }[] } }): string[] =>
  at.log.select().map(({ method, target }) => `${method} ${target.replace("/v2/a/b", "")}`);

describe("the digest of a name", () => {
  test("is one HEAD, also of what says neither type nor length", async () => {
    for (const rules of [[], [{ effect: rewrite({ "Content-Type": undefined, "Content-Length": undefined }) }]]) {
      const at = against(withImage(), rules);
      assert.equal(await at.repository.digest("v1"), image.root.digest);
      assert.equal(await at.repository.digest(image.root.digest), image.root.digest);
      assert.deepEqual(asked(at), ["HEAD /manifests/v1", `HEAD /manifests/${image.root.digest}`]);
    }
  });

  test("is no GET where HEAD does not tell, unless that is wanted", async () => {
    for (const rule of [
      { method: "HEAD", effect: rewrite({ "Docker-Content-Digest": undefined }) },
      { method: "HEAD", effect: answerWith(405) },
      { method: "HEAD", effect: answerWith(403) },
    ]) {
      const at = against(withImage(), [rule]);
      await assert.rejects(at.repository.digest("v1"), failsWith("REGISTRY", "DENIED"));
      assert.deepEqual(asked(at), ["HEAD /manifests/v1"]);
      assert.equal(await at.repository.digest("v1", { orRead: true }), image.root.digest);
      assert.deepEqual(asked(at).slice(1), ["HEAD /manifests/v1", "GET /manifests/v1"]);
    }
  });

  test("is not there where the name is not, and never another than was asked for", async () => {
    const at = against(withImage());
    await assert.rejects(at.repository.digest("none"), failsWith("NOT_FOUND"));
    const wrong = against(withImage(), [{ effect: rewrite({ "Docker-Content-Digest": digestOf(new Uint8Array(1)) }) }]);
    await assert.rejects(wrong.repository.digest(image.root.digest), failsWith("DIGEST_MISMATCH"));
  });
});

describe("a blob by its digest alone", () => {
  const bytes = seededBytes("blob", 300_000);
  const digest = digestOf(bytes);
  const setup = (rules: Parameters<typeof faults>[1] = [], content: Uint8Array = bytes) => {
    const registry = memoryRegistry();
    registry.addBlob("a/b", bytes);
    const at = against(registry, rules);
    return { at, read: async () => collect(at.repository.blob(digest), 1e6, "blob"), content };
  };
  const withoutLength = { method: "GET", effect: rewrite({ "Content-Length": undefined }) } as const;

  test("is one GET, with a length and without", async () => {
    for (const rules of [[], [withoutLength]]) {
      const { at, read } = setup(rules);
      assert.deepEqual(await read(), bytes);
      assert.deepEqual(asked(at), [`GET /blobs/${digest}`]);
    }
  });

  test("goes on where it was cut", async () => {
    for (const rules of [[], [withoutLength]]) {
      const { at, read } = setup([{ method: "GET", nth: 1, effect: cutResponse(100_000) }, ...rules]);
      assert.deepEqual(await read(), bytes);
      assert.deepEqual(asked(at), [`GET /blobs/${digest}`, `GET /blobs/${digest}`]);
      assert.equal(header(at.log.entries.at(-1)?.headers ?? [], "Range"), "bytes=100000-");
    }
  });

  test("has its digest, or throws", async () => {
    const other = seededBytes("other", 300_000);
    const connection: Handler = async ({ origin, target }) => ({
      status: 200,
      headers: [],
      url: origin + target,
      body: { chunks: bytesContent(other).open(), discard: async () => {} },
    });
    const repository = clientOf(connection).repository("a/b");
    await assert.rejects(collect(repository.blob(digest), 1e6, "blob"), failsWith("DIGEST_MISMATCH"));
    assert.deepEqual(await collect(repository.blob(digest, { verify: false }), 1e6, "blob"), other);
    await assert.rejects(setup([{ effect: answerWith(404) }]).read(), failsWith("NOT_FOUND"));
  });
});

describe("pages", () => {
  const names = Array.from({ length: 7 }, (_, i) => `v${i}`);
  const setup = () => {
    const registry = memoryRegistry({ pageSize: 3 });
    registry.addTags("a/b", names);
    for (const name of ["a/c", "b/a", "c"]) put(registry, name, "1", image);
    return against(registry);
  };

  test("of tags are as the registry cuts them, and none is asked for that nobody wants", async () => {
    const at = setup();
    assert.deepEqual(await Array.fromAsync(at.repository.tags().pages()), [
      names.slice(0, 3),
      names.slice(3, 6),
      ["v6"],
    ]);
    at.log.entries.length = 0;
    const two: string[] = [];
    let pages = 0;
    for await (const page of at.repository.tags().pages()) {
      two.push(...page);
      if (++pages === 2) break;
    }
    assert.deepEqual([two, at.log.count()], [names.slice(0, 6), 2]);
  });

  test("a list is asked for anew each time it is read", async () => {
    const at = setup();
    const tags = at.repository.tags();
    assert.deepEqual(await Array.fromAsync(tags), names);
    at.registry.addTags("a/b", ["v7"]);
    assert.deepEqual(await Array.fromAsync(tags), [...names, "v7"]);
  });

  test("the catalog begins after a name, too", async () => {
    const at = setup();
    assert.deepEqual(await Array.fromAsync(at.client.catalog({ last: "a/b", pageSize: 2 })), ["a/c", "b/a", "c"]);
    assert.equal(at.log.entries[0]?.target, "/v2/_catalog?n=2&last=a%2Fb");
  });
});

describe("conditions", () => {
  const manifest = (note: string): Uint8Array =>
    encodeJson({
      ...JSON.parse(new TextDecoder().decode(image.manifests.get(image.root.digest)?.bytes)),
      annotations: { note },
    });
  const descriptorOf = (bytes: Uint8Array) => ({
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });

  test("a write is bound to what was read: somebody was faster is a conflict", async () => {
    const at = against(withImage({ conditional: true }));
    const [mine, theirs] = [manifest("mine"), manifest("theirs")];
    const { etag } = await at.repository.manifest("v1");
    assert.ok(etag !== undefined);
    await at.repository.writeNamed(descriptorOf(theirs), bytesContent(theirs), "v1", { ifMatch: etag });
    await assert.rejects(
      at.repository.writeNamed(descriptorOf(mine), bytesContent(mine), "v1", { ifMatch: etag }),
      (error) => isDrayError(error, "CONFLICT") && error.status === 412,
    );
    await assert.rejects(at.repository.tag(image.root, "v1", { ifNoneMatch: "*" }), failsWith("CONFLICT"));
    await at.repository.tag(image.root, "v2", { ifNoneMatch: "*" });
    assert.equal(await at.repository.digest("v2"), image.root.digest);
  });

  test("a read of what the caller has brings nothing", async () => {
    const at = against(withImage(), [
      {
        method: "GET",
        effect: (request, next) =>
          header(request.headers, "If-None-Match") === '"kept"'
            ? answerWith(304)(request, next)
            : rewrite({ ETag: '"kept"' })(request, next),
      },
    ]);
    const first = await at.repository.manifest("v1", { ifNoneMatch: undefined });
    assert.equal(first?.etag, '"kept"');
    assert.equal(await at.repository.manifest("v1", { ifNoneMatch: first?.etag }), undefined);
    assert.equal((await at.repository.manifest("v1", { ifNoneMatch: '"old"' }))?.descriptor.digest, image.root.digest);
  });
});

describe("a request of one's own", () => {
  test("has the registry's credentials and repetitions, and any status is an answer", async () => {
    const tokens = tokenServer({ users: { ann: "secret" } });
    const registry = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
    const elsewhere = memoryRegistry();
    const own = faults(registry.handler, [
      { target: "/api/v1/", nth: 1, effect: answerWith(503) },
      { target: "/api/v1/moved", effect: redirectTo("https://else.test") },
    ]);
    const log: [string, string | undefined][] = [];
    const way = hosts({
      "https://r.test": own,
      "https://auth.test": tokens.handler,
      "https://else.test": elsewhere.handler,
    });
    const client = clientOf(
      (request) => (
        log.push([request.origin + request.target, header(request.headers, "Authorization")?.split(" ")[0]]),
        way(request)
      ),
      { credentials: staticCredential({ username: "ann", password: "secret", source: "test" }, "r.test") },
    );
    await client
      .request({ target: "/v2/a/b/tags/list", scopes: ["repository:a/b:pull"] })
      .then(({ body }) => body.discard());
    log.length = 0;
    const { status, body } = await client.request({
      target: "/api/v1/repositories?page=2",
      headers: { "X-Own": "1" },
      scopes: ["repository:a/b:pull"],
    });
    await body.discard();
    assert.equal(status, 404);
    assert.deepEqual(log.slice(0, 2), Array(2).fill(["https://r.test/api/v1/repositories?page=2", "Bearer"]));
    await (await client.request({ target: "/api/v1/moved", scopes: ["repository:a/b:pull"] })).body.discard();
    assert.deepEqual(log.at(-1), ["https://else.test/api/v1/moved", undefined]);
    await (await client.request({ target: new URL("https://else.test/x") })).body.discard();
    assert.deepEqual(log.at(-1), ["https://else.test/x", undefined]);
  });

  test("sends bytes; what may have been done already is not repeated", async () => {
    const at = against(memoryRegistry(), [{ method: "POST", target: "/hook", effect: answerWith(503) }]);
    const { status, body } = await at.client.request({ method: "POST", target: "/hook", body: new Uint8Array(7) });
    await body.discard();
    assert.deepEqual([status, at.log.count({ method: "POST" })], [503, 1]);
    for (const target of ["v2/", "", new URL("file:///etc/passwd")])
      await assert.rejects(at.client.request({ target }), failsWith("USAGE"));
  });
});

test("what is left of a limit is told with each answer that says it", async () => {
  const at = against(withImage(), [
    { effect: rewrite({ "RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "7;w=21600" }) },
  ]);
  await at.repository.digest("v1");
  assert.deepEqual(at.events, [
    { type: "rateLimit", registry: "r.test", remaining: 7, limit: 100, window: 21_600_000 },
  ]);
});

describe("a deletion", () => {
  test("whose answer was lost is done when it is asked again", async () => {
    const at = against(withImage(), [{ method: "DELETE", nth: 1, effect: loseAnswer() }]);
    await at.repository.remove("v1");
    assert.deepEqual([at.registry.tags("a/b"), at.log.count({ method: "DELETE" })], [[], 2]);
  });

  test("of what never was there is an error", async () => {
    const at = against(withImage());
    await assert.rejects(at.repository.remove("none"), failsWith("NOT_FOUND"));
  });
});
