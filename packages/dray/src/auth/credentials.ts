import { DrayError } from "../errors.ts";
import { describeCredential } from "./credential.ts";
import { bySpecificity, covers, namesNoServer, parseServer, type Server } from "./server.ts";
import type { Credential, Keychain, KeychainTarget } from "./types.ts";

/** What a set has for one server: a credential, or why what stands there is none. */
interface Entry {
  readonly server: Server;
  readonly found: Credential | DrayError;
}

/**
 * A set of credentials by the servers that they are for. It never changes, and shows no secret: neither as text nor in JSON, neither to
 * `console.log` nor to who asks for its members.
 * @example
 * const credentials = parseCredentials("config.json", bytes);
 * console.log(String(credentials)); // ann@ghcr.io from config.json (auths, "ghcr.io")
 * const registry = connect("ghcr.io", { credentials: credentials.keychain });
 */
export class Credentials {
  /** The most specific first. */
  #entries: readonly Entry[];
  /** Whether what is refused is no end, since there may be others for the same server. */
  #each = false;

  /**
   * @param entries servers (`host[:port][/path]`), and what is for them: a credential, or why there is none. Of one server the last counts.
   * @throws DrayError `CONFIG_INVALID` for what names no server
   * @example new Credentials([["quay.io/team", { username: "ann", password, source: "vault" }]])
   */
  constructor(entries: Iterable<readonly [server: string, found: Credential | DrayError]> = []) {
    this.#entries = ordered(
      [...entries].map(([text, found]) => {
        const server = parseServer(text);
        if (server !== undefined) return { server, found };
        throw new DrayError("CONFIG_INVALID", namesNoServer(text));
      }),
    );
  }

  /** For what there is something: `host[:port][/path]`, in the order of the alphabet. Every name of Docker Hub is `docker.io`. */
  get hosts(): string[] {
    return [...new Set(this.#entries.map(({ server }) => nameOf(server)))].sort();
  }

  /** What stands for a server and cannot be understood. The others are none the worse for it. */
  get faults(): DrayError[] {
    return this.#entries.flatMap(({ found }) => (isFault(found) ? [found] : []));
  }

  /**
   * What there is for a registry or for one repository on it, the specific before the general: the longest path, then the host that is
   * written out before one with `*`. A `*` in a label of a host stands for any text without a dot.
   * @throws DrayError `CONFIG_INVALID` where what stands there cannot be understood
   */
  find(target: KeychainTarget): Credential | undefined {
    const entry = this.#entries.find(({ server }) => covers(server, target));
    if (entry === undefined) return undefined;
    if (isFault(entry.found)) throw entry.found;
    if (!this.#each) return entry.found;
    const others = this.#entries.flatMap(({ server, found }) =>
      found !== entry.found && !isFault(found) && covers(server, target) ? [found] : [],
    );
    return others.length === 0 ? entry.found : { ...entry.found, others };
  }

  /** The set as `connect` and `chain` take it. */
  get keychain(): Keychain {
    return async (target, { onTried } = {}) => {
      const found = this.find(target);
      if (found === undefined) onTried?.(this.#sources, `no entry for ${target.registry}`);
      else {
        const more = found.others === undefined ? "" : `, and ${found.others.length} more where that is refused`;
        onTried?.(found.source, describeCredential(found) + more);
      }
      return found;
    };
  }

  /** Both sets in a new one. Where both have something for the same server, the other one's counts. */
  merge(other: Credentials): Credentials {
    const theirs = new Set(other.hosts);
    const both = new Credentials();
    both.#entries = sorted([...this.#entries.filter(({ server }) => !theirs.has(nameOf(server))), ...other.#entries]);
    both.#each = this.#each || other.#each;
    return both;
  }

  /**
   * Both sets in a new one, of which everything counts that is for an image: what comes first is given out first, the specific before the general and of
   * equal ones that of this set, with the `others` that are tried where it is refused.
   */
  beside(other: Credentials): Credentials {
    const both = new Credentials();
    both.#entries = sorted([...this.#entries, ...other.#entries]);
    both.#each = true;
    return both;
  }

  /** The set without what cannot be understood: for who has told of `faults`, and goes on with the rest. */
  withoutFaults(): Credentials {
    const sound = new Credentials();
    sound.#entries = this.#entries.filter(({ found }) => !isFault(found));
    sound.#each = this.#each;
    return sound;
  }

  /** One line for people: whose credentials for what, and where they are from. */
  toString(): string {
    const said = this.#entries.map(({ server, found }) => `${whose(found)}${nameOf(server)}${from(found)}`);
    return said.length === 0 ? "no credentials" : said.sort().join(", ");
  }

  toJSON(): string {
    return this.toString();
  }

  static {
    const value = function (this: Credentials): string {
      return `Credentials { ${this.toString()} }`;
    };
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), { value });
  }

  get #sources(): string {
    const sources = this.#entries.map(({ found }) => (isFault(found) ? "" : found.source.replace(/ \(auths, .*$/, "")));
    return [...new Set(sources)].filter((source) => source !== "").join(", ") || "no credentials";
  }
}

/** Of one server the last. */
const ordered = (entries: readonly Entry[]): Entry[] =>
  sorted([...new Map(entries.map((entry) => [nameOf(entry.server), entry])).values()]);

const sorted = (entries: readonly Entry[]): Entry[] =>
  [...entries].sort((one, other) => bySpecificity(one.server, other.server));

const nameOf = ({ host, path }: Server): string => (path === "" ? host : `${host}/${path}`);

const isFault = (found: Credential | DrayError): found is DrayError => "code" in found;

const whose = (found: Credential | DrayError): string =>
  isFault(found) || !found.username ? "" : `${found.username}@`;

const from = (found: Credential | DrayError): string =>
  isFault(found) ? " (cannot be understood)" : ` from ${found.source}`;
