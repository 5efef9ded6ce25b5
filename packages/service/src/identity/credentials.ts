import { type HttpRequest, headerValues } from "dray/http";

/** What a request brings to say who asks. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string }
  /** Credentials, but none that can be right: another scheme, two headers, bytes that are no text. Never the same as none. */
  | { readonly kind: "unusable" };

const none: Credentials = { kind: "none" };
const unusable: Credentials = { kind: "unusable" };
const form = /^(basic|bearer) +([A-Za-z0-9._~+/=-]+) *$/i;
const control = /[\u0000-\u001f\u007f]/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads `Authorization`. Podman and skopeo without credentials answer a Basic challenge with an empty user and password: that is
 * nobody, and not somebody with a wrong password.
 * @see https://www.rfc-editor.org/rfc/rfc7617#section-2
 */
export const credentialsOf = ({ headers }: Pick<HttpRequest, "headers">): Credentials => {
  const values = headerValues(headers, "authorization");
  const [value] = values;
  if (value === undefined || (values.length === 1 && value === "")) return none;
  if (values.length > 1) return unusable;
  const [, scheme, text] = form.exec(value) ?? [];
  if (scheme === undefined || text === undefined) return unusable;
  return scheme.length === "basic".length ? basic(text) : { kind: "bearer", token: text };
};

const basic = (text: string): Credentials => {
  const decoded = decode(text);
  const colon = decoded?.indexOf(":") ?? -1;
  // Control characters are not allowed; bcrypt takes a zero for the end of a password and begins it again.
  if (decoded === undefined || colon < 0 || control.test(decoded)) return unusable;
  if (decoded.length === 1) return none;
  return { kind: "basic", user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
};

const decode = (text: string): string | undefined => {
  try {
    return utf8.decode(Buffer.from(text, "base64"));
  } catch {
    return undefined;
  }
};
