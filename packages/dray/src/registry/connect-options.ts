import type { Keychain } from "../auth/index.ts";
import type { OnEvent } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import {
  type BudgetOptions,
  type ConnectionOptions,
  type Handler,
  type HeaderPairs,
  type Middleware,
  type RetryOptions,
  type TraceRecord,
  unsendable,
} from "../http/index.ts";
import { refuseNumber } from "../numbers.ts";
import { isRepository } from "../oci/index.ts";
import type { MirrorRule } from "./mirrors/index.ts";

/** Why a host is visited: it is the registry itself, its token service on another host, or where an answer of the registry leads (storage, an upload, a foreign layer). */
export type HostPurpose = "registry" | "token" | "redirect";

/** Where content is read from before its registry is asked. */
export interface MirrorsOptions {
  /** `registriesConf`, `hostsToml` and `dockerMirrors` make them of files. */
  readonly rules: readonly MirrorRule[];
  /** Credentials for the hosts of mirrors; those of the registry are for it alone. Default: the environment, then the files of docker and podman. */
  readonly credentials?: Keychain | undefined;
}

/** Who asks, how the registry is reached, and how patient we are. Everything may be left out. */
export interface ConnectOptions {
  /** Finds credentials. Default: the environment, then the files of docker and podman. */
  readonly credentials?: Keychain | undefined;
  /**
   * What becomes of a look-up or a pull whose credentials a token service or the registry refuses. `"anonymous"`: it is tried without, with a
   * warning; an expired password hides nothing then that everybody may read. Writes fail in either case. Default `"fail"`, as docker does,
   * and `"anonymous"` for credentials that nobody named for the registry (`ambient`).
   */
  readonly whenRefused?: "fail" | "anonymous" | undefined;
  /**
   * `false`: nothing of the machine is asked: no files of docker and podman (credentials, headers, `certs.d`), no variables (credentials, proxies),
   * no state folder. What these options say still holds. Default: yes, as for a command.
   */
  readonly ambient?: boolean | undefined;
  /** Sent to the registry with every request, and to no other host. One that Dray sends itself stays as it is. `Authorization` replaces credentials. */
  readonly headers?: Readonly<Record<string, string>> | HeaderPairs | undefined;
  /** Goes in front of the version in `User-Agent`: `acme/2` makes it `acme/2 dray/0.1.0`. */
  readonly userAgent?: string | undefined;
  /**
   * Around the wire, outermost first: hears every request as it is sent, each hop and each attempt, with its credentials, and those to token
   * services and storage as well. Unlike with `connection`, certificates, proxy and time limits stay Dray's.
   */
  readonly middleware?: Middleware | readonly Middleware[] | undefined;
  /**
   * Asked before a host is spoken to; `false` ends the call with `ADDRESS_REFUSED`. For services that take the names of registries from users.
   * @example allowHost: (url, purpose) => purpose !== "token" || url.hostname.endsWith(".example.com")
   */
  readonly allowHost?: ((url: URL, purpose: HostPurpose) => boolean | Promise<boolean>) | undefined;
  /** PEM of authorities that are trusted besides the usual ones. */
  readonly ca?: string | readonly string[] | undefined;
  /** PEM of our certificate and its key, for registries that want one: both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /**
   * The folder of `certs.d` in which docker's and podman's certificates for the registry lie: authorities as `*.crt`, ours as `client.cert` with
   * `client.key`. One that is named has to be there, and is read whatever `ambient` says. Default: the folder of the registry's own name, if any.
   * @example connect("10.0.0.7:5000", { certName: "registry.example.com:5000" })
   */
  readonly certName?: string | undefined;
  /**
   * A path on the registry below which everything lies: `repository("app")` is `PREFIX/app` there, which its `name` and every message say, and
   * `catalog()` lists what is below, without the prefix. Default: none.
   * @example connect("registry.example.com", { prefix: "tenants/blue" }).repository("app")
   */
  readonly prefix?: string | undefined;
  /**
   * Speaks plain http where there is no https; `false`: nowhere. Default: only to this machine and private addresses. A registry that is named
   * by a URL is spoken to by its scheme alone.
   */
  readonly plainHttp?: boolean | undefined;
  /** Speaks https whatever certificate the registry has: anybody may be between. Default: no. */
  readonly skipTlsVerify?: boolean | undefined;
  /** Both, where they are not said. */
  readonly insecure?: boolean | undefined;
  /** URL of a proxy (`http:`, `https:`, `socks5:`), or `false` for none. Default: what the environment says. */
  readonly proxy?: string | false | undefined;
  /**
   * Carries the requests in place of `node:http`: a registry in this process, or `fetchConnection(fetch)`. What is said of the way to a registry is
   * its own then: `timeouts`, `proxy`, `ca`, `cert`, `key` and `skipTlsVerify` act on nothing. It ends when a request's signal does. What it throws
   * that is no `DrayError` is `NETWORK`, and tried again.
   */
  readonly connection?: Handler | undefined;
  readonly retry?: RetryOptions | undefined;
  readonly budget?: BudgetOptions | undefined;
  /** Milliseconds: to connect, until headers come, between two pieces of a body, and until a large upload is acknowledged. */
  readonly timeouts?: NonNullable<ConnectionOptions["timeouts"]> | undefined;
  /** Hears of every request on the wire. No credential is in it. */
  readonly trace?: ((record: TraceRecord) => void) | undefined;
  /** Hosts, addresses and CIDRs that a public registry may lead to although they are private. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Where upload sessions are noted, so that a push that was killed goes on; `false`: nowhere. Default `$XDG_STATE_HOME/dray`. */
  readonly stateDir?: string | false | undefined;
  /** Bytes: larger blobs are uploaded in chunks of this size. Default: whole, and in chunks where that does not get through. */
  readonly chunkSize?: number | undefined;
  /**
   * Manifests and blobs that are only read come from these places where they have them; digests are checked. What a write asks for on its way, tags,
   * catalogs and referrers come from the registry. Default: none; no file is read for it.
   */
  readonly mirrors?: MirrorsOptions | undefined;
  /** Reads layers that may not be passed on, and that the registry does not have, from the `urls` of their descriptors. Default: no. */
  readonly foreignLayers?: boolean | undefined;
  /** Hears of retries, throttling and warnings, where a call has no `onEvent` of its own. */
  readonly onEvent?: OnEvent | undefined;
}

