import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** How libtrust, and programs made with it, call a key: 240 bits of a SHA-256 in base 32, four letters at a time. */
export const libtrustName = (key: KeyObject): string => {
  const hash = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 30);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => base32[Number.parseInt(five, 2)]);
  return (letters.join("").match(/.{4}/g) ?? []).join(":");
};

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

interface SigningKey {
  readonly key: KeyObject;
  /** What is shown of it. */
  readonly jwk: object;
}

/** Of this process, made when it is first needed: whoever verifies learns only that the document is whole. */
let own: SigningKey | undefined;

const makeKey = (): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { crv, kty, x, y } = publicKey.export({ format: "jwk" });
  return { key: privateKey, jwk: { crv, kid: libtrustName(publicKey), kty, x, y } };
};

/**
 * A JSON object with a signature in it, in libtrust's pretty form: the bytes of the object up to its last brace, `signatures` as its
 * last member, and in that what is needed to have the object's own bytes back. `undefined` for what is no object with members.
 */
export const prettySigned = (bytes: Uint8Array, now: number): Uint8Array | undefined => {
  const text = Buffer.from(bytes).toString("latin1");
  const end = /[^\s{,]\s*\}\s*$/.exec(text);
  if (end === null) return undefined;
  own ??= makeKey();
  const length = end.index + 1;
  const tail = bytes.subarray(length);
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  const safe = (content: string | Uint8Array): string => Buffer.from(content).toString("base64url");
  const kept = safe(JSON.stringify({ formatLength: length, formatTail: safe(tail), time }));
  const signature = sign("sha256", Buffer.from(`${kept}.${safe(bytes)}`), { key: own.key, dsaEncoding: "ieee-p1363" });
  const signatures = [{ header: { jwk: own.jwk, alg: "ES256" }, signature: safe(signature), protected: kept }];
  const indent = /^\{\n([ \t]+)"/.exec(text)?.[1];
  const member =
    indent === undefined
      ? `,"signatures":${JSON.stringify(signatures)}}`
      : `,\n${indent}"signatures": ${JSON.stringify(signatures, null, indent).replaceAll("\n", `\n${indent}`)}\n}`;
  return Buffer.concat([bytes.subarray(0, length), Buffer.from(member)]);
};
