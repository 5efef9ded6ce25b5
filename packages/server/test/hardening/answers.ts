import assert from "node:assert/strict";
import { type HeaderPairs, type HttpRequest, header } from "dray/http";

/** The codes of the distribution specification, and the two that it has no word for. Written out, not taken from the code. */
const codes = new Set(
  `BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DENIED DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID MANIFEST_UNKNOWN
  NAME_INVALID NAME_UNKNOWN SIZE_INVALID TOOMANYREQUESTS UNAUTHORIZED UNSUPPORTED UNAVAILABLE UNKNOWN`.split(/\s+/),
);

interface Answered {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly bytes: Uint8Array;
}

/** What every answer keeps to, whatever was asked. */
export const checkAnswer = ({ method }: HttpRequest, { status, headers, bytes }: Answered, what: string): void => {
  for (const [name, value] of headers) {
    assert.match(name, /^[A-Za-z0-9-]+$/, what);
    // Nothing that a client wrote may begin another header, or move somebody's cursor.
    assert.match(value, /^[\u0020-\u007e]*$/, `${what}: ${name}: ${JSON.stringify(value)}`);
  }
  const names = headers.map(([name]) => name.toLowerCase());
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
    `${what}: a header twice`,
  );
  const length = header(headers, "Content-Length");
  if (status === 204 || status === 304) assert.equal(length, undefined, what);
  else if (method !== "HEAD") assert.equal(length, String(bytes.byteLength), what);
  if (method === "HEAD" || status === 204 || status === 304) assert.equal(bytes.byteLength, 0, what);
  if (status === 405) assert.match(header(headers, "Allow") ?? "none", /^(?:[A-Z]+(?:, [A-Z]+)*)?$/, what);
  if (status >= 400 && method !== "HEAD") checkRefusal(headers, new TextDecoder().decode(bytes), what);
};

/** `{errors: [{code, message, detail}]}` */
const checkRefusal = (headers: HeaderPairs, text: string, what: string): void => {
  assert.equal(header(headers, "Content-Type"), "application/json", what);
  const { errors, ...more } = JSON.parse(text) as { errors: Record<string, unknown>[] };
  assert.deepEqual(Object.keys(more), [], what);
  assert.ok(errors.length > 0, what);
  for (const { code, message, detail: _, ...rest } of errors) {
    assert.ok(typeof code === "string" && codes.has(code), what);
    assert.ok(typeof message === "string" && message !== "" && message.length < 700, what);
    assert.deepEqual(Object.keys(rest), [], what);
  }
  // Where the bytes lie and what the code looks like is nobody's business.
  assert.doesNotMatch(
    text,
    /docker\/registry\/v2\/(?:blobs|repositories)|node:|\.ts\b|\bat .*:\d+|\[object |undefined/,
    what,
  );
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/, what);
};

/** HEAD is GET without the body: the same status, the same headers. */
export const checkHead = (get: HttpRequest, got: Answered, head: HttpRequest, headed: Answered, what: string): void => {
  checkAnswer(head, headed, `HEAD of ${what}`);
  // A range is for GET alone.
  if (header(get.headers, "Range") !== undefined) return;
  assert.equal(headed.status, got.status, `HEAD of ${what}`);
  for (const name of ["Content-Length", "Content-Type", "Docker-Content-Digest", "ETag", "Link", "OCI-Filters-Applied"])
    assert.equal(header(headed.headers, name), header(got.headers, name), `HEAD of ${what}: ${name}`);
};
