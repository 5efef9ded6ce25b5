import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  cutRequest,
  type Effect,
  type Fault,
  faults,
  hosts,
  listen,
  memoryRegistry,
  put,
  redirectTo,
  rewrite,
  run,
  sampleImage,
  seededBytes,
  testCertificates,
  tokenServer,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous, staticCredential } from "../auth/index.ts";
import { bytesContent, type Content, memoryStore, type ProgressEvent } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Handler, type HttpRequest, header, systemClock, type TraceRecord } from "../http/index.ts";
import { type Digest, digestOf, mediaTypes } from "../oci/index.ts";
import { version } from "../version.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";

const image = sampleImage({ layers: 2 });
const mib = 1024 * 1024;
const instant = { clock: { ...systemClock, sleep: async () => {} } };
const quiet: ConnectOptions = { credentials: anonymous, stateDir: false, retry: instant };

/** Sees what goes over the wire. */
const seeing = (next: Handler): { seen: HttpRequest[]; handler: Handler } => {
  const seen: HttpRequest[] = [];
  return { seen, handler: (request) => (seen.push(request), next(request)) };
};

describe("a registry", () => {
  test("is not spoken to before it is needed", async () => {
    const { seen, handler } = seeing(memoryRegistry().handler);
    const registry = connect("localhost:5000", { ...quiet, connection: handler });
    assert.equal(registry.name, "localhost:5000");
    assert.equal(registry.repository("a/b").name, "a/b");
    await registry.close();
    assert.deepEqual(seen, []);
  });

  test("has one store for a repository, as long as somebody has it", () => {
    const registry = connect("r.test", quiet);
    assert.equal(registry.repository("a/b"), registry.repository("a/b"));
    assert.notEqual(registry.repository("a/b"), registry.repository("a"));
    for (const name of ["", "A", "a//b", "../b", "a/b:c"])
      assert.throws(
        () => registry.repository(name),
        (error) => isDrayError(error, "REFERENCE_INVALID"),
      );
    assert.throws(
      () => connect("a/b"),
      (error) => isDrayError(error, "REFERENCE_INVALID"),
    );
  });

  test("of Docker Hub has its own host", async () => {
    const { seen, handler } = seeing(memoryRegistry().handler);
    await connect("docker.io", { ...quiet, connection: handler }).ping();
    assert.deepEqual(
      seen.map(({ origin, target }) => origin + target),
      ["https://registry-1.docker.io/v2/"],
    );
  });

  test("a small manifest is one round trip", async () => {
    const memory = memoryRegistry();
    put(memory, "a/b", "v1", image);
    await connect("r.test", { ...quiet, connection: memory.handler })
      .repository("a/b")
      .manifest("v1");
    assert.equal(memory.log.count(), 1);
  });

  test("says who it is to every host on the way, and tells of every request", async () => {
    const memory = memoryRegistry();
    const bytes = seededBytes("x", 100);
    memory.addBlob("a/b", bytes);
    const moved = faults(memory.handler, [{ method: "GET", nth: 1, effect: redirectTo("https://cdn.test") }]);
    const { seen, handler } = seeing(hosts({ "https://r.test": moved, "https://cdn.test": memory.handler }));
    const records: TraceRecord[] = [];
    const options = {
      ...quiet,
      connection: handler,
      userAgent: "test/1",
      trace: (record: TraceRecord) => records.push(record),
    };
    await Array.fromAsync(
      connect("r.test", options)
        .repository("a/b")
        .blob({ mediaType: "x", digest: digestOf(bytes), size: 100 }),
    );
    assert.deepEqual(
      seen.map(({ headers }) => header(headers, "User-Agent")),
      [`test/1 dray/${version}`, `test/1 dray/${version}`],
    );
    assert.deepEqual(
      records.map(({ url, status }) => [new URL(url).host, status]),
      [
        ["r.test", 307],
        ["cdn.test", 200],
      ],
    );
  });

  test("warnings of the registry are heard once", async () => {
    const events: ProgressEvent[] = [];
    const memory = memoryRegistry();
    const connection = faults(memory.handler, [{ effect: rewrite({ Warning: '299 - "quota"' }) }]);
    const registry = connect("r.test", { ...quiet, connection, onEvent: (event) => events.push(event) });
    await registry.ping();
    await registry.ping();
    assert.deepEqual(events, [{ type: "warning", message: "r.test: quota" }]);
  });

  for (const status of [401, 403, 404, 500])
    test(`a ping that gets ${status} is an error`, async () => {
      const connection = faults(memoryRegistry().handler, [{ effect: answerWith(status) }]);
      await assert.rejects(
        connect("r.test", { ...quiet, connection }).ping(),
        (error) => isDrayError(error) && error.status === status,
      );
    });
});

