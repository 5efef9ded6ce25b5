import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  corrupt,
  cutResponse,
  type Fault,
  type MemoryRegistryOptions,
  memoryRegistry,
  RequestLog,
  redirectTo,
  rewrite,
  seededBytes,
} from "@dray/testkit";
import { type Against, against, failsWith } from "../../test/registry-client.ts";
import { anonymous } from "../auth/index.ts";
import { bytesBody, collect, type ReadOptions } from "../content/index.ts";
import { type Handler, header } from "../http/index.ts";
import { type Descriptor, type DigestAlgorithm, digestOf, mediaTypes } from "../oci/index.ts";
import { connect } from "./connect.ts";
import type { Registry } from "./registry.ts";
import type { Repository } from "./repository.ts";

const bytes = seededBytes("blob", 1_000_000);
const descriptorOf = (content: Uint8Array, algorithm?: DigestAlgorithm): Descriptor => ({
  mediaType: "application/octet-stream",
  digest: digestOf(content, algorithm),
  size: content.byteLength,
});
const blob = descriptorOf(bytes);

interface Setup extends Against {
  /** The ranges that were asked for, `-` for none. */
  ranges(): string[];
}

const setup = (rules: readonly Fault[] = [], options: MemoryRegistryOptions = {}): Setup => {
  const registry = memoryRegistry(options);
  registry.addBlob("a/b", bytes);
  const at = against(registry, rules);
  const ranges = (): string[] => at.log.select({ method: "GET" }).map(({ headers }) => header(headers, "Range") ?? "-");
  return { ...at, ranges };
};
const read = (repository: Repository, descriptor: Descriptor, options?: ReadOptions): Promise<Uint8Array> =>
  collect(repository.read(descriptor, options), 1e7, "blob");

describe("blobs that are read", () => {
  test("whole, from an offset, from their end", async () => {
    const at = setup();
    assert.deepEqual(await read(at.repository, blob), bytes);
    assert.deepEqual(await read(at.repository, blob, { offset: 999_990 }), bytes.slice(999_990));
    assert.deepEqual(await read(at.repository, blob, { offset: 1_000_000 }), new Uint8Array(0));
    assert.deepEqual(at.ranges(), ["-", "bytes=999990-"]);
  });

  test("a whole answer that is too short is asked for once more, and no oftener", async () => {
    const short = answerWith(200, { "Content-Length": "5" }, "short");
    const cached = setup([{ target: "/blobs/", method: "GET", nth: 1, effect: short }]);
    assert.deepEqual(await read(cached.repository, blob), bytes);
    const always = setup([{ target: "/blobs/", method: "GET", effect: short }]);
    await assert.rejects(read(always.repository, blob), (error) => {
      assert.ok(failsWith("SIZE_MISMATCH")(error));
      return (error as { retryable: boolean }).retryable === false;
    });
    assert.equal(always.log.count({ method: "GET", target: "/blobs/" }), 2);
  });

  test("nothing at all, but it has to be there", async () => {
    const at = setup();
    const none = descriptorOf(new Uint8Array(0));
    await assert.rejects(read(at.repository, none), failsWith("NOT_FOUND"));
    at.registry.addBlob("a/b", new Uint8Array(0));
    assert.equal((await read(at.repository, none)).byteLength, 0);
  });

  test("by digest alone", async () => {
    const at = setup();
    assert.deepEqual(await collect(at.repository.blob(blob.digest), 1e7, ""), bytes);
    assert.deepEqual(await at.repository.describe(blob.digest), blob);
    await assert.rejects(at.repository.describe(digestOf(new Uint8Array(3))), failsWith("NOT_FOUND"));
  });

  test("a server that ignores ranges sends all, and what is known is passed over", async () => {
    const at = setup([], { ranges: false });
    assert.deepEqual(await read(at.repository, blob, { offset: 700_000 }), bytes.slice(700_000));
  });

  test("no more of them than is wanted", async () => {
    const at = setup();
    assert.deepEqual(await read(at.repository, blob, { offset: 10, length: 90 }), bytes.slice(10, 100));
    assert.deepEqual(await read(at.repository, blob, { length: 5 }), bytes.slice(0, 5));
    assert.deepEqual(await read(at.repository, blob, { offset: 999_000, length: 5000 }), bytes.slice(999_000));
    assert.equal((await read(at.repository, blob, { offset: 10, length: 0 })).byteLength, 0);
    assert.deepEqual(
      await collect(at.repository.blob(blob.digest, { offset: 10, length: 9 }), 1e7, ""),
      bytes.slice(10, 19),
    );
    assert.deepEqual(at.ranges(), ["bytes=10-99", "bytes=0-4", "bytes=999000-", "bytes=10-18"]);
    const deaf = setup([], { ranges: false });
    assert.deepEqual(await read(deaf.repository, blob, { offset: 700_000, length: 10 }), bytes.slice(700_000, 700_010));
    const cut = setup([{ target: "/blobs/", method: "GET", nth: 1, effect: cutResponse(1000) }]);
    assert.deepEqual(await read(cut.repository, blob, { offset: 5000, length: 3000 }), bytes.slice(5000, 8000));
    assert.deepEqual(cut.ranges(), ["bytes=5000-7999", "bytes=6000-7999"]);
  });

  test("what a descriptor carries itself needs no request, if it is right", async () => {
    const at = setup();
    const small = bytes.slice(0, 100);
    const data = Buffer.from(small).toString("base64");
    assert.deepEqual(await read(at.repository, { ...descriptorOf(small), data }), small);
    assert.equal(at.log.count(), 0);
    await assert.rejects(read(at.repository, { ...descriptorOf(bytes.slice(1, 101)), data }), failsWith("NOT_FOUND"));
  });

  test("an early end of the reader lets go of the response", async () => {
    let discarded = 0;
    const at = setup([
      {
        effect: async (request, next) => {
          const response = await next(request);
          return { ...response, body: { ...response.body, discard: async () => void discarded++ } };
        },
      },
    ]);
    for await (const _ of at.repository.read(blob)) break;
    assert.equal(discarded, 1);
  });
});

