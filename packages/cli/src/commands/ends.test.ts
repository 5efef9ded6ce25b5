import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, testCertificates } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const access = { scheme: "basic", users: { ann: "secret", bob: "other" } } as const;
const { registry, host: plain, at: file, dray } = await commands("ends", memoryRegistry({ access }));

/** The same registry three ways: in the clear, with a private CA, and asking for a client certificate. */
describe("two ends that differ", () => {
  const image = sampleImage({ seed: "ends" });
  let [secure, mutual]: Listener[] = [];

  before(async () => {
    const { ca, server, client } = testCertificates();
    put(registry, "team/app", "1", image);
    secure = await listen(registry.handler, { tls: server });
    mutual = await listen(registry.handler, { tls: { ...server, ca: ca.cert, clientAuth: "require" } });
    const other = testCertificates().ca;
    const files = {
      "ca.pem": ca.cert,
      "other.pem": other.cert,
      "cert.pem": client.cert,
      "key.pem": client.key,
      "no.pem": "no PEM",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
  });
  after(async () => {
    await Promise.all([secure?.close(), mutual?.close()]);
  });

  test("each end has its own flags, and those for both hold where it has none", async () => {
    const source = `${secure?.host}/team/app:1`;
    const who = [
      "--src-username",
      "ann",
      "--src-password",
      "secret",
      "--dest-username",
      "bob",
      "--dest-password",
      "other",
    ];
    const certificate = ["cert", "key"].flatMap((name) => [`--dest-${name}`, file(`${name}.pem`)]);
    const rows: readonly [name: string, words: string[], exitCode: number, says: RegExp][] = [
      ["right", [...who, "--src-ca-file", file("ca.pem"), source, `${plain}/a:1`], 0, /^copied/],
      [
        "a CA for both",
        [...who, "--ca-file", file("ca.pem"), ...certificate, source, `${mutual?.host}/b:1`],
        0,
        /^copied/,
      ],
      [
        "an end wins",
        [...who, "--ca-file", file("other.pem"), "--src-ca-file", file("ca.pem"), source, `${plain}/c:1`],
        0,
        /^copied/,
      ],
      ["no verification", [...who, "--src-insecure", source, `${plain}/d:1`], 0, /^copied/],
      ["any certificate", [...who, "--src-skip-tls-verify", source, `${plain}/e:1`], 0, /^copied/],
      ["plain http alone", [...who, "--src-plain-http", source, `${plain}/x:1`], 1, /certificate/],
      ["the wrong CA", [...who, "--src-ca-file", file("other.pem"), source, `${plain}/x:1`], 1, /certificate/],
      ["the CA at the wrong end", [...who, "--dest-ca-file", file("ca.pem"), source, `${plain}/x:1`], 1, /certificate/],
      ["no client certificate", [...who, "--ca-file", file("ca.pem"), source, `${mutual?.host}/x:1`], 1, /certificate/],
      [
        "the wrong password",
        [...who.slice(0, -1), "secret", "--ca-file", file("ca.pem"), source, `${plain}/x:1`],
        6,
        /^Error: /,
      ],
      ["no PEM", [...who, "--src-ca-file", file("no.pem"), source, `${plain}/x:1`], 2, /no\.pem: holds no PEM/],
    ];
    for (const [name, words, exitCode, says] of rows) {
      const ended = await dray("cp", "--retry", "0", ...words);
      assert.equal(ended.exitCode, exitCode, `${name}: ${ended.stderr}`);
      assert.match(ended.stderr, says, name);
      assert.ok(!/secret|other\b(?!\.pem)/.test(ended.stderr), name);
    }
    for (const name of ["a", "b", "c", "d", "e"]) assert.deepEqual(registry.tags(name), ["1"]);
    assert.deepEqual(registry.tags("x"), []);
  });

  test("--verbose shows requests and no secret", async () => {
    const { exitCode, stderr } = await dray(
      "digest",
      "-v",
      "--username",
      "ann",
      "--password",
      "secret",
      `${plain}/team/app:1`,
    );
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^HEAD http:\/\/.*\/v2\/team\/app\/manifests\/1 -> 200 after \d+ ms/m);
    assert.match(stderr, /^ {2}> User-Agent: dray\/0\.1\.0$/m);
    assert.match(stderr, /^ {2}> Authorization: /m);
    assert.ok(!stderr.includes("secret") && !stderr.includes(Buffer.from("ann:secret").toString("base64")));
  });
});