describe("tokens", () => {
  const setup = (rules: readonly Fault[] = []) => {
    const tokens = tokenServer({ users: { ann: "secret" }, lifetimeSeconds: 300 });
    const memory = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
    const { seen, handler } = seeing(
      hosts({ "https://r.test": faults(memory.handler, rules), "https://auth.test": tokens.handler }),
    );
    const credentials = staticCredential({ username: "ann", password: "secret", source: "test" });
    return { tokens, memory, seen, registry: connect("r.test", { ...quiet, credentials, connection: handler }) };
  };
  test("of a service with a fault are asked for again as often as anything else, and when it says", async () => {
    for (const [rule, waits] of [
      [answerWith(503), undefined],
      [answerWith(503, { "Retry-After": "7" }), [7_000, 7_000]],
    ] as const) {
      const slept: number[] = [];
      const tokens = tokenServer();
      const memory = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
      const { seen, handler } = seeing(
        hosts({ "https://r.test": memory.handler, "https://auth.test": faults(tokens.handler, [{ effect: rule }]) }),
      );
      let time = 0;
      const sleep = async (ms: number): Promise<void> => {
        slept.push(ms);
        time += ms;
      };
      const clock = { ...systemClock, now: () => time, sleep };
      const retry = { attempts: 3, clock };
      const registry = connect("r.test", { ...quiet, retry, budget: { clock }, connection: handler });
      const asked = () => seen.filter(({ origin }) => origin === "https://auth.test").length;
      await assert.rejects(registry.repository("a").resolve("v1"), (error) => isDrayError(error, "REGISTRY"));
      assert.equal(asked(), 3);
      if (waits !== undefined) assert.deepEqual(slept, waits);
      await assert.rejects(registry.token(["repository:a:pull"]), (error) => isDrayError(error, "REGISTRY"));
      assert.equal(asked(), 6);
    }
  });

  const store = async () => {
    const source = memoryStore();
    for (const bytes of image.blobs.values())
      await source.write({ mediaType: "x", digest: digestOf(bytes), size: bytes.byteLength }, content(bytes));
    for (const [digest, { mediaType, bytes }] of image.manifests)
      await source.write({ mediaType, digest, size: bytes.byteLength }, content(bytes));
    await source.tag(image.root, "v1");
    return source;
  };
  const content = (bytes: Uint8Array): Content => ({
    size: bytes.byteLength,
    open: async function* ({ offset = 0 } = {}) {
      for (let at = offset; at < bytes.byteLength; at += 65536) yield bytes.subarray(at, at + 65536);
    },
  });

  test("one for reading and one for writing carry a whole copy, and one for both a mount", async () => {
    const { tokens, memory, registry } = setup();
    const target = registry.repository("one");
    await copy(
      { store: await store(), name: "v1", location: "memory" },
      { store: target, name: "v1", location: "one" },
    );
    assert.ok(memory.manifest("one", "v1"));
    assert.ok(tokens.log.count() <= 3, `${tokens.log.count()} tokens`);
    const mounted = await copy(
      { store: target, name: "v1", location: "one" },
      { store: registry.repository("two"), name: "v2", location: "two" },
    );
    assert.deepEqual([mounted.mounted, mounted.copied], [3, 1]);
  });

  test("that end in the midst of an upload are replaced, and no byte goes twice", async () => {
    const bytes = seededBytes("large", 3 * mib);
    const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength };
    const rules: Fault[] = [
      { method: "PUT", nth: 1, effect: cutRequest(mib) },
      { method: "PATCH", nth: 1, effect: run(() => at.tokens.expireAll()) },
    ];
    const at = setup(rules);
    await at.registry.repository("a").upload(descriptor, content(bytes));
    assert.equal(at.memory.blob("a", descriptor.digest)?.size, bytes.byteLength);
    assert.ok(at.memory.log.count({ status: 401 }) > 1);
  });

  test("never reach another host", async () => {
    const { memory, seen, registry } = setup([
      { method: "GET", target: "/blobs/", effect: redirectTo("https://cdn.test/x") },
    ]);
    const bytes = seededBytes("x", 100);
    memory.addBlob("a", bytes);
    await registry.ping();
    await assert.rejects(
      Array.fromAsync(registry.repository("a").blob({ mediaType: "x", digest: digestOf(bytes), size: 100 })),
    );
    const there = seen.filter(({ origin }) => origin === "https://cdn.test");
    assert.ok(there.length > 0 && there.every(({ headers }) => header(headers, "Authorization") === undefined));
    assert.ok(seen.some(({ origin, headers }) => origin === "https://r.test" && header(headers, "Authorization")));
  });
});