describe("downloads that are cut", () => {
  for (const options of [{}, { ranges: false }])
    test(`go on at the byte where they stopped ${JSON.stringify(options)}`, async () => {
      const at = setup(
        [
          { nth: 1, effect: cutResponse(300_000) },
          { nth: 2, effect: cutResponse(options.ranges === false ? 600_000 : 400_000) },
        ],
        options,
      );
      assert.deepEqual(await read(at.repository, blob), bytes);
      assert.equal(at.ranges()[1], "bytes=300000-");
      assert.equal(at.ranges().length, 3);
      assert.equal(at.events.filter(({ type }) => type === "retry").length, 2);
    });

  test("go on without end as long as they come further", async () => {
    const at = setup([{ effect: cutResponse(60_000) }]);
    assert.deepEqual(await read(at.repository, blob), bytes);
    assert.equal(at.log.bytesOut(), bytes.byteLength);
  });

  test("fail when nothing comes any more", async () => {
    const at = setup([
      { nth: [2, 99], effect: cutResponse(0) },
      { nth: 1, effect: cutResponse(10) },
    ]);
    await assert.rejects(read(at.repository, blob), failsWith("NETWORK"));
    assert.ok(at.log.count() > 2);
  });

  test("an answer that ends early without a word is taken up as well", async () => {
    const short = async (request: Parameters<Handler>[0], next: Handler): Promise<Awaited<ReturnType<Handler>>> => {
      const response = await next(request);
      return { ...response, body: { ...response.body, chunks: firstOf(response.body.chunks) } };
    };
    const at = setup([{ nth: 1, effect: short }]);
    assert.deepEqual(await read(at.repository, blob), bytes);
    assert.equal(at.log.count(), 2);
  });

  test("bytes of two answers that do not fit together are found out", async () => {
    const at = setup([
      { nth: 1, effect: cutResponse(300_000) },
      { nth: 2, effect: corrupt(5) },
    ]);
    await assert.rejects(read(at.repository, blob), failsWith("DIGEST_MISMATCH"));
  });

  test("an address of a storage service that has run out is asked for anew", async () => {
    const gone = [answerWith(403, {}, "<Error>expired</Error>"), answerWith(400)];
    for (const effect of gone) {
      const at = setup([
        { target: "/blobs/", nth: 1, effect: redirectTo("https://cdn.test/signed") },
        { target: "/signed", effect },
      ]);
      assert.deepEqual(await read(at.repository, blob), bytes);
    }
  });
});

