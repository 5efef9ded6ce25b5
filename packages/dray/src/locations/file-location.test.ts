import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFileLocation } from "./index.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("a file in an image is told from the image, a known prefix first", () => {
  for (const [text, image, path] of [
    ["alpine:/etc", "alpine", "/etc"],
    ["alpine:3.20:/etc/passwd", "alpine:3.20", "/etc/passwd"],
    ["localhost:5000/a/b:/", "localhost:5000/a/b", "/"],
    ["localhost:5000/a/b:1.0:/x", "localhost:5000/a/b:1.0", "/x"],
    [`quay.io/a/b@${digest}:/x`, `quay.io/a/b@${digest}`, "/x"],
    [`quay.io/a/b:1@${digest}:/a:/b`, `quay.io/a/b:1@${digest}`, "/a:/b"],
    ["docker://quay.io/a/b:1:/x", "docker://quay.io/a/b:1", "/x"],
    ["oci:dir:1.0:/etc", "oci:dir:1.0", "/etc"],
    ["oci:/srv/x:/etc", "oci:/srv/x", "/etc"],
    ["oci:/srv/x:docker.io/library/alpine:3.20:/etc", "oci:/srv/x:docker.io/library/alpine:3.20", "/etc"],
    [`oci:dir@${digest}:/etc`, `oci:dir@${digest}`, "/etc"],
    ["oci:C:/images/dir:1.0:/etc", "oci:C:/images/dir:1.0", "/etc"],
    ["docker-archive:a.tar:/etc", "docker-archive:a.tar", "/etc"],
    ["docker-archive:-:/etc", "docker-archive:-", "/etc"],
    ["oci-archive:a.tar:app:1:/etc", "oci-archive:a.tar:app:1", "/etc"],
    ["memory:x:/etc", "memory:x", "/etc"],
    ["docker-daemon:app:1:/etc", "docker-daemon:app:1", "/etc"],
    ["docker-container:job:/etc", "docker-container:job", "/etc"],
  ] as const)
    assert.deepEqual(parseFileLocation(text), { image, path }, text);
  for (const text of [
    "alpine",
    "alpine:3.20",
    "localhost:5000/a/b:1",
    "docker://quay.io/a",
    "oci:/srv/x",
    "oci:C:/images",
    "oci-archive:/a.tar",
    "dir:/srv/x",
    "ocidir:/srv/x",
    "docker-daemon:/x",
    "https://ghcr.io/a/b",
    "./a",
    "/a/b",
    ":/x",
    "",
  ])
    assert.equal(parseFileLocation(text), undefined, text);
});