describe("a registry over sockets", () => {
  let dir: string;
  const before_ = { ...process.env };
  before(async () => {
    dir = temporaryFolder("connect");
    process.env["XDG_CONFIG_HOME"] = join(dir, "config");
    process.env["DOCKER_CONFIG"] = join(dir, "docker");
    await mkdir(join(dir, "docker"));
    await writeFile(join(dir, "docker", "config.json"), '{"HttpHeaders":{"X-Meta":"yes"}}');
  });
  after(async () => {
    for (const name of ["XDG_CONFIG_HOME", "DOCKER_CONFIG"] as const)
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
  });

  test("plain http on this machine, with the headers of docker's configuration", async () => {
    const { seen, handler } = seeing(memoryRegistry().handler);
    const server = await listen(handler);
    const registry = connect(server.host, { stateDir: false });
    try {
      await registry.ping();
      assert.equal(header(seen.at(-1)?.headers ?? [], "X-Meta"), "yes");
    } finally {
      await registry.close();
      await server.close();
    }
  });

  test("an authority that certs.d holds for the host is trusted, a stranger is not", async () => {
    const { ca, server: certificate } = testCertificates();
    const server = await listen(memoryRegistry().handler, { tls: certificate });
    const stranger = connect(server.host, quiet);
    const known = connect(server.host, quiet);
    try {
      await assert.rejects(stranger.ping(), (error) => isDrayError(error, "TLS"));
      const folder = join(dir, "config", "containers", "certs.d", server.host);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "ca.crt"), ca.cert);
      await known.ping();
    } finally {
      await stranger.close();
      await known.close();
      await server.close();
    }
  });

  test("certificates of another name are those that certName names, and have to be there", async () => {
    const { ca, server: certificate, client } = testCertificates();
    const server = await listen(memoryRegistry().handler, {
      tls: { ...certificate, ca: ca.cert, clientAuth: "require" },
    });
    const folder = join(dir, "config", "docker", "certs.d", "name.test");
    await mkdir(folder, { recursive: true });
    for (const [file, text] of Object.entries({
      "name.test.crt": ca.cert,
      "client.cert": client.cert,
      "client.key": client.key,
    }))
      await writeFile(join(folder, file), text);
    const reach = async (options: ConnectOptions): Promise<string> => {
      const registry = connect(server.host, { ...quiet, retry: { attempts: 1 }, ...options });
      const said = await registry.ping().then(
        () => "reached",
        (error: unknown) => (isDrayError(error) ? `${error.code} ${error.message}` : String(error)),
      );
      await registry.close();
      return said;
    };
    try {
      assert.match(await reach({}), /^TLS/);
      assert.equal(await reach({ certName: "name.test" }), "reached");
      assert.equal(await reach({ certName: "name.test", ambient: false }), "reached");
      assert.match(await reach({ certName: "other.test" }), /^CONFIG_INVALID .*"other\.test".*certs\.d\/other\.test/);
      await rm(join(folder, "client.key"));
      assert.match(await reach({ certName: "name.test" }), /^CONFIG_INVALID .*client\.cert lacks its key client\.key/);
    } finally {
      await server.close();
    }
    for (const [options, says] of [
      [{ cert: client.cert }, /option cert is given without key/],
      [{ key: client.key }, /option key is given without cert/],
      [{ certName: "../name.test" }, /option certName/],
      [{ certName: ".." }, /option certName/],
      [{ certName: "" }, /option certName/],
    ] as const)
      assert.throws(
        () => connect(server.host, { ...quiet, ...options }),
        (error) => isDrayError(error, "USAGE") && says.test(error.message),
      );
  });

  test("plainHttp and skipTlsVerify are two things, and insecure is both", async () => {
    const server = await listen(memoryRegistry().handler, { tls: testCertificates().server });
    const table: readonly (readonly [ConnectOptions, reached: boolean])[] = [
      [{}, false],
      [{ plainHttp: true }, false],
      [{ skipTlsVerify: true }, true],
      [{ insecure: true }, true],
      [{ insecure: true, skipTlsVerify: false }, false],
      [{ insecure: true, plainHttp: false }, true],
    ];
    try {
      for (const [options, reached] of table) {
        const registry = connect(server.host, { ...quiet, ...options, retry: { attempts: 1 } });
        const answer = await registry.ping().then(
          () => true,
          (error: unknown) => !isDrayError(error, "TLS"),
        );
        assert.equal(answer, reached, JSON.stringify(options));
        await registry.close();
      }
    } finally {
      await server.close();
    }
    const asked = async (options: ConnectOptions): Promise<string[]> => {
      const { seen, handler } = seeing(async () => {
        throw new DrayError("NETWORK", "nobody");
      });
      const registry = connect("far.example", { ...quiet, ...options, connection: handler, retry: { attempts: 1 } });
      await assert.rejects(registry.ping());
      return [...new Set(seen.map(({ origin }) => origin))];
    };
    const secure = "https://far.example";
    assert.deepEqual(await asked({ skipTlsVerify: true }), [secure]);
    for (const options of [{ plainHttp: true }, { insecure: true }])
      assert.deepEqual(await asked(options), [secure, "http://far.example"]);
  });

  test("nobody there, by https or http: one error that says it once", async () => {
    const server = await listen(memoryRegistry().handler);
    await server.close();
    const registry = connect(server.host, { ...quiet, retry: { attempts: 1 } });
    await assert.rejects(
      registry.ping(),
      (error) => isDrayError(error, "NETWORK") && error.message.split("connection refused").length === 2,
    );
    await registry.close();
  });
});

