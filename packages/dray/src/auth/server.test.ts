import assert from "node:assert/strict";
import { test } from "node:test";
import { bySpecificity, covers, dockerKey, parseServer, pathsOf, type Server } from "./server.ts";

const spellings: [text: string, host: string, path: string][] = [
  ["ghcr.io", "ghcr.io", ""],
  ["https://ghcr.io", "ghcr.io", ""],
  ["http://GHCR.io/", "ghcr.io", ""],
  ["ghcr.io/v1/", "ghcr.io", ""],
  ["ghcr.io/v2", "ghcr.io", ""],
  ["https://ghcr.io/v2/team", "ghcr.io", "team"],
  ["ghcr.io/v2/team", "ghcr.io", "v2/team"],
  ["quay.io/team/app/", "quay.io", "team/app"],
  ["localhost:5000", "localhost:5000", ""],
  ["[::1]:5000/a", "[::1]:5000", "a"],
  ["*.azurecr.io", "*.azurecr.io", ""],
  ["docker.io", "docker.io", ""],
  ["index.docker.io", "docker.io", ""],
  ["registry-1.docker.io", "docker.io", ""],
  ["https://index.docker.io/v1/", "docker.io", ""],
  ["https://index.docker.io/v1/access-token", "docker.io", "access-token"],
  ["docker.io/library/alpine", "docker.io", "library/alpine"],
];

for (const [text, host, path] of spellings) {
  test(`a server: ${text}`, () => assert.deepEqual(parseServer(text), { host, path }));
}

test("text that names no server", () => {
  for (const text of ["", " ", "https://", "/a", "ann:secret@ghcr.io", "https://ann:secret@ghcr.io/v1/", "@"])
    assert.equal(parseServer(text), undefined, text);
});

const coverage: [server: string, registry: string, repository: string | undefined, covered: boolean][] = [
  ["ghcr.io", "ghcr.io", "a/b", true],
  ["ghcr.io", "GHCR.IO", undefined, true],
  ["ghcr.io", "ghcr.io:5000", "a", false],
  ["ghcr.io:5000", "ghcr.io:5000", "a", true],
  ["ghcr.io:5000", "ghcr.io", "a", false],
  ["index.docker.io", "docker.io", "library/alpine", true],
  ["*.azurecr.io", "team.azurecr.io", "a", true],
  ["*.azurecr.io", "azurecr.io", "a", false],
  ["*.azurecr.io", "a.b.azurecr.io", "a", false],
  ["*.azurecr.io:443", "team.azurecr.io", "a", false],
  ["123.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.eu-west-1.amazonaws.com", "a", true],
  ["reg*y.test", "registry.test", "a", true],
  ["reg*y.test", "registries.test", "a", false],
  ["r*g*s*y.test", "registry.test", "a", true],
  ["reg*g*y.test", "regy.test", "a", false],
  ["re*e.test", "re.test", "a", false],
  ["a**b*.test", "ab.test", "a", true],
  // Tried in every way this would take longer than anybody waits.
  [`${"*a".repeat(30)}b.test`, `${"a".repeat(63)}.test`, "a", false],
  ["a.test/team", "a.test", "team/app", true],
  ["a.test/team", "a.test", "team", true],
  ["a.test/team", "a.test", "teammate", false],
  ["a.test/team", "a.test", undefined, false],
  ["a+b.test", "aab.test", undefined, false],
];

for (const [server, registry, repository, covered] of coverage) {
  test(`${server} is ${covered ? "" : "not "}for ${registry}/${repository}`, () => {
    const target = repository === undefined ? { registry } : { registry, repository };
    assert.equal(covers(parseServer(server) as Server, target), covered);
  });
}

test("the more specific comes first", () => {
  const servers = ["*.a.test", "x.a.test", "*.a.test/team", "*.*.test", "x.a.test/team/app", "x*.a.test"].map(
    (each) => parseServer(each) as Server,
  );
  assert.deepEqual(
    servers.sort(bySpecificity).map(({ host, path }) => `${host}/${path}`),
    ["x.a.test/team/app", "*.a.test/team", "x.a.test/", "x*.a.test/", "*.a.test/", "*.*.test/"],
  );
});

test("paths of a repository, longest first, the host last", () => {
  assert.deepEqual(pathsOf("a/b/c"), ["a/b/c", "a/b", "a", ""]);
  assert.deepEqual(pathsOf(undefined), [""]);
});

test("docker has a name of its own for Docker Hub", () => {
  assert.equal(dockerKey("docker.io"), "https://index.docker.io/v1/");
  assert.equal(dockerKey("ghcr.io"), "ghcr.io");
});
