import assert from "node:assert/strict";
import { test } from "node:test";
import { formatReference } from "dray/oci";
import { findReferences } from "./index.ts";

const found = (name: string, text: string): { said: (string | undefined)[]; faults: number } => {
  const { references, faults } = findReferences(name, Buffer.from(text));
  const said = references.map(({ reference }) => (reference === undefined ? undefined : formatReference(reference)));
  return { said, faults: faults.length };
};

test("what arguments of a Dockerfile are set to has no quotes", () => {
  const lines = [
    `ARG MIRROR=''`,
    `ARG VERSION="21"`,
    `ARG IMAGE="\${MIRROR}node:\${VERSION}"`,
    `ARG SAID='$VERSION'`,
    "FROM ${MIRROR}node:${VERSION}-alpine",
    "FROM ${IMAGE}",
    "FROM redis:${VERSION}${MIRROR}",
  ];
  assert.deepEqual(found("Dockerfile", lines.join("\n")), {
    said: ["docker.io/library/node:21-alpine", "docker.io/library/node:21", "docker.io/library/redis:21"],
    faults: 0,
  });
});

test("null is no text, in any word of YAML, and a text of the same letters is one", () => {
  const services = `services:
  a: {image: null, build: .}
  b: {image: ~}
  c:
    image: !reset null
  d: {image: "null"}
`;
  assert.deepEqual(found("compose.yml", services), { said: ["docker.io/library/null:latest"], faults: 0 });
  const digest = `sha256:${"a".repeat(64)}`;
  const values = `a: {image: {registry: null, repository: ghcr.io/x/y, tag: ~, digest: ${digest}}}
b: {image: {registry: ghcr.io, repository: x/z, tag: v1, digest: null}}
`;
  assert.deepEqual(found("values.yaml", values), { said: [`ghcr.io/x/y@${digest}`, "ghcr.io/x/z:v1"], faults: 0 });
});

test("a name behind a hub is no image of Docker Hub", () => {
  const values = "pilot: {hub: docker.io/istio, tag: 1.20.0, image: pilot}\nb: {image: {repository: x/y, tag: v1}}\n";
  assert.deepEqual(found("values.yaml", values).said, ["docker.io/x/y:v1"]);
});
