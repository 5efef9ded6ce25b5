import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listen, memoryRegistry, put, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous, staticCredential } from "../auth/index.ts";
import { memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { parseReference } from "../oci/index.ts";
import { connect } from "../registry/index.ts";
import { open, openRepository, parseLocation } from "./open.ts";
import { openImage } from "./open-image.ts";

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
    ["oci:C:/images/dir", { kind: "oci", path: "C:/images/dir", name: "" }],
    [
      "docker-archive:D:\\a b\\x.tar:quay.io/a/b:1.0",
      { kind: "docker-archive", path: "D:\\a b\\x.tar", name: "quay.io/a/b:1.0" },
    ],
    ["oci-archive:\\\\?\\C:\\x.tar:v1", { kind: "oci-archive", path: "\\\\?\\C:\\x.tar", name: "v1" }],
    ["oci:\\\\server\\share\\dir:v1", { kind: "oci", path: "\\\\server\\share\\dir", name: "v1" }],
    ["oci:.\\dir:v1", { kind: "oci", path: ".\\dir", name: "v1" }],
    ["oci:C:\\images\\dir:1.0", { kind: "oci", path: "C:\\images\\dir", name: "1.0" }],
    ["oci-archive:a.tar:1.0", { kind: "oci-archive", path: "a.tar", name: "1.0" }],
    ["docker-archive:-", { kind: "docker-archive", path: "-", name: "" }],
    ["docker-archive:a.tar:app:1", { kind: "docker-archive", path: "a.tar", name: "app:1" }],
    ["memory:", { kind: "memory", name: "" }],
    ["docker-daemon:", { kind: "docker-daemon", name: "" }],
    ["docker-daemon:app:1", { kind: "docker-daemon", name: "app:1" }],
    [`docker-daemon:${digest}`, { kind: "docker-daemon", name: digest }],
    ["docker-daemon:0123456789ab", { kind: "docker-daemon", name: "0123456789ab" }],
    ["docker-container:job_1", { kind: "docker-container", name: "job_1" }],
  ];
  for (const [text, expected] of cases) test(`"${text}"`, () => assert.deepEqual(parseLocation(text), expected));

  const refused: [text: string, code: "LOCATION_INVALID" | "REFERENCE_INVALID" | "UNSUPPORTED", says: RegExp][] = [
    ["./layout", "LOCATION_INVALID", /oci:\.\/layout/],
    ["/images/a.tar", "LOCATION_INVALID", /docker-archive:\/images\/a\.tar/],
    ["C:\\images\\a.tar", "LOCATION_INVALID", /is a path; say what lies there: oci:C:\\images\\a\.tar, /],
    ["images\\a.tar", "LOCATION_INVALID", /is a path; say what lies there: oci:images\\a\.tar, /],
    ["\\\\server\\share", "LOCATION_INVALID", /is a path/],
    ["-", "LOCATION_INVALID", /oci-archive:- or docker-archive:-/],
    ["oci:", "LOCATION_INVALID", /the path is missing/],
    [
      "docker-daemon:/var/run/docker.sock",
      "LOCATION_INVALID",
      /expected docker-daemon:NAME.*socket is named by DOCKER_HOST/,
    ],
    ["docker-daemon:UPPER", "REFERENCE_INVALID", /repository/],
    ["docker-container:", "LOCATION_INVALID", /expected docker-container:NAME, or an ID/],
    [
      "containers-storage:alpine",
      "UNSUPPORTED",
      /containers-storage: is not there yet; podman system service makes its images docker-daemon:NAME; or podman save/,
    ],
    ["dir:folder", "UNSUPPORTED", /dir: is not there yet; skopeo copy makes a layout of it/],
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

describe("a location with options of its own", () => {
  const registry = memoryRegistry({ access: { scheme: "basic", users: { ann: "secret" } } });
  const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"] });
  put(registry, "a/b", "v1", index);
  const credentials = staticCredential({ username: "ann", password: "secret", source: "test" });

  test("has a connection of its own, which ends with it", async () => {
    const server = await listen(registry.handler);
    const text = `${server.host}/a/b:v1`;
    try {
      const own = await open(text, { credentials, stateDir: false });
      assert.equal((await own.store.resolve(own.name)).digest, index.root.digest);
      await own[Symbol.asyncDispose]();
      await assert.rejects(own.store.resolve("v1"), (error) => isDrayError(error, "ABORTED"));
      const stranger = await open(text, { credentials: anonymous, stateDir: false });
      await assert.rejects(stranger.store.resolve("v1"), (error) => isDrayError(error, "UNAUTHORIZED"));
      await stranger[Symbol.asyncDispose]();
    } finally {
      await server.close();
    }
  });

  test("shares one that is given, and leaves it open", async () => {
    const shared = connect("r.test", { credentials, stateDir: false, connection: registry.handler });
    for (const _ of [1, 2]) {
      const one = await open("r.test/a/b:v1", { connect: () => shared });
      assert.equal(one.store, shared.repository("a/b"));
      await one[Symbol.asyncDispose]();
    }
    await shared.ping();
  });

  test("as a repository knows its digest by one HEAD; another kind of location is none", async () => {
    registry.log.entries.length = 0;
    const one = await openRepository("r.test/a/b:v1", {
      credentials,
      stateDir: false,
      connection: registry.handler,
    });
    assert.equal(await one.store.digest(one.name), index.root.digest);
    assert.deepEqual(
      registry.log.entries.map(({ method, status }) => `${method} ${status}`),
      ["HEAD 401", "HEAD 200"],
    );
    await one[Symbol.asyncDispose]();
    await assert.rejects(openRepository("oci:dir:x"), (error) => isDrayError(error, "LOCATION_INVALID"));
  });

  test("as an image is that of a platform, with its configuration", async () => {
    const options = { credentials, stateDir: false, connection: registry.handler } as const;
    const image = await openImage("r.test/a/b:v1", { ...options, platform: "linux/arm64" });
    assert.equal((await image.config()).architecture, "arm64");
    await assert.rejects(openImage("r.test/a/b:v1", options), (error) => isDrayError(error, "USAGE"));
    const store = memoryStore();
    const there = { store, name: "x", location: "memory:x" };
    await copy(await open("r.test/a/b:v1", options), there, { platforms: ["linux/amd64"] });
    assert.equal((await (await openImage(there)).config()).architecture, "amd64");
  });

  test("an archive that was not written, and a layout, are let go", async () => {
    const folder = temporaryFolder("open");
    for (const text of [
      `oci:${folder}/layout:x`,
      `oci-archive:${folder}/a.tar:x`,
      `docker-archive:${folder}/b.tar:x`,
      "memory:x",
    ]) {
      const place = await open(text);
      assert.equal(place.name, "x");
      await place[Symbol.asyncDispose]();
    }
  });
});
