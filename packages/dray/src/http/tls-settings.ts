import { X509Certificate } from "node:crypto";
import tls, { type SecureContext } from "node:tls";
import { DrayError } from "../errors.ts";

/** Whom we trust and who we are, as PEM. */
export interface TlsSettings {
  /** Authorities trusted besides the usual ones. */
  readonly ca?: string | readonly string[] | undefined;
  /** Our certificate with its chain, and its key. */
  readonly cert?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** Trusts every certificate. */
  readonly skipTlsVerify?: boolean | undefined;
}

const blocks = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** PEM of authorities. */
export type Authorities = () => readonly string[];

/** Those the system trusts, `SSL_CERT_FILE` and `SSL_CERT_DIR` included. Reading them takes 3 to 35 ms. */
export const systemAuthorities: Authorities = () => [...new Set(tls.getCACertificates?.("system"))];

/** Those that are trusted where nothing is said. Node before 22.15 cannot tell what was added to its own. */
const usualAuthorities: Authorities = () => tls.getCACertificates?.("default") ?? tls.rootCertificates;

/**
 * The settings made ready once, for every connection: with a list of authorities each connection would parse all of them again, 12 ms against 2.
 * `undefined` where the runtime's own defaults will do.
 * @param more authorities trusted besides the runtime's and those of the settings.
 * @throws DrayError `CONFIG_INVALID` saying which of the PEM texts makes no sense.
 */
export const secureContext = (settings: TlsSettings, more: readonly string[] = []): SecureContext | undefined => {
  const own = [settings.ca ?? []].flat().flatMap((pem, at) => certificates(pem, `certificate authority ${at + 1}`));
  const ca = [...own, ...more];
  if (ca.length === 0 && settings.cert === undefined && settings.key === undefined) return undefined;
  if ((settings.cert === undefined) !== (settings.key === undefined))
    throw new DrayError("CONFIG_INVALID", "a client certificate needs its key, and a key its certificate; give both");
  try {
    return tls.createSecureContext({
      // Whoever names an intermediate authority, or the server's own certificate, trusts just that; so do Go's programs.
      allowPartialTrustChain: true,
      ...(ca.length === 0 ? {} : { ca: [...usualAuthorities(), ...ca] }),
      ...(settings.cert === undefined ? {} : { cert: listed(settings.cert) }),
      ...(settings.key === undefined ? {} : { key: listed(settings.key) }),
    });
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", `the client certificate or its key cannot be used: ${reason(cause)}`, {
      cause,
    });
  }
};

const listed = (pem: string | readonly string[]): string | string[] => (typeof pem === "string" ? pem : [...pem]);

/** Node takes any text for an authority and then trusts nobody by it: every certificate is looked at here. */
const certificates = (pem: string, what: string): string[] => {
  const found = pem.match(blocks) ?? [];
  try {
    for (const block of found) new X509Certificate(block);
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", `the ${what} is damaged: ${reason(cause)}`, { cause });
  }
  if (found.length === 0)
    throw new DrayError("CONFIG_INVALID", `the ${what} holds no certificate; expected PEM with BEGIN CERTIFICATE`);
  return found;
};

const reason = (cause: unknown): string => {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "the key does not belong to the certificate";
  return typeof message === "string" ? message : String(cause);
};
