/** Not known, or not to be told now: what a client hears. */
export interface Unauthenticated {
  readonly allowed: false;
  /** 401: not known, or not for this. 429: too many wrong passwords. 503: cannot be told now. */
  readonly status: 401 | 429 | 503;
  readonly message: string;
  /** `WWW-Authenticate`, `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who asks, or why that is not known. */
export type Authenticated = { readonly allowed: true; readonly user: string } | Unauthenticated;

/** Not known, or not known for this. */
export const unauthorised = (message: string, challenge: string): Unauthenticated => ({
  allowed: false,
  status: 401,
  message,
  headers: { "WWW-Authenticate": challenge },
});

/** Cannot be told now. */
export const later = (status: 429 | 503, message: string, seconds: number): Unauthenticated => ({
  allowed: false,
  status,
  message,
  headers: { "Retry-After": String(Math.max(1, Math.ceil(seconds))) },
});
