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
  if (blocks.length === 0) throw invalid(from, "it holds no certificate in PEM");
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
  for (const [index, { validTo }] of roots.entries())
    if (Date.parse(validTo) < now())
      onNotice({
        level: "warn",
        message: `${from}: its certificate ${index + 1} ended on ${validTo}; it vouches for no other key any more`,
      });
  return { keys, roots };
};

/**
 * A set of keys, `{"keys": […]}`. @throws DrayError `CONFIG_INVALID` @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export const readKeySet = async (value: unknown, { from, onNotice }: RingOptions): Promise<KeyRing> => {
  const keys = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys) || !keys.every(isJwk)) throw invalid(from, 'it is no set of keys ({"keys": […]})');
  if (keys.length > mostKeys) throw invalid(from, `it holds more than ${mostKeys} keys`);
  return {
    keys: await keysOf(
      keys.map((jwk) => () => jwk),
      { from, onNotice },
    ),
    roots: [],
  };
};

export const readKeySetFile = (bytes: Uint8Array, options: RingOptions): Promise<KeyRing> => {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(textOf(bytes)), options.from);
  } catch {
    // Not why: what is quoted of it may be a secret.
    throw invalid(options.from, "it is no JSON");
  }
  return readKeySet(value, options);
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
