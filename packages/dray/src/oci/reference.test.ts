import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDrayError } from "../errors.ts";
import {
  canonical,
  familiar,
  formatReference,
  InvalidReferenceError,
  isIdentifier,
  isRepository,
  isShortIdentifier,
  isTag,
  longestName,
  type ParseReferenceOptions,
  parseReference,
  parseRegistry,
  parseRepository,
  type Reference,
} from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("what a reference means, in full and in the form people type", () => {
  for (const [text, full, short] of [
    ["alpine", "docker.io/library/alpine:latest", "alpine"],
    ["alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
    [`alpine:3.20@${digest}`, `docker.io/library/alpine:3.20@${digest}`, `alpine:3.20@${digest}`],
    [`alpine:latest@${digest}`, `docker.io/library/alpine:latest@${digest}`, `alpine:latest@${digest}`],
    ["alpine:5000", "docker.io/library/alpine:5000", "alpine:5000"],
    ["grafana/grafana", "docker.io/grafana/grafana:latest", "grafana/grafana"],
    ["library/alpine", "docker.io/library/alpine:latest", "alpine"],
    ["docker.io/alpine", "docker.io/library/alpine:latest", "alpine"],
    ["index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine"],
    ["registry-1.docker.io/alpine:1", "docker.io/library/alpine:1", "alpine:1"],
    ["Docker.IO/alpine", "docker.io/library/alpine:latest", "alpine"],
    ["docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b"],
    ["quay.io/a", "quay.io/a:latest", "quay.io/a"],
    ["quay.io/library/a", "quay.io/library/a:latest", "quay.io/library/a"],
    ["Quay.io/a", "quay.io/a:latest", "quay.io/a"],
    ["localhost/a", "localhost/a:latest", "localhost/a"],
    ["localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b:1"],
    ["host:5000/a", "host:5000/a:latest", "host:5000/a"],
    ["127.0.0.1:5000/a:1", "127.0.0.1:5000/a:1", "127.0.0.1:5000/a:1"],
    ["[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a"],
    ["[2001:db8::1]/a:1", "[2001:db8::1]/a:1", "[2001:db8::1]/a:1"],
    // A bare word is a host only by its upper case.
    ["HOST/a", "HOST/a:latest", "HOST/a"],
    ["host/a", "docker.io/host/a:latest", "host/a"],
    // Without its registry this would be read as one on the host "localhost".
    ["docker.io/localhost/a", "docker.io/localhost/a:latest", "docker.io/localhost/a"],
    ["docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c"],
    ["a--b/c__d/e.f_g", "docker.io/a--b/c__d/e.f_g:latest", "a--b/c__d/e.f_g"],
    ["a/blobs/manifests/tags:v1", "docker.io/a/blobs/manifests/tags:v1", "a/blobs/manifests/tags:v1"],
  ] as const) {
    const reference = parseReference(text);
    assert.equal(formatReference(reference), full, text);
    assert.equal(familiar(reference), short, text);
  }
});

test("with a digest the canonical form leaves the tag out", () => {
  assert.equal(canonical(parseReference(`a/b:1@${digest}`)), `docker.io/a/b@${digest}`);
  assert.equal(canonical(parseReference("a/b:1")), "docker.io/a/b:1");
});

test("what is wrong, and with which part", () => {
  const long = "a".repeat(250);
  for (const [text, part, why] of [
    ["", "reference", /is empty/],
    ["https://quay.io/a", "reference", /starts with "https:\/\/"; leave the scheme out/],
    ["docker://a", "reference", /starts with "docker:\/\/"/],
    ["quay.io/", "repository", /the repository is empty/],
    [":1", "repository", /the repository is empty/],
    [`@${digest}`, "repository", /the repository is empty/],
    ["quay.io//a", "repository", /empty component/],
    ["a/b/", "repository", /empty component/],
    ["a/../b", "repository", /component "\.\." must be letters/],
    ["Alpine", "repository", /must be lower case/],
    ["quay.io/A", "repository", /must be lower case/],
    ["a/-b", "repository", /component "-b"/],
    ["a/b-", "repository", /component "b-"/],
    ["a/b___c", "repository", /component "b___c"/],
    ["a/b..c", "repository", /component "b\.\.c"/],
    ["a b", "repository", /component "a b"/],
    ["é", "repository", /component "é"/],
    [long.slice(0, 238), "repository", /longer than 255/],
    ["a:", "tag", /the tag after the colon is empty/],
    ["a:.b", "tag", /not begin with \. or -/],
    ["a:-b", "tag", /not begin with/],
    ["a:b c", "tag", /must be letters/],
    ["a:b\n", "tag", /must be letters/],
    [`a:${"b".repeat(129)}`, "tag", /129 characters; 128 are allowed/],
    ["a@", "digest", /expected algorithm:hex/],
    ["a@sha256:abc", "digest", /sha256 has 64 hex digits, this has 3/],
    [`a@md5:${"0".repeat(32)}`, "digest", /"md5" is not supported/],
    [`a@${digest}@${digest}`, "digest", /expected algorithm:hex/],
    [`a@${digest.toUpperCase()}`, "digest", /expected algorithm:hex/],
    ["host:0/a", "registry", /port 0 is outside/],
    ["host:65536/a", "registry", /port 65536 is outside/],
    ["host:port/a", "registry", /no host\[:port\]/],
    ["-a.b/c", "registry", /no host\[:port\]/],
    ["a_b.c/d", "registry", /no host\[:port\]/],
    ["user@host/a", "digest", /a user name and a password are no part of it; write host\/a/],
    [".b/c", "registry", /no host/],
  ] as const)
    assert.throws(
      () => parseReference(text),
      (error) => {
        assert.ok(error instanceof InvalidReferenceError, text);
        assert.equal(error.part, part, `${text}: ${error.message}`);
        assert.match(error.message, why);
        return isDrayError(error, "REFERENCE_INVALID");
      },
    );
});

test("what is wrong tells by its kind", () => {
  const long = "a".repeat(256);
  const strict = { strict: true };
  for (const [text, fault, options] of [
    ["", "empty"],
    ["Alpine", "uppercase"],
    ["quay.io:5000/Team/app:1", "uppercase"],
    ["a/B$", "format"],
    [long, "too-long"],
    [`quay.io/${"a/".repeat(124)}a`, "too-long"],
    ["a".repeat(2000), "too-long"],
    [":1", "format"],
    ["a//b", "format"],
    ["a b", "format"],
    ["https://quay.io/a", "format"],
    ["host:port/a", "format"],
    ["a:", "tag"],
    [`a:${"b".repeat(129)}`, "tag"],
    ["a@sha256:abc", "digest"],
    [`a@md5:${"0".repeat(32)}`, "digest"],
    [`a:sha256:${"0".repeat(64)}`, "digest"],
    ["a/b:1", "not-canonical", strict],
    ["docker.io/alpine:1", "not-canonical", strict],
    ["quay.io/a", "not-canonical", strict],
  ] as const)
    assert.throws(
      () => parseReference(text, options),
      (error) => {
        assert.ok(error instanceof InvalidReferenceError, text);
        assert.equal(error.fault, fault, `${text}: ${error.message}`);
        return true;
      },
      text,
    );
  assert.equal(parseReference(`quay.io/${"a".repeat(longestName - "quay.io/".length)}`).registry, "quay.io");
});

test("identifiers of images, and their beginnings", () => {
  const hex = "0123456789abcdef".repeat(4);
  for (const [text, whole, beginning] of [
    [hex, true, true],
    [hex.slice(1), false, true],
    ["abcdef", false, true],
    ["abcde", false, false],
    [`${hex}0`, false, false],
    [hex.toUpperCase(), false, false],
    [`sha256:${hex}`, false, false],
    ["", false, false],
    [`${hex}\n`, false, false],
  ] as const)
    assert.deepEqual([isIdentifier(text), isShortIdentifier(text)], [whole, beginning], text);
});

test("a password in front of a name is refused, and in no message", () => {
  const refusals: readonly (readonly [(text: string) => unknown, string, RegExp])[] = [
    [
      parseReference,
      "https://ann:sEcret@quay.io/a:1",
      /^reference "https:\/\/…@quay.io\/a:1": .*; write quay.io\/a:1, and give/,
    ],
    [parseReference, "https://sEcret@quay.io/a:1", /write quay.io\/a:1/],
    [parseReference, "http://ann:sEc/ret@quay.io/a", /write quay.io\/a,/],
    [parseReference, "ann:sEcret@quay.io:5000/a", /write quay.io:5000\/a,/],
    [parseReference, `ann:sEcret@quay.io/a@${digest}`, /write quay.io\/a@sha256/],
    [parseReference, "sEcret@quay.io/a", /write quay.io\/a,/],
    [parseRegistry, "ann:sEcret@quay.io", /write quay.io,/],
    [parseRegistry, "https://ann:sEcret@quay.io", /write quay.io,/],
  ];
  for (const [parse, text, says] of refusals)
    assert.throws(
      () => parse(text),
      (error) => {
        assert.ok(isDrayError(error, "REFERENCE_INVALID"));
        assert.match(error.message, says);
        assert.doesNotMatch(`${error.message} ${error.reference} ${error.stack}`, /sE/);
        return true;
      },
    );
  // What is wrong with a digest is no user's name.
  assert.throws(() => parseReference("quay.io/a@sha256:12"), /sha256 has 64 hex digits/);
  assert.throws(() => parseReference("alpine@latest"), /digest "latest"/);
  assert.throws(() => parseReference(`https://quay.io/a@${digest}`), /leave the scheme out/);
});

test("strict parsing assumes nothing", () => {
  for (const [text, part] of [
    ["alpine:1", "registry"],
    ["docker.io/alpine:1", "repository"],
    ["quay.io/a", "tag"],
  ] as const)
    assert.throws(
      () => parseReference(text, { strict: true }),
      (error) => error instanceof InvalidReferenceError && error.part === part,
    );
  for (const text of ["docker.io/library/alpine:1", `quay.io/a@${digest}`, "localhost/a:1"])
    assert.equal(formatReference(parseReference(text, { strict: true })), text);
});

test("defaults of the caller", () => {
  for (const [text, options, full] of [
    ["a", { defaultRegistry: "quay.io" }, "quay.io/a:latest"],
    ["docker.io/a", { defaultRegistry: "quay.io" }, "docker.io/library/a:latest"],
    ["a", { defaultRegistry: "index.docker.io" }, "docker.io/library/a:latest"],
    ["a", { defaultTag: "stable" }, "docker.io/library/a:stable"],
    ["a", { defaultTag: "" }, "docker.io/library/a"],
  ] as [string, ParseReferenceOptions, string][])
    assert.equal(formatReference(parseReference(text, options)), full);
  assert.throws(
    () => parseReference("a", { defaultRegistry: "no host" }),
    (error) => error instanceof InvalidReferenceError && error.part === "registry",
  );
});

test("a repository has neither tag nor digest, a registry no path", () => {
  assert.deepEqual(parseRepository("alpine"), { registry: "docker.io", repository: "library/alpine" });
  assert.deepEqual(parseRepository("host:5000/a/b"), { registry: "host:5000", repository: "a/b" });
  assert.throws(() => parseRepository("alpine:1"), { part: "tag" });
  assert.throws(() => parseRepository(`alpine@${digest}`), { part: "digest" });
  assert.equal(parseRegistry("Index.Docker.io"), "docker.io");
  assert.equal(parseRegistry("LOCALHOST:5000"), "localhost:5000");
  for (const text of ["", "a/b", "https://a", "a:", "a:b", "user@a", "[::1", "a..b"])
    assert.throws(() => parseRegistry(text), { part: "registry" }, text);
});

// Words of the grammar.
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const component = fc
  .tuple(word, fc.array(fc.tuple(fc.constantFrom(".", "_", "__", "-", "--", "---"), word), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.flat().join(""));
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const registry = fc.oneof(
  fc.constantFrom("docker.io", "index.docker.io", "localhost", "[::1]", "[fe80::1]:443", "HOST", "10.0.0.1"),
  fc.tuple(word, word).map(([a, b]) => `${a}.${b}`),
  fc.tuple(word, fc.integer({ min: 1, max: 65535 })).map(([a, port]) => `${a}:${port}`),
);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
const anyDigest = fc.oneof(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), fc.stringMatching(/^sha512:[0-9a-f]{128}$/));
const optional = (arbitrary: fc.Arbitrary<string>, prefix: string): fc.Arbitrary<string> =>
  fc.option(arbitrary, { nil: "" }).map((text) => text && prefix + text);
const dotless = path.filter((text) => !/^[^/]*\.[^/]*\//.test(text));
const reference: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      dotless,
      fc.tuple(registry, path).map((parts) => parts.join("/")),
    ),
    optional(tag, ":"),
    optional(anyDigest, "@"),
  )
  .map((parts) => parts.join(""));

