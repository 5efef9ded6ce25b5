import { X509Certificate } from "node:crypto";
import { textOf } from "@dray/service/config";
import { DrayError } from "dray/errors";
import { isObject, parseJson } from "dray/oci";
import type { JWK } from "jose";
import type { Notice } from "../../notice.ts";
import { type Key, keyOf, publicJwk } from "./key.ts";

/** What tokens are verified with. */
export interface KeyRing {
  readonly keys: readonly Key[];
  /** Who may vouch for further keys, by a chain of certificates. */
  readonly roots: readonly X509Certificate[];
}

export interface RingOptions {
  /** What it was read from, for notices. */
  readonly from: string;
  readonly onNotice: (notice: Notice) => void;
  readonly now: () => number;
}

const mostKeys = 1000;
const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM file. Each is a root, and its key a key by itself.
 * @throws DrayError `CONFIG_INVALID`
 */
export const readBundle = async (bytes: Uint8Array, { from, onNotice, now }: RingOptions): Promise<KeyRing> => {
  const blocks = textOf(bytes).match(pemBlock) ?? [];
  if (blocks.length === 0) throw invalid(from, `it holds no certificate in PEM${insteadOf(textOf(bytes))}`);
  const roots = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw invalid(from, `its certificate ${index + 1} cannot be read`, cause);
    }
  });
  const keys = await keysOf(
    roots.map((root) => () => publicJwk(root)),
    { from, onNotice },
  );
  for (const [index, { validFrom, validTo }] of roots.entries()) {
    const tell = (why: string): void =>
      onNotice({ level: "warn", message: `${from}: its certificate ${index + 1} ${why}` });
    if (Date.parse(validTo) < now()) tell(`ended on ${validTo}; it vouches for no other key any more`);
    if (Date.parse(validFrom) > now()) tell(`begins on ${validFrom}; it vouches for no other key until then`);
  }
  return { keys, roots };
};

/**
 * A set of keys, `{"keys": […]}`. @throws DrayError `CONFIG_INVALID` @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export const readKeySet = async (value: unknown, { from, onNotice }: RingOptions): Promise<KeyRing> => {
  const keys = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys) || !keys.every(isJwk)) throw invalid(from, 'it is no set of keys ({"keys": […]})');
  if (keys.length > mostKeys) throw invalid(from, `it holds more than ${mostKeys} keys`);
  for (const [index, jwk] of keys.entries())
    if ("d" in jwk)
      onNotice({
        level: "warn",
        message: `${from}: its key ${index + 1} is a private one: whoever reads it can sign tokens; leave the public part alone there`,
      });
  const read = await keysOf(
    keys.map((jwk) => () => jwk),
    { from, onNotice },
  );
  if (read.length === 0)
    onNotice({ level: "warn", message: `${from} holds no key that a token could be verified with` });
  return { keys: read, roots: [] };
};

export const readKeySetFile = (bytes: Uint8Array, options: RingOptions): Promise<KeyRing> => {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(textOf(bytes)), options.from);
  } catch {
    // Not why: what is quoted of it may be a secret.
    const isBundle = textOf(bytes).includes("-----BEGIN CERTIFICATE-----");
    throw invalid(
      options.from,
      `it is no JSON${isBundle ? ", but certificates; name it in auth.token.rootcertbundle" : ""}`,
    );
  }
  return readKeySet(value, options);
};

/** What a file has in place of certificates. */
const insteadOf = (text: string): string => {
  if (/PRIVATE KEY-----/.test(text)) return ", but a private key; name the certificate of whoever signs tokens";
  return /^\s*\{/.test(text) ? ", but looks like a set of keys; name that in auth.token.jwks" : "";
};

const isJwk = (value: unknown): value is JWK =>
  isObject(value) && typeof value["kty"] === "string" && ["string", "undefined"].includes(typeof value["kid"]);

const keysOf = async (
  jwks: readonly (() => JWK)[],
  { from, onNotice }: Pick<RingOptions, "from" | "onNotice">,
): Promise<Key[]> => {
  const keys: Key[] = [];
  for (const [index, jwk] of jwks.entries()) {
    const skipped = (why: string): void =>
      onNotice({ level: "warn", message: `${from}: its key ${index + 1} is left out: ${why}` });
    try {
      const key = await keyOf(jwk());
      if (key === undefined) skipped("it is too weak, of an unknown kind, or not for signatures");
      else keys.push(key);
    } catch {
      skipped("it cannot be read, or is too weak");
    }
  }
  return keys;
};

const invalid = (from: string, why: string, cause?: unknown): DrayError =>
  new DrayError("CONFIG_INVALID", `${from} cannot be used for tokens: ${why}`, { cause });
