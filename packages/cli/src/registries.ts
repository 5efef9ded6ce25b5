import type { Readable } from "node:stream";
import { chain, dockerConfig, environment, type HelperOptions, type Keychain, staticCredential } from "dray/auth";
import type { Engine } from "dray/daemon";
import { DrayError } from "dray/errors";
import { type ConnectOptions, connect, type MirrorRule, type Registry } from "dray/registry";
import { cloudKeychain } from "./clouds.ts";
import type { Call } from "./context.ts";
import type { EndFlags, SharedOptions } from "./flags.ts";
import { type MirrorFiles, noShortNames, readMirrors, type ShortNames } from "./mirrors/index.ts";
import { traceLines } from "./trace.ts";

/** Which end of a copy a registry is at. Commands with one end use the source. */
export type End = "source" | "target";

/** With the flags of one end only: `--src-insecure`, `--dest-ca-file`. They win over the form for both. */
export type EndOptions = SharedOptions & {
  readonly [Name in keyof EndFlags as `${"src" | "dest"}${Capitalize<Name>}`]?: EndFlags[Name];
};

/** The registries of one call: one connection pool, one budget and one set of tokens for each registry and end. */
export interface Registries {
  readonly connect: (registry: string, end?: End) => Registry;
  /** The same for what is only read: its mirrors are asked first. */
  readonly connectToRead: (registry: string) => Registry;
  /** The container engine that the environment names, reached when it is first used. */
  readonly engine: () => Promise<Engine>;
  /**
   * For a look at a registry itself, by its name or a URL: with what the flags say, and options of the looker's own. No rule about mirrors or
   * blocked names holds.
   */
  readonly connectAs: (registry: string, name: string, more: ConnectOptions) => Registry;
  /** How a registry is reached, for whoever connects by himself; without mirrors. */
  readonly optionsFor: (registry: string) => ConnectOptions;
  /** What files say of a registry's mirrors. */
  readonly rulesFor: (registry: string) => readonly MirrorRule[];
  /** What files say of names without a registry, where that is wanted. */
  readonly shortNames: ShortNames;
  /** The client certificate that the flags name. */
  readonly identity: Pick<ConnectOptions, "cert" | "key">;
  /** The credentials in their order: flags, environment, files of docker and podman, clouds. */
  readonly keychain: (registry: string) => Keychain;
}

/**
 * Makes ready what the flags say about registries. Nothing is asked of the network before it is used; all is closed when
 * the command ends.
 * @throws DrayError `CONFIG_INVALID` for a file that cannot be read; `USAGE` for credentials that make no sense.
 */
export const registriesFor = (call: Call<EndOptions>): Promise<Registries> => {
  const made = registriesOf.get(call) ?? makeRegistries(call);
  registriesOf.set(call, made);
  return made;
};

/** The same for all who ask in one call: what is bound to a registry is bound for all of it. */
const registriesOf = new WeakMap<object, Promise<Registries>>();

const makeRegistries = async (call: Call<EndOptions>): Promise<Registries> => {
  const [src, dest] = [await settingsOf(call, "src"), await settingsOf(call, "dest")];
  const { options, named, env, reporter } = call;
  const mirrors = await readMirrors({
    said: options.mirrors,
    named: named("mirrors"),
    env,
    shortNames: options.shortNames,
  });
  for (const note of mirrors?.notes ?? []) reporter.warn(note);
  const source = endOf(call, src, mirrors);
  // Alike, both ends are one: content can be mounted from one repository to another, and a warning comes once.
  const ends = { source, target: JSON.stringify(src) === JSON.stringify(dest) ? source : endOf(call, dest, mirrors) };
  return {
    ...source,
    connect: (registry, end = "source") => ends[end].connect(registry),
    engine: engineOf(call),
  };
};

/** What holds for one end, files read. */
type Settings = Pick<ConnectOptions, "insecure" | "plainHttp" | "skipTlsVerify" | "ca" | "cert" | "key"> & {
  readonly authfile: string | undefined;
  readonly username: string | undefined;
  /** The flag or variable that named the user. */
  readonly usernameFrom: string;
  readonly password: string | undefined;
  /** A variable that says half of a credential. */
  readonly half: { readonly name: string; readonly why: string } | undefined;
};

