import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type HeaderPairs, header } from "dray/http";

/** Whether two texts are equal, in a time that tells nothing of where they differ. */
export const sameText = (one: string, other: string): boolean => timingSafeEqual(hash(one), hash(other));

const hash = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether a header has the secret: as it is, behind `Bearer`, or as the password of `Basic`. */
export const inHeader = (headers: HeaderPairs, name: string, secret: string): boolean => {
  const said = header(headers, name);
  if (said === undefined) return false;
  const [, scheme = "", rest = ""] = /^(\w+) +(.*)$/.exec(said) ?? [];
  const basic =
    scheme.toLowerCase() === "basic"
      ? Buffer.from(rest, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, "")
      : "";
  const candidates = [said, scheme.toLowerCase() === "bearer" ? rest : said, basic === "" ? said : basic];
  // Each is compared, whichever fits.
  return candidates.map((candidate) => sameText(candidate, secret)).includes(true);
};

/** Whether a body has GitHub's signature. @see https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const isSigned = (headers: HeaderPairs, body: Uint8Array, secret: string): boolean => {
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  return sameText(header(headers, "x-hub-signature-256") ?? "", expected);
};
