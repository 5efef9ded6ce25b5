import assert from "node:assert/strict";
import { test } from "node:test";
import { redactHeaders, redactSent, redactUrl } from "./redact.ts";

test("a URL keeps what the registry protocol knows and hides the rest", () => {
  const table: readonly [string, string][] = [
    ["https://r.example/v2/a/tags/list?n=10&last=b", "https://r.example/v2/a/tags/list?n=10&last=b"],
    ["https://us:pw@r.example/v2/", "https://r.example/v2/"],
    ["https://us@r.example:5000/v2/@x", "https://r.example:5000/v2/@x"],
    ["/v2/a/blobs/uploads/1?_state=secret&digest=sha256:a", "/v2/a/blobs/uploads/1?_state=REDACTED&digest=sha256:a"],
    [
      "https://s3.example/b?X-Amz-Signature=abc&X-Amz-Date=1",
      "https://s3.example/b?X-Amz-Signature=REDACTED&X-Amz-Date=REDACTED",
    ],
    [
      "https://a.example/token?scope=x:y:pull&service=r&account=me",
      "https://a.example/token?scope=x:y:pull&service=r&account=REDACTED",
    ],
    ["/v2/a/blobs/uploads/?mount=sha256:a&from=b", "/v2/a/blobs/uploads/?mount=sha256:a&from=b"],
    [
      "/v2/a/referrers/sha256:a?artifactType=x&digest-algorithm=sha512",
      "/v2/a/referrers/sha256:a?artifactType=x&digest-algorithm=sha512",
    ],
    ["https://s.example/b?sig%6e=abc&%6e=1&%=x#secret", "https://s.example/b?sig%6e=REDACTED&%6e=1&%=REDACTED"],
    ["https://s.example/b?flag&empty=", "https://s.example/b?flag&empty="],
    ["https://s.example/b?a=1?b=secret", "https://s.example/b?a=REDACTED"],
    ["us:pw@proxy:3128", "proxy:3128"],
  ];
  for (const [url, shown] of table) assert.equal(redactUrl(url), shown, url);
});

test("headers lose their secrets, and keep the scheme and the challenge", () => {
  const headers = redactHeaders([
    ["Authorization", "Bearer abc.def"],
    ["authorization", "abc"],
    ["Proxy-Authorization", "Basic abc"],
    ["Cookie", "a=b"],
    ["Set-Cookie", "a=b"],
    ["X-Registry-Auth", "abc"],
    ["WWW-Authenticate", 'Bearer realm="https://a.example"'],
    ["Location", "https://s.example/b?sig=abc"],
    ["Link", '</v2/_catalog?last=a&n=1&secret=s>; rel="next"'],
    ["Content-Length", "5"],
  ]);
  assert.deepEqual(headers, [
    ["Authorization", "Bearer REDACTED"],
    ["authorization", "REDACTED"],
    ["Proxy-Authorization", "Basic REDACTED"],
    ["Cookie", "REDACTED"],
    ["Set-Cookie", "REDACTED"],
    ["X-Registry-Auth", "REDACTED"],
    ["WWW-Authenticate", 'Bearer realm="https://a.example"'],
    ["Location", "https://s.example/b?sig=REDACTED"],
    ["Link", '</v2/_catalog?last=a&n=1&secret=REDACTED>; rel="next"'],
    ["Content-Length", "5"],
  ]);
});

test("of headers that somebody adds to requests the names are shown, whatever they are called", () => {
  const shown = redactSent([
    ["Accept", "a/b"],
    ["Range", "bytes=0-1"],
    ["Authorization", "Bearer abc"],
    ["X-Api-Key", "abc"],
    ["private-token", "abc"],
    ["X-Team", "blue"],
  ]);
  assert.deepEqual(shown, [
    ["Accept", "a/b"],
    ["Range", "bytes=0-1"],
    ["Authorization", "Bearer REDACTED"],
    ["X-Api-Key", "REDACTED"],
    ["private-token", "REDACTED"],
    ["X-Team", "REDACTED"],
  ]);
});
