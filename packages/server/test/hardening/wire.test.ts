import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { listen } from "@dray/service/http-server";
import { accessLog, observe } from "@dray/service/observe";
import { rawClient, statuses } from "@dray/testkit";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { checkAnswer } from "./answers.ts";
import { filled, reads } from "./lesson.ts";
import { blob, blobDigest, image, imageDigest, imageWith } from "./sample.ts";

/* The matrix once more where it takes a socket: what is on the wire, byte by byte. */

const lines: string[] = [];
const to = { write: (line: string) => lines.push(line) };
const registry = filled({ locations: { relative: false }, onNotice: ({ message }) => lines.push(message) });
const server = await listen(observe([accessLog("json", to), accessLog("text", to)])(registry));
after(async () => {
  await server.close();
  await registry.close();
});

interface Heard {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** Sends bytes as they are, and hears all until the server ends the connection. */
const say = async (request: string | Uint8Array): Promise<string> => {
  const client = await rawClient(server.port);
  client.send(typeof request === "string" ? Buffer.from(request, "latin1") : request);
  return (await client.ended()).text;
};

/** The first answer; `text` is what came, one character a byte. */
const heard = (text: string): Heard => {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]),
    headers: fields.map((field) => {
      const colon = field.indexOf(": ");
      return [field.slice(0, colon), field.slice(colon + 2)] as const;
    }),
    body: Buffer.from(text.slice(end + 4), "latin1"),
  };
};

const ask = async (method: string, target: string, fields = "", body = ""): Promise<Heard> => {
  const text = await say(
    `${method} ${target} HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n${fields}\r\n${body}`,
  );
  const answer = heard(text);
  const request = { method, target, origin: "", headers: [] };
  checkAnswer(request, { ...answer, bytes: answer.body }, `${method} ${target.slice(0, 100)}: ${text.slice(0, 300)}`);
  return answer;
};
const valueOf = ({ headers }: Heard, wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

const chunked = (bytes: Uint8Array): string => {
  const parts: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += 60_000) {
    const part = bytes.subarray(at, at + 60_000);
    parts.push(`${part.byteLength.toString(16)}\r\n${Buffer.from(part).toString("latin1")}\r\n`);
  }
  return `${parts.join("")}0\r\n\r\n`;
};
const ofSize = (size: number): Uint8Array => {
  const empty = encodeJson(imageWith({ annotations: { a: "" } })).byteLength;
  return encodeJson(imageWith({ annotations: { a: "x".repeat(size - empty) } }));
};

