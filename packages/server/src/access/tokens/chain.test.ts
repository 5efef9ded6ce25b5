import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { trustedLeaf } from "./chain.ts";

/**
 * DER in base 64, P-256, made for this test: `root` > `intermediate` > `leaf` > `below`, valid from 2026 to 2036; `…Old` ended in 2021;
 * `foreign…` have the same names, by another root's key. `leaf` is no CA.
 */
const pem = {
  root: "MIIBgDCCASWgAwIBAgIQQCSlMbbQeTecWzZyah/Q2DAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowDzENMAsGA1UEAwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPuE5YW1Ro6hUNQfBxfKoc3jg+wfSa0+OHwg6qJoKNeAbmwuWwxxmmLFgQUXo7Jz8QEhVhLz3WFydAT8nUSjEqejYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBTXBkenCprgQpczuBg3xPKIaG2FtjAfBgNVHSMEGDAWgBTXBkenCprgQpczuBg3xPKIaG2FtjAKBggqhkjOPQQDAgNJADBGAiEArzCpDjihtkbCePsl3anS55cpFQ166kOq+QERqgmGp2ICIQCN/R15DY5QEEx4qtaOEMbpxf7YpSFwnJmUYZZj9Z+HaQ==",
  rootOld:
    "MIIBfzCCASWgAwIBAgIQQGQUL1WvZBtYa8Kf3jzKAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDzENMAsGA1UEAwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPuE5YW1Ro6hUNQfBxfKoc3jg+wfSa0+OHwg6qJoKNeAbmwuWwxxmmLFgQUXo7Jz8QEhVhLz3WFydAT8nUSjEqejYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBTXBkenCprgQpczuBg3xPKIaG2FtjAfBgNVHSMEGDAWgBTXBkenCprgQpczuBg3xPKIaG2FtjAKBggqhkjOPQQDAgNIADBFAiEA2AAPQjt0lNBHv1OnpPMKoj3IQjVXZnRJC6cLcOBsx74CIELkII6jxNZRPCHQSvHjdRYHVQpo9de1ZEwCDD3mYHJW",
  intermediate:
    "MIIBhzCCAS2gAwIBAgIQQHdjsZVzI1JcT+heUgdmSjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowFzEVMBMGA1UEAwwMSW50ZXJtZWRpYXRlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETcf+fC5791UPSv6FWZjabzao82ga0hyt3q0Il+XsfvSE7sJSE3gmzod5q+wrYXq4MKlrEHP8GITOqfvZOdU8UaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0OBBYEFCH428gsIv6s6BrgLEERyzy0DiUfMB8GA1UdIwQYMBaAFNcGR6cKmuBClzO4GDfE8ohobYW2MAoGCCqGSM49BAMCA0gAMEUCIQDRAxdyawaK4wfJhenRYOPg76GEZt/t7rZAxaXIclvYbAIgUVuQ5+bTr0P00AHLo5dAnBS7Szz3CA70ITP24IFSZDE=",
  intermediateOld:
    "MIIBhjCCAS2gAwIBAgIQQGjD10aldTfhMu6QQvBDyjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowFzEVMBMGA1UEAwwMSW50ZXJtZWRpYXRlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETcf+fC5791UPSv6FWZjabzao82ga0hyt3q0Il+XsfvSE7sJSE3gmzod5q+wrYXq4MKlrEHP8GITOqfvZOdU8UaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0OBBYEFCH428gsIv6s6BrgLEERyzy0DiUfMB8GA1UdIwQYMBaAFNcGR6cKmuBClzO4GDfE8ohobYW2MAoGCCqGSM49BAMCA0cAMEQCIA1rPwdRHNF9MKX5sruX0k3W+RYSVU6I1jTq73JzlfkBAiBITM4AjSAWEWaAcV+oYnzue5BMF44plTWGX1VtGW5kJw==",
  leaf: "MIIBmTCCAT+gAwIBAgIQQAC7rrTWnkLnTzs9VOrUsjAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxJbnRlcm1lZGlhdGUwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARMZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBuwbKBd3gBZ8sVrWj2YD+mg6uhdnE7ShQ+8DAPCYrHaDJZiWY5Ao+n+RxNYKtUyjSUD0KaTFrD2GQnabw2goUKN1MHMwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFD3oTAkUNcX95AP4QJiOYNXgEWimMB8GA1UdIwQYMBaAFCH428gsIv6s6BrgLEERyzy0DiUfMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0gAMEUCIQCnVvW08QqzY9c2EqaEhHOUIsA3acRbUH3IHDoqkRPutwIgLWSG30YVbX6RJ3sBkJteAlbU1DZ20lfyFM2SUN+qPvQ=",
  leafOld:
    "MIIBmTCCAT+gAwIBAgIQQEy0XvtkLFp3iFMAv5KFrjAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxJbnRlcm1lZGlhdGUwHhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARMZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBuwbKBd3gBZ8sVrWj2YD+mg6uhdnE7ShQ+8DAPCYrHaDJZiWY5Ao+n+RxNYKtUyjSUD0KaTFrD2GQnabw2goUKN1MHMwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFD3oTAkUNcX95AP4QJiOYNXgEWimMB8GA1UdIwQYMBaAFCH428gsIv6s6BrgLEERyzy0DiUfMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0gAMEUCIG8ySZZjctZhHu8t5FSNq+xxjEKKuNtoEqNT2A+FAUimAiEAouA/wGjUe3G8nCugJ9sh75V5lLyfzNjeI+rluKar30g=",
  below:
    "MIIBkjCCATigAwIBAgIQQJitIcuB3iWlynRIeVeooDAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARMZWFmMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowEDEOMAwGA1UEAwwFQmVsb3cwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS6S0NUMRI/XnM5UVle7bZmv7WNBPs1fEReLNdWYfj2JpMZ0Ol6w/o61pg/8j87/ApIMNzISrlZviEPw4e/WtOdo3UwczAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQUelzVbc3B4GrU+y6crxUKETiBq8YwHwYDVR0jBBgwFoAUPehMCRQ1xf3kA/hAmI5g1eARaKYwEwYDVR0lBAwwCgYIKwYBBQUHAwIwCgYIKoZIzj0EAwIDSAAwRQIgV2D1tfuC6o8x7bKVimafJSS+2Jof8OIG5JuOyNMwuVMCIQDoM7IwpjL168mr9Jl95yeJSXGIJKfLFCfHwTRVJngBAg==",
  foreignRoot:
    "MIIBfzCCASWgAwIBAgIQQL7BP4QcOnA0rhk08X2xsTAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowDzENMAsGA1UEAwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK+1PmqyLCsAT5TdbfTZBmu3aX9hCjQZG19F2d/Q4lMOSclatUKs7Y5uOCrvzSIwwW+5wENc1CbcNzW398dBDEajYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBQIDTGt4fcobONpqspzYHtWdNUYyjAfBgNVHSMEGDAWgBQIDTGt4fcobONpqspzYHtWdNUYyjAKBggqhkjOPQQDAgNIADBFAiAfubjm6MeOBBSinR50uboLkKeu+vWnYtIpcJtUuafS9wIhAJ+7y+V3NdWej5PSvczPMxj86uFQG+dmx9BZq9SuGQ3n",
  foreignIntermediate:
    "MIIBhzCCAS2gAwIBAgIQQAcERMBeuxLlWYjawI28azAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowFzEVMBMGA1UEAwwMSW50ZXJtZWRpYXRlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETcf+fC5791UPSv6FWZjabzao82ga0hyt3q0Il+XsfvSE7sJSE3gmzod5q+wrYXq4MKlrEHP8GITOqfvZOdU8UaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0OBBYEFCH428gsIv6s6BrgLEERyzy0DiUfMB8GA1UdIwQYMBaAFAgNMa3h9yhs42mqynNge1Z01RjKMAoGCCqGSM49BAMCA0gAMEUCIQDgP+qUZQMR5WiypNEFjzAOsMiIm2pE/N1TdcAjeM5C7QIgauQ3rmQsd7YdRRIA94WSIs1KgubEwWyUgc0ptuT1ygg=",
  foreignLeaf:
    "MIIBmDCCAT+gAwIBAgIQQHeStMlyjdKG+HdZayW0WTAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxJbnRlcm1lZGlhdGUwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARMZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBuwbKBd3gBZ8sVrWj2YD+mg6uhdnE7ShQ+8DAPCYrHaDJZiWY5Ao+n+RxNYKtUyjSUD0KaTFrD2GQnabw2goUKN1MHMwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFD3oTAkUNcX95AP4QJiOYNXgEWimMB8GA1UdIwQYMBaAFAgNMa3h9yhs42mqynNge1Z01RjKMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0cAMEQCIEKaoNNlZYV9BiPKeqp/lHuKkDblePjV8kJ6hWWJc+HaAiAcprLJZDFBhHWoP3oR8BEbiMPoia005rz2+jjSYQCe8g==",
} as const;

