import { isIP } from "node:net";

/** Where a server listens: what `ListenOptions` takes. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly unix: string };

/** Every interface, of both kinds where the system has both. */
export const everywhere = "::";

const label = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?$/;
const named = (host: string): boolean => host.split(".").every((part) => label.test(part));

/** `localhost:5000`, `:5000` (every interface, as in Go), `[::1]:5000`. `undefined` for what is none. */
export const parseAddress = (text: string): ListenAddress | undefined => {
  const [, bracketed, plain = "", digits = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed.replace(/%.*$/, "")) === 6 ? { host: bracketed, port } : undefined;
  if (plain === "" || plain === "*") return { host: everywhere, port };
  return isIP(plain) === 4 || (named(plain) && !/^[\d.]+$/.test(plain)) ? { host: plain, port } : undefined;
};

/** What is wrong with a text that is none. `example`: a port that is likely to be meant. */
export const addressFault = (text: string, example: number): string | undefined => {
  if (parseAddress(text) !== undefined) return undefined;
  const [, port] = /:(\d+)$/.exec(text) ?? [];
  return Number(port) > 65_535
    ? "has a port that is too large; ports go from 0 to 65535"
    : `is no address; write HOST:PORT, as 127.0.0.1:${example}, or :${example} for every interface`;
};

/** A path of a unix socket that every system takes: Linux has 107 bytes for it, macOS 103. */
export const fitsSocket = (path: string): boolean => Buffer.byteLength(path) <= 103;
