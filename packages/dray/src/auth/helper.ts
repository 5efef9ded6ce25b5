import { SingleFlight } from "../async/index.ts";
import { DrayError, printable } from "../errors.ts";
import { describeCredential, tokenExpiry } from "./credential.ts";
import { type HelperRun, runHelper } from "./helper-process.ts";
import { dockerKey } from "./server.ts";
import type { Credential, KeychainOptions } from "./types.ts";

/** How credential helpers are found, how long they may take, and who hears of one that fails. */
export interface HelperOptions {
  /** Where `PATH` is read from and what helpers see. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until a helper is given up and killed. Default 30,000. */
  readonly helperTimeout?: number | undefined;
  /** Hears of a helper that is missing, fails or hangs: once for each helper. */
  readonly onWarning?: (message: string) => void;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

export interface CredentialHelpers {
  /** What a helper has for a host; `undefined` also where it is missing, fails or hangs. `from`: who named the helper. */
  get(
    name: string,
    host: string,
    options: KeychainOptions & { readonly from: string },
  ): Promise<Credential | undefined>;
}

/** The user name that marks a secret as an identity token. */
const tokenUser = "<token>";
/**
 * A helper that failed or had nothing may do better later, but a copy of a thousand images must not wait for it a
 * thousand times. Milliseconds.
 */
const emptyHandedFor = 60_000;

interface Answer {
  readonly credential: Credential | undefined;
  readonly said: string;
  readonly failed?: boolean | undefined;
}

/** Asks helpers, each once for each host until `fresh` is wanted, and warns once of one that does not work. */
export const credentialHelpers = (options: HelperOptions): CredentialHelpers => {
  const { env = process.env, helperTimeout = 30_000, onWarning, now = Date.now } = options;
  const answers = new Map<string, Answer & { readonly at: number }>();
  const warned = new Set<string>();
  const flights = new SingleFlight<Answer>();

  const ask = async (name: string, host: string, from: string, signal: AbortSignal): Promise<Answer> => {
    const program = `docker-credential-${name}`;
    const run = await runGet(name, host, { env, timeout: helperTimeout, signal });
    const read = "fault" in run ? run : readAnswer(run, program, from);
    if (!("fault" in read)) return read;
    if (!warned.has(name)) {
      warned.add(name);
      onWarning?.(
        printable(`${program} (${from}) ${read.fault}; going on without its credentials for ${host}: ${read.remedy}`),
      );
    }
    return { credential: undefined, said: read.fault, failed: true };
  };

  return {
    get: async (name, host, { from, fresh = false, signal, onTried }) => {
      const key = `${name}\n${host}`;
      let answer = answers.get(key);
      if (answer === undefined || isOver(answer, fresh, now())) {
        answer = { ...(await flights.run(key, (flight) => ask(name, host, from, flight.signal), signal)), at: now() };
        answers.set(key, answer);
      }
      onTried?.(answer.credential?.source ?? `docker-credential-${name} (${from})`, answer.said);
      return answer.credential;
    },
  };
};

/** `fresh` asks again, but not a helper that has just failed: it may take its whole time limit to do so. */
const isOver = ({ credential, failed, at }: Answer & { at: number }, fresh: boolean, now: number): boolean =>
  (fresh && !failed) || (credential === undefined && now - at >= emptyHandedFor);

interface Fault {
  /** Reads on after the helper's name: `is not in PATH`. */
  readonly fault: string;
  readonly remedy: string;
}

const runGet = async (
  name: string,
  host: string,
  options: { env: Readonly<Record<string, string | undefined>>; timeout: number; signal: AbortSignal },
): Promise<HelperRun | Fault> => {
  if (!isHelperName(name)) return { fault: "has a name that is none", remedy: "letters, digits, . _ - are allowed" };
  return runHelper(name, "get", dockerKey(host), options);
};

/** A name becomes part of a program's: no path, nothing a shell would care about. */
const isHelperName = (name: string): boolean => /^[A-Za-z0-9_.-]+$/.test(name);

const readAnswer = (run: HelperRun, program: string, from: string): Answer | Fault => {
  if (run.outcome !== "exited" || run.status !== 0) {
    if (run.outcome === "exited" && saysNotFound(run.stdout)) return { credential: undefined, said: "has none" };
    return runFault(run);
  }
  const garbage = { fault: "printed something that is no credential", remedy: "try it by hand, or update it" };
  let value: unknown;
  try {
    value = JSON.parse(run.stdout);
  } catch {
    return garbage;
  }
  if (typeof value !== "object" || value === null) return garbage;
  // Helpers written in Go may use any case: its decoder does not mind.
  const members = new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member as unknown]));
  const [username = "", secret] = [members.get("username"), members.get("secret")];
  if (typeof username !== "string" || typeof secret !== "string") return garbage;
  if (secret === "") return { credential: undefined, said: "has none" };
  const source = `${program} (${from})`;
  const expiresAt = username === tokenUser ? tokenExpiry(secret) : undefined;
  const credential: Credential =
    username === tokenUser
      ? { identityToken: secret, ...(expiresAt === undefined ? {} : { expiresAt }), source }
      : { username, password: secret, source };
  return { credential, said: describeCredential(credential) };
};

