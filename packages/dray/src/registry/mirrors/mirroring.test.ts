import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  corrupt,
  cutResponse,
  type FakeClock,
  fakeClock,
  faults,
  hosts,
  memoryRegistry,
  put,
  redirectTo,
  rewrite,
  sampleImage,
  seededBytes,
  tokenServer,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous, type Keychain } from "../../auth/index.ts";
import { bytesBody, bytesContent, collect, memoryStore, type ProgressEvent } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { isDrayError } from "../../errors.ts";
import { type Handler, header } from "../../http/index.ts";
import { layoutStore } from "../../layout/index.ts";
import { connect } from "../connect.ts";
import type { ConnectOptions } from "../connect-options.ts";
import type { Registry } from "../registry.ts";
import type { Repository } from "../repository.ts";
import type { Mirror, MirrorRule } from "./rules.ts";

const image = sampleImage({ seed: "mirrored", layers: 2, layerSize: 1_200_000 });
const another = sampleImage({ seed: "another" });
const [layer] = image.layers;
assert.ok(layer);

interface Scene {
  readonly registry: Registry;
  /** `METHOD host kind status` of every request in its order; the kinds are tag, manifest, blob, base. */
  readonly asked: string[];
  readonly authorizations: Map<string, Set<string>>;
  readonly warnings: string[];
  readonly clock: FakeClock;
}

const withImage = (repository = "team/app"): Handler => {
  const registry = memoryRegistry();
  put(registry, repository, "v1", image);
  return registry.handler;
};
const lacking = (): Handler => memoryRegistry().handler;

const answerOf = (status: number): Handler => faults(lacking(), [{ effect: answerWith(status) }]);

