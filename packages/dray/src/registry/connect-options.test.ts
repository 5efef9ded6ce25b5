import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  faults,
  hosts,
  listen,
  memoryRegistry,
  put,
  redirectTo,
  sampleImage,
  seededBytes,
  tokenServer,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous, type Credential, staticCredential } from "../auth/index.ts";
import { bytesContent, collect, type ProgressEvent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import {
  fetchConnection,
  type Handler,
  type HttpRequest,
  header,
  type Middleware,
  systemClock,
} from "../http/index.ts";
import { type Descriptor, digestOf, mediaTypes } from "../oci/index.ts";
import { version } from "../version.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Registry } from "./registry.ts";

const instant = { clock: { ...systemClock, sleep: async () => {} } };
const quiet: ConnectOptions = { credentials: anonymous, stateDir: false, retry: instant };
const ann: Credential = { username: "ann", password: "secret", source: "test" };

/** A registry with tokens from elsewhere and blobs elsewhere, and what it was asked. */
const world = ({ users }: { users?: Record<string, string> } = {}) => {
  const tokens = tokenServer({
    ...(users === undefined ? {} : { users }),
    allow: (account, { actions }) => (account === undefined ? actions.filter((action) => action === "pull") : actions),
  });
  const memory = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
  const bytes = seededBytes("blob", 1000);
  memory.addBlob("a/b", bytes);
  put(memory, "a/b", "v1", sampleImage());
  const moved = faults(memory.handler, [{ method: "GET", target: "/blobs/", effect: redirectTo("https://cdn.test") }]);
  const storage = memoryRegistry();
  storage.addBlob("a/b", bytes);
  const seen: HttpRequest[] = [];
  const way = hosts({
    "https://r.test": moved,
    "https://auth.test": tokens.handler,
    "https://cdn.test": storage.handler,
  });
  const connection: Handler = (request) => (seen.push(request), way(request));
  return { memory, seen, connection, descriptor: { mediaType: "x", digest: digestOf(bytes), size: bytes.byteLength } };
};
/** All three hosts are visited: the registry, its token service, its storage. */
const readAll = async (registry: Registry, descriptor: Descriptor): Promise<void> => {
  const repository = registry.repository("a/b");
  await repository.manifest("v1");
  await collect(repository.blob(descriptor), 1000, "blob");
};
const hostsOf = (seen: readonly HttpRequest[], name: string): Record<string, (string | undefined)[]> => {
  const found: Record<string, (string | undefined)[]> = {};
  for (const { origin, headers } of seen) (found[new URL(origin).host] ??= []).push(header(headers, name));
  return Object.fromEntries(Object.entries(found).map(([host, values]) => [host, [...new Set(values)]]));
};

describe("headers", () => {
  test("go to the registry with every request, and to nobody else", async () => {
    const { seen, connection, descriptor } = world();
    const headers = { "X-Team": "a", Accept: "nonsense" };
    const registry = connect("r.test", { ...quiet, headers, connection });
    await readAll(registry, descriptor);
    assert.deepEqual(hostsOf(seen, "X-Team"), { "r.test": ["a"], "auth.test": [undefined], "cdn.test": [undefined] });
    assert.ok(
      seen
        .filter(({ target }) => target.includes("/manifests/"))
        .every(({ headers: sent }) => header(sent, "Accept") !== "nonsense"),
    );
  });

  test("that no request can carry are refused at once, without their value", async () => {
    for (const options of [
      { headers: { "X A": "b" } },
      { headers: [["X-A", "secret\r\nB: c"]] as const },
      { userAgent: "a\nb" },
    ])
      assert.throws(
        () => connect("r.test", options),
        (error) =>
          isDrayError(error, "USAGE") &&
          /the header ".*" cannot be sent/.test(error.message) &&
          !/secret/.test(error.message),
      );
    const registry = connect("r.test", { connection: memoryRegistry().handler });
    await assert.rejects(registry.request({ target: "/", headers: { "X-A": "\u0000" } }), (error) =>
      isDrayError(error, "USAGE"),
    );
  });

  test("an authorization among them replaces credentials", async () => {
    const memory = memoryRegistry({ access: { scheme: "basic", users: { ann: "secret" } } });
    const value = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
    for (const headers of [{ authorization: value }, [["Authorization", value]] as const])
      await connect("r.test", { ...quiet, headers, connection: memory.handler }).ping();
    assert.ok(memory.log.entries.every(({ status }) => status === 200));
  });

  test("the user agent names the library, with the program before it", async () => {
    for (const [options, expected] of [
      [{}, `dray/${version}`],
      [{ userAgent: "acme/2" }, `acme/2 dray/${version}`],
      [{ headers: { "user-agent": "mine" } }, "mine"],
    ] as const) {
      const { seen, connection } = world();
      await connect("r.test", { ...quiet, ...options, connection })
        .ping()
        .catch(() => {});
      assert.deepEqual(hostsOf(seen, "User-Agent")["r.test"], [expected]);
    }
    const { version: published } = JSON.parse(
      await readFile(new URL("../../package.json", import.meta.url), "utf8"),
    ) as { version: string };
    assert.equal(version, published);
  });
});

test("middleware is around the wire: it hears each hop and each attempt, outermost first, and may answer itself", async () => {
  const { connection, descriptor } = world();
  const heard: string[] = [];
  const named =
    (name: string): Middleware =>
    (next) =>
    (request) => {
      heard.push(`${name} ${new URL(request.origin).host}`);
      return next(request);
    };
  const registry = connect("r.test", { ...quiet, middleware: [named("outer"), named("inner")], connection });
  await readAll(registry, descriptor);
  const each = ["r.test", "auth.test", "r.test", "r.test", "cdn.test"];
  assert.deepEqual(
    heard,
    each.flatMap((host) => [`outer ${host}`, `inner ${host}`]),
  );
  const alone = connect("r.test", {
    ...quiet,
    middleware: () => memoryRegistry().handler,
    connection: () => assert.fail(),
  });
  await alone.ping();
});

describe("the name of a registry", () => {
  const originsAsked = async (name: string, options: ConnectOptions = {}): Promise<readonly [string, string[]]> => {
    const seen = new Set<string>();
    const connection: Handler = async ({ origin }) => {
      seen.add(origin);
      throw new TypeError("nobody");
    };
    const registry = connect(name, { ...quiet, ...options, connection, retry: { attempts: 1 } });
    await assert.rejects(registry.ping(), (error) => isDrayError(error, "NETWORK"));
    return [registry.name, [...seen]];
  };

  test("may be a URL, whose scheme alone is spoken", async () => {
    assert.deepEqual(await originsAsked("http://h.test:5000"), ["h.test:5000", ["http://h.test:5000"]]);
    assert.deepEqual(await originsAsked("http://h.test:80/v2/"), ["h.test:80", ["http://h.test"]]);
    assert.deepEqual(await originsAsked("HTTPS://127.0.0.1:5000/"), ["127.0.0.1:5000", ["https://127.0.0.1:5000"]]);
    assert.deepEqual(await originsAsked("https://index.docker.io/v1/"), [
      "docker.io",
      ["https://registry-1.docker.io"],
    ]);
  });

  test("without a scheme, plainHttp: false leaves plain http out on this machine, too", async () => {
    assert.deepEqual(await originsAsked("127.0.0.1:5000", { plainHttp: false }), [
      "127.0.0.1:5000",
      ["https://127.0.0.1:5000"],
    ]);
    assert.equal((await originsAsked("127.0.0.1:5000"))[1].length, 2);
  });

  test("is refused where it is none", () => {
    for (const name of ["https://h.test/team", "http://docker.io", "ftp://h.test", "https://", "https://user@h.test"])
      assert.throws(
        () => connect(name),
        (error) => isDrayError(error, "REFERENCE_INVALID"),
        name,
      );
    for (const name of [undefined, null, 5])
      assert.throws(
        () => connect(name as unknown as string),
        (error) => isDrayError(error, "USAGE"),
      );
  });
});

describe("ambient: false", () => {
  const names = [
    "DOCKER_CONFIG",
    "DRAY_USERNAME",
    "DRAY_PASSWORD",
    "XDG_STATE_HOME",
    "HTTP_PROXY",
    "NO_PROXY",
    "no_proxy",
  ] as const;
  const kept = names.map((name) => [name, process.env[name]] as const);
  let folder: string;
  before(async () => {
    folder = temporaryFolder("ambient");
    await mkdir(join(folder, "docker"));
    await writeFile(join(folder, "docker", "config.json"), '{"HttpHeaders":{"X-Meta":"yes"},"auths":{}}');
    process.env["DOCKER_CONFIG"] = join(folder, "docker");
    process.env["XDG_STATE_HOME"] = join(folder, "state");
  });
  after(() => {
    for (const [name, value] of kept)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  test("asks nothing of the machine: headers, credentials, proxy", async () => {
    const memory = memoryRegistry({ access: { scheme: "basic", users: { ann: "secret" } } });
    const server = await listen(memory.handler);
    try {
      await writeFile(
        join(folder, "docker", "config.json"),
        JSON.stringify({
          HttpHeaders: { "X-Meta": "yes" },
          auths: { [server.host]: { auth: Buffer.from("ann:secret").toString("base64") } },
        }),
      );
      const usual = connect(server.host, { retry: { attempts: 1 } });
      await usual.ping();
      assert.equal(header(memory.log.entries.at(-1)?.headers ?? [], "X-Meta"), "yes");
      const config = join(folder, "docker", "config.json");
      const kept = await readFile(config, "utf8");
      await writeFile(config, JSON.stringify({ HttpHeaders: { "X-Meta": "a\nb" } }));
      await assert.rejects(
        connect(server.host, { retry: { attempts: 1 } }).ping(),
        (error) =>
          isDrayError(error, "CONFIG_INVALID") &&
          /HttpHeaders in docker's config\.json: the header "X-Meta"/.test(error.message),
      );
      await writeFile(config, kept);
      process.env["HTTP_PROXY"] = "http://127.0.0.1:9";
      delete process.env["NO_PROXY"];
      delete process.env["no_proxy"];
      const alone = connect(`http://${server.host}`, { ambient: false, retry: { attempts: 1 } });
      await assert.rejects(alone.ping(), (error) => isDrayError(error, "UNAUTHORIZED"));
      assert.equal(header(memory.log.entries.at(-1)?.headers ?? [], "X-Meta"), undefined);
      const credentials = staticCredential(ann, server.host);
      const said = connect(`http://${server.host}`, { ambient: false, credentials });
      await said.ping();
    } finally {
      delete process.env["HTTP_PROXY"];
      await server.close();
    }
  });
});

describe("allowHost", () => {
  test("is asked for each host, with what it is visited for, before it is spoken to", async () => {
    const { seen, connection, descriptor } = world();
    const asked = new Set<string>();
    const allowHost: ConnectOptions["allowHost"] = (url, purpose) => {
      asked.add(`${purpose} ${url.host}`);
      return true;
    };
    const registry = connect("r.test", { ...quiet, allowHost, connection });
    await readAll(registry, descriptor);
    assert.deepEqual([...asked], ["registry r.test", "token auth.test", "redirect cdn.test"]);
    assert.equal(seen.length, 5);
    await registry.token(["repository:a/b:pull"]);
    assert.equal(asked.size, 3);
  });

  for (const [refused, host] of [
    ["registry", "r.test"],
    ["token", "auth.test"],
    ["redirect", "cdn.test"],
  ] as const)
    test(`false for the ${refused}: nothing is sent there`, async () => {
      const { seen, connection, descriptor } = world();
      const registry = connect("r.test", {
        ...quiet,
        connection,
        allowHost: async (_url, purpose) => purpose !== refused,
      });
      await assert.rejects(
        readAll(registry, descriptor),
        (error) => isDrayError(error, "ADDRESS_REFUSED") && error.host === host && error.message.includes(host),
      );
      assert.ok(!seen.some(({ origin }) => new URL(origin).host === host));
    });

  test("is asked for the host that is spoken to, however the path begins", async () => {
    const seen: string[] = [];
    const connection: Handler = (request) => {
      seen.push(request.origin + request.target);
      const isFirst = request.target === "/v2/a";
      return answerWith(isFirst ? 307 : 200, isFirst ? { Location: "https://blocked.test//allowed.test/x" } : {})(
        request,
        memoryRegistry().handler,
      );
    };
    const allowHost: ConnectOptions["allowHost"] = ({ host }) => host !== "blocked.test";
    const registry = connect("r.test", { ...quiet, connection, allowHost });
    await assert.rejects(registry.request({ target: "/v2/a" }), (error) => isDrayError(error, "ADDRESS_REFUSED"));
    // A path is one on the registry, and leads to no other host.
    for (const target of ["//elsewhere.test/x", "/\\elsewhere.test/x"]) {
      const headers = { "X-Key": "secret" };
      await (await registry.request({ target, headers })).body.discard();
    }
    const on = "https://r.test//elsewhere.test/x";
    assert.deepEqual(seen, ["https://r.test/v2/a", on, on]);
  });

  test("a registry on this machine is not even looked at", async () => {
    let connections = 0;
    const server = createServer(() => connections++).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const registry = connect(`127.0.0.1:${port}`, { ...quiet, allowHost: () => false });
    await assert.rejects(registry.ping(), (error) => isDrayError(error, "ADDRESS_REFUSED"));
    assert.equal(connections, 0);
    server.close();
  });
});

describe("whenRefused", () => {
  const wrong = { ...ann, password: "expired" };
  for (const scheme of ["bearer", "basic"] as const)
    test(`"anonymous": ${scheme} credentials that are refused hide nothing that everybody may read, and are told of once`, async () => {
      const { memory, connection } = world({ users: { ann: "secret" } });
      // Open to read, and to write with a password, as far as it asks at all.
      const open: Handler = async (request) => {
        const authorization = header(request.headers, "Authorization");
        if (authorization === undefined && request.target !== "/v2/") return memoryOpen.handler(request);
        const headers = [["WWW-Authenticate", 'Basic realm="x"']] as const;
        return { ...(await memoryOpen.handler(request)), status: 401, headers };
      };
      const memoryOpen = memoryRegistry();
      put(memoryOpen, "a/b", "v1", sampleImage());
      const events: ProgressEvent[] = [];
      const options: ConnectOptions = {
        ...quiet,
        credentials: staticCredential(wrong, "r.test"),
        connection: scheme === "bearer" ? connection : open,
        onEvent: (event) => events.push(event),
      };
      const refused = connect("r.test", options);
      if (scheme === "basic") await refused.ping().catch(() => {});
      await assert.rejects(refused.repository("a/b").manifest("v1"), (error) => isDrayError(error, "UNAUTHORIZED"));
      const registry = connect("r.test", { ...options, whenRefused: "anonymous" });
      if (scheme === "basic") await registry.ping().catch(() => {});
      events.length = 0;
      for (const _ of [1, 2]) await registry.repository("a/b").manifest("v1");
      const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
      if (scheme === "bearer") assert.equal(warnings.length, 1);
      assert.ok(warnings.every((message) => message.includes("credentials from test") && !message.includes("expired")));
      const upload = registry.repository("a/b").ingest(bytesContent(new Uint8Array(5)), { mediaType: "text/plain" });
      await assert.rejects(upload, (error) => isDrayError(error, "UNAUTHORIZED"));
      assert.deepEqual(await memory.uploads(), []);
    });

  test("credentials that nobody named for the registry are left out of reads where nothing is said, and told of once", async () => {
    const { connection } = world({ users: { ann: "secret" } });
    const events: ProgressEvent[] = [];
    const options: ConnectOptions = {
      ...quiet,
      credentials: staticCredential({ ...wrong, ambient: true }, "r.test"),
      connection,
      onEvent: (event) => events.push(event),
    };
    const registry = connect("r.test", options);
    for (const _ of [1, 2]) await registry.repository("a/b").manifest("v1");
    assert.equal(events.filter(({ type }) => type === "warning").length, 1);
    const upload = registry.repository("a/b").ingest(bytesContent(new Uint8Array(5)), { mediaType: "text/plain" });
    await assert.rejects(upload, (error) => isDrayError(error, "UNAUTHORIZED"));
    const failing = connect("r.test", { ...options, whenRefused: "fail" });
    await assert.rejects(failing.repository("a/b").manifest("v1"), (error) => isDrayError(error, "UNAUTHORIZED"));
  });

  test("is about what reads: a write that names no scopes does not become a stranger's", async () => {
    const seen: string[] = [];
    const connection: Handler = (request) => {
      seen.push(`${request.method} ${header(request.headers, "Authorization")?.split(" ")[0] ?? "bare"}`);
      return answerWith(401, { "WWW-Authenticate": 'Basic realm="x"' })(request, memoryRegistry().handler);
    };
    for (const [method, ends] of [
      ["GET", "bare"],
      ["DELETE", "Basic"],
    ] as const) {
      const credentials = staticCredential(wrong, "r.test");
      const registry = connect("r.test", { ...quiet, credentials, connection, whenRefused: "anonymous" });
      await (await registry.request({ method, target: "/v2/_ext" })).body.discard();
      assert.equal(seen.at(-1), `${method} ${ends}`);
    }
  });
});

describe("a connection from elsewhere", () => {
  test("fetch carries everything: tokens, redirects, uploads, conditions of the wire", async () => {
    const tokens = tokenServer({ users: { ann: "secret" } });
    const memory = memoryRegistry();
    const storage = await listen(memory.handler);
    const authority = await listen(tokens.handler);
    const guarded = memoryRegistry({ access: { scheme: "bearer", tokens, realm: `${authority.origin}/token` } });
    const server = await listen(
      faults(guarded.handler, [{ method: "GET", target: "/blobs/", effect: redirectTo(storage.origin) }]),
    );
    try {
      const credentials = staticCredential(ann, server.host);
      const registry = connect(`http://${server.host}`, {
        ...quiet,
        credentials,
        connection: fetchConnection(globalThis.fetch),
      });
      const repository = registry.repository("a/b");
      const bytes = seededBytes("layer", 3_000_000);
      const layer = await repository.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociLayer });
      memory.addBlob("a/b", bytes);
      assert.equal(guarded.blob("a/b", layer.digest)?.size, bytes.byteLength);
      assert.deepEqual(await collect(repository.blob(layer), layer.size, "blob"), bytes);
      assert.ok(memory.log.entries.every(({ authorization }) => authorization === undefined));
      await assert.rejects(repository.manifest("none"), (error) => isDrayError(error, "NOT_FOUND"));
      await assert.rejects(repository.manifest("none", { signal: AbortSignal.abort() }), (error) =>
        isDrayError(error, "ABORTED"),
      );
    } finally {
      await Promise.all([server, storage, authority].map((each) => each.close()));
    }
  });

  test("what it throws is a fault of the network, and tried again", async () => {
    const memory = memoryRegistry();
    put(memory, "a/b", "v1", sampleImage());
    let calls = 0;
    const failing: Handler = async (request) => {
      if (++calls < 3)
        throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) });
      return memory.handler(request);
    };
    await connect("r.test", { ...quiet, connection: failing })
      .repository("a/b")
      .manifest("v1");
    assert.equal(calls, 3);
    const never = connect("r.test", {
      ...quiet,
      connection: async () => {
        throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) });
      },
    });
    await assert.rejects(
      never.ping(),
      (error) => isDrayError(error, "NETWORK") && /cannot reach r\.test: connection refused/.test(error.message),
    );
  });
});

test("a registry is closed as `await using` closes it", async () => {
  const server = await listen(memoryRegistry().handler);
  const registry = connect(server.host, quiet);
  await registry.ping();
  await registry[Symbol.asyncDispose]();
  await assert.rejects(registry.ping(), (error) => isDrayError(error, "ABORTED"));
  await server.close();
});
