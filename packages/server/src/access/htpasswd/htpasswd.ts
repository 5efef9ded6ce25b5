import { challengeOf, credentialsOf, isHeaderText, WatchedFile, type WatchedOptions } from "@dray/service/identity";
import { DrayError } from "dray/errors";
import { errnoOf } from "dray/files";
import type { HttpRequest } from "dray/http";
import { type Anonymous, type AnonymousOptions, anonymous } from "../anonymous.ts";
import { forbidden, saidOf, unauthorised } from "../refusals.ts";
import type { Access, Need, Verdict } from "../types.ts";
import type { AttemptOptions } from "./attempts.ts";
import { type Entries, readEntries } from "./entries.ts";
import { Passwords } from "./passwords.ts";
import { createVerifier, type Verifier } from "./verifier.ts";

export interface HtpasswdOptions extends AnonymousOptions, WatchedOptions {
  /** Made by `htpasswd -B`; read again when it changes. */
  readonly file: string;
  /** What clients are told the passwords are for. Default `registry`. */
  readonly realm?: string;
  /** When wrong passwords are no longer tried; `false`: never. */
  readonly lockout?: Omit<AttemptOptions, "now"> | false;
  /** Milliseconds for which a right password is not computed again. Default 5 minutes. */
  readonly remember?: number;
  readonly verifier?: Verifier;
}

/**
 * Users and passwords in a file, bcrypt alone, as distribution's `auth.htpasswd`: who is in it may do everything.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read at the start, or an option makes no sense
 */
export const htpasswd = async (options: HtpasswdOptions): Promise<Access> => {
  const { file, realm = "registry", onNotice = () => {}, now = Date.now, verifier = createVerifier() } = options;
  if (!isHeaderText(realm)) throw new DrayError("CONFIG_INVALID", "the realm of the password file is no plain text");
  const anybody = anonymous(options);
  const users = await openFile(file, { ...options, onNotice });
  const passwords = new Passwords({ ...options, now, onNotice, verifier, entries: () => users.value });
  const challenge = challengeOf("Basic", [["realm", realm]]);

  const decide = (request: HttpRequest, need: Need): Verdict | Promise<Verdict> => {
    const credentials = credentialsOf(request);
    if (credentials.kind === "none") return withoutCredentials(anybody, need, challenge);
    if (credentials.kind !== "basic") return unauthorised("this registry takes a user name and a password", challenge);
    const verdict = passwords.check(credentials, request.peer, challenge);
    return verdict instanceof Promise ? verdict.then((known) => within(known, need)) : within(verdict, need);
  };

  return {
    authorise: (request, need) => {
      const fresh = users.fresh();
      return fresh === undefined ? decide(request, need) : fresh.then(() => decide(request, need));
    },
    reload: () => users.reload(),
    close: () => verifier.close(),
  };
};

const withoutCredentials = (anybody: Anonymous, need: Need, challenge: string): Verdict =>
  anybody.allows(need)
    ? { allowed: true, principal: anybody.principal }
    : unauthorised(`${saidOf(need)} needs a user name and a password`, challenge);

const within = (verdict: Verdict, need: Need): Verdict =>
  verdict.allowed && "nobody" in need ? forbidden("nobody is allowed this") : verdict;

const openFile = async (
  file: string,
  options: WatchedOptions & Required<Pick<WatchedOptions, "onNotice">>,
): Promise<WatchedFile<Entries>> => {
  try {
    return await WatchedFile.open(file, (bytes) => readEntries(bytes, file, options.onNotice), options);
  } catch (error) {
    const remedy =
      errnoOf(error instanceof Error ? error.cause : undefined) === "ENOENT"
        ? `; make it: htpasswd -cB ${file} USER`
        : "";
    const why = error instanceof Error ? error.message : String(error);
    throw new DrayError("CONFIG_INVALID", `the password file cannot be used: ${why}${remedy}`, { cause: error });
  }
};
