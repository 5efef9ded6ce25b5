/**
 * What can go wrong, as values. A `DrayError` is made where the facts are known and translated once: the command turns
 * `code` into an exit code, a server turns it into an OCI error body. Nobody compares message text.
 */
import { oldestNode, tooOld } from "./supported.ts";

const refusal = tooOld("dray", oldestNode);
if (refusal !== undefined) throw new Error(refusal);

/** Every code, with the exit code of the command that fails with it. Codes are stable; messages are not. */
export const exitCodes = {
  /** Words on a command line or in an option that make no sense. */
  USAGE: 2,
  /** A reference outside the grammar of the distribution specification. */
  REFERENCE_INVALID: 2,
  /** Text that is no digest, or an algorithm that is not supported. */
  DIGEST_INVALID: 2,
  /** Text that is no platform. */
  PLATFORM_INVALID: 2,
  /** A location whose scheme or path makes no sense. */
  LOCATION_INVALID: 2,
  /** A configuration or credential file that cannot be read or understood. */
  CONFIG_INVALID: 2,
  /** Part of the work was done; the report says which. */
  PARTIAL: 3,
  /** The thing named does not exist: repository, tag, manifest, blob, file, platform. */
  NOT_FOUND: 5,
  /** No credentials, or wrong ones. */
  UNAUTHORIZED: 6,
  /** Known, and not allowed. */
  DENIED: 6,
  /** Limited by the registry for longer than we may wait. */
  RATE_LIMITED: 7,
  /** Name not found, connection refused, reset or cut. */
  NETWORK: 1,
  /** The other side's certificate is not trusted, or it wants one from us. */
  TLS: 1,
  /** Nothing happened for longer than allowed. */
  TIMEOUT: 1,
  /** An address that the rules for redirects and token services refuse. */
  ADDRESS_REFUSED: 1,
  /** The registry answered something the specification does not allow here. */
  REGISTRY: 1,
  /** A container engine refused something or failed at it, as it says in its own words. */
  ENGINE: 1,
  /** A place that is told of events refused one, or failed at it. */
  SINK: 1,
  /** A server that keeps a cache refused something or failed at it, as it says in its own words. */
  CACHE: 1,
  /** Bytes that do not have the digest they were promised under. */
  DIGEST_MISMATCH: 1,
  /** More or fewer bytes than promised. */
  SIZE_MISMATCH: 1,
  /** A manifest, index or configuration that cannot be understood. */
  MANIFEST_INVALID: 1,
  /** Larger, deeper or more than the limits allow. */
  LIMIT_EXCEEDED: 1,
  /** Understood, and not supported. */
  UNSUPPORTED: 1,
  /** An OCI layout that is damaged or none. */
  LAYOUT_INVALID: 1,
  /** An archive that is damaged, hostile or none. */
  ARCHIVE_INVALID: 1,
  /** Somebody else holds the lock. */
  LOCKED: 1,
  /** The thing is there already and may not be replaced. */
  EXISTS: 1,
  /** The file system refused: full, read-only, no permission, broken. */
  DISK: 1,
  /** A check found a difference. */
  CHECK_FAILED: 1,
  /** What a call was bound to (`ifMatch`, `ifNoneMatch`) does not hold any more: somebody was faster. */
  CONFLICT: 1,
  /** Nothing is known of an image yet: nobody has looked at it, or nobody could. */
  NO_IMAGE_DATA: 5,
  /** Nothing is known of any image, because scanning is switched off. */
  SCAN_DISABLED: 1,
  /** Content that can be read once was read before. */
  CONSUMED: 1,
  /** Asked of content whose digest is known when it has been read. */
  NOT_COMPUTED: 1,
  /** Cancelled by the caller's signal. A signal of a time limit, as of `AbortSignal.timeout`, is a `TIMEOUT`. */
  ABORTED: 130,
} as const;

/** What went wrong, as programs tell it: each code has its exit code. */
export type ErrorCode = keyof typeof exitCodes;

/**
 * What helps, where that is a setting or a deed of whoever called. The message does not name it: a program has options, a command has flags, and
 * each says it in words of its own. The options are those of `connect`.
 */
export type Remedy =
  /** Credentials for `registry`. */
  | "log-in"
  /** Option `ca`: the authority that has signed the certificate. */
  | "trust-authority"
  /** Option `ca`: the certificate itself. */
  | "trust-certificate"
  /** Option `skipTlsVerify`. */
  | "skip-tls-verify"
  /** Option `plainHttp`, or another port. */
  | "plain-http"
  /** Option `plainHttp`, by which blobs are then read from storage that speaks plain http: they are checked by their digests. */
  | "follow-plain-http"
  /** Option `platforms`, or `platform`: one of those that are there. */
  | "choose-platform"
  /** Option `lossy` of `inMediaTypes`. */
  | "convert-with-loss"
  /** `inMediaTypes("oci")`. */
  | "oci-media-types"
  /** The base that the image was built on, in the answer of `bases`. */
  | "name-old-base"
  /** Options `cert` and `key`. */
  | "client-certificate"
  /** Option `timeouts`, or to try again. */
  | "raise-timeout"
  /** Options `budget.maxWait` and `retry.maxWait`, of which the smaller counts; after a 429 credentials with a higher limit, or to try again later. */
  | "raise-max-wait"
  /** Option `allowPrivate` with `host`. */
  | "allow-private"
  /** `engine.list()` for the images that there are, `engine.pull(reference)` for one that is not there. */
  | "pull-image"
  /** Option `referrers` of `copy`: without it. */
  | "leave-referrers";