type Name = keyof typeof pem;
const now = Date.parse("2030-06-01T00:00:00Z");
const roots = (...names: Name[]): X509Certificate[] =>
  names.map((name) => new X509Certificate(Buffer.from(pem[name], "base64")));
const chain = (...names: Name[]): string[] => names.map((name) => pem[name]);

const cases: readonly [title: string, chain: unknown, roots: X509Certificate[], trusted: boolean][] = [
  ["leaf, intermediate, root outside of the chain", chain("leaf", "intermediate"), roots("root"), true],
  ["the root is in the chain too", chain("leaf", "intermediate", "root"), roots("root"), true],
  ["the intermediate alone is configured", chain("leaf"), roots("intermediate"), true],
  [
    "the intermediate is configured, and the chain goes on above it",
    chain("leaf", "intermediate", "root"),
    roots("intermediate"),
    true,
  ],
  ["the leaf itself is configured", chain("leaf"), roots("leaf"), true],
  [
    "an older root of the same name and key stands before",
    chain("leaf", "intermediate"),
    roots("rootOld", "root"),
    true,
  ],
  ["a foreign root stands before", chain("leaf", "intermediate"), roots("foreignRoot", "root"), true],
  ["the root's own certificate as the token's", chain("root"), roots("root"), true],
  ["no root", chain("leaf", "intermediate", "root"), [], false],
  ["a foreign root of the same name", chain("leaf", "intermediate"), roots("foreignRoot"), false],
  [
    "a foreign root that the token brings along",
    chain("leaf", "foreignIntermediate", "foreignRoot"),
    roots("root"),
    false,
  ],
  ["a foreign intermediate of the same name and key", chain("leaf", "foreignIntermediate"), roots("root"), false],
  ["a foreign leaf of the same name and key", chain("foreignLeaf", "intermediate"), roots("root"), false],
  ["the intermediate is missing", chain("leaf"), roots("root"), false],
  ["the wrong order", chain("intermediate", "root", "leaf").toReversed(), roots("root"), false],
  ["a stranger between", chain("leaf", "foreignRoot", "intermediate"), roots("root"), false],
  ["a leaf that is no CA signs another", chain("below", "leaf", "intermediate"), roots("root"), false],
  ["a configured leaf that is no CA signs another", chain("below"), roots("leaf"), false],
  ["a leaf that has ended", chain("leafOld", "intermediate"), roots("root"), false],
  ["a configured leaf that has ended", chain("leafOld"), roots("leafOld"), false],
  ["an intermediate that has ended", chain("leaf", "intermediateOld"), roots("root"), false],
  ["a configured intermediate that has ended", chain("leaf"), roots("intermediateOld"), false],
  ["a root that has ended", chain("leaf", "intermediate"), roots("rootOld"), false],
  ["nothing", [], roots("root"), false],
  ["no list", pem.leaf, roots("root"), false],
  ["no text", [1], roots("root"), false],
  ["no certificate", ["AAAA"], roots("root"), false],
  ["too long", Array<string>(9).fill(pem.root), roots("root"), false],
];

for (const [title, x5c, trust, trusted] of cases)
  test(`a chain: ${title}`, () => {
    const leaf = trustedLeaf(x5c, trust, now);
    assert.equal(leaf !== undefined, trusted);
    // Never any other than the first: that is whose key signed.
    if (leaf !== undefined) assert.equal(leaf.certificate.raw.toString("base64"), (x5c as string[])[0]);
  });

test("a chain is good as long as all of it is", () => {
  const at = (time: string): boolean =>
    trustedLeaf(chain("leaf", "intermediate"), roots("root"), Date.parse(time)) !== undefined;
  assert.deepEqual(
    ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z", "2036-01-01T00:00:01Z"].map(at),
    [false, true, true, false],
  );
  const leaf = trustedLeaf(chain("leaf", "intermediate"), roots("root"), now);
  assert.equal(leaf?.until, Date.parse("2036-01-01T00:00:00Z"));
});