/** Refuses numbers that mean nothing, and has one patience for all: what budget and repetitions have is asked of one option. */
export const checkedOptions = (options: ConnectOptions): ConnectOptions => {
  const { budget: limits = {}, retry: repeating = {}, timeouts = {}, chunkSize } = options;
  const { cert, key, certName, prefix } = options;
  if ((cert === undefined) !== (key === undefined))
    throw new DrayError(
      "USAGE",
      `option ${cert === undefined ? "key" : "cert"} is given without ${cert === undefined ? "cert" : "key"}`,
    );
  if (certName !== undefined && (/[/\\\0]/.test(certName) || /^\.{0,2}$/.test(certName)))
    throw new DrayError(
      "USAGE",
      `option certName is "${certName}"; it has to be the name of one folder, such as a host`,
    );
  if (prefix !== undefined && !isRepository(prefix))
    throw new DrayError("USAGE", `option prefix is "${prefix}"; it has to be a path such as team/apps`);
  refuseNumber("chunkSize", chunkSize);
  const wrong = unsendable([...pairsOf(options.headers), ["User-Agent", options.userAgent ?? ""]]);
  if (wrong !== undefined) throw new DrayError("USAGE", `option headers: ${cannotBeSent(wrong)}`);
  for (const [name, value] of Object.entries(timeouts)) refuseNumber(`timeouts.${name}`, value, { fractions: true });
  refuseNumber("retry.attempts", repeating.attempts);
  refuseNumber("budget.maxWait", limits.maxWait, { from: 0, fractions: true });
  refuseNumber("retry.maxWait", repeating.maxWait, { from: 0, fractions: true });
  const waits = [limits.maxWait, repeating.maxWait].filter((wait) => wait !== undefined);
  const maxWait = waits.length === 0 ? usualWait : Math.min(...waits);
  return { ...options, budget: { ...limits, maxWait }, retry: { ...repeating, maxWait } };
};

/** Milliseconds. Whoever calls a library has somebody waiting; a command says a time of its own. */
const usualWait = 120_000;

/** Headers of a caller, in whatever form. */
export const pairsOf = (headers: ConnectOptions["headers"] = []): HeaderPairs =>
  Array.isArray(headers) ? (headers as HeaderPairs) : Object.entries(headers as Record<string, string>);

export const cannotBeSent = (name: string): string =>
  `the header "${name}" cannot be sent; a name is one word, and a value is one line of plain characters`;