const sort = (target: string): string => {
  if (/\/blobs\/uploads\//.test(target)) return "upload";
  if (/\/blobs\//.test(target)) return "blob";
  if (/\/manifests\/sha256:/.test(target)) return "manifest";
  return /\/manifests\//.test(target) ? "tag" : target;
};

/** A registry `o.test` that is mirrored by `rule`, and the hosts that are there. */
const scene = (
  handlers: Readonly<Record<string, Handler>>,
  rule: Partial<MirrorRule> & { readonly mirrors?: readonly Mirror[] },
  options: ConnectOptions & { readonly keychain?: Keychain } = {},
): Scene => {
  const { keychain, ...more } = options;
  const asked: string[] = [];
  const authorizations = new Map<string, Set<string>>();
  const warnings: string[] = [];
  const clock = fakeClock();
  const way = hosts(
    Object.fromEntries(Object.entries(handlers).map(([host, handler]) => [`https://${host}`, handler])),
  );
  const connection: Handler = async (request) => {
    const host = request.origin.replace("https://", "");
    const value = header(request.headers, "Authorization");
    const seen = authorizations.get(host) ?? new Set();
    authorizations.set(host, seen);
    if (value !== undefined) seen.add(value.startsWith("Basic ") ? atob(value.slice(6)) : value.slice(0, 6));
    const line = `${request.method} ${host} ${sort(request.target)}`;
    try {
      const response = await way(request);
      asked.push(`${line} ${response.status}`);
      return response;
    } catch (error) {
      asked.push(`${line} -`);
      throw error;
    }
  };
  const onEvent = (event: ProgressEvent): void => void (event.type === "warning" && warnings.push(event.message));
  const registry = connect("o.test", {
    ambient: false,
    retry: { clock },
    connection,
    onEvent,
    mirrors: { rules: [{ prefix: "o.test", ...rule }], credentials: keychain },
    ...more,
  });
  return { registry, asked, authorizations, warnings, clock };
};

const readLayer = async (registry: Registry, repository = "team/app"): Promise<Uint8Array> =>
  collect(registry.repository(repository).blob(layer), layer.size, "the layer");
const two: readonly Mirror[] = [{ location: "m0.test" }, { location: "m1.test" }];

describe("a mirrored registry", () => {
  test("is not asked where a mirror has what is read, by tag and by digest", async () => {
    const { registry, asked } = scene({ "m0.test": withImage() }, { mirrors: two });
    const repository = registry.repository("team/app");
    assert.equal((await repository.manifest("v1")).descriptor.digest, image.root.digest);
    assert.equal(await repository.digest("v1"), image.root.digest);
    assert.equal((await repository.manifest(image.root.digest)).bytes.byteLength, image.root.size);
    await readLayer(registry);
    assert.deepEqual(asked, [
      "GET m0.test tag 200",
      "HEAD m0.test tag 200",
      "GET m0.test manifest 200",
      "GET m0.test blob 200",
    ]);
  });

  test("is asked last, where each mirror fails in its own way, and each of those is left alone for a minute", async () => {
    const { registry, asked, warnings, clock } = scene(
      { "m0.test": lacking(), "o.test": withImage() },
      { mirrors: [...two, { location: "m2.test" }] },
    );
    const repository = registry.repository("team/app");
    await repository.manifest("v1");
    await readLayer(registry);
    const first = ["GET m0.test tag 404", "GET m1.test tag -", "GET m2.test tag -", "GET o.test tag 200"];
    assert.deepEqual(asked.splice(0), [...first, "GET o.test blob 200"]);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.match(warnings[0] ?? "", /^the mirror m1\.test of o\.test is passed over for a minute: .*nobody listens at/);
    await clock.advance(61_000);
    await repository.manifest("v1");
    assert.deepEqual(asked, first);
  });

  test("is the place of what mirrors lack of a repository they have", async () => {
    const partly = faults(withImage(), [{ target: /blobs/, effect: answerWith(404) }]);
    const { registry, asked } = scene({ "m0.test": partly, "o.test": withImage() }, { mirrors: two.slice(0, 1) });
    await registry.repository("team/app").manifest("v1");
    await readLayer(registry);
    await registry.repository("team/app").manifest("v1");
    assert.deepEqual(asked, [
      "GET m0.test tag 200",
      "GET m0.test blob 404",
      "GET o.test blob 200",
      "GET m0.test tag 200",
    ]);
  });

  test("is asked for a tag that a mirror does not have, which goes on giving what it has", async () => {
    const { registry, asked } = scene({ "m0.test": withImage(), "o.test": withImage() }, { mirrors: two.slice(0, 1) });
    const repository = registry.repository("team/app");
    await repository.manifest("v1");
    await assert.rejects(repository.manifest("v2"), (error) => isDrayError(error, "NOT_FOUND"));
    await readLayer(registry);
    assert.deepEqual(asked.slice(1), ["GET m0.test tag 404", "GET o.test tag 404", "GET m0.test blob 200"]);
  });

  test("is asked for a part that a mirror refuses, which goes on giving what it has", async () => {
    const whole = faults(withImage(), [{ target: layer.digest, nth: 1, effect: answerWith(416) }]);
    const { registry, asked } = scene({ "m0.test": whole, "o.test": withImage() }, { mirrors: two.slice(0, 1) });
    const repository = registry.repository("team/app");
    await collect(repository.blob(layer, { offset: layer.size - 10 }), 10, "its end");
    await readLayer(registry);
    assert.deepEqual(asked, ["GET m0.test blob 416", "GET o.test blob 206", "GET m0.test blob 200"]);
  });

  for (const [how, handler] of [
    ["500", faults(withImage(), [{ effect: answerWith(500) }])],
    ["429", faults(withImage(), [{ effect: answerWith(429, { "Retry-After": "3600" }) }])],
    ["401", faults(withImage(), [{ effect: answerWith(401, { "WWW-Authenticate": 'Basic realm="x"' }) }])],
    ["403", faults(withImage(), [{ effect: answerWith(403) }])],
    [
      "a page of HTML",
      faults(withImage(), [{ effect: answerWith(200, { "Content-Type": "text/html" }, "<p>Log in") }]),
    ],
    ["a circle of redirects", faults(withImage(), [{ effect: redirectTo("https://m0.test") }])],
    ["another manifest", faults(withImage(), [{ target: /manifests/, effect: corrupt(20) }])],
  ] as const)
    test(`is asked at once where a mirror answers with ${how}`, async () => {
      const { registry, clock } = scene({ "m0.test": handler, "o.test": withImage() }, { mirrors: two.slice(0, 1) });
      const began = clock.now();
      assert.equal(
        (await registry.repository("team/app").manifest(image.root.digest)).descriptor.size,
        image.root.size,
      );
      assert.equal((await registry.repository("team/app").manifest("v1")).descriptor.digest, image.root.digest);
      assert.equal(clock.now(), began);
    });

  test("says what its mirrors said, where it does not have it either", async () => {
    const { registry } = scene({ "m0.test": lacking(), "o.test": lacking() }, { mirrors: two });
    await assert.rejects(registry.repository("team/app").manifest("v1"), (error) => {
      assert.ok(isDrayError(error, "NOT_FOUND"));
      assert.match(
        error.message,
        /^reading manifest o\.test\/team\/app:v1: o\.test answered 404.*\(its mirrors were asked before: m0\.test answered 404.*; .*m1\.test.*nobody listens/,
      );
      return true;
    });
    const down = scene({}, { mirrors: two });
    await assert.rejects(
      down.registry.repository("team/app").manifest("v1"),
      (error) => isDrayError(error, "NETWORK") && /o\.test.*\(its mirrors were asked before: /.test(error.message),
    );
  });
});

describe("what a mirror gives", () => {
  test("has its digest: a small blob that has not comes from the next", async () => {
    const lying = faults(withImage(), [{ target: /blobs/, effect: corrupt(3) }]);
    const { registry, asked, warnings } = scene({ "m0.test": lying, "m1.test": withImage() }, { mirrors: two });
    await collect(registry.repository("team/app").blob(image.config), image.config.size, "config");
    await registry.repository("team/app").manifest("v1");
    assert.deepEqual(asked, ["GET m0.test blob 200", "GET m1.test blob 200", "GET m1.test tag 200"]);
    assert.match(warnings.join(), /the mirror m0\.test of o\.test is passed over: content has digest/);
  });

  test("has the size that was promised", async () => {
    const short = faults(withImage(), [{ target: /blobs/, effect: answerWith(200, {}, "short") }]);
    const { registry, asked } = scene({ "m0.test": short, "m1.test": withImage() }, { mirrors: two });
    await readLayer(registry);
    assert.deepEqual(asked, ["GET m0.test blob 200", "GET m1.test blob 200"]);
  });

  test("in another size than a descriptor says is not asked for again there; a descriptor that is wrong takes no mirror away", async () => {
    const { registry, asked, warnings } = scene(
      { "m0.test": withImage(), "o.test": withImage() },
      { mirrors: two.slice(0, 1) },
    );
    const repository = registry.repository("team/app");
    for (const wrong of [image.config, layer])
      await assert.rejects(collect(repository.blob({ ...wrong, size: 17 }), layer.size, "it"), (error) =>
        isDrayError(error, "SIZE_MISMATCH"),
      );
    await readLayer(registry);
    await repository.manifest("v1");
    assert.deepEqual(
      asked.filter((line) => line.includes(" m0.test ")),
      ["GET m0.test blob 200", "GET m0.test blob 200", "GET m0.test tag 200"],
    );
    assert.deepEqual(warnings, []);
  });

  test("in another size than was promised, without saying so beforehand, is moved again from elsewhere", async () => {
    const there = withImage();
    const long: Handler = async (request) => {
      const response = await there(request);
      if (!request.target.includes(layer.digest)) return response;
      const headers = response.headers.filter(([name]) => name !== "Content-Length");
      return { ...response, headers, body: bytesBody(new Uint8Array(layer.size + 1)) };
    };
    const { registry, asked, warnings } = scene(
      { "m0.test": long, "o.test": withImage() },
      { mirrors: two.slice(0, 1) },
    );
    const source = { store: registry.repository("team/app"), name: "v1", location: "o.test/team/app:v1" };
    await copy(source, { store: memoryStore(), name: "v1", location: "memory" });
    assert.equal(asked.filter((line) => line === "GET o.test blob 200").length, 1, asked.join("\n"));
    assert.deepEqual(warnings, []);
  });

  test("begins where it was asked to: another part comes from the registry", async () => {
    const there = withImage();
    const shifted: Handler = async (request) => {
      const response = await there(request);
      if (response.status !== 206) return response;
      const range: [string, string] = ["Content-Range", `bytes 105-154/${layer.size}`];
      return { ...response, headers: [...response.headers.filter(([name]) => name !== "Content-Range"), range] };
    };
    const { registry, asked } = scene({ "m0.test": shifted, "o.test": withImage() }, { mirrors: two.slice(0, 1) });
    const part = await collect(registry.repository("team/app").blob(layer, { offset: 100, length: 50 }), 50, "a part");
    assert.equal(part.byteLength, 50);
    assert.deepEqual(asked, ["GET m0.test blob 206", "GET o.test blob 206"]);
  });

  for (const to of ["a layout", "memory", "a registry"])
    test(`is moved again from elsewhere where a large layer is something else, to ${to}`, async () => {
      const lying = faults(withImage(), [{ method: "GET", target: layer.digest, effect: corrupt(1_000_000) }]);
      const { registry, asked, warnings } = scene(
        { "m0.test": lying, "m1.test": lying, "o.test": withImage() },
        { mirrors: two },
      );
      const target =
        to === "memory"
          ? memoryStore()
          : to === "a layout"
            ? layoutStore(`${temporaryFolder("mirroring")}/layout`)
            : connect("t.test", {
                ambient: false,
                connection: memoryRegistry().handler,
                retry: { delay: () => 0 },
              }).repository("copy");
      const source = { store: registry.repository("team/app"), name: "v1", location: "o.test/team/app:v1" };
      const { root } = await copy(source, { store: target, name: "v1", location: "target" });
      assert.equal(root.digest, image.root.digest);
      assert.equal(asked.filter((line) => /o\.test blob 200/.test(line)).length >= 1, true, asked.join("\n"));
      assert.equal(warnings.filter((each) => /is passed over: what it gives as sha256:/.test(each)).length, 2);
      assert.ok(!(await collect(target.read(layer), layer.size, "layer")).every((byte) => byte === 0));
    });

  test("goes on elsewhere where it is cut off again and again", async () => {
    const cut = faults(withImage(), [{ target: layer.digest, effect: cutResponse(0) }]);
    const { registry, asked, clock } = scene({ "m0.test": cut, "m1.test": withImage() }, { mirrors: two });
    const found = await clock.run(readLayer(registry));
    assert.equal(found.byteLength, layer.size);
    assert.deepEqual(asked, ["GET m0.test blob 200", "GET m1.test blob 200"]);
  });
});

/** An answer whose body comes a piece a step: each is waited for on the clock of the scene. */
const trickling =
  (there: Handler, piece: number, wait: () => Promise<void>): Handler =>
  async (request) => {
    const response = await there(request);
    const drops = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of response.body.chunks)
        for (let at = 0; at < chunk.byteLength; at += piece) {
          await wait();
          yield chunk.subarray(at, at + piece);
        }
    };
    return { ...response, body: { ...response.body, chunks: drops() } };
  };

describe("a mirror that is slow", () => {
  for (const [what, read, asked] of [
    ["a manifest", (app: Repository) => app.manifest("v1"), "tag"],
    ["a large blob", (app: Repository) => collect(app.blob(layer), layer.size, "the layer"), "blob"],
  ] as const)
    test(`is left for the next where ${what} trickles`, async () => {
      let clock: FakeClock | undefined;
      const slow = trickling(withImage(), 20, () => clock?.sleep(10_000) ?? Promise.resolve());
      const made = scene({ "m0.test": slow, "m1.test": withImage() }, { mirrors: two });
      clock = made.clock;
      const began = clock.now();
      await clock.run<unknown>(read(made.registry.repository("team/app")));
      assert.deepEqual(made.asked, [`GET m0.test ${asked} 200`, `GET m1.test ${asked} ${asked === "tag" ? 200 : 206}`]);
      assert.ok(clock.now() - began <= 75_000, `${clock.now() - began} ms`);
      assert.match(
        made.warnings.join(),
        /the mirror m0\.test of o\.test is passed over for a minute: m0\.test (has not|gives less)/,
      );
    });

  test("is left for the next where it says nothing", async () => {
    const silent: Handler = (request) =>
      new Promise((_, reject) => request.signal?.addEventListener("abort", () => reject(new Error("left"))));
    const { registry, asked, clock } = scene({ "m0.test": silent, "m1.test": withImage() }, { mirrors: two });
    await clock.run(registry.repository("team/app").manifest("v1"));
    assert.deepEqual(asked, ["GET m0.test tag -", "GET m1.test tag 200"]);
  });

  test("gives all of it to a reader that is slower", async () => {
    const { registry, asked, clock } = scene({ "m0.test": withImage() }, { mirrors: two });
    let came = 0;
    const reading = (async () => {
      for await (const chunk of registry.repository("team/app").blob(layer)) {
        came += chunk.byteLength;
        await clock.sleep(120_000);
      }
    })();
    await clock.run(reading);
    assert.equal(came, layer.size);
    assert.deepEqual(asked, ["GET m0.test blob 200"]);
  });
});

test("a mirror that is down again and again is left alone for longer, up to half an hour; once it is there that is forgotten", async () => {
  let down = true;
  const there = withImage();
  const sometimes: Handler = (request) => (down ? answerOf(503) : there)(request);
  const { registry, asked, clock, warnings } = scene(
    { "m0.test": sometimes, "o.test": withImage() },
    { mirrors: two.slice(0, 1) },
  );
  const repository = registry.repository("team/app");
  const rests: number[] = [];
  let last = clock.now();
  const until = async (found: number): Promise<void> => {
    while (asked.filter((line) => line.includes("m0.test")).length < found) {
      await clock.advance(30_500);
      await repository.manifest("v1");
    }
    rests.push(Math.floor((clock.now() - last) / 60_000));
    last = clock.now();
  };
  for (let times = 1; times <= 7; times++) await until(times);
  assert.deepEqual(rests, [0, 1, 2, 4, 8, 16, 30]);
  assert.match(warnings[2] ?? "", /is passed over for 4 minutes: /);
  down = false;
  await until(8);
  down = true;
  await until(9);
  await until(10);
  assert.deepEqual(rests.slice(-1), [1]);
});

describe("mirrors are asked", () => {
  test("only for what they are for", async () => {
    for (const [mirror, tag, then, byDigest] of [
      [{}, "m0", "m0", "m0"],
      [{ pulls: "digest-only" }, "o", "o", "m0"],
      [{ pulls: "tag-only" }, "m0", "m0", "o"],
      [{ capabilities: ["pull"] }, "o", "m0", "m0"],
      [{ capabilities: ["resolve"] }, "m0", "o", "o"],
      [{ capabilities: [] }, "o", "o", "o"],
    ] as const) {
      const handlers = { "m0.test": withImage(), "o.test": withImage() };
      const mirrors = [{ location: "m0.test", ...mirror } as Mirror];
      const byTag = scene(handlers, { mirrors });
      await byTag.registry.repository("team/app").manifest("v1");
      await readLayer(byTag.registry);
      const named = scene(handlers, { mirrors });
      await named.registry.repository("team/app").manifest(image.root.digest);
      await readLayer(named.registry);
      const seen = [...byTag.asked, ...named.asked].map((line) => line.split(" ")[1]?.replace(".test", ""));
      assert.deepEqual(seen, [tag, then, byDigest, byDigest], JSON.stringify(mirror));
    }
  });

  test("under the names that the rules give them", async () => {
    const { registry, asked } = scene(
      { "m0.test": withImage("proxy/team/app"), "o.test": withImage() },
      { prefix: "o.test/team", mirrors: [{ location: "m0.test/proxy/team" }] },
    );
    await registry.repository("team/app").manifest("v1");
    await assert.rejects(registry.repository("teams/app").manifest("v1"));
    assert.deepEqual(asked, ["GET m0.test tag 200", "GET o.test tag 404"]);
  });

  test("at another path, with headers of their own and the registry's name", async () => {
    const seen: string[] = [];
    const there = withImage();
    const odd: Handler = (request) => {
      seen.push(`${request.target} ${header(request.headers, "X-Team")}`);
      return there({ ...request, target: request.target.replace("/hub/v2", "/v2") });
    };
    const headers = [["X-Team", "a"]] as const;
    const { registry } = scene(
      { "m0.test": odd, "o.test": lacking() },
      { mirrors: [{ location: "https://m0.test", apiPath: "/hub/v2", namesOrigin: true, headers }] },
      { headers: { "X-Own": "secret" } },
    );
    await registry.repository("team/app").manifest("v1");
    assert.deepEqual(seen, ["/hub/v2/team/app/manifests/v1?ns=o.test a"]);
  });

  test("never for what a write asks on its way, and not about what was written", async () => {
    const origin = memoryRegistry();
    const { registry, asked } = scene({ "m0.test": withImage(), "o.test": origin.handler }, { mirrors: two });
    const repository = registry.repository("team/app");
    const bytes = seededBytes("pushed", 100);
    assert.equal(await repository.has(layer), false);
    assert.equal(await repository.lookUp("v1"), undefined);
    assert.equal(await repository.has(image.root), false);
    const descriptor = await repository.put(bytes, { mediaType: "application/octet-stream" });
    await repository.write(descriptor, bytesContent(bytes));
    await assert.rejects(repository.manifest("v1"), (error) => isDrayError(error, "NOT_FOUND"));
    assert.ok(asked.length > 5);
    assert.deepEqual(
      asked.filter((line) => !line.includes(" o.test ")),
      [],
    );
  });

  test("neither for tags, catalogs and referrers, nor for requests of the caller's own", async () => {
    const { registry, asked } = scene({ "m0.test": withImage(), "o.test": withImage() }, { mirrors: two });
    const repository = registry.repository("team/app");
    for await (const _ of repository.tags()) break;
    for await (const _ of registry.catalog()) break;
    for await (const _ of repository.referrers(image.root)) break;
    for (const more of [{}, { repository: "team/app", scopes: ["repository:team/app:pull"] }]) {
      const headers = { "Private-Token": "secret", Authorization: "Bearer secret" };
      const { body } = await registry.request({ target: "/v2/team/app/manifests/v1", headers, ...more });
      await body.discard();
    }
    await registry.ping();
    assert.deepEqual(
      asked.filter((line) => !line.includes(" o.test ")),
      [],
    );
  });

  test("without mirrors of their own: a circle ends", async () => {
    const rules = [
      { prefix: "o.test", mirrors: [{ location: "m0.test" }, { location: "o.test" }] },
      { prefix: "m0.test", mirrors: [{ location: "o.test" }] },
    ];
    const { registry, asked } = scene({ "m0.test": lacking(), "o.test": withImage() }, {}, { mirrors: { rules } });
    await registry.repository("team/app").manifest("v1");
    assert.deepEqual(asked, ["GET m0.test tag 404", "GET o.test tag 200"]);
  });
});

describe("rules", () => {
  test("may put another place in the stead of the registry, whose answer counts", async () => {
    const { registry, asked } = scene(
      { "real.test": withImage("moved/app"), "o.test": withImage() },
      { prefix: "o.test/team", primary: { location: "real.test/moved" } },
    );
    await registry.repository("team/app").manifest("v1");
    await assert.rejects(registry.repository("team/app").manifest("v2"), (error) => isDrayError(error, "NOT_FOUND"));
    assert.deepEqual(asked, ["GET real.test tag 200", "GET real.test tag 404"]);
  });

  test("may block names: nothing is asked about them", async () => {
    const { registry, asked } = scene(
      { "o.test": withImage() },
      { prefix: "o.test/team", blocked: true, from: "x.conf" },
    );
    const refused = (error: unknown): boolean =>
      isDrayError(error, "ADDRESS_REFUSED") &&
      error.message === 'o.test/team/app is blocked: x.conf says so of "o.test/team"';
    await assert.rejects(registry.repository("team/app").manifest("v1"), refused);
    await assert.rejects(registry.repository("team/app").put(new Uint8Array(3), { mediaType: "a/b" }), refused);
    await assert.rejects(registry.repository("team/app").tags()[Symbol.asyncIterator]().next(), refused);
    assert.deepEqual(asked, []);
    await assert.rejects(registry.repository("other/app").manifest("v1"), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("may block names that their mirrors have: the registry is not asked", async () => {
    const { registry, asked } = scene(
      { "m0.test": withImage(), "o.test": withImage() },
      { mirrors: two, blocked: true },
    );
    await registry.repository("team/app").manifest("v1");
    await assert.rejects(
      registry.repository("team/app").manifest("v2"),
      (error) =>
        isDrayError(error, "ADDRESS_REFUSED") &&
        /is blocked: .*\(its mirrors were asked before: m0\.test/.test(error.message),
    );
    assert.deepEqual(
      asked.filter((line) => line.includes(" o.test ")),
      [],
    );
  });

  test("that say nothing of a name leave it alone", async () => {
    const { registry, asked } = scene({ "o.test": withImage() }, { prefix: "p.test", mirrors: two });
    await registry.repository("team/app").manifest("v1");
    assert.deepEqual(asked, ["GET o.test tag 200"]);
  });
});

describe("credentials", () => {
  const users = { ann: "origin", max: "mirror" };
  const keychain: Keychain = async ({ registry }) =>
    registry === "m0.test" ? { username: "max", password: "mirror", source: "test" } : undefined;

  test("of a registry go to no mirror, and those of a mirror to no registry", async () => {
    const basic = () => {
      const registry = memoryRegistry({ access: { scheme: "basic", users } });
      put(registry, "team/app", "v1", image);
      return registry.handler;
    };
    const origin = basic();
    const { registry, authorizations } = scene(
      {
        "m0.test": faults(basic(), [{ target: /blobs/, effect: answerWith(404) }]),
        "m1.test": basic(),
        "o.test": origin,
      },
      { mirrors: two },
      { credentials: async () => ({ username: "ann", password: "origin", source: "test" }), keychain },
    );
    await registry.repository("team/app").manifest("v1");
    await readLayer(registry);
    const seen = Object.fromEntries([...authorizations].map(([host, values]) => [host, [...values]]));
    assert.deepEqual(seen, { "m0.test": ["max:mirror"], "m1.test": [], "o.test": ["ann:origin"] });
  });

  test("go to a mirror's token service alone, with its own scopes", async () => {
    const tokens = tokenServer({ users });
    const mirror = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://auth.test/token" } });
    put(mirror, "hub/team/app", "v1", another);
    const { registry, authorizations } = scene(
      { "m0.test": mirror.handler, "auth.test": tokens.handler, "o.test": withImage() },
      { mirrors: [{ location: "m0.test/hub" }] },
      { credentials: async () => ({ username: "ann", password: "origin", source: "test" }), keychain },
    );
    assert.equal((await registry.repository("team/app").manifest("v1")).descriptor.digest, another.root.digest);
    assert.deepEqual([...(authorizations.get("auth.test") ?? [])], ["max:mirror"]);
    assert.match(tokens.log.entries[0]?.target ?? "", /scope=repository%3Ahub%2Fteam%2Fapp%3Apull/);
    assert.equal(authorizations.get("o.test"), undefined);
  });

  test("and headers of the caller stay with the registry, and with what answers in its stead nothing of them is seen", async () => {
    const seen: (string | undefined)[] = [];
    const there = withImage();
    const watching: Handler = (request) => {
      seen.push(header(request.headers, "X-Own"), header(request.headers, "Authorization"));
      return there(request);
    };
    const { registry } = scene(
      { "m0.test": watching, "real.test": watching },
      { mirrors: two.slice(0, 1), primary: { location: "real.test" } },
      { headers: { "X-Own": "secret", Authorization: "Bearer secret" }, keychain: anonymous },
    );
    await registry.repository("team/app").manifest("v1");
    await assert.rejects(registry.repository("team/app").manifest("v2"));
    assert.deepEqual([...new Set(seen)], [undefined]);
  });
});

test("what a mirror's own header says of a digest is compared with what it gives", async () => {
  const wrong = faults(withImage(), [
    { target: /manifests/, effect: rewrite({ "Docker-Content-Digest": another.root.digest }) },
  ]);
  const { registry, asked } = scene({ "m0.test": wrong, "o.test": withImage() }, { mirrors: two.slice(0, 1) });
  assert.equal(await registry.repository("team/app").digest(image.root.digest), image.root.digest);
  assert.equal((await registry.repository("team/app").manifest("v1")).descriptor.digest, image.root.digest);
  assert.deepEqual(asked.at(-1), "GET o.test tag 200");
});