test("an upload that the registry's own Location led astray says so", async () => {
  const registry = memoryRegistry();
  const away: Handler = async (request) => {
    if (request.origin === "https://r.test:444") throw new DrayError("NETWORK", "r.test:444: connection refused");
    const response = await registry.handler(request);
    if (request.method !== "POST") return response;
    return { ...response, headers: [["Location", "https://r.test:444/v2/a/b/blobs/uploads/1"]] };
  };
  const bytes = seededBytes("astray", 3 * mib);
  const blob = { mediaType: "x/y", digest: digestOf(bytes), size: bytes.byteLength };
  const store = connect("r.test", { ...quiet, connection: away }).repository("a/b");
  await assert.rejects(store.write(blob, bytesContent(bytes)), (error) => {
    assert.ok(isDrayError(error, "NETWORK"), String(error));
    assert.match(
      error.message,
      /r\.test itself led the upload to https:\/\/r\.test:444 \(Location\).*X-Forwarded-Proto/,
    );
    return true;
  });
});

describe("patience and cancelling", () => {
  const later = (seconds: string): Handler =>
    faults(memoryRegistry().handler, [
      {
        method: "GET",
        effect: answerWith(
          503,
          { "Retry-After": seconds },
          '{"errors":[{"code":"UNAVAILABLE","message":"nearly full"}]}',
        ),
      },
      { method: "HEAD", effect: answerWith(503, { "Retry-After": seconds }) },
    ]);

  test("budget.maxWait bounds what a 503 asks for, too; its code, status and words stay", async () => {
    const waits: number[] = [];
    const clock = { ...systemClock, sleep: async (ms: number) => void waits.push(ms) };
    for (const options of [{ budget: { maxWait: 30_000 } }, { retry: { clock, maxWait: 30_000 } }]) {
      const registry = connect("r.test", { ...quiet, retry: { clock }, ...options, connection: later("60") });
      await assert.rejects(registry.repository("a/b").manifest("1"), (error) => {
        assert.ok(isDrayError(error, "REGISTRY"), String(error));
        assert.deepEqual([error.status, error.registryCode], [503, "UNAVAILABLE"]);
        assert.match(error.message, /nearly full/);
        return true;
      });
    }
    assert.deepEqual(
      waits.filter((ms) => ms >= 1000),
      [],
    );
  });

  test("a plugged connection that ends with its signal's own error is ABORTED for whoever asked", async () => {
    const never: Handler = ({ signal }) =>
      new Promise((_, reject) => {
        const end = (): void => reject(signal?.reason as Error);
        if (signal?.aborted === true) end();
        else signal?.addEventListener("abort", end);
      });
    const body: Handler = async (request) => ({
      status: 200,
      headers: [["Content-Type", mediaTypes.ociManifest]],
      url: request.origin + request.target,
      body: {
        chunks: (async function* () {
          yield* [];
          await never(request);
        })(),
        discard: async () => {},
      },
    });
    for (const connection of [never, body])
      for (const [signal, code] of [
        [AbortSignal.timeout(20), "TIMEOUT"],
        [aborting(), "ABORTED"],
      ] as const)
        await assert.rejects(
          connect("r.test", { ...quiet, connection })
            .repository("a/b")
            .manifest("1", { signal }),
          (error) => isDrayError(error, code),
        );
  });

  const aborting = (): AbortSignal => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    return controller.signal;
  };
});

