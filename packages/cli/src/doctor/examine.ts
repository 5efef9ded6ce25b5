import { anonymous, challengesOf, explain, type Keychain } from "dray/auth";
import { collect } from "dray/content";
import { type DrayError, isDrayError, throwIfAborted } from "dray/errors";
import { type Middleware, proxyFor } from "dray/http";
import type { ConnectOptions, MirrorRule, Registry } from "dray/registry";
import { chainFinding, inWords, type ShownChain, shownChain } from "./certificates.ts";
import { type Finding, failureAt, type Tell } from "./finding.ts";
import { addressesOf, reachabilityOf, reachedFindings } from "./network.ts";
import { lookAtReading, lookAtWriting, notLookedAt } from "./repository.ts";
import { apiFinding, type BaseAnswer, challengeFinding, clockFinding, limitsFinding } from "./service.ts";

/** Whom to look at, and how we come there. */
export interface Examination {
  /** As `connect` takes it: a URL's scheme is the only one that is spoken. */
  readonly name: string;
  /** As references name it. */
  readonly host: string;
  readonly repository?: string | undefined;
  /** A tag or a digest. */
  readonly reference?: string | undefined;
  /** Whether something may be written into the repository. */
  readonly push: boolean;
  readonly keychain: Keychain;
  readonly rules: readonly MirrorRule[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Certificates are taken whatever they are, as somebody said. */
  readonly unchecked: boolean;
  /** Our certificate, which some servers want to see before they show theirs. */
  readonly identity: Pick<ConnectOptions, "cert" | "key">;
  readonly connect: (more: ConnectOptions) => Registry;
  readonly signal: AbortSignal;
}

/** Nothing is repeated and nothing waited for: what does not work is what is to be told. */
const impatient = { retry: { attempts: 1 }, budget: { maxWait: 0 } } as const;

/**
 * Looks at the way to a registry and at what it can do, one thing after the other, and tells each as it is known. Where something fails that all
 * else hangs on, that is the end.
 */
export const examine = async (examination: Examination, tell: Tell): Promise<void> => {
  const reached = await lookAtTheWay(examination, tell);
  if (!reached) return;
  const base = await lookAtService(examination, tell);
  if (base === undefined) return;
  if (!(await lookAtAccess(examination, base, tell))) return;
  await tell(mirrorsFinding(examination));
  const { repository: name, push, reference, signal } = examination;
  if (name === undefined) return;
  let limits: Finding | undefined;
  // Some tell of them only where they count.
  const watch: Middleware = (next) => async (request) => {
    const response = await next(request);
    limits = limitsFinding(response.headers) ?? limits;
    return response;
  };
  const registry = examination.connect({ ...impatient, middleware: watch });
  const patient = { registry, repository: registry.repository(name), name: reference, signal };
  await lookAtReading(patient, tell, push);
  if (limits !== undefined) await tell(limits);
  if (push) return lookAtWriting(patient, tell);
  for (const check of ["push", "mount", "delete"] as const)
    await tell(notLookedAt(check, "--push tries it, and writes into the repository for that"));
};

const originOf = ({ name, host }: Examination): URL =>
  /^https?:\/\//.test(name)
    ? new URL(name)
    : new URL(`https://${host === "docker.io" ? "registry-1.docker.io" : host}`);

/** Proxy, name, addresses. Behind a proxy nobody here knows the last two. */
const lookAtTheWay = async (examination: Examination, tell: Tell): Promise<boolean> => {
  const url = originOf(examination);
  const port = Number(url.port || (url.protocol === "http:" ? 80 : 443));
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  try {
    const proxy = proxyFor(url, examination.env);
    if (proxy !== undefined) {
      await tell({ check: "proxy", outcome: "ok", said: `by ${proxy.protocol}//${proxy.host}, which looks names up` });
      return true;
    }
    await tell({ check: "proxy", outcome: "ok", said: "none: the registry is reached directly" });
  } catch (error) {
    await tell(failureAt("proxy", error));
    return false;
  }
  let addresses: readonly string[];
  try {
    addresses = await addressesOf(hostname);
    await tell({ check: "name", outcome: "ok", said: `${hostname} is ${addresses.join(", ")}` });
  } catch (error) {
    const isWord = !/[.:]/.test(examination.host);
    const remedy = isWord
      ? `for the image ${examination.host} of Docker Hub write docker.io/library/${examination.host}`
      : "check the name, and the resolver of this machine (/etc/resolv.conf)";
    await tell({ ...failureAt("name", error), remedy });
    return false;
  }
  const findings = reachedFindings(await reachabilityOf(addresses, port), port);
  for (const finding of findings) await tell(finding);
  return findings.some(({ outcome }) => outcome === "ok");
};

/** TLS, the API, the time. */
const lookAtService = async (examination: Examination, tell: Tell): Promise<BaseAnswer | undefined> => {
  const { host, connect, signal, env, identity } = examination;
  const url = originOf(examination);
  const isDirect = proxyFor(url, env) === undefined && url.protocol === "https:";
  const port = Number(url.port || 443);
  const shown = isDirect ? await shownChain(url.hostname.replace(/^\[(.*)\]$/, "$1"), port, identity) : undefined;
  let base: BaseAnswer;
  try {
    base = await baseAnswer(connect, signal);
  } catch (error) {
    throwIfAborted(signal);
    await tell(unreached(error, shown));
    return undefined;
  }
  if (base.url.startsWith("http:"))
    await tell({
      check: "tls",
      outcome: "warning",
      said: `${host} speaks plain http: whoever is on the way reads and changes what passes`,
      remedy: "give it a certificate, if anybody but this machine reaches it",
    });
  else if (shown !== undefined) await tell(chainFinding(shown, base.now, examination.unchecked));
  else await tell({ check: "tls", outcome: "ok", said: "trusted; its chain is not seen through a proxy" });
  const findings: Finding[] = [apiFinding(base), clockFinding(base)];
  for (const finding of findings) await tell(finding);
  const limits = limitsFinding(base.headers);
  if (limits !== undefined) await tell(limits);
  return findings[0]?.outcome === "ok" ? base : undefined;
};

/** What `/v2/` answers to a stranger, before anybody asks a token service about it. */
const baseAnswer = async (connect: Examination["connect"], signal: AbortSignal): Promise<BaseAnswer> => {
  let first: Omit<BaseAnswer, "text"> | undefined;
  const watch: Middleware = (next) => async (request) => {
    const response = await next(request);
    const { status, headers, url } = response;
    if (status < 300 || status > 399) first ??= { status, headers, url, now: Date.now() };
    return response;
  };
  const stranger = connect({ ...impatient, credentials: anonymous, middleware: watch });
  let text = "";
  try {
    const { body } = await stranger.request({ target: "/v2/", signal });
    const bytes = await collect(body.chunks, mostRead, "the answer").catch(() => new Uint8Array());
    text = Buffer.from(bytes.subarray(0, 200)).toString();
  } catch (error) {
    // What comes after an answer is told of in its place.
    if (first === undefined || signal.aborted) throw error;
  }
  if (first === undefined) throw new Error("an answer came by no wire");
  return { ...first, text };
};

/** Pages are long; nobody needs more than their beginning. */
const mostRead = 1024 * 1024;

/** What failed before anything was answered: TLS, the proxy, the network, or a limit. */
const unreached = (error: unknown, shown: ShownChain | undefined): Finding => {
  const about = isDrayError(error, "TLS")
    ? "tls"
    : isDrayError(error, "NETWORK") && isAboutProxy(error)
      ? "proxy"
      : "api";
  const finding = failureAt(about, error);
  const chain = shown === undefined || about !== "tls" ? "" : ` (it shows: ${inWords(shown.chain, Date.now())})`;
  return { ...finding, said: finding.said + chain };
};

const isAboutProxy = (error: DrayError): boolean =>
  error.status === 407 || /^.{0,200}\bthe proxy\b/.test(error.message);

/** Who we are to it, and whether it believes us. */
const lookAtAccess = async (examination: Examination, base: BaseAnswer, tell: Tell): Promise<boolean> => {
  const { host, repository, keychain, connect, push, signal } = examination;
  const challenge = challengeFinding(base);
  await tell(challenge);
  if (challenge.outcome === "failed") return false;
  try {
    const { chosen, tried } = await explain({ registry: host, repository }, keychain, { signal });
    const user = chosen.username === undefined ? "" : ` of ${chosen.username}`;
    const said =
      chosen.kind === "anonymous"
        ? `none found (${tried.map(({ source }) => source).join(", ")}): anonymous`
        : `${chosen.kind}${user} from ${chosen.source}`;
    await tell({ check: "credentials", outcome: "ok", said });
  } catch (error) {
    throwIfAborted(signal);
    await tell(failureAt("credentials", error));
    return false;
  }
  if (base.status === 200) return true;
  const registry = connect(impatient);
  try {
    if (challengesOf(base.headers).some(({ scheme }) => scheme === "bearer")) {
      const actions = push ? "pull,push,delete" : "pull";
      const scopes = repository === undefined ? [] : [`repository:${repository}:${actions}`];
      const { text, expiresAt } = await registry.token(scopes, { signal });
      const granted = grantedBy(text);
      const lasts = `holds for ${Math.max(0, Math.round((expiresAt - Date.now()) / 1000))} s`;
      await tell({ check: "token", outcome: "ok", said: [`given`, lasts, granted].filter(Boolean).join(", ") });
    } else {
      await registry.ping({ signal });
      await tell({ check: "token", outcome: "ok", said: "none is needed: the password is taken" });
    }
    return true;
  } catch (error) {
    throwIfAborted(signal);
    await tell(failureAt("token", error));
    return false;
  }
};

/** What a token says that it allows, where it says so in the open (a JWT's `access`). */
const grantedBy = (token: string): string => {
  try {
    const [, claims = ""] = token.split(".");
    const { access } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { access?: unknown };
    if (!Array.isArray(access)) return "";
    const all = access.map(
      (each: { type?: unknown; name?: unknown; actions?: unknown }) =>
        `${String(each?.name)}: ${Array.isArray(each?.actions) ? each.actions.join(",") || "nothing" : "?"}`,
    );
    return `allows ${all.join("; ") || "nothing"}`;
  } catch {
    return "";
  }
};

const mirrorsFinding = ({ rules, host, repository }: Examination): Finding => {
  const name = repository === undefined ? host : `${host}/${repository}`;
  const own = rules.filter(
    ({ prefix }) => prefix.startsWith("*.") || name.startsWith(prefix) || prefix.startsWith(`${host}/`),
  );
  const inOrder = own.flatMap(({ prefix, mirrors = [], primary, blocked, from }) =>
    blocked === true
      ? [`${prefix} is blocked by ${from}`]
      : mirrors.length === 0 && primary === undefined
        ? []
        : [
            `${prefix}: ${[...mirrors, ...(primary === undefined ? [] : [primary])].map(({ location }) => location).join(", then ")} (${from})`,
          ],
  );
  return { check: "mirrors", outcome: "ok", said: inOrder.length === 0 ? "none" : inOrder.join("; ") };
};