/** `[name, value]` in the order of the wire. */
type ResponseHeaders = readonly (readonly [name: string, value: string])[];

/** What an error knows beside its message. */
export interface ErrorFacts {
  /** HTTP status, where a registry answered. */
  status?: number | undefined;
  /** Host of the registry concerned. */
  registry?: string | undefined;
  /** The reference or location concerned. */
  reference?: string | undefined;
  /** Seconds the registry asked us to wait. */
  retryAfter?: number | undefined;
  /** Whether the same request may succeed later. */
  retryable?: boolean | undefined;
  /** The registry's own error code, such as `MANIFEST_UNKNOWN`. */
  registryCode?: string | undefined;
  /** Headers of the answer, where a registry answered; what may be a secret is left out of them. */
  headers?: ResponseHeaders | undefined;
  remedy?: Remedy | undefined;
  /** A host that the registry has led to, where the remedy is about that. */
  host?: string | undefined;
  cause?: unknown;
}

/**
 * The one error class. The message says what failed, on what, and what to do, unless `remedy` says that. No credential is ever in it. Ask with
 * `isDrayError`, never by `instanceof`: a program may have several copies of this class.
 */
export class DrayError extends Error {
  override readonly name = "DrayError";
  readonly code: ErrorCode;
  readonly status?: number;
  readonly registry?: string;
  readonly reference?: string;
  readonly retryAfter?: number;
  readonly retryable: boolean;
  readonly registryCode?: string;
  /** Of the answer, in the order of the wire; `header` of `dray/http` finds one whatever its case. */
  readonly headers?: ResponseHeaders;
  readonly remedy?: Remedy;
  readonly host?: string;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(printable(message), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.retryable = facts.retryable ?? false;
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.registry !== undefined) this.registry = facts.registry;
    if (facts.reference !== undefined) this.reference = facts.reference;
    if (facts.retryAfter !== undefined) this.retryAfter = facts.retryAfter;
    if (facts.registryCode !== undefined) this.registryCode = facts.registryCode;
    if (facts.headers !== undefined) this.headers = facts.headers;
    if (facts.remedy !== undefined) this.remedy = facts.remedy;
    if (facts.host !== undefined) this.host = facts.host;
  }
}

/** What every copy of the class in a process has in common: another realm's, another version's, a bundle's. */
const brand = Symbol.for("dray.error");
Object.defineProperty(DrayError.prototype, brand, { value: true });

/** The same facts under another code, in other words: for those who know more of what was tried than the status tells. */
export const restated = (error: DrayError, code: ErrorCode, message: string, facts: ErrorFacts = {}): DrayError => {
  const { status, registry, reference, retryAfter, retryable, registryCode, headers, remedy, host } = error;
  const known = { status, registry, reference, retryAfter, retryable, registryCode, headers, remedy, host };
  return new DrayError(code, message, { ...known, cause: error, ...facts });
};

/**
 * Whether a value is a `DrayError`, of one of these codes if any are given. So is one of another copy of this library in the process.
 * @example catch (error) { if (isDrayError(error, "NOT_FOUND")) return undefined; throw error; }
 */
export const isDrayError = (value: unknown, ...codes: ErrorCode[]): value is DrayError =>
  typeof value === "object" &&
  value !== null &&
  (value as { readonly [brand]?: unknown })[brand] === true &&
  (codes.length === 0 || codes.includes((value as DrayError).code));

/** Whether a registry refuses a manifest because it does not have what that names. */
export const lacksBlobs = (error: unknown): boolean =>
  isDrayError(error) && /^(?:MANIFEST_)?BLOB_UNKNOWN$/.test(error.registryCode ?? "");

const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** What was thrown says, whatever it is: no `instanceof`, since each realm has an `Error` of its own. */
export const reasonOf = (error: unknown): string => {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : String(error);
};

/** Text from elsewhere made safe for a terminal: control and direction characters are shown as escapes. */
export const printable = (text: string): string =>
  text.replace(control, (c) => (c === "\n" ? "\\n" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));

/** The first names of a list, for a message: `a, b, c, d, e and 12 more`. */
export const firstOf = (names: readonly string[]): string => {
  const more = names.length - 5;
  return more <= 0 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${more} more`;
};

/** An error with what it is about before its message, perhaps under another code: what else it knows it keeps. What is no `DrayError` stays as it is. */
export const errorIn = (where: string, error: unknown, facts: ErrorFacts & { code?: ErrorCode } = {}): unknown =>
  isDrayError(error) ? restated(error, facts.code ?? error.code, `${where}: ${error.message}`, facts) : error;

/** Throws what an aborted signal stands for, as a `DrayError`. */
export const throwIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted) throw aborted(signal);
};

/** The error of an aborted signal: its own reason where that says more than "aborted". A time limit is no interruption. */
export const aborted = ({ reason }: AbortSignal): DrayError => {
  if (isDrayError(reason)) return reason;
  const isTimeLimit = (reason as { name?: unknown } | undefined)?.name === "TimeoutError";
  return isTimeLimit
    ? new DrayError("TIMEOUT", "the time that the caller allowed ran out", { cause: reason })
    : new DrayError("ABORTED", "interrupted", { cause: reason });
};