suite("on the wire:", () => {
  const targets = [
    ...reads,
    "/",
    "/v2/nobody/tags/list",
    "/v2/app/manifests/nothing",
    "/v2/UPPER/manifests/x",
    "/v2/app/blobs/sha256:x",
    "/nothing",
  ];
  for (const target of targets)
    test(`HEAD ${target.slice(0, 40)} is GET without its body, and the connection goes on`, async () => {
      const got = await ask("GET", target);
      const headed = await ask("HEAD", target);
      assert.equal(headed.status, got.status);
      assert.equal(valueOf(headed, "content-length"), String(got.body.byteLength));
      assert.equal(headed.body.byteLength, 0);
      const line = (method: string, path: string, end = ""): string =>
        `${method} ${path} HTTP/1.1\r\nHost: a\r\n${end}\r\n`;
      const both = await say(line("HEAD", target) + line("GET", "/v2/", "Connection: close\r\n"));
      assert.deepEqual(statuses(both), [got.status, 200]);
      assert.ok(both.endsWith("\r\n\r\n{}"), both);
    });

  const limit = 4 * 1024 * 1024;
  for (const [size, status] of [
    [limit, 201],
    [limit + 1, 413],
  ] as const)
    for (const way of ["announced", "in chunks"])
      test(`a manifest of ${size} bytes, ${way}: ${status}`, async () => {
        const bytes = ofSize(size);
        const type = `Content-Type: ${mediaTypes.ociManifest}\r\n`;
        const text = Buffer.from(bytes).toString("latin1");
        const answer =
          way === "announced"
            ? await ask("PUT", "/v2/app/manifests/large", `${type}Content-Length: ${size}\r\n`, text)
            : await ask("PUT", "/v2/app/manifests/large", `${type}Transfer-Encoding: chunked\r\n`, chunked(bytes));
        assert.equal(answer.status, status);
        if (status === 201) assert.equal(valueOf(answer, "docker-content-digest"), digestOf(bytes));
      });

  const evil = "%0d%0aX-Evil:%20yes%0d%0a%0d%0a";
  for (const target of [
    `/v2/app/tags/list?n=0&last=${evil}`,
    `/v2/_catalog?last=${evil}`,
    `/v2/app/referrers/${imageDigest}?artifactType=${evil}`,
    `/v2/app/manifests/${evil}`,
    `/v2/${evil}/manifests/latest`,
    `/v2/app/blobs/${evil}`,
    `/v2/app/blobs/uploads/${evil}`,
    `/v2/app/manifests/${imageDigest}?tag=${evil}`,
  ])
    test(`an escaped line end begins no header: ${target.slice(0, 40)}`, async () => {
      const answer = await ask("GET", target);
      assert.equal(valueOf(answer, "x-evil"), undefined);
    });

  const bytesOfControl = [0x00, 0x01, 0x07, 0x08, 0x0b, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0xa0, 0xff];
  for (const byte of bytesOfControl)
    test(`a raw 0x${byte.toString(16)} in target, header and name comes back from nowhere`, async () => {
      const raw = String.fromCharCode(byte);
      for (const request of [
        `GET /v2/a${raw}b/manifests/latest HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        `GET /v2/app/manifests/a${raw}b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        `GET /v2/app/tags/list?last=a${raw}b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        `GET /v2/ HTTP/1.1\r\nHost: a${raw}b\r\nConnection: close\r\n\r\n`,
        `PUT /v2/app/manifests/x HTTP/1.1\r\nHost: a\r\nContent-Type: a${raw}b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
        `PATCH /v2/app/blobs/uploads/x HTTP/1.1\r\nHost: a\r\nContent-Range: ${raw}\r\nConnection: close\r\n\r\n`,
        `GET /v2/app/blobs/${blobDigest} HTTP/1.1\r\nHost: a\r\nRange: bytes=${raw}\r\nConnection: close\r\n\r\n`,
        `GET /v2/ HTTP/1.1\r\nHost: a\r\nUser-Agent: ${raw}[2J\r\nReferer: ${raw}\r\nConnection: close\r\n\r\n`,
      ]) {
        const { status, headers, body } = heard(await say(request));
        assert.ok(status >= 200 && status < 500, `${status}`);
        for (const [name, value] of headers) assert.match(`${name}${value}`, /^[\u0020-\u007e]*$/);
        if (status >= 400) assert.doesNotMatch(body.toString("latin1"), /[\u0000-\u001f\u007f]/);
      }
    });

  for (const [host, status] of [
    ["registry.test:5000", 202],
    ["[::1]:5000", 202],
    ['a"b', 400],
    ["a<script>", 400],
    ["a b", 400],
    ["a@b", 400],
    ["a/b", 400],
    ["a\\b", 400],
    ["a#b", 400],
  ] as const)
    test(`an absolute Location for "${host}": ${status}`, async () => {
      const request = `POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      const answer = heard(await say(request));
      assert.equal(answer.status, status);
      const location = valueOf(answer, "location");
      if (status === 202) assert.ok(location?.startsWith(`http://${host}/v2/app/blobs/uploads/`), location);
      else assert.equal(location, undefined);
    });

  test("4,000 parameters that are too long together: 414; 1,000 tags: 414; 10,000 parameters and a header of 100 KiB: 431", async () => {
    const parameters = (length: number): string => Array.from({ length }, (_, i) => `p${i}=${i}`).join("&");
    assert.equal((await ask("GET", `/v2/app/tags/list?${parameters(4000)}`)).status, 414);
    const tags = Array.from({ length: 1000 }, (_, i) => `tag=t${i}`).join("&");
    const fields = `Content-Type: ${mediaTypes.ociManifest}\r\nContent-Length: ${image.byteLength}\r\n`;
    const body = Buffer.from(image).toString("latin1");
    assert.equal((await ask("PUT", `/v2/app/manifests/${imageDigest}?${tags}`, fields, body)).status, 414);
    assert.equal((await ask("GET", `/v2/app/tags/list?last=${"a".repeat(30_000)}`)).status, 200);
    // More than the runtime reads of a request before it knows whose it is.
    for (const long of [
      `GET /v2/?${parameters(10_000)} HTTP/1.1`,
      `GET /v2/ HTTP/1.1\r\nX-Long: ${"a".repeat(100 * 1024)}`,
    ])
      assert.equal(heard(await say(`${long}\r\nHost: a\r\nConnection: close\r\n\r\n`)).status, 431);
  });

  test("a list of 100 tags in one answer is one that clients take", async () => {
    const tags = Array.from({ length: 100 }, (_, i) => `${i}-${"t".repeat(120)}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const fields = `Content-Type: ${mediaTypes.ociManifest}\r\nContent-Length: ${image.byteLength}\r\n`;
    const target = `/v2/app/manifests/${imageDigest}?${query}`;
    const answer = await ask("PUT", target, fields, Buffer.from(image).toString("latin1"));
    assert.equal(answer.status, 201);
    assert.equal(valueOf(answer, "oci-tag"), tags.join(", "));
    const size = answer.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
    // What Node's own client takes at most.
    assert.ok(size < 16 * 1024, `${size}`);
  });

  test("several ranges arrive as they were announced", async () => {
    const answer = await ask("GET", `/v2/app/blobs/${blobDigest}`, "Range: bytes=0-9,100-109,-5\r\n");
    assert.equal(answer.status, 206);
    const parts = [blob.subarray(0, 10), blob.subarray(100, 110), blob.subarray(-5)];
    for (const part of parts)
      assert.ok(answer.body.includes(`\r\n\r\n${Buffer.from(part).toString("latin1")}\r\n--`, 0, "latin1"));
  });

  test("none of all this wrote a control character into a log, nor was a fault", () => {
    assert.ok(lines.length > 150, `${lines.length}`);
    for (const line of lines) {
      assert.match(line, /^[^\n]*\n$/, "a notice of a fault");
      assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f]/);
    }
  });
});
