import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../test/rehearse.ts";

const home = temporaryFolder("local");
const from = process.cwd();
before(async () => {
  process.chdir(home);
  // Docker Hub is behind a proxy that is not there: nothing is asked of it.
  process.env["HTTPS_PROXY"] = "http://127.0.0.1:1";
  await writeFile("hello.tar", "text");
  await mkdir("dray/sample", { recursive: true });
  await writeFile("dray/sample/oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  await mkdir("nginx");
});
after(() => {
  process.chdir(from);
  delete process.env["HTTPS_PROXY"];
});

const dray = (...words: string[]) => rehearse(home, ["--retry", "0", ...words]);

test("a file that exists is not looked up on Docker Hub without a word, and the error names what was looked up", async () => {
  const rows: readonly [words: string[], read: string, here: string][] = [
    [["cp", "hello.tar", "oci:out"], "hello.tar:latest", "docker-archive:hello.tar or oci-archive:hello.tar"],
    [["digest", "hello.tar"], "hello.tar:latest", "docker-archive:hello.tar"],
    [["inspect", "hello.tar"], "hello.tar:latest", "docker-archive:hello.tar"],
    [["pull", "hello.tar", "x.tar"], "hello.tar:latest", "docker-archive:hello.tar"],
    [["digest", "archive:hello.tar"], "archive:hello.tar", "docker-archive:hello.tar"],
  ];
  for (const [words, read, here] of rows) {
    const { stderr, exitCode } = await dray(...words);
    assert.equal(exitCode, 1, stderr);
    const [warning = "", error = ""] = stderr.trim().split("\n");
    assert.ok(warning.startsWith("Warning: "), stderr);
    assert.ok(warning.includes(`is read as docker.io/library/${read}; what lies here is ${here}`), stderr);
    assert.match(error, new RegExp(`^Error: .*docker\\.io/library/${read}: cannot reach the proxy `), stderr);
  }
  for (const text of ["dray/sample", "dray/sample:hello"]) {
    const { stderr } = await dray("tree", text);
    assert.match(stderr, /^Warning: .* is read as docker\.io\/dray\/sample:\w+; what lies here is oci:dray\/sample\n/);
  }
});

test("what is no image here, or was written in full, is asked for without one", async () => {
  for (const text of ["nginx", "alpine:3.20", "docker.io/library/hello.tar", "docker://hello.tar"]) {
    const { stderr } = await dray("digest", text);
    assert.match(stderr, /^Error: [^\n]*docker\.io\/library\/[^\n]*\n$/, text);
  }
});

test("the schemes of other tools are told what they are called here", async () => {
  const rows = [
    ["ocidir://dray/sample:hello", "oci:dray/sample:hello"],
    ["oci-layout://dray/sample", "oci:dray/sample"],
    ["ociarchive:hello.tar", "oci-archive:hello.tar"],
    ["dockerarchive:hello.tar", "docker-archive:hello.tar"],
  ];
  for (const [text = "", here = ""] of rows) {
    const { stderr, exitCode } = await dray("cp", text, "oci:out");
    assert.equal(exitCode, 2, stderr);
    assert.ok(stderr.includes(`write ${here}`), stderr);
  }
});
