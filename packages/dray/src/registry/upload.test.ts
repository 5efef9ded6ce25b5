import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  cutRequest,
  describeContent,
  dropSession,
  type Fault,
  faults,
  hosts,
  listen,
  loseAnswer,
  type MemoryRegistryOptions,
  memoryRegistry,
  RequestLog,
  redirectTo,
  rewrite,
  seededBytes,
  syntheticContent,
} from "@dray/testkit";
import { type Against, against, failsWith } from "../../test/registry-client.ts";
import { anonymous } from "../auth/index.ts";
import { type Content } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { header } from "../http/index.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";

const mib = 1024 * 1024;
const large = seededBytes("upload", 3 * mib + 17);
const tiny = large.slice(0, 1000);
const blobOf = (content: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Descriptor => ({
  mediaType: "application/octet-stream",
  digest: digestOf(content, algorithm),
  size: content.byteLength,
});

/** Content in chunks as a network delivers them. */
const chunked = (content: Uint8Array): Content => ({
  size: content.byteLength,
  open: async function* ({ offset = 0 } = {}) {
    for (let at = offset; at < content.byteLength; at += 65536) yield content.subarray(at, at + 65536);
  },
});

interface Setup extends Against {
  /** What the client sent, in short: `POST mount`, `PATCH 0-99`, `PUT`. */
  sent(): string[];
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = [], more: ConnectOptions = {}): Setup => {
  const at = against(memoryRegistry(options), rules, more);
  const sent = (): string[] =>
    at.log.select({ target: "/blobs/" }).map(({ method, target, headers }) => {
      const query = /\?(mount|digest-algorithm|digest)=/.exec(target)?.[1];
      const note = method === "POST" ? query : header(headers, "Content-Range");
      return note === undefined ? method : `${method} ${note}`;
    });
  return { ...at, sent };
};

const isThere = async ({ registry }: Setup, { digest, size }: Descriptor): Promise<void> => {
  assert.equal(registry.blob("a/b", digest)?.size, size);
  assert.deepEqual(await registry.uploads(), []);
};

describe("the requests of an upload", () => {
  const facts: readonly (readonly [
    what: string,
    MemoryRegistryOptions,
    Uint8Array,
    string[],
    Partial<ConnectOptions>?,
  ])[] = [
    ["a small blob goes in one", {}, tiny, ["POST digest"]],
    ["a registry that does not take that opens a session", { singlePost: false }, tiny, ["POST digest", "PUT"]],
    ["an empty blob", {}, new Uint8Array(0), ["POST digest"]],
    ["an empty blob in two", { singlePost: false }, new Uint8Array(0), ["POST digest", "PUT"]],
    ["a large one goes whole in the second", { mounts: "named" }, large, ["POST mount", "PUT"]],
    ["absolute locations", { absoluteLocations: true }, large, ["POST mount", "PUT"]],
    [
      "chunks where they are wanted",
      {},
      large,
      [
        "POST mount",
        "PATCH 0-1048575",
        "PATCH 1048576-2097151",
        "PATCH 2097152-3145727",
        "PATCH 3145728-3145744",
        "PUT",
      ],
      { chunkSize: mib },
    ],
    [
      "no chunk is smaller than the registry likes",
      { chunkMinLength: 2 * mib },
      large,
      ["POST mount", "PATCH 0-2097151", "PATCH 2097152-3145744", "PUT"],
      { chunkSize: mib },
    ],
    ["what is no larger than a chunk goes whole", {}, large, ["POST mount", "PUT"], { chunkSize: 4 * mib }],
    [
      "a registry that has no chunks gets the whole",
      { chunks: false },
      large,
      ["POST mount", "PATCH 0-1048575", "PUT"],
      { chunkSize: mib },
    ],
  ];
  for (const [what, options, content, requests, more] of facts)
    test(what, async () => {
      const at = setup(options, [], more);
      const descriptor = blobOf(content);
      await at.repository.upload(descriptor, chunked(content));
      await isThere(at, descriptor);
      assert.deepEqual(at.sent(), requests);
    });

  test("what is known of the registry is not tried again", async () => {
    const at = setup({ singlePost: false });
    for (const content of [tiny, tiny.slice(1)]) await at.repository.upload(blobOf(content), chunked(content));
    assert.deepEqual(at.sent(), ["POST digest", "PUT", "POST mount", "PUT"]);
  });

  test("what is sent twice to find that out is read once", async () => {
    const at = setup({ singlePost: false });
    let opened = 0;
    const source = chunked(tiny);
    const content: Content = { size: tiny.byteLength, open: (options) => (opened++, source.open(options)) };
    await at.repository.upload(blobOf(tiny), content);
    await isThere(at, blobOf(tiny));
    assert.deepEqual([at.sent(), opened], [["POST digest", "PUT"], 1]);
  });

  test("sha512 is announced", async () => {
    for (const content of [tiny, large]) {
      const at = setup({ sink: true, mounts: false });
      const descriptor = blobOf(content, "sha512");
      await at.repository.upload(descriptor, chunked(content));
      await isThere(at, descriptor);
      assert.match(at.log.select({ method: "POST" })[0]?.target ?? "", /[?&]digest-algorithm=sha512/);
    }
  });

  test("content that the registry holds elsewhere is not sent", async () => {
    const at = setup();
    at.registry.addBlob("other", large);
    let opened = false;
    const content: Content = { open: () => ((opened = true), chunked(large).open()) };
    await at.repository.upload(blobOf(large), content);
    await isThere(at, blobOf(large));
    assert.deepEqual([at.sent(), opened], [["POST mount"], false]);
  });

  for (const status of [400, 404, 405, 500])
    test(`a mount without from that gets ${status} is given up for good`, async () => {
      const at = setup({}, [{ target: "?mount=", effect: answerWith(status) }]);
      await at.repository.upload(blobOf(large), chunked(large));
      await at.repository.upload(blobOf(large.slice(1)), chunked(large.slice(1)));
      assert.deepEqual(at.sent(), ["POST mount", "POST", "PUT", "POST", "PUT"]);
    });

  for (const status of [400, 404, 405, 415])
    test(`a small blob in one request that gets ${status} goes in two`, async () => {
      const at = setup({}, [{ target: "?digest=", method: "POST", effect: answerWith(status) }]);
      await at.repository.upload(blobOf(tiny), chunked(tiny));
      await isThere(at, blobOf(tiny));
      assert.deepEqual(at.sent(), ["POST digest", "POST", "PUT"]);
    });
});

describe("locations", () => {
  const facts: readonly (readonly [location: string, put: string])[] = [
    ["/v2/x/1", "https://r.test/v2/x/1?digest=D"],
    ["/v2/x/1?_state=a%2Bb+c==&x", "https://r.test/v2/x/1?_state=a%2Bb+c==&x&digest=D"],
    ["1?digest=old&y=1", "https://r.test/v2/a/b/blobs/uploads/1?y=1&digest=D"],
    ["https://store.test/u?sig=1", "https://store.test/u?sig=1&digest=D"],
    ["http://r.test/u", "https://r.test/u?digest=D"],
    ["http://r.test:80/u", "https://r.test/u?digest=D"],
    ["//r.test/u", "https://r.test/u?digest=D"],
  ];
  for (const [location, put] of facts)
    test(location, async () => {
      const at = setup({}, [
        { method: "POST", effect: answerWith(202, { Location: location }) },
        { method: "PUT", effect: answerWith(201) },
      ]);
      await at.repository.upload(blobOf(large), chunked(large));
      const [entry] = at.log.select({ method: "PUT" });
      assert.equal(`${entry?.origin}${entry?.target}`, put.replace("D", encodeURIComponent(digestOf(large))));
    });

  test("none at all is an error that says so", async () => {
    const at = setup({}, [{ method: "POST", effect: answerWith(202) }]);
    await assert.rejects(at.repository.upload(blobOf(large), chunked(large)), /no Location/);
  });
});

describe("uploads that are cut", () => {
  const every = (bytes: number): Fault[] => ["PUT", "PATCH"].map((method) => ({ method, effect: cutRequest(bytes) }));

  test("go on where the registry stands, each byte once", async () => {
    const at = setup({}, every(mib));
    await at.repository.upload(blobOf(large), chunked(large));
    await isThere(at, blobOf(large));
    assert.deepEqual(at.sent(), [
      "POST mount",
      "PUT",
      "GET",
      "PATCH 1048576-3145744",
      "GET",
      "PATCH 2097152-3145744",
      "GET",
      "PATCH 3145728-3145744",
      "PUT",
    ]);
    assert.equal(at.registry.log.bytesIn(), large.byteLength);
    assert.equal(at.events.filter(({ type }) => type === "retry").length, 3);
  });

  test("go on without end as long as they come further", async () => {
    const at = setup({}, every(200_000));
    await at.repository.upload(blobOf(large), chunked(large));
    await isThere(at, blobOf(large));
    assert.equal(at.registry.log.bytesIn(), large.byteLength);
  });

  test("where the session is lost: a fresh one, and chunks over connections of their own", async () => {
    const content = seededBytes("cut", 40 * mib);
    const at = setup({ keepsCutUploads: false, sink: true }, every(30 * mib));
    await at.repository.upload(blobOf(content), chunked(content));
    await isThere(at, blobOf(content));
    assert.deepEqual(at.sent(), [
      "POST mount",
      "PUT",
      "GET",
      "POST",
      "PATCH 0-15728639",
      "PATCH 15728640-31457279",
      "PATCH 31457280-41943039",
      "PUT",
    ]);
    for (const { headers } of at.log.select({ method: "PATCH" })) assert.equal(header(headers, "Connection"), "close");
  });

  test("chunks become smaller until they get through, and later uploads begin with those", async () => {
    const content = seededBytes("cut", 12 * mib);
    const at = setup({ keepsCutUploads: false, sink: true }, every(3 * mib));
    await at.repository.upload(blobOf(content), chunked(content));
    await isThere(at, blobOf(content));
    at.log.clear();
    await at.repository.upload(blobOf(content.slice(mib)), chunked(content.slice(mib)));
    assert.deepEqual(at.sent().slice(0, 2), ["POST mount", "PATCH 0-1048575"]);
    assert.ok(!at.sent().includes("GET"));
  });

  test("a session that is gone at the second chunk begins again", async () => {
    const at = setup({}, [{ method: "PATCH", nth: 2, effect: dropSession() }], { chunkSize: mib });
    await at.repository.upload(blobOf(large), chunked(large));
    await isThere(at, blobOf(large));
  });

  test("an answer that got lost: the blob is there, nothing is sent twice", async () => {
    const at = setup({}, [{ method: "PUT", nth: 1, effect: loseAnswer() }]);
    await at.repository.upload(blobOf(large), chunked(large));
    await isThere(at, blobOf(large));
    assert.deepEqual(at.sent(), ["POST mount", "PUT", "GET", "HEAD"]);
  });

  test("an acknowledged chunk whose answer got lost is not sent twice", async () => {
    const at = setup({}, [{ method: "PATCH", nth: 2, effect: loseAnswer() }], { chunkSize: mib });
    await at.repository.upload(blobOf(large), chunked(large));
    await isThere(at, blobOf(large));
    assert.equal(at.registry.log.bytesIn(), large.byteLength);
  });

  test("0-0 after a cut: nobody knows whether a byte has come, so it begins again", async () => {
    const at = setup({}, [{ method: "PUT", nth: 1, effect: cutRequest(1) }]);
    await at.repository.upload(blobOf(large), chunked(large));
    assert.equal(at.registry.blob("a/b", digestOf(large))?.size, large.byteLength);
    assert.deepEqual(at.sent(), ["POST mount", "PUT", "GET", "POST", "PUT"]);
  });

  test("Range: 0-0 whatever has come does not confuse", async () => {
    const at = setup({}, [{ method: "PATCH", effect: rewrite({ Range: "0-0" }) }], { chunkSize: mib });
    await at.repository.upload(blobOf(large), chunked(large));
    assert.deepEqual(at.sent().length, 6);
  });

  for (const status of [429, 500, 502, 503])
    test(`${status} in the midst of chunks: the session is asked, the chunk sent again`, async () => {
      const rules = [{ method: "PATCH", nth: 2, effect: answerWith(status) }];
      const at = setup({}, rules, { chunkSize: mib });
      await at.repository.upload(blobOf(large), chunked(large));
      await isThere(at, blobOf(large));
      assert.deepEqual(at.sent().slice(2, 5), ["PATCH 1048576-2097151", "GET", "PATCH 1048576-2097151"]);
    });

  for (const chunkSize of [mib, 10 * mib])
    test(`a redirect is followed with the body, in pieces of ${chunkSize}`, async () => {
      const registry = memoryRegistry();
      const moved: Fault[] = ["PUT", "PATCH"].map((method) => ({ method, effect: redirectTo("https://near.test") }));
      const connection = hosts({
        "https://r.test": faults(registry.handler, moved),
        "https://near.test": registry.handler,
      });
      const client = connect("r.test", { credentials: anonymous, stateDir: false, chunkSize, connection });
      await client.repository("a/b").upload(blobOf(large), chunked(large));
      assert.equal(registry.blob("a/b", digestOf(large))?.size, large.byteLength);
    });

  test("413: smaller chunks", async () => {
    const content = seededBytes("cut", 40 * mib);
    const at = setup({ sink: true }, [{ method: "PUT", nth: 1, effect: answerWith(413) }]);
    await at.repository.upload(blobOf(content), chunked(content));
    assert.equal(at.sent()[3], "PATCH 0-33554431");
  });

  test("413 for the smallest chunk: no attempt more, and what to change", async () => {
    const at = setup({}, [
      { method: "PUT", effect: answerWith(413) },
      { method: "PATCH", effect: answerWith(413) },
    ]);
    await assert.rejects(
      at.repository.upload(blobOf(large), chunked(large)),
      (error) => error instanceof DrayError && error.status === 413 && /client_max_body_size/.test(error.message),
    );
    assert.deepEqual(
      at.sent().filter((request) => !request.startsWith("POST")),
      ["PUT", "PUT", "PUT", "PATCH 0-2097151", "PATCH 0-1048575"],
    );
  });

  test("a registry that cannot say how far a session is costs the session, and no attempt to send", async () => {
    const rules = [...every(mib), { method: "GET", effect: answerWith(500) }].map((rule) =>
      rule.method === "GET" ? rule : { ...rule, nth: [1, 3] as const },
    );
    const at = setup({}, rules);
    await at.repository.upload(blobOf(large), chunked(large));
    assert.equal(at.registry.blob("a/b", blobOf(large).digest)?.size, large.byteLength);
  });

  test("no end of failures is an end", async () => {
    const at = setup({}, [{ method: "PUT", effect: answerWith(500) }]);
    await assert.rejects(at.repository.upload(blobOf(large), chunked(large)), (error) => {
      assert.ok(error instanceof DrayError);
      return error.status === 500;
    });
  });
});

describe("content that is wrong", () => {
  const other = large.slice();
  other[5] = (other[5] ?? 0) ^ 1;

  for (const content of [other, tiny.map((byte) => byte ^ 1)])
    test(`another digest, ${content.byteLength} bytes: the registry refuses it`, async () => {
      const at = setup();
      const wanted = blobOf(content === other ? large : tiny);
      await assert.rejects(at.repository.upload(wanted, chunked(content)), failsWith("DIGEST_MISMATCH"));
      assert.equal(at.registry.blob("a/b", wanted.digest), undefined);
    });

  for (const [name, content] of [
    ["fewer", large.slice(1)],
    ["more", seededBytes("upload", large.byteLength + 1)],
  ] as const)
    test(`${name} bytes than promised`, async () => {
      const at = setup();
      await assert.rejects(at.repository.upload(blobOf(large), chunked(content)), failsWith("SIZE_MISMATCH"));
      assert.equal(at.registry.blob("a/b", digestOf(large)), undefined);
      assert.deepEqual(at.sent(), ["POST mount", "PUT"]);
    });

  for (const size of [1000, large.byteLength])
    test(`a source that fails, ${size} bytes: its own error, and no other attempt`, async () => {
      const fault = new DrayError("DISK", "the disk is broken");
      const content: Content = {
        open: async function* () {
          yield large.subarray(0, size / 2);
          throw fault;
        },
      };
      const at = setup();
      await assert.rejects(at.repository.upload(blobOf(large.slice(0, size)), content), fault);
      assert.equal(at.log.count({ method: "GET", target: "/uploads/" }), 0);
    });

  test("a signal ends it", async () => {
    const stop = new AbortController();
    const content: Content = {
      open: async function* () {
        yield large.subarray(0, 10);
        stop.abort();
        yield large.subarray(10);
      },
    };
    const at = setup({}, [{ method: "PUT", effect: async (request, next) => next(request) }]);
    await assert.rejects(at.repository.upload(blobOf(large), content, { signal: stop.signal }), failsWith("ABORTED"));
  });
});

test("a session of our own is not asked whether it wants what is sent to it, unless that is much or it goes on", async () => {
  const registry = memoryRegistry({ sink: true });
  const log = new RequestLog();
  const server = await listen(log.middleware(registry.handler));
  const client = connect(server.host, { credentials: anonymous, stateDir: false, ambient: false });
  try {
    for (const [size, asks] of [
      [1, false],
      [31, false],
      [32, true],
    ] as const) {
      const { descriptor, content } = await describeContent(syntheticContent(`${size}`, size * 1024 * 1024));
      log.clear();
      await client.repository("a/b").upload(descriptor, content);
      const [put] = log.select({ method: "PUT" });
      assert.equal(header(put?.headers ?? [], "Expect"), asks ? "100-continue" : undefined, `${size} MiB`);
    }
  } finally {
    await client.close();
    await server.close();
  }
});
