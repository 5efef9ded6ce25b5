import { DrayError, type ErrorCode, isDrayError, type Remedy, reasonOf } from "../errors.ts";

/** Which of the connection's limits ran out. */
export type TimeoutClass = "connect" | "headers" | "idle" | "commit";

const waited: Readonly<Record<TimeoutClass, (host: string, seconds: number) => string>> = {
  connect: (host, seconds) => `cannot connect to ${host} within ${seconds} s`,
  headers: (host, seconds) => `${host} did not answer within ${seconds} s`,
  idle: (host, seconds) => `${host} moved no bytes for ${seconds} s`,
  commit: (host, seconds) => `${host} did not finish the upload within ${seconds} s`,
};

/** Nothing happened for as long as we wait. The message says which wait it was. */
export const timeoutError = (wait: TimeoutClass, ms: number, host: string, proxy?: string): DrayError =>
  new DrayError("TIMEOUT", `${waited[wait](placeOf(host, proxy), ms / 1_000)} (${wait} time-out)`, {
    registry: host,
    retryable: true,
    remedy: "raise-timeout",
  });

/** Who did not do as expected may be the proxy as well as the host. */
const placeOf = (host: string, proxy: string | undefined): string =>
  proxy === undefined ? host : `${host} through the proxy ${proxy}`;

/** What is known of a request that failed. */
export interface Circumstances {
  /** Host and port, as users know it. */
  readonly host: string;
  /** The proxy the connection goes through, without its credentials. */
  readonly proxy?: string | undefined;
  /** What is said of TLS is said of the proxy. */
  readonly tlsToProxy?: boolean | undefined;
  /** Whether this host has answered before: then a name that is not found or a refused connection is a fault that passes. */
  readonly answeredBefore: boolean;
  /** Whether the answer was read as leniently as it can be. */
  readonly lenient?: boolean | undefined;
}

/** What is wrong, and what to do: in words that fit everybody, as a code, or both. */
type Fault = readonly [reason: string, advice?: string | undefined, remedy?: Remedy];

const unknownAuthority: Fault = ["its certificate is signed by an unknown authority", undefined, "trust-authority"];

/** OpenSSL's words for certificates on the left, people's on the right. */
const certificateFaults: Readonly<Record<string, Fault>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: ["its certificate is signed by itself", undefined, "trust-certificate"],
  CERT_HAS_EXPIRED: ["its certificate has expired", "renew it there", "skip-tls-verify"],
  CERT_NOT_YET_VALID: ["its certificate is not valid yet", "check the clocks of both machines"],
  CERT_REVOKED: ["its certificate was revoked", "renew it there"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["its certificate is for another name", "use the name it is for"],
  HOSTNAME_MISMATCH: ["its certificate is for another name", "use the name it is for"],
};

/** Whether a host was not reached because nobody we trust vouches for it. */
export const isUntrusted = (error: unknown): boolean =>
  isDrayError(error, "TLS") && (error.remedy === "trust-authority" || error.remedy === "trust-certificate");

const networkFaults: Readonly<Record<string, readonly [reason: string, advice: string, passes: boolean]>> = {
  ENOTFOUND: ["no such host", "check the name", false],
  EAI_AGAIN: ["the name could not be looked up", "check the network", true],
  ECONNREFUSED: ["connection refused", "check the port, and that the registry runs", false],
  ENOENT: ["no such socket", "check the path, and that the service runs", false],
  EACCES: ["no permission for the socket", "check its owner and group", false],
  EHOSTUNREACH: ["no route to the host", "check the network", true],
  ENETUNREACH: ["the network is unreachable", "check the network", true],
  ETIMEDOUT: ["the connection timed out", "check the network", true],
  ECONNRESET: ["the connection was cut", "try again", true],
  EPIPE: ["the connection was cut", "try again", true],
  ECONNABORTED: ["the connection was cut", "try again", true],
};

/** What is said of whoever was connected to, which is the proxy where there is one. */
const unreached = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);

