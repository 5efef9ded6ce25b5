import assert from "node:assert/strict";
import { test } from "node:test";
import { mayHaveCredentials, realmRefusal, realmUrl } from "./realm.ts";

const https = "https://registry.test";

test("a realm is a URL of the web or it is text", () => {
  assert.equal(realmUrl("https://auth.test/token?a=b#c")?.href, "https://auth.test/token?a=b");
  for (const text of [undefined, "", "Artifactory Realm", "/token", "ftp://a.test", "file:///etc/passwd", "https://"]) {
    assert.equal(realmUrl(text), undefined, text);
  }
});

const visits: [realm: string, from: string, refused: RegExp | undefined][] = [
  ["https://auth.docker.io/token", "https://registry-1.docker.io", undefined],
  ["https://registry.test/token", https, undefined],
  ["http://auth.test/token", https, /is http/],
  ["http://registry.test/token", https, /is http/],
  ["http://auth.test/token", "http://registry.test", undefined],
  ["https://auth.test/token", "http://registry.test", undefined],
  ["https://ann:secret@auth.test/token", https, /credentials of its own/],
  // Private addresses, in the ways a URL may write them.
  ["https://10.0.0.1/token", https, /private/],
  ["https://172.31.255.255/token", https, /private/],
  ["https://192.168.1.1:8443/token", https, /private/],
  ["https://127.0.0.1/token", https, /private/],
  ["https://2130706433/token", https, /private/],
  ["https://0x7f.1/token", https, /private/],
  ["https://localhost/token", https, /private/],
  ["https://a.localhost./token", https, /private/],
  ["https://100.100.100.200/token", https, /private/],
  ["https://[::1]/token", https, /private/],
  ["https://[fd00:ec2::254]/token", "https://10.0.0.1", /link-local/],
  ["https://[::ffff:10.0.0.1]/token", https, /private/],
  ["https://[64:ff9b::a00:1]/token", https, /private/],
  ["https://169.254.169.254/latest", https, /link-local/],
  ["https://[fe80::1]/token", https, /link-local/],
  ["https://0.0.0.0/token", https, /link-local/],
  // What is public, or looks private and is a name.
  ["https://172.32.0.1/token", https, undefined],
  ["https://8.8.8.8/token", https, undefined],
  ["https://[2001:4860::1]/token", https, undefined],
  ["https://10.example.test/token", https, undefined],
  // A registry on a private address may have its token service there too.
  ["http://10.0.0.1:5001/token", "http://10.0.0.1:5000", undefined],
  ["https://10.0.0.2/token", "https://10.0.0.1", undefined],
  ["http://127.0.0.1:5001/token", "http://localhost:5000", undefined],
  ["http://[::1]:5001/token", "http://localhost:5000", undefined],
  ["http://169.254.169.254/token", "http://10.0.0.1:5000", /link-local/],
  ["http://169.254.1.1:5001/token", "http://169.254.1.1:5000", undefined],
];

for (const [realm, from, refused] of visits) {
  test(`${from} names ${realm}: ${refused === undefined ? "may be visited" : "refused"}`, () => {
    const said = realmRefusal(realmUrl(realm) as URL, from, []);
    if (refused === undefined) assert.equal(said, undefined);
    else assert.match(said?.why ?? "", refused);
  });
}

test("what is allowed by name, address or CIDR", () => {
  const refusal = (realm: string, ...allowed: string[]) => realmRefusal(new URL(realm), https, allowed)?.why;
  assert.equal(refusal("https://10.0.0.1/t", "10.0.0.1"), undefined);
  assert.equal(refusal("https://10.0.0.1/t", "10.0.0.0/8"), undefined);
  assert.equal(refusal("https://[fd00::1]/t", "fd00::/8"), undefined);
  assert.equal(refusal("https://localhost/t", "LOCALHOST"), undefined);
  assert.equal(refusal("https://169.254.1.1/t", "169.254.0.0/16"), undefined);
  assert.match(refusal("https://10.0.0.1/t", "10.0.0.2", "192.168.0.0/16", "nonsense/x") ?? "", /private/);
  // What is allowed as an address is not allowed as plain http.
  assert.match(refusal("http://10.0.0.1/t", "10.0.0.1") ?? "", /is http/);
});

const credentials: [realm: string, from: string, may: boolean][] = [
  ["https://auth.docker.io/token", "https://registry-1.docker.io", true],
  ["http://registry.test:5001/token", "http://registry.test:5000", true],
  ["https://auth.test/token", "http://registry.test", false],
  ["http://auth.test/token", "http://registry.test", false],
  ["http://127.0.0.1:5001/token", "http://localhost:5000", true],
  ["http://[::1]:5001/token", "http://127.0.0.1:5000", true],
  ["http://10.0.0.2/token", "http://10.0.0.1", false],
];

for (const [realm, from, may] of credentials) {
  test(`credentials of ${from} ${may ? "may" : "may not"} go to ${realm}`, () =>
    assert.equal(mayHaveCredentials(new URL(realm), from), may));
}

test("a name that only looks like a private one is a name", () => {
  for (const host of ["localhost.test", "notlocalhost", "fd00", "10.0.0.test"]) {
    assert.equal(realmRefusal(new URL(`https://${host}/token`), https, []), undefined, host);
  }
});