/** The protocol's own words for "nothing here", which come with a status other than 0. */
const saysNotFound = (text: string): boolean =>
  /credentials not found|no credentials server url|no credentials username/i.test(text);

const runFault = (run: HelperRun): Fault => {
  switch (run.outcome) {
    case "missing":
      return { fault: "is not in PATH", remedy: "install it, or take it out of the configuration" };
    case "hung":
      return { fault: "did not answer in time and was stopped", remedy: "try it by hand; it may wait for a prompt" };
    case "failed":
      return { fault: `does not work: ${run.reason}`, remedy: "try it by hand" };
    case "exited": {
      const words = firstLine(run.stdout) || firstLine(run.stderr);
      return {
        fault: `failed with status ${run.status}${words === "" ? "" : ` (${words})`}`,
        remedy: "try it by hand",
      };
    }
  }
};

/** What a failed helper says for people. JSON may hold a secret, whatever the status. */
const firstLine = (text: string): string => {
  const line = text.trim().split("\n")[0]?.trim() ?? "";
  return text.includes("{") ? "" : line.slice(0, 200);
};

/**
 * Lets a helper keep (`store`) or forget (`erase`) the credential of a host.
 * @throws DrayError `CONFIG_INVALID` if the helper is missing, fails or hangs: a secret is never written elsewhere instead.
 */
export const tellHelper = async (
  name: string,
  verb: "store" | "erase",
  host: string,
  credential: Credential | undefined,
  options: HelperOptions & { readonly from: string; readonly signal?: AbortSignal | undefined },
): Promise<void> => {
  const { env = process.env, helperTimeout = 30_000, from, signal } = options;
  const fail = ({ fault, remedy }: Fault): DrayError =>
    new DrayError("CONFIG_INVALID", `docker-credential-${name} (${from}) ${fault}; ${remedy}`, { registry: host });
  if (!isHelperName(name))
    throw fail({ fault: "has a name that is none", remedy: "letters, digits, . _ - are allowed" });
  const run = await runHelper(name, verb, storeInput(host, credential), { env, timeout: helperTimeout, signal });
  if (run.outcome === "exited" && run.status === 0) return;
  if (verb === "erase" && run.outcome === "exited" && saysNotFound(run.stdout)) return;
  throw fail(runFault(run));
};

const storeInput = (host: string, credential: Credential | undefined): string => {
  if (credential === undefined) return dockerKey(host);
  const { username = "", password = "", identityToken } = credential;
  const pair = identityToken
    ? { Username: tokenUser, Secret: identityToken }
    : { Username: username, Secret: password };
  return JSON.stringify({ ServerURL: dockerKey(host), ...pair });
};