/** What reaches engines is read when somebody names one. */
const engineOf = (call: Call): (() => Promise<Engine>) => {
  let engine: Promise<Engine> | undefined;
  const connected = async (): Promise<Engine> => {
    const { connectEngine } = await import("dray/daemon");
    const made = connectEngine({ env: call.env, timeout: call.options.timeout });
    call.defer(() => made.close());
    return made;
  };
  return () => (engine ??= connected());
};

const endOf = (
  call: Call,
  { authfile, username, usernameFrom, password, half, ...trust }: Settings,
  mirrors: MirrorFiles | undefined,
): Omit<Registries, "engine"> => {
  const { env, reporter, options } = call;
  const helpers = {
    onWarning: (message: string): void => reporter.warn(message),
    helperTimeout: options.timeout,
  } satisfies HelperOptions;
  const files = dockerConfig({ env, ...helpers, authFile: authfile });
  const stored = chain(environment(env, helpers), files, cloudKeychain(call));
  let meant: string | undefined;
  const keychain = (registry: string): Keychain => {
    if (half !== undefined) return chain(passedOver(half), stored);
    if (username === undefined || password === undefined) return stored;
    meant ??= registry;
    if (meant !== registry) {
      const both = `this command names two, ${meant} and ${registry}`;
      throw new DrayError(
        "USAGE",
        `${usernameFrom}: a password is for one registry, and ${both}; keep it with dray auth login`,
      );
    }
    // Bound to the registry that was named: a redirect or a token service elsewhere never sees it.
    return chain(staticCredential({ username, password, source: usernameFrom }, registry), stored);
  };
  const [open, openToRead] = [new Map<string, Registry>(), new Map<string, Registry>()];
  call.defer(async () => {
    await Promise.all([...open.values(), ...openToRead.values()].map((registry) => registry.close()));
  });
  const connected = (among: Map<string, Registry>, registry: string, more: ConnectOptions): Registry => {
    const options = { ...trust, credentials: keychain(registry), ...connectOptions(call), ...more };
    const connection = among.get(registry) ?? connect(registry, options);
    among.set(registry, connection);
    return connection;
  };
  const rulesFor = (registry: string): readonly MirrorRule[] => mirrors?.rulesFor(registry) ?? [];
  const connectPlainly = (registry: string): Registry =>
    connected(open, registry, { mirrors: { rules: rulesFor(registry).flatMap(withoutMirrors) } });
  return {
    keychain,
    rulesFor,
    shortNames: mirrors?.shortNames ?? noShortNames,
    identity: { cert: trust.cert, key: trust.key },
    connectAs: (registry, name, more) => {
      const { insecure = rulesFor(registry).some((rule) => rule.prefix === registry && rule.insecure) || undefined } =
        trust;
      const options = { ...trust, insecure, credentials: keychain(registry), ...connectOptions(call), ...more };
      const connection = connect(name, options);
      call.defer(() => connection.close());
      return connection;
    },
    optionsFor: (registry) => ({
      ...trust,
      credentials: keychain(registry),
      ...connectOptions(call),
      mirrors: { rules: rulesFor(registry).flatMap(withoutMirrors) },
    }),
    connect: connectPlainly,
    connectToRead: (registry) => {
      const rules = rulesFor(registry);
      if (!rules.some(({ mirrors: its = [], primary }) => its.length > 0 || primary !== undefined))
        return connectPlainly(registry);
      // The flags' password is for the registry that was named.
      return connected(openToRead, registry, { mirrors: { rules, credentials: stored } });
    },
  };
};

/** What holds of a registry for writes as well: what is insecure, and what is blocked. */
const withoutMirrors = ({ mirrors: _mirrors, primary: _primary, ...rule }: MirrorRule): readonly MirrorRule[] =>
  rule.insecure === true || rule.blocked === true ? [rule] : [];

