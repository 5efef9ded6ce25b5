import assert from "node:assert/strict";
import { test } from "node:test";
import { formatReference, InvalidReferenceError, parseReference } from "dray/oci";
import { imageOf, parseRepository, repositoryFromImage } from "./repository.ts";

const spellings: readonly [written: string, host: string, namespaceImage: string][] = [
  ["alpine", "docker.io", "library/alpine"],
  ["library/alpine", "docker.io", "library/alpine"],
  ["docker.io/alpine", "docker.io", "library/alpine"],
  ["index.docker.io/library/alpine", "docker.io", "library/alpine"],
  ["registry-1.docker.io/library/alpine", "docker.io", "library/alpine"],
  ["weaveworks/helloworld", "docker.io", "weaveworks/helloworld"],
  ["notlocalhost/app", "docker.io", "notlocalhost/app"],
  ["localhost/app", "localhost", "app"],
  ["registry:5000/foo", "registry:5000", "foo"],
  ["quay.io/a/b/c/d", "quay.io", "a/b/c/d"],
  ["[::1]:5000/app", "[::1]:5000", "app"],
];

test("every spelling of a repository is one repository: host, namespace and image, and both as text", () => {
  for (const [written, host, namespaceImage] of spellings)
    assert.deepEqual(parseRepository(written), { host, namespaceImage, text: `${host}/${namespaceImage}` }, written);
});

test("the repository of an image is told whatever its tag or digest, from text and from a reference", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  for (const [written, host, namespaceImage] of spellings)
    for (const end of ["", ":1.2", `@${digest}`, `:1.2@${digest}`]) {
      const expected = { host, namespaceImage, text: `${host}/${namespaceImage}` };
      assert.deepEqual(repositoryFromImage(written + end), expected, written + end);
      assert.deepEqual(repositoryFromImage(parseReference(written + end)), expected, written + end);
    }
});

test("what names no repository is refused, and says what to leave out", () => {
  const wrong: readonly [text: string, part: string, why: RegExp][] = [
    ["", "reference", /is empty/],
    ["alpine:3.22", "tag", /without tag or digest; write alpine$/],
    [`alpine@sha256:${"a".repeat(64)}`, "digest", /without tag or digest/],
    ["https://quay.io/team/app", "reference", /leave the scheme out/],
    ["/alpine", "repository", /empty component/],
    ["alpine/", "repository", /empty component/],
  ];
  for (const [text, part, why] of wrong)
    assert.throws(
      () => parseRepository(text),
      (error) => error instanceof InvalidReferenceError && error.part === part && why.test(error.message),
      text,
    );
});

test("a repository and a tag make an image, and the image tells its repository", () => {
  const repository = parseRepository("alpine");
  const image = imageOf(repository, "3.22");
  assert.equal(formatReference(image), "docker.io/library/alpine:3.22");
  assert.deepEqual(repositoryFromImage(image), repository);
});