describe("what another host says", () => {
  const users = { ann: "hunter2" };
  const layer = seededBytes("layer", 100_000);
  const content = { mediaType: mediaTypes.ociLayer, digest: digestOf(layer), size: layer.byteLength };
  const credentials = staticCredential({ username: "ann", password: "hunter2", source: "a test" });

  /** A push to a registry whose uploads lie on storage, which answers as it likes. */
  const push = async (effect: Effect, scheme = "https") => {
    const { seen: stored, handler: storage } = seeing((request) => effect(request, memoryRegistry().handler));
    const registry = memoryRegistry({ access: { scheme: "basic", users } });
    const { seen, handler } = seeing(
      faults(registry.handler, [
        {
          method: "POST",
          effect: answerWith(202, { Location: `${scheme}://storage.test/up/1` }),
        },
      ]),
    );
    const connection = hosts({ "https://r.test": handler, [`${scheme}://storage.test`]: storage });
    const client = connect("r.test", { ...quiet, credentials, connection, chunkSize: 60_000 });
    await client
      .repository("a/b")
      .write(content, bytesContent(layer))
      .catch(() => {});
    return { seen, stored, client };
  };

  test("leads no credentials back to the registry, neither by redirect nor by Location", async () => {
    const manifest = "https://r.test/v2/a/b/manifests/latest";
    for (const status of [307, 202]) {
      const { seen } = await push(answerWith(status, { Location: manifest }));
      const back = seen.filter(({ target }) => target.startsWith("/v2/a/b/manifests/latest"));
      assert.ok(back.length > 0);
      for (const { headers } of back) assert.equal(header(headers, "Authorization"), undefined);
    }
  });

  test("an upload never goes on in the clear on another host", async () => {
    const { stored, client } = await push(answerWith(201), "http");
    assert.deepEqual(stored, []);
    await assert.rejects(client.repository("a/b").write(content, bytesContent(layer)), (error) => {
      assert.match((error as Error).message, /leads the upload from https to http at storage\.test/);
      return isDrayError(error, "ADDRESS_REFUSED");
    });
  });
});

describe("an https registry whose blobs lie on plain http storage", () => {
  const [digest] = image.blobs.keys();
  const setup = (plainHttp: boolean, bytes?: Uint8Array) => {
    const registry = memoryRegistry({ access: { scheme: "basic", users: { ann: "hunter2" } } });
    put(registry, "a/b", "v1", image);
    const lead: Fault = { target: "/blobs/", effect: redirectTo("http://storage.test") };
    const storage = memoryRegistry();
    put(storage, "a/b", "v1", image);
    const { seen, handler } = seeing(
      bytes === undefined ? storage.handler : (request) => answerWith(200, {}, "other")(request, storage.handler),
    );
    const connection = hosts({ "https://r.test": faults(registry.handler, [lead]), "http://storage.test": handler });
    const credentials = staticCredential({ username: "ann", password: "hunter2", source: "a test" });
    const repository = connect("r.test", { ...quiet, credentials, connection, plainHttp }).repository("a/b");
    return { seen, read: async () => Buffer.concat(await Array.fromAsync(repository.blob(digest as Digest))) };
  };

  test("is refused, and the remedy named", async () => {
    const { seen, read } = setup(false);
    await assert.rejects(read(), (error) => {
      assert.ok(isDrayError(error, "ADDRESS_REFUSED"));
      assert.match(error.message, /from https to http at storage\.test/);
      return error.remedy === "follow-plain-http";
    });
    assert.deepEqual(seen, []);
  });

  test("is followed where plain http is allowed, without credentials, and what comes is hashed", async () => {
    const { seen, read } = setup(true);
    assert.deepEqual(await read(), Buffer.from(image.blobs.get(digest as Digest) as Uint8Array));
    assert.ok(seen.length > 0 && seen.every(({ headers }) => header(headers, "Authorization") === undefined));
    await assert.rejects(setup(true, new Uint8Array(5)).read(), (error) =>
      isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH"),
    );
  });
});