async function* firstOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    return;
  }
}

describe("blobs that are wrong", () => {
  test("another digest is found out at the end, unless somebody else checks", async () => {
    const at = setup([{ effect: corrupt(999_999) }]);
    await assert.rejects(read(at.repository, blob), failsWith("DIGEST_MISMATCH"));
    assert.equal((await read(at.repository, blob, { verify: false })).byteLength, bytes.byteLength);
  });

  test("sha512", async () => {
    const wide = descriptorOf(bytes, "sha512");
    const answers = (rule: Fault): Setup =>
      setup([{ target: wide.digest, effect: redirectTo(`https://r.test/v2/a/b/blobs/${blob.digest}`) }, rule]);
    assert.deepEqual(await read(answers({ nth: 99, effect: corrupt(0) }).repository, wide), bytes);
    await assert.rejects(
      read(answers({ target: blob.digest, effect: corrupt(0) }).repository, wide),
      failsWith("DIGEST_MISMATCH"),
    );
  });

  const sizes: readonly (readonly [what: string, promised: number, rule?: Fault])[] = [
    ["more than promised, said beforehand", 999_999],
    ["fewer than promised, said beforehand", 1_000_001],
    ["more than promised, not said", 999_999, { effect: rewrite({ "Content-Length": undefined }) }],
    ["fewer than promised, not said", 1_000_001, { effect: rewrite({ "Content-Length": undefined }) }],
  ];
  for (const [what, size, rule] of sizes)
    for (const verify of [true, false])
      test(`${what}, verify ${verify}`, async () => {
        const at = setup(rule === undefined ? [] : [rule]);
        await assert.rejects(read(at.repository, { ...blob, size }, { verify }), failsWith("SIZE_MISMATCH"));
      });

  test("a range of something else", async () => {
    const range = (value: string): Setup => setup([{ effect: rewrite({ "Content-Range": value }) }]);
    const from = { offset: 500_000 };
    await assert.rejects(read(range("bytes 500001-999999/1000000").repository, blob, from), failsWith("REGISTRY"));
    await assert.rejects(read(range("bytes 500000-999999/2000000").repository, blob, from), failsWith("SIZE_MISMATCH"));
    assert.equal((await read(range("bytes 500000-999999/*").repository, blob, from)).byteLength, 500_000);
  });

  test("a range that begins earlier than asked is cut to size", async () => {
    const at = setup([
      {
        effect: async (request, next) => next({ ...request, headers: [["Range", "bytes=499000-"]] }),
      },
    ]);
    assert.deepEqual(await read(at.repository, blob, { offset: 500_000 }), bytes.slice(500_000));
  });

  for (const [what, effect] of [
    ["is refused although bytes are missing", answerWith(416)],
    [
      "is refused although the registry says that they are there",
      answerWith(416, { "Content-Range": "bytes */1000000" }),
    ],
    ["is wrapped in parts", rewrite({ "Content-Type": "multipart/byteranges; boundary=x" })],
  ] as const)
    test(`a part that ${what}: the whole is asked for, and what is known is passed over`, async () => {
      const at = setup([
        { nth: 1, effect: cutResponse(300_000) },
        { nth: 2, effect },
      ]);
      assert.deepEqual(await read(at.repository, blob), bytes);
      assert.deepEqual(at.ranges(), ["-", "bytes=300000-", "-"]);
    });

  test("bytes are asked for as they are kept", async () => {
    const at = setup();
    await read(at.repository, blob);
    assert.deepEqual(
      at.log.entries.map(({ headers }) => header(headers, "Accept-Encoding")),
      ["identity"],
    );
  });

  test("an offset beyond what the registry has", async () => {
    const at = setup();
    await assert.rejects(
      read(at.repository, { ...blob, size: 2_000_000 }, { offset: 1_500_000 }),
      failsWith("SIZE_MISMATCH"),
    );
  });

  test("a signal ends it, and no other request follows", async () => {
    const stop = new AbortController();
    const at = setup();
    const reading = async (): Promise<void> => {
      for await (const _ of at.repository.read(blob, { signal: stop.signal })) stop.abort();
    };
    await assert.rejects(reading());
    assert.equal(at.log.count(), 1);
  });
});

