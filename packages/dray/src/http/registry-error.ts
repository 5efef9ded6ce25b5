import { DrayError, type ErrorCode, type ErrorFacts } from "../errors.ts";
import { redactHeaders } from "./redact.ts";
import { retryAfter } from "./retry-after.ts";
import { type HttpResponse, header, isTransient } from "./types.ts";

/** One entry of the error body of the distribution specification. */
interface RegistryFault {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
}

/** What a refused request was about. */
export interface ResponseErrorOptions {
  /** What users call the registry, where that is not the host that answered: `docker.io`. */
  readonly registry?: string;
  readonly reference?: string;
  /** Milliseconds since 1970, for a `Retry-After` that is a date. */
  readonly now?: number;
  /** Of what was sent. */
  readonly mediaType?: string | undefined;
  /** Whether the message says what to do. Default: yes. */
  readonly advice?: boolean;
}

/** Enough for any error; an endless page of HTML stays outside. */
const mostBytes = 64 * 1024;
const longestText = 400;

/**
 * What a response that should have been another means, as an error; reads and lets go of its body. `what` says in words what
 * was tried, such as `reading manifest docker.io/library/alpine:3.20`, and begins the message; it may be empty.
 *
 * 401 is `UNAUTHORIZED`, 403 `DENIED`, 404 `NOT_FOUND`, 412 `CONFLICT`, 429 `RATE_LIMITED`, all else `REGISTRY`, but for
 * registries that answer 400 or 503 and name one of these in the body.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export const responseError = async (
  response: HttpResponse,
  what: string,
  {
    registry = new URL(response.url).host,
    reference,
    now = Date.now(),
    advice: advises = true,
    mediaType,
  }: ResponseErrorOptions = {},
): Promise<DrayError> => {
  const faults = await readFaults(response);
  const [fault] = faults;
  const code = codeOf(response.status, fault?.code);
  const wait = retryAfter(response.headers, now);
  const said = faults
    .map(inWords)
    .filter((text) => text !== "")
    .join("; ");
  const whose = code === "UNAUTHORIZED" && response.credential ? `; the ${response.credential} was refused` : "";
  const answer = `${registry} answered ${response.status}${said === "" ? "" : `: ${said}`}${whose}`;
  const facts: ErrorFacts = {
    status: response.status,
    registry,
    retryable: isTransient(response.status) || code === "RATE_LIMITED",
    reference,
    registryCode: fault?.code || undefined,
    headers: redactHeaders(response.headers),
    retryAfter: wait === undefined ? undefined : Math.ceil(wait / 1_000),
    remedy: code === "UNAUTHORIZED" ? "log-in" : undefined,
  };
  // Where the registry names its reason, an account's rights have nothing to do with it.
  const reasoned =
    code === "DENIED" && faults.some(({ message }) => /\bquota\b|\bread-only\b|\bmay take\b/i.test(message));
  const advice =
    advises && !reasoned ? adviceFor(code, response, { wait, said, registryCode: fault?.code, mediaType }) : "";
  return new DrayError(code, [[what, answer].filter(Boolean).join(": "), advice].filter(Boolean).join("; "), facts);
};

const codeOf = (status: number, registryCode: string | undefined): ErrorCode => {
  // Some registries say so under 400 or 403.
  if (status === 429 || registryCode === "TOOMANYREQUESTS") return "RATE_LIMITED";
  if (status === 401) return "UNAUTHORIZED";
  if (status === 403) return "DENIED";
  if (status === 404) return "NOT_FOUND";
  if (status === 412) return "CONFLICT";
  // Some registries answer 400 where they mean one of these.
  if (status === 400 && registryCode === "UNAUTHORIZED") return "UNAUTHORIZED";
  if (status === 400 && registryCode === "DENIED") return "DENIED";
  return "REGISTRY";
};

interface Known {
  readonly wait: number | undefined;
  readonly said: string;
  readonly registryCode: string | undefined;
  readonly mediaType: string | undefined;
}

const adviceFor = (
  code: ErrorCode,
  response: HttpResponse,
  { wait, said, registryCode = "", mediaType }: Known,
): string => {
  if (code === "UNAUTHORIZED") return "";
  // What is missing is named by a digest or lies in an upload: no name is wrong.
  if (code === "NOT_FOUND" && /BLOB|UPLOAD/.test(registryCode)) return "";
  if (code === "NOT_FOUND") {
    const isPage = /html/i.test(header(response.headers, "content-type") ?? "");
    return isPage ? "that is a web page: check the name, and that a registry is there" : "check the name";
  }
  if (code === "DENIED") {
    const who = response.credential === undefined ? "these credentials" : `the ${response.credential}`;
    return `${who} may not do this; check the name and the account's rights`;
  }
  if (code === "RATE_LIMITED")
    return wait === undefined ? "wait, or log in for a higher limit" : `try again in ${Math.ceil(wait / 1_000)} s`;
  if (response.status === 413)
    return "something on the way takes no more at once; raise its limit (nginx: client_max_body_size)";
  if (response.status === 400 && /\b(?:https|tls|ssl)\b/i.test(said) && response.url.startsWith("http:"))
    return "if the registry speaks TLS, use https";
  if (response.status === 406) return "the registry has it in no form that is understood here";
  if (response.status === 415)
    return `the registry does not take this media type${mediaType === undefined ? "" : `, ${mediaType}`}: its operator may have to allow it, or another registry takes it`;
  const when = wait === undefined ? "later" : `in ${Math.ceil(wait / 1_000)} s`;
  if (response.status >= 500) return `the registry has a fault; try again ${when}`;
  return "";
};

/** The faults in an error body. What is no JSON, or other JSON, is one fault without a code whose message is the text, cut short. */
const readFaults = async (response: HttpResponse): Promise<RegistryFault[]> => {
  const text = await readText(response);
  try {
    const parsed: unknown = JSON.parse(text);
    const faults = faultsIn(parsed);
    if (faults.length > 0) return faults;
  } catch {
    // Proxies and load balancers answer HTML and plain text.
  }
  const isHtml = /html/i.test(header(response.headers, "content-type") ?? "") || /^\s*</.test(text);
  const plain = isHtml ? (/<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1] ?? "") : text;
  return [{ code: "", message: shortened(plain), detail: "" }];
};

