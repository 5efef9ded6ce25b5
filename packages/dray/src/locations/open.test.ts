import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDrayError } from "../errors.ts";
import { parseReference } from "../oci/index.ts";
import { open, parseLocation } from "./open.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseLocation", () => {
  const registry = (text: string) => ({ kind: "registry", reference: parseReference(text) });
  const cases: [text: string, expected: object][] = [
    ["alpine", registry("alpine")],
    ["docker://quay.io/team/app:1", registry("quay.io/team/app:1")],
    [`localhost:5000/a/b@${digest}`, registry(`localhost:5000/a/b@${digest}`)],
    ["oci:dir", { kind: "oci", path: "dir", name: "" }],
    ["oci:./dir:1.0", { kind: "oci", path: "./dir", name: "1.0" }],
    [
      "oci:/a b/dir:docker.io/library/alpine:3.20",
      { kind: "oci", path: "/a b/dir", name: "docker.io/library/alpine:3.20" },
    ],
    [`oci:dir@${digest}`, { kind: "oci", path: "dir", name: digest }],
    ["oci:C:\\images\\dir:1.0", { kind: "oci", path: "C:\\images\\dir", name: "1.0" }],
    ["oci-archive:a.tar:1.0", { kind: "oci-archive", path: "a.tar", name: "1.0" }],
    ["docker-archive:-", { kind: "docker-archive", path: "-", name: "" }],
    ["docker-archive:a.tar:app:1", { kind: "docker-archive", path: "a.tar", name: "app:1" }],
    ["memory:", { kind: "memory", name: "" }],
  ];
  for (const [text, expected] of cases) test(`"${text}"`, () => assert.deepEqual(parseLocation(text), expected));

  const refused: [text: string, code: "LOCATION_INVALID" | "REFERENCE_INVALID" | "UNSUPPORTED", says: RegExp][] = [
    ["./layout", "LOCATION_INVALID", /oci:\.\/layout/],
    ["/images/a.tar", "LOCATION_INVALID", /docker-archive:\/images\/a\.tar/],
    ["-", "LOCATION_INVALID", /oci-archive:- or docker-archive:-/],
    ["oci:", "LOCATION_INVALID", /the path is missing/],
    ["docker-daemon:alpine", "UNSUPPORTED", /docker-daemon: is not supported/],
    ["https://ghcr.io/a/b", "REFERENCE_INVALID", /leave the scheme out/],
    ["lower/CASE", "REFERENCE_INVALID", /repository/],
  ];
  for (const [text, code, says] of refused)
    test(`"${text}" is refused`, () =>
      assert.throws(
        () => parseLocation(text),
        (error) => isDrayError(error, code) && says.test(error.message),
      ));
});

describe("open", () => {
  test("touches nothing yet, and names what it opened", async () => {
    const { name, location } = await open(`registry.invalid/a/b:1@${digest}`);
    assert.equal(name, digest);
    assert.equal(location, `registry.invalid/a/b:1@${digest}`);
    assert.equal((await open("oci:/nowhere/at/all:x")).name, "x");
  });
});