describe("foreign layers", () => {
  const foreign: Descriptor = {
    mediaType: mediaTypes.dockerForeignLayer,
    digest: digestOf(seededBytes("foreign", 1000)),
    size: 1000,
    urls: ["ftp://x.test/", "http://plain.test/layer", "https://gone.test/layer", "https://maker.test/layer"],
  };
  const network = (foreignLayers: boolean): { client: Registry; log: RequestLog } => {
    const log = new RequestLog();
    const connection = log.middleware(async (request) => {
      const there = request.origin === "https://maker.test";
      const body = there ? bytesBody(seededBytes("foreign", 1000)) : bytesBody(new Uint8Array(0));
      return { status: there ? 200 : 404, headers: [], url: request.origin + request.target, body };
    });
    return { client: connect("r.test", { credentials: anonymous, connection, stateDir: false, foreignLayers }), log };
  };

  test("are read from where they lie, with leave", async () => {
    const { client, log } = network(true);
    assert.deepEqual(await read(client.repository("a"), foreign), seededBytes("foreign", 1000));
    assert.deepEqual(
      log.entries.map(({ origin }) => origin),
      ["https://r.test", "https://gone.test", "https://maker.test"],
    );
  });

  test("are not, without; nor is anything else", async () => {
    for (const [leave, descriptor] of [
      [false, foreign],
      [true, { ...foreign, mediaType: mediaTypes.ociLayerGzip }],
    ] as const) {
      const { client, log } = network(leave);
      await assert.rejects(read(client.repository("a"), descriptor), failsWith("NOT_FOUND"));
      assert.equal(log.count(), 1);
    }
  });

  test("their digest counts as any other's", async () => {
    const { client } = network(true);
    const other = { ...foreign, digest: digestOf(new Uint8Array(1)) };
    await assert.rejects(read(client.repository("a"), other), failsWith("DIGEST_MISMATCH"));
  });
});

describe("whether a blob is there", () => {
  test("by digest and size", async () => {
    const { repository } = setup();
    assert.equal(await repository.has(blob), true);
    assert.equal(await repository.has({ ...blob, size: 5 }), false);
    assert.equal(await repository.has(descriptorOf(new Uint8Array(7))), false);
  });

  test("a HEAD without a length is a yes", async () => {
    const { repository } = setup([{ method: "HEAD", effect: rewrite({ "Content-Length": undefined }) }]);
    assert.equal(await repository.has(blob), true);
    assert.equal((await repository.describe(blob.digest)).size, blob.size);
  });

  test("a HEAD that is not allowed: one byte tells", async () => {
    const at = setup([{ method: "HEAD", effect: answerWith(405) }]);
    assert.equal(await at.repository.has(blob), true);
    assert.equal(await at.repository.has({ ...blob, size: 5 }), false);
    assert.equal(await at.repository.has(descriptorOf(new Uint8Array(7))), false);
    assert.equal(at.ranges()[0], "bytes=0-0");
  });

  test("a HEAD that leads to an address signed for GET alone: one byte tells", async () => {
    const at = setup([
      { method: "HEAD", target: "/blobs/", effect: redirectTo("https://cdn.test/signed") },
      { method: "HEAD", target: "/signed", effect: answerWith(403) },
    ]);
    assert.equal(await at.repository.has(blob), true);
  });

  for (const status of [401, 403])
    test(`${status} is no answer`, async () => {
      const at = setup([{ effect: answerWith(status) }]);
      await assert.rejects(at.repository.has(blob), failsWith("UNAUTHORIZED", "DENIED"));
    });
});
