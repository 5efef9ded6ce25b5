import type { IncomingMessage } from "node:http";
import { HttpError } from "../response/index.ts";

export interface Found {
  /** Why the request is not served. */
  readonly error?: HttpError;
  readonly hasBody: boolean;
  /** Whether its connection cannot be trusted to begin another request where this one ends. */
  readonly closes: boolean;
}

const fine: Found = { hasBody: false, closes: false };
const withBody: Found = { hasBody: true, closes: false };

/**
 * What the parser lets pass and a server must not: what another server on the way may read differently. Everything a listener
 * needs to know of headers is found in one pass, without making an object of them.
 */
export const malformed = (message: IncomingMessage, longest: number): Found => {
  const { rawHeaders, url = "/" } = message;
  if (message.httpVersionMajor !== 1) return bad("this is HTTP/1.1");
  let [hosts, lengths] = [0, 0];
  let found = fine;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4) {
      if (name.toLowerCase() !== "host") continue;
      if (++hosts > 1 || !authority.test(rawHeaders[i + 1] as string)) return bad("one valid Host header is needed");
    } else if (name.length === 14) {
      if (name.toLowerCase() !== "content-length") continue;
      if (++lengths > 1) return bad("one Content-Length is enough");
      if (rawHeaders[i + 1] !== "0") found = withBody;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      found = withBody;
      if (message.httpVersionMinor === 0) return bad("HTTP/1.0 has no Transfer-Encoding");
      if (rawHeaders[i + 1]?.toLowerCase() !== "chunked")
        return refuse(new HttpError(501, "UNSUPPORTED", "the only Transfer-Encoding here is chunked"));
    }
  }
  if (url.length > longest)
    return refuse(new HttpError(414, "UNSUPPORTED", `a target of more than ${longest} characters`));
  return found;
};

/** RFC 3986 §3.2 without user information. */
const authority = /^(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

const bad = (message: string): Found => refuse(new HttpError(400, "UNSUPPORTED", message));
const refuse = (error: HttpError): Found => ({ error, hasBody: true, closes: true });