test("whatever the grammar makes is read, and reads the same in full and in familiar form", () => {
  fc.assert(
    fc.property(reference, (text) => {
      const read: Reference = parseReference(text);
      assert.deepEqual(parseReference(formatReference(read)), read);
      assert.deepEqual(parseReference(formatReference(read), { strict: true }), read);
      assert.deepEqual(parseReference(familiar(read)), read);
      assert.ok(familiar(read).length <= formatReference(read).length);
      assert.ok(isRepository(read.repository));
      if (read.tag !== undefined) assert.ok(isTag(read.tag));
      const { tag: _, ...digested } = read;
      assert.deepEqual(parseReference(canonical(read)), read.digest === undefined ? read : digested);
    }),
  );
});

test("any other text is refused by a ReferenceError, or read to something that reads the same", () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom("/", ":", "@", ".", "-", "_", "sha256:", "[", "]", "A"), word), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: "binary" }),
        pieces.map((parts) => parts.join("")),
      ),
      (text) => {
        let read: Reference;
        try {
          read = parseReference(text);
        } catch (error) {
          assert.ok(error instanceof InvalidReferenceError);
          assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
          return;
        }
        assert.deepEqual(parseReference(formatReference(read)), read);
        assert.deepEqual(parseReference(familiar(read)), read);
      },
    ),
  );
});

test("text that is longer than any reference is refused at once, and not repeated whole", () => {
  for (const text of ["a".repeat(1_000_000), `${"a.".repeat(500_000)}/b`, `a/${"b".repeat(1023)}`])
    assert.throws(
      () => parseReference(text),
      (error) => error instanceof InvalidReferenceError && error.part === "reference" && error.message.length < 200,
    );
  assert.throws(() => parseReference(`a/${"b".repeat(1022)}`), { part: "repository" });
});
