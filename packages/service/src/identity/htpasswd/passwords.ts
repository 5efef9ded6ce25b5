import { createHmac, randomBytes } from "node:crypto";
import { reasonOf } from "dray/errors";
import { LruCache, SingleFlight } from "dray/internal/async";
import type { Notice } from "../../observe/index.ts";
import { addressOf } from "../address.ts";
import { type Authenticated, later, unauthorised } from "../authenticated.ts";
import { type AttemptOptions, Attempts } from "./attempts.ts";
import type { Entries } from "./entries.ts";
import { type Verifier, VerifierBusy } from "./verifier.ts";

export interface PasswordsOptions {
  readonly entries: () => Entries;
  /** What whoever is wrong is asked with again. */
  readonly challenge: string;
  readonly verifier: Verifier;
  readonly lockout?: Omit<AttemptOptions, "now"> | false;
  readonly remember?: number;
  readonly now: () => number;
  readonly onNotice: (notice: Notice) => void;
}

/** What a client brought. */
export interface Basic {
  readonly user: string;
  readonly password: string;
}

interface Asked {
  readonly credentials: Basic;
  readonly peer: string | undefined;
  /** Where they ask from. */
  readonly address: string;
  /** The user and where they ask from. */
  readonly place: string;
  /** The user, the password and the hash. */
  readonly key: string;
  readonly hash: string | undefined;
}

const wrong = "wrong user name or password";
/** Some 10,000 users. */
const memory = 2 * 1024 * 1024;
const bytesOfOne = 250;

/** Right passwords are remembered, wrong ones are counted, and what is asked for by many at once is computed once. */
export class Passwords {
  readonly #options: PasswordsOptions;
  readonly #remember: number;
  #attempts: { readonly users: Attempts; readonly nobody: Attempts } | undefined;
  readonly #right = new LruCache<string, { readonly until: number; readonly answer: Authenticated }>(memory);
  /** From where each was right. */
  readonly #places = new LruCache<string, true>(memory);
  readonly #running = new SingleFlight<boolean>();
  #lockouts = 0;
  /** What is kept of a password is of no use outside of this process. */
  readonly #secret = randomBytes(32);

  constructor(options: PasswordsOptions) {
    this.#options = options;
    this.#remember = options.remember ?? 5 * 60_000;
    this.unlock();
  }

  /** Nobody is locked out any more. */
  unlock(): void {
    const { lockout, now } = this.#options;
    // Apart, so that no flood of names that somebody makes up lets the guesses at a user be forgotten.
    const counted = (): Attempts => new Attempts({ ...(lockout === false ? {} : lockout), now });
    this.#attempts = lockout === false ? undefined : { users: counted(), nobody: counted() };
  }

  /** Users, from one place each, who were locked out since the start. */
  get lockouts(): number {
    return this.#lockouts;
  }

  check(credentials: Basic, peer: string | undefined): Authenticated | Promise<Authenticated> {
    const { entries, now } = this.#options;
    const { user, password } = credentials;
    const address = addressOf(peer);
    const place = this.#keyOf("place", user, address);
    // The hash is part of the name: a user who is changed or gone in the file is not remembered from that moment on.
    const hash = entries().hashes.get(user);
    const key = this.#keyOf("password", user, password, hash ?? "");
    const known = this.#right.get(key);
    const answer = known !== undefined && known.until > now() ? known.answer : undefined;
    const locked = this.#countedFor(hash)?.locked(place) ?? 0;
    if (locked === 0) {
      if (answer === undefined) return this.#compute({ credentials, peer, address, place, key, hash });
      this.#places.set(`${place} ${key}`, true, bytesOfOne);
      return answer;
    }
    // Many share an address behind a proxy: who logged in from there goes on, whatever others guess there, and for as long as they do.
    // Whoever guesses elsewhere must not learn by it, however fast, that somebody logged in with the guess.
    if (answer === undefined || this.#places.get(`${place} ${key}`) === undefined)
      return later(429, "too many wrong passwords; try again later", locked / 1000);
    this.#remind(key, answer);
    return answer;
  }

  #remind(key: string, answer: Authenticated): void {
    this.#right.set(key, { until: this.#options.now() + this.#remember, answer }, bytesOfOne);
  }

  #countedFor(hash: string | undefined): Attempts | undefined {
    return hash === undefined ? this.#attempts?.nobody : this.#attempts?.users;
  }

  async #compute(asked: Asked): Promise<Authenticated> {
    const { credentials, peer, place, key, hash } = asked;
    const { challenge, entries, onNotice } = this.#options;
    try {
      const right = await this.#shared(asked);
      // The file changed meanwhile: it is another question now.
      if (entries().hashes.get(credentials.user) !== hash) return await this.check(credentials, peer);
      if (!right) return unauthorised(wrong, challenge);
      const answer: Authenticated = { allowed: true, user: credentials.user };
      this.#remind(key, answer);
      this.#places.set(`${place} ${key}`, true, bytesOfOne);
      return answer;
    } catch (error) {
      if (!(error instanceof VerifierBusy))
        onNotice({ level: "error", message: `a password could not be verified: ${reasonOf(error)}` });
      return later(503, "passwords cannot be verified at the moment; try again soon", 5);
    }
  }

  /** Whoever asks the same from the same place while it is computed waits for the same answer, and is counted once. */
  #shared({ credentials: { user, password }, peer, address, place, key, hash }: Asked): Promise<boolean> {
    return this.#running.run(`${place} ${key}`, async () => {
      const question = { password, cost: this.#options.entries().cost, ...(hash === undefined ? {} : { hash }) };
      const attempts = this.#countedFor(hash);
      attempts?.begin(place);
      let right: boolean;
      try {
        right = await this.#options.verifier.verify(question, address);
      } catch (error) {
        attempts?.undone(place);
        throw error;
      }
      if (right) attempts?.right(place);
      else if (attempts?.wrong(place) === true) this.#warn(hash === undefined ? undefined : user, peer);
      return right;
    });
  }

  /** Names that are nobody's are not told: people type passwords there. */
  #warn(user: string | undefined, peer: string | undefined): void {
    this.#lockouts++;
    const who = user === undefined ? "somebody without an account" : JSON.stringify(user);
    this.#options.onNotice({
      level: "warn",
      message: `too many wrong passwords for ${who} from ${addressOf(peer) || "an unknown address"}; locked out from there for a while`,
    });
  }

  /** No part may hold a zero: credentials with one are refused before. */
  #keyOf(...parts: readonly string[]): string {
    return createHmac("sha256", this.#secret).update(parts.join("\0")).digest("base64");
  }
}
