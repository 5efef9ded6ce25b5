/** A token as it is kept. */
export interface Token {
  readonly text: string;
  /** When it ends, in milliseconds, by our clock. */
  readonly expiresAt: number;
  /** When it has to be replaced: some time before it ends. */
  readonly renewAt: number;
  /** A new refresh token, which replaces the one that was used. */
  readonly refreshToken?: string;
}

/** Seconds a token lives where the service does not say. */
const usualLife = 60;

/**
 * Reads the answer of a token service: `token` or `access_token`, `expires_in`, `issued_at`. `undefined`: no token in it.
 *
 * Its life is counted from when we asked, never from the service's clock, which may be wrong. A token that the service
 * had in its cache has lived a while: `date`, its own clock at the answer, tells how long.
 * @param asked milliseconds when the request was sent, by our clock.
 * @param date the `Date` of the response.
 * @see https://distribution.github.io/distribution/spec/auth/token/#token-response-fields
 */
export const readToken = (body: string, asked: number, date: string | undefined): Token | undefined => {
  const members = objectOf(body);
  const text = [members["token"], members["access_token"]].find(isTokenText);
  if (text === undefined) return undefined;
  const said = Number(members["expires_in"] ?? Number.NaN);
  const life = said > 0 ? said : usualLife;
  const left = Math.max(0, life - ageOf(members["issued_at"], date, life)) * 1000;
  const refreshToken = members["refresh_token"];
  return {
    text,
    expiresAt: asked + left,
    // Renewed early enough for a request to be under way a while, but not so early that a short-lived token is never used.
    renewAt: asked + left - Math.min(10_000, left * 0.2),
    ...(typeof refreshToken === "string" && refreshToken !== "" ? { refreshToken } : {}),
  };
};

/** Seconds since a token was issued, by the service's own clock. Nonsense counts as none. */
const ageOf = (issued: unknown, date: string | undefined, life: number): number => {
  if (typeof issued !== "string" || date === undefined) return 0;
  const age = (Date.parse(date) - Date.parse(issued)) / 1000;
  return age > 0 && age < life ? age : 0;
};

/** A token goes into a header: visible ASCII, or the service is up to something. */
const isTokenText = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

/** What a service says of its refusal, in the shapes that are around; `code` is the registry kind's. */
export const readRefusal = (body: string): { code?: string; message: string } => {
  const members = objectOf(body);
  const first: unknown = Array.isArray(members["errors"]) ? members["errors"][0] : undefined;
  const error = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : members;
  const text = (...names: string[]): string | undefined =>
    names.map((name) => error[name]).find((value): value is string => typeof value === "string" && value !== "");
  const code = text("code", "error");
  const message = text("message", "details", "error_description", "error") ?? plain(body);
  return { message: message.slice(0, 300), ...(code === undefined ? {} : { code }) };
};

/** A short text is worth showing, a page of HTML or JSON is not. */
const plain = (body: string): string => (/^\s*[<{[]/.test(body) ? "" : (body.trim().split("\n")[0] ?? ""));

const objectOf = (body: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};