const settingsOf = async (call: Call<EndOptions>, end: "src" | "dest"): Promise<Settings> => {
  const all = call.options;
  const of = <Name extends keyof EndFlags>(name: Name): EndFlags[Name] => {
    const own = `${end}${name[0]?.toUpperCase()}${name.slice(1)}` as keyof EndOptions;
    // What is blank was not said, as with a variable of a job that is not set.
    const said = [all[own] as EndFlags[Name], all[name]];
    return said.find((value) => value !== undefined && value !== "") as EndFlags[Name];
  };
  const [caFile, cert, key] = [of("caFile"), of("cert"), of("key")];
  if ((cert === undefined) !== (key === undefined))
    throw new DrayError("USAGE", "a client certificate needs both --cert and --key");
  const password = of("passwordStdin") === true ? await passwordFromStdin(call) : of("password");
  const username = of("username");
  const own = (name: "username" | "password" | "passwordStdin"): string => {
    const attribute = `${end}${name[0]?.toUpperCase()}${name.slice(1)}` as keyof EndOptions;
    return call.named(all[attribute] ? attribute : name);
  };
  return {
    insecure: of("insecure"),
    plainHttp: of("plainHttp"),
    skipTlsVerify: of("skipTlsVerify"),
    // What reads certificates knows all of TLS, which plain http has no use for.
    ...(caFile === undefined && cert === undefined
      ? {}
      : await (await import("./pem-files.ts")).pemOf({ caFile, cert, key })),
    authfile: of("authfile"),
    username,
    usernameFrom: own("username"),
    password,
    half: halfOf({ username, password }, own, of("passwordStdin") === true),
  };
};

/**
 * What is lacking where one half of a credential was said. By a flag that is a mistake; a variable whose other half a job may not see is as good
 * as none, and `auth explain` tells so.
 * @throws DrayError `USAGE`
 */
const halfOf = (
  { username, password = "" }: { readonly username: string | undefined; readonly password: string | undefined },
  named: (attribute: "username" | "password" | "passwordStdin") => string,
  fromStdin: boolean,
): Settings["half"] => {
  if ((username === undefined) === (password === "")) return undefined;
  const name = named(username !== undefined ? "username" : fromStdin ? "passwordStdin" : "password");
  const isFlag = name.startsWith("--");
  const [user, secret] = isFlag
    ? ["--username", "a password (--password-stdin)"]
    : [/^DRAY_(?:SRC_|DEST_)?/.exec(name)?.[0]].flatMap((prefix) => [`${prefix}USERNAME`, `${prefix}PASSWORD`]);
  const lacks = username === undefined ? user : secret;
  if (!isFlag) return { name, why: `set, but without ${lacks}` };
  if (username !== undefined && fromStdin) throw new DrayError("USAGE", `${name}: the password on stdin is empty`);
  throw new DrayError("USAGE", `credentials need both: ${name} was given without ${lacks}`);
};

/** A source that has nothing, and says why. */
const passedOver =
  ({ name, why }: NonNullable<Settings["half"]>): Keychain =>
  async (_target, options) => {
    options?.onTried?.(name, why);
    return undefined;
  };

/** The password that the flags give, from wherever. */
export const passwordOf = async (call: Call): Promise<string | undefined> =>
  call.options.passwordStdin === true ? passwordFromStdin(call) : call.options.password;

const stdinPasswords = new WeakMap<object, Promise<string>>();

/** The password on stdin, without the newline that `echo` leaves. Both ends of a copy may share it. */
const passwordFromStdin = (call: Call): Promise<string> => {
  const password = stdinPasswords.get(call) ?? allOf(call.stdin()).then((text) => text.replace(/\r?\n?$/, ""));
  stdinPasswords.set(call, password);
  return password;
};

const allOf = async (stream: Readable): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece as string | Uint8Array));
  return Buffer.concat(pieces).toString();
};

/** Milliseconds that somebody who has called a command waits for a registry that limits the rate: a job at night gets through. */
const usualWait = 900_000;

const connectOptions = ({ options, reporter }: Call): ConnectOptions => {
  const { allowNondistributableArtifacts, allowPrivate, retry, maxWait, timeout, verbose } = options;
  return {
    onEvent: reporter.onEvent,
    allowPrivate,
    foreignLayers: allowNondistributableArtifacts,
    retry: retry === undefined ? undefined : { attempts: retry + 1 },
    budget: { maxWait: maxWait ?? usualWait },
    timeouts: timeout === undefined ? undefined : { connect: timeout, headers: timeout, idle: timeout },
    trace: verbose === true ? (record) => traceLines(record).forEach((line) => reporter.note(line)) : undefined,
  };
};