const readText = async (response: HttpResponse): Promise<string> => {
  const parts: Uint8Array[] = [];
  let room = mostBytes;
  try {
    for await (const chunk of response.body.chunks) {
      parts.push(chunk.subarray(0, room));
      room -= chunk.byteLength;
      if (room <= 0) break;
    }
  } catch {
    // The status is known, and says what matters; a body cut short must not hide it.
  } finally {
    await response.body.discard();
  }
  return Buffer.concat(parts).toString("utf8");
};

/** `{errors: [{code, message, detail}]}` of the specification; `{error|message|details}` of proxies and token services. */
const faultsIn = (parsed: unknown): RegistryFault[] => {
  if (typeof parsed !== "object" || parsed === null) return [];
  const { errors } = parsed as { errors?: unknown };
  const entries = Array.isArray(errors) ? errors.slice(0, 5) : [parsed];
  return entries.map(faultOf).filter(({ code, message }) => code !== "" || message !== "");
};

const faultOf = (entry: unknown): RegistryFault => {
  const { code, message, detail, error, error_description, details } = (entry ?? {}) as Record<string, unknown>;
  return {
    code: text(code),
    message: text(message) || text(error_description) || text(error) || text(details),
    detail: text(detail),
  };
};

const text = (value: unknown): string => (typeof value === "string" ? shortened(value) : "");

const shortened = (value: string): string => {
  const line = value.trim().replace(/\s+/g, " ");
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
};

const inWords = ({ code, message, detail }: RegistryFault): string =>
  [[code, message].filter(Boolean).join(": "), detail === "" || detail === message ? "" : `(${detail})`]
    .filter(Boolean)
    .join(" ");