/** A failure of the transport in our words: what failed, on which host, and what to do. */
export const transportError = (
  cause: unknown,
  { host, proxy, tlsToProxy = false, answeredBefore, lenient = false }: Circumstances,
): DrayError => {
  if (isDrayError(cause)) return cause;
  const code = codeOf(cause);
  const place = placeOf(host, proxy);
  const onTheWay = `the proxy ${proxy} on the way to ${host}`;
  const make = (kind: ErrorCode, [reason, advice, remedy]: Fault, retryable: boolean) =>
    new DrayError(
      kind,
      `cannot reach ${kind === "TLS" && tlsToProxy ? onTheWay : place}: ${reason}${advice === undefined ? "" : `; ${advice}`}`,
      {
        registry: host,
        retryable,
        cause,
        remedy,
      },
    );

  const certificate = certificateFaults[code];
  if (certificate !== undefined) {
    const [reason, ...advice] = certificate;
    return make("TLS", [`${reason}${altNames(cause)}`, ...advice], false);
  }
  const network = networkFaults[code];
  if (network !== undefined && proxy !== undefined && unreached.has(code)) {
    const message = `cannot reach ${onTheWay}: ${network[0]}; check its address, and that it runs`;
    return new DrayError("NETWORK", message, { registry: host, retryable: network[2] || answeredBefore, cause });
  }
  if (network !== undefined) return make("NETWORK", [network[0], network[1]], network[2] || answeredBefore);

  const text = reasonOf(cause);
  if (code === "HPE_HEADER_OVERFLOW")
    return new DrayError("LIMIT_EXCEEDED", `${host} sent more than 64 KiB of headers`, { registry: host, cause });
  if (breaksRules(cause)) {
    const fault = `${place} sent an answer that breaks the rules of HTTP (${text.replace(/^Parse Error: /, "")})`;
    const message = `${fault}; whoever runs it, or a proxy before it, has to mend that`;
    return new DrayError("REGISTRY", message, { registry: host, cause, retryable: !lenient });
  }
  if (code.startsWith("HPE_"))
    return new DrayError("REGISTRY", `${place} sent something that is no HTTP; check the port`, {
      registry: host,
      cause,
    });
  const alert = tlsAlert(`${code} ${text}`);
  if (alert !== undefined && tlsToProxy && alert[2] === "plain-http")
    return make("TLS", [alert[0], `write it as http://${proxy}`], false);
  if (alert !== undefined) return make("TLS", alert, false);
  return make("NETWORK", [shortened(text), "try again"], true);
};

/** Whether an answer began as HTTP and went on as something else: a lenient reader may still make sense of it. */
export const breaksRules = (cause: unknown): boolean => {
  const code = codeOf(isDrayError(cause) ? cause.cause : cause);
  return code.startsWith("HPE_") && !noHttp.has(code);
};
const noHttp = new Set(["HPE_INVALID_CONSTANT", "HPE_INVALID_VERSION", "HPE_HEADER_OVERFLOW"]);

const codeOf = (cause: unknown): string => {
  const { code, errors } = (cause ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  // Several addresses were tried: the first failure stands for all.
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : "";
};

/** The names a certificate is for, where the runtime tells. */
const altNames = (cause: unknown): string => {
  const names = (cause as { cert?: { subjectaltname?: unknown } } | undefined)?.cert?.subjectaltname;
  return typeof names === "string" && names !== "" ? ` (${names.slice(0, 200)})` : "";
};

/** The runtimes name the same alerts differently: match what both have. */
const tlsAlert = (text: string): Fault | undefined => {
  if (/wrong.version.number|packet.length.too.long|http.request/i.test(text))
    return ["it does not speak TLS", undefined, "plain-http"];
  if (
    /certificate.required|handshake.failure|bad.certificate|alert.*certificate|certificate.unknown|alert.unknown.ca/i.test(
      text,
    )
  )
    return /handshake.failure/i.test(text)
      ? ["it asks for a client certificate, or has no cipher in common with us", undefined, "client-certificate"]
      : ["it asks for a client certificate, or does not accept ours", undefined, "client-certificate"];
  if (/protocol.version|unsupported.protocol/i.test(text)) return ["it speaks no TLS version that we do", "update it"];
  return /\b(?:ssl|tls)\b|_SSL_|EPROTO/i.test(text) ? [shortened(text), "check its TLS settings"] : undefined;
};

const shortened = (text: string): string => text.trim().split("\n", 1)[0]?.slice(0, 200) ?? "";
