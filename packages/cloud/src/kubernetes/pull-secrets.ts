import { Credentials, credentialsIn, type Keychain } from "dray/auth";
import { DrayError, isDrayError } from "dray/errors";

/** A secret as the API of Kubernetes gives it: its values are base64. */
export interface PullSecret {
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined;
}

/** How pull secrets are read. */
export interface PullSecretsOptions {
  /** Hears of a secret that is left out, or of an entry in one, and why: its name, and nothing of what is in it. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * A keychain of pull secrets that have been read already: no request is made. Both kinds count (`kubernetes.io/dockerconfigjson`, `dockercfg`),
 * others say nothing. An entry is for an image by the kubelet's rules: host label by label, where `*` stands for any text without a dot; equal ports, or
 * none on both sides; the path up to a `/`, so that `/team` is not for `/teammate`. The specific comes before the general, whichever secret it is in, of
 * equal ones the first secret's; where that is refused, the next one is tried. A secret that cannot be understood is left out, and named; the others count.
 * @example connect("quay.io", { credentials: fromPullSecrets(secrets, { onWarning: console.error }) })
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export const fromPullSecrets = (secrets: readonly PullSecret[], options: PullSecretsOptions = {}): Keychain =>
  pullSecretCredentials(secrets, options).keychain;

/** The same as a set of credentials, which tells its hosts and can be merged with others. */
export const pullSecretCredentials = (
  secrets: readonly PullSecret[],
  { onWarning }: PullSecretsOptions = {},
): Credentials => secrets.reduce((all, secret) => all.beside(credentialsOf(secret, onWarning)), new Credentials());

const members: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

const credentialsOf = (secret: PullSecret, onWarning: PullSecretsOptions["onWarning"]): Credentials => {
  const { type = "", data } = secret;
  if (!Object.hasOwn(members, type)) return new Credentials();
  const from = nameOf(secret);
  try {
    // What was read from a file may have null, or a number, where the API has text.
    const value: unknown = data?.[members[type] as string];
    if (value === undefined || value === null)
      throw new DrayError("CONFIG_INVALID", `${from} lacks "${members[type]}"`);
    if (typeof value !== "string") throw new DrayError("CONFIG_INVALID", `${from} has no text as "${members[type]}"`);
    const credentials = credentialsIn(from, byKubeletsKeys(documentIn(value, from)));
    for (const { message } of credentials.faults) onWarning?.(`${message}; the entry is left out`);
    return credentials.withoutFaults();
  } catch (error) {
    if (!isDrayError(error, "CONFIG_INVALID")) throw error;
    onWarning?.(`${error.message}; the secret is left out`);
    return new Credentials();
  }
};

const nameOf = ({ metadata }: PullSecret): string =>
  `secret ${[metadata?.namespace, metadata?.name ?? "without a name"].filter((part) => part !== undefined).join("/")}`;

/** The text of a secret. What a file on Windows put before it or at its ends means nothing. */
const documentIn = (value: string, from: string): unknown => {
  const text = Buffer.from(value, "base64")
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the text.
    throw new DrayError("CONFIG_INVALID", `${from} is no valid JSON`);
  }
};

/** A kubelet takes `HOST/v1/team` for `HOST/team`, as others do behind a scheme alone. */
const byKubeletsKeys = (document: unknown): unknown => {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) =>
      key.toLowerCase() === "auths"
        ? [key, byKubeletsKeys(value)]
        : [/^[^/]+\/v[12]\/./.test(key) ? `https://${key}` : key, value],
    ),
  );
};
