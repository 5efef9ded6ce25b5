import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { readTls, tlsFaults } from "./tls-files.ts";

const { server, client, ca } = testCertificates();
let folder: string;
const at = (name: string): string => join(folder, name);
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");

before(async () => {
  folder = temporaryFolder("tls-files");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const files: Readonly<Record<string, string | Buffer>> = {
    cert: server.cert,
    key: server.key,
    other: client.key,
    ca: ca.cert,
    marked: `\ufeff${server.cert}`,
    wide: utf16(server.cert),
    "wide-other-way": Buffer.from(utf16(server.cert)).swap16(),
    words: "not a certificate",
    broken: server.cert.replace(/\n.{20}/, "\n"),
    locked: privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hush" }) as string,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
  await mkdir(at("folder"));
});

const faultsOf = async (certificate: string, key: string, ...cas: readonly string[]): Promise<string[]> => {
  const clientCas = cas.map(at);
  const faults = await tlsFaults({ certificate: at(certificate), key: at(key), clientCas, minVersion: "TLSv1.2" });
  return faults.map(({ file, error }) => `${file}: ${error.message.replaceAll(folder, "")}`);
};

test("files of a pair are read in whatever encoding an editor gave them", async () => {
  for (const certificate of ["cert", "marked", "wide", "wide-other-way"])
    assert.deepEqual(await faultsOf(certificate, "key", "ca"), [], certificate);
  const files = { certificate: at("wide"), key: at("key"), clientCas: [], minVersion: "TLSv1.2" } as const;
  assert.equal((await readTls(files)).cert, server.cert);
});

test("each file that cannot be used is named, with what to do", async () => {
  const said = await faultsOf("words", "locked", "missing", "ca", "folder");
  assert.deepEqual(said.toSorted(), [
    "certificate: /words cannot be used: it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----",
    "clientCas: cannot read /folder: it is a directory, where a file is needed (EISDIR)",
    "clientCas: cannot read /missing: it does not exist (ENOENT)",
    "key: /locked cannot be used: its key is locked by a passphrase; unlock it: openssl pkey -in FILE -out NEW",
  ]);
  assert.match(
    (await faultsOf("broken", "words")).join(),
    /\/broken cannot be used: its certificate cannot be read.*\/words cannot be used: it holds no private key/,
  );
  assert.deepEqual(await faultsOf("cert", "other"), [
    "key: /other cannot be used: it is not the key of the certificate in /cert; name the two that were made together",
  ]);
  await assert.rejects(readTls({ certificate: at("cert"), key: at("other"), clientCas: [], minVersion: "TLSv1.2" }), {
    code: "CONFIG_INVALID",
  });
});
