import { DrayError, type Remedy } from "../errors.ts";
import { isUsual } from "./headers.ts";
import { redactUrl } from "./redact.ts";
import { type HttpRequest, header, isContent, type Middleware } from "./types.ts";

/** As browsers and other clients have it. */
const mostHops = 10;

export interface RedirectOptions {
  /** Blobs may be read over plain http although their registry speaks https. */
  readonly plainHttp?: boolean | undefined;
}

/**
 * Follows redirects by hand, so that each hop has credentials of its own: those of one origin never reach another, and a chain that has left the first host carries none when it comes back. The method, `Range` and
 * a `Content` go along (303 turns all but HEAD into GET); a request whose body cannot be opened again gets the redirect
 * itself as its answer. From https nothing leads to http but, with `plainHttp`,
 * what is checked by its digest, without anything of ours. Which addresses a hop may lead to, the connection knows.
 * @throws DrayError `ADDRESS_REFUSED` for a downgrade or another scheme, `REGISTRY` for a loop, too many hops or no usable target.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.4
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md (any request may be answered by a redirect)
 */
export const redirect =
  ({ plainHttp = false }: RedirectOptions = {}): Middleware =>
  (next) =>
  async (request) => {
    const seen = new Set<string>();
    let withoutPassword: string | undefined;
    for (let hop = request, hops = 0; ; hops++) {
      const response = await next(hop);
      if (withoutPassword !== undefined && (response.status === 401 || response.status === 403))
        request.context?.onEvent?.({ type: "warning", message: withoutPassword });
      if (!isRedirect(response.status)) return response;
      const location = header(response.headers, "location");
      if (location === undefined || !(response.status === 303 || canSendAgain(request))) return response;
      await response.body.discard();
      seen.add(`${hop.method} ${hop.origin}${hop.target}`);
      withoutPassword = droppedPassword(hop, location);
      hop = nextHop(hop, response.status, location, { first: request.origin, plainHttp });
      if (hops >= mostHops) throw fault(request, `is redirected more than ${mostHops} times`);
      if (seen.has(`${hop.method} ${hop.origin}${hop.target}`)) throw fault(request, "is redirected in a circle");
    }
  };

/** A password in an address would go to whoever the registry names: it is left out, and where that host refuses us then, that is said. */
const droppedPassword = ({ origin, target }: HttpRequest, location: string): string | undefined => {
  if (!URL.canParse(location, origin + target)) return undefined;
  const { username, password, host } = new URL(location, origin + target);
  return username === "" && password === ""
    ? undefined
    : `${host} refuses what it is asked for: ${new URL(origin).host} led there with a user name in the address, which is never sent; it has to sign the address instead`;
};

/** Also what is not to be repeated: a redirect says that nothing has been done. */
const canSendAgain = ({ body }: HttpRequest): boolean => body === undefined || isContent(body);

const isRedirect = (status: number): boolean =>
  status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

const nextHop = (
  from: HttpRequest,
  status: number,
  location: string,
  { first, plainHttp }: { first: string; plainHttp: boolean },
): HttpRequest => {
  const base = from.origin + from.target;
  if (!URL.canParse(location, base)) throw fault(from, "is redirected to something that is no URL");
  const url = new URL(location, base);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw refused(from, `is redirected to a ${url.protocol} URL; only https and http are followed`);
  const downgraded = url.protocol === "http:" && first.startsWith("https:");
  const checked = from.context?.digestKnown === true;
  if (downgraded && !(plainHttp && checked)) {
    const why = `is redirected from https to http at ${url.host}, which could be read and changed on the way`;
    throw refused(from, why, checked ? "follow-plain-http" : undefined);
  }

  const becomesGet = status === 303 && from.method !== "HEAD" && from.method !== "GET";
  const dropped = new Set([
    "host",
    ...(url.origin === from.origin ? [] : ["authorization", "proxy-authorization"]),
    ...(becomesGet ? ["content-type", "content-length", "content-range", "expect"] : []),
  ]);
  const left = from.context?.foreign === true || downgraded || url.host !== new URL(first).host;
  return {
    ...from,
    context: left ? { ...from.context, foreign: true } : from.context,
    method: becomesGet ? "GET" : from.method,
    origin: url.origin,
    target: url.pathname + url.search,
    // What somebody has added is for the host that it was added for.
    headers: from.headers.filter(
      ([name]) => !dropped.has(name.toLowerCase()) && (url.origin === from.origin || isUsual(name)),
    ),
    body: becomesGet ? undefined : from.body,
  };
};

const fault = (request: HttpRequest, why: string): DrayError =>
  new DrayError("REGISTRY", `${inWords(request)} ${why}; the registry or a proxy before it is set up wrongly`, {
    registry: new URL(request.origin).host,
  });

const refused = (request: HttpRequest, why: string, remedy?: Remedy): DrayError =>
  new DrayError("ADDRESS_REFUSED", `${inWords(request)} ${why}`, { registry: new URL(request.origin).host, remedy });

const inWords = ({ method, origin, target }: HttpRequest): string => `${method} ${redactUrl(origin + target)}`;
