import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestCertificates, testCertificates } from "@dray/testkit";
import { importPKCS8, SignJWT } from "jose";

/** Two of each kind, so that one file can take the place of another. */
export const authorities: Readonly<Record<"one" | "two", TestCertificates>> = {
  one: testCertificates(),
  two: testCertificates(),
};

/** `htpasswd -B`, cost 4, of `secret`. */
const secret = "$2b$04$5FVECItZ1kMHeRMcFrm/Ye.N8cOCp6z8XL67OQBMaNtTzlwPzyPOa";
export const login = (user: string, password = "secret"): { readonly Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

const { one, two } = authorities;

const claims = (): object => {
  const seconds = Math.floor(Date.now() / 1000);
  const access = [{ type: "repository", name: "a", actions: ["pull"] }];
  return { sub: "ann", aud: "registry", exp: seconds + 600, nbf: seconds - 10, iat: seconds, jti: "1", access };
};

/**
 * A token of the service `registry` by the issuer `issuer`, for pulling from `a`: by its certificate, or by the name of a key, which
 * both sets of keys have.
 */
export const token = async (by: "certificate" | "name"): Promise<{ readonly Authorization: string }> => {
  const key = await importPKCS8(one.server.key, "ES256");
  const x5c = [new X509Certificate(one.server.cert).raw.toString("base64")];
  const header = { alg: "ES256", ...(by === "name" ? { kid: "key" } : { x5c }) };
  const signed = await new SignJWT({ iss: "issuer", ...claims() }).setProtectedHeader(header).sign(key);
  return { Authorization: `Bearer ${signed}` };
};

const keySetOf = (pem: string): string =>
  JSON.stringify({ keys: [{ ...createPublicKey(pem).export({ format: "jwk" }), kid: "key", alg: "ES256" }] });

/** What configurations name: `{files}`. */
export const writeFiles = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const contents: Readonly<Record<string, string>> = {
    "one.pem": one.server.cert,
    "one.key": one.server.key,
    "two.pem": two.server.cert,
    "two.key": two.server.key,
    "ca-one.pem": one.ca.cert,
    "ca-two.pem": two.ca.cert,
    "one.jwks": keySetOf(one.server.key),
    "two.jwks": keySetOf(two.server.key),
    "ann.users": `ann:${secret}\n`,
    "bob.users": `bob:${secret}\n`,
  };
  for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, name), text);
};
