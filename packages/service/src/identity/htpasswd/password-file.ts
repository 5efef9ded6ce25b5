import { DrayError, reasonOf } from "dray/errors";
import { errnoOf } from "dray/internal/files";
import type { Authenticated } from "../authenticated.ts";
import { challengeOf, isHeaderText } from "../challenge.ts";
import { WatchedFile, type WatchedOptions } from "../watched-file.ts";
import type { AttemptOptions } from "./attempts.ts";
import { type Entries, readEntries } from "./entries.ts";
import { type Basic, Passwords } from "./passwords.ts";
import { createVerifier, type Verifier } from "./verifier.ts";

export interface PasswordFileOptions extends WatchedOptions {
  /** Made by `htpasswd -B`; read again when it changes. */
  readonly file: string;
  /** What clients are told the passwords are for. */
  readonly realm: string;
  /** When wrong passwords are no longer tried; `false`: never. */
  readonly lockout?: Omit<AttemptOptions, "now"> | false;
  /** Milliseconds for which a right password is not computed again. Default 5 minutes. */
  readonly remember?: number;
  readonly verifier?: Verifier;
}

/** Users and passwords in a file. */
export interface PasswordFile {
  /** What a client is asked with that brings no credentials: `WWW-Authenticate`. */
  readonly challenge: string;
  /** Whether a password is right, from where it is asked; at once where that is known already. */
  readonly authenticate: (credentials: Basic, peer: string | undefined) => Authenticated | Promise<Authenticated>;
  /** How often somebody was locked out since the start. */
  readonly lockouts: () => number;
  /** Reads the file again. Wrong passwords are counted anew: whoever was locked out may try. */
  readonly reload: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Users and passwords in a file, hashed by bcrypt.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read at the start, or an option makes no sense
 */
export const openPasswordFile = async (options: PasswordFileOptions): Promise<PasswordFile> => {
  const { file, realm, onNotice = () => {}, now = () => performance.now(), verifier = createVerifier() } = options;
  if (!isHeaderText(realm)) throw new DrayError("CONFIG_INVALID", "the realm of the password file is no plain text");
  const users = await openFile(file, { ...options, onNotice });
  const challenge = challengeOf("Basic", [["realm", realm]]);
  const passwords = new Passwords({ ...options, challenge, now, onNotice, verifier, entries: () => users.value });
  return {
    challenge,
    authenticate: (credentials, peer) => {
      const fresh = users.fresh();
      return fresh === undefined
        ? passwords.check(credentials, peer)
        : fresh.then(() => passwords.check(credentials, peer));
    },
    lockouts: () => passwords.lockouts,
    reload: async () => {
      await users.reload();
      passwords.unlock();
    },
    close: () => verifier.close(),
  };
};

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
    const why = reasonOf(error);
    throw new DrayError("CONFIG_INVALID", `the password file cannot be used: ${why}${remedy}`, { cause: error });
  }
};
