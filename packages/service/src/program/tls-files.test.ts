import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
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
    empty: "\n",
    chain: `${server.cert}\n${ca.cert}`,
    "chain-other-way": `${ca.cert}\n${server.cert}`,
    "chain-broken": `${server.cert}\n${ca.cert.replace(/\n.{20}/, "\n")}`,
    both: `${server.key}\n${server.cert}`,
    der: new X509Certificate(server.cert).raw,
    "der-key": privateKey.export({ type: "pkcs8", format: "der" }),
    public: createPublicKey(server.key).export({ type: "spki", format: "pem" }) as string,
    request: "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
    broken: server.cert.replace(/\n.{20}/, "\n"),
    locked: privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hush" }) as string,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
  await mkdir(at("folder"));
});

const faultsOf = async (certificate: string, key: string, ...cas: readonly string[]): Promise<string[]> => {
  const clientCas = cas.map(at);
  const faults = await tlsFaults({ certificate: at(certificate), key: at(key), clientCas });
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

test("what lies there in place of what is wanted is said", async () => {
  const one = async (certificate: string, key: string, ...cas: string[]): Promise<string> =>
    (await faultsOf(certificate, key, ...cas)).join("\n");
  assert.match(
    await one("key", "cert"),
    /^certificate: \/key .*but a private key; perhaps .*swapped order\nkey: \/cert .*but a certificate; perhaps .*swapped order$/,
  );
  assert.equal(await one("both", "both"), "", "one file may hold both");
  assert.equal(await one("chain", "key"), "");
  assert.match(
    await one("chain-other-way", "key"),
    /^key: .*further down in .*\/chain-other-way; that one comes first/,
  );
  assert.match(await one("chain-broken", "key"), /^certificate: .*its certificate 2 cannot be read/);
  assert.match(await one("der", "key"), /^certificate: .*in DER; .*openssl x509 -inform der/);
  assert.match(await one("cert", "der-key"), /^key: .*in DER; .*openssl pkey/);
  assert.match(await one("cert", "public"), /^key: .*but a public key$/);
  assert.match(
    await one("request", "key"),
    /^certificate: .*but a request for one; name the file that the authority gave/,
  );
  assert.match(await one("empty", "key"), /^certificate: .*it is empty$/);
  assert.match(
    await one("cert", "key", "words", "key"),
    /^clientCas: \/words .*\nclientCas: \/key .*but a private key/,
  );
});

test("keys of every kind and form that programs write are read", async () => {
  const { privateKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const curve = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).privateKey;
  const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1"): string =>
    key.export({ type, format: "pem" }) as string;
  const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const keys: Readonly<Record<string, string>> = {
    "PKCS#1": pem(rsa, "pkcs1"),
    "PKCS#8": pem(rsa, "pkcs8"),
    "EC PARAMETERS before it": parameters + pem(curve("P-256"), "sec1"),
    "P-384": pem(curve("P-384"), "pkcs8"),
    "P-521": pem(curve("P-521"), "sec1"),
    Ed25519: pem(generateKeyPairSync("ed25519").privateKey, "pkcs8"),
    "line ends of Windows": pem(rsa, "pkcs8").replaceAll("\n", "\r\n"),
    "attributes before it": `Bag Attributes\n    friendlyName: registry\n${pem(rsa, "pkcs8")}`,
  };
  for (const [name, text] of Object.entries(keys)) {
    await writeFile(at("kind"), text);
    assert.deepEqual(await tlsFaults({ key: at("kind"), clientCas: [] }), [], name);
  }
});
