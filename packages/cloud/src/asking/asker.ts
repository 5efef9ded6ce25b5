import { type Credential, describeCredential, type KeychainOptions } from "dray/auth";
import { DrayError, throwIfAborted } from "dray/errors";
import { LruCache, SingleFlight, unlessAborted } from "dray/internal/async";
import { refuseNumber } from "dray/internal/numbers";
import { faultIn } from "./fault.ts";

/** How clouds are asked. */
export interface CloudOptions {
  /** Milliseconds until a cloud is given up. Default 15,000. */
  readonly timeout?: number | undefined;
  /** Hears, once for each account, of one that is set up and does not answer as it should. Never a secret. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** The time in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** What a cloud says: a credential, or that nobody is logged in to it here. What goes wrong is thrown. */
export type Answer = Credential | { readonly none: string };

/** What is asked, of which account. */
export interface Question {
  /** Equal for registries that the same credential is for. */
  readonly account: string;
  /** What is asked, for people: `ecr (account 123456789012 in eu-west-1)`. */
  readonly source: string;
  /** The registry that it is asked for, for people. */
  readonly registry: string;
  /** `true`: without a credential this registry says nothing at all, so people hear that there is none. */
  readonly needed?: boolean | undefined;
}

/** Asks one cloud. */
export type Asker = (
  question: Question,
  work: (signal: AbortSignal) => Promise<Answer>,
  asked: KeychainOptions | undefined,
) => Promise<Credential | undefined>;

interface Known {
  readonly credential: Credential | undefined;
  readonly said: string;
  readonly at: number;
  /** When it is asked for anew. */
  readonly until: number;
}

/** Milliseconds for which an account that has failed or had nothing is left alone: a copy of a thousand images must not wait a thousand times. */
const leftAlone = 60_000;
/** Milliseconds for which what was given is not asked for again, whoever refuses it. */
const youngest = 10_000;
/** Accounts remembered at most: names of images say which there are. */
const mostAccounts = 1000;
/** Milliseconds before its end at which a credential is renewed. */
const margin = 5 * 60_000;

/**
 * Asks a cloud's accounts, each by itself: one that fails takes nothing from the others, and is said once. An answer is kept until shortly
 * before its end. Where it cannot be renewed then, what is left of it is used.
 */
export const asker = ({ timeout = 15_000, onWarning, now = Date.now }: CloudOptions = {}): Asker => {
  refuseNumber("timeout", timeout, { fractions: true });
  const answers = new LruCache<string, Known>(mostAccounts);
  const flights = new SingleFlight<Known>();
  const warned = new Map<string, string>();

  const warn = ({ account, source, registry }: Question, fault: string, consequence: string): void => {
    if (warned.get(account) === fault) return;
    warned.set(account, fault);
    onWarning?.(`${source}: ${fault}; ${consequence} for ${registry}`);
  };

  const ask = async (
    question: Question,
    work: (signal: AbortSignal) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Known> => {
    const at = now();
    const nothing = (said: string): Known => ({ credential: undefined, said, at, until: now() + leftAlone });
    try {
      const answer = await within(timeout, signal, work);
      if ("none" in answer) {
        if (question.needed) warn(question, answer.none, "going on without credentials");
        return nothing(answer.none);
      }
      const { said, until } = lifeOf(answer, at);
      if (said === "") warned.delete(question.account);
      else warn(question, `what it gave ${said}`, "it is used all the same");
      // Clouds' registries speak https alone; whoever answers by such a name over plain http is none.
      return {
        credential: { ...answer, secureOnly: true },
        said: `${describeCredential(answer)}${said && `, which ${said}`}`,
        at,
        until,
      };
    } catch (error) {
      throwIfAborted(signal);
      const fault = faultIn(error);
      const before = answers.get(question.account);
      const left = before?.credential?.expiresAt;
      if (before?.credential !== undefined && (left === undefined || left.getTime() > now())) {
        warn(question, fault, "going on with the credentials from before");
        return { ...before, at, until: now() + leftAlone };
      }
      warn(question, fault, "going on without its credentials");
      return nothing(fault);
    }
  };

  return async (question, work, { signal, fresh = false, onTried } = {}) => {
    let known = answers.get(question.account);
    if (known === undefined || isOver(known, fresh, now())) {
      known = await flights.run(question.account, (flight) => ask(question, work, flight.signal), signal);
      answers.set(question.account, known);
    }
    onTried?.(known.credential?.source ?? question.source, known.said);
    return known.credential;
  };
};

/** Also where the clock was set back: what was reckoned by the wrong one holds for nothing. */
const isOver = ({ credential, at, until }: Known, fresh: boolean, now: number): boolean =>
  now >= until || now < at || (fresh && credential !== undefined && now - at >= youngest);

/** How long a credential is kept, and what is odd about that. */
const lifeOf = ({ expiresAt }: Credential, at: number): { readonly said: string; readonly until: number } => {
  if (expiresAt === undefined) return { said: "", until: Number.POSITIVE_INFINITY };
  const life = expiresAt.getTime() - at;
  // One that a service gives is most likely good; a clock here is more often wrong.
  if (!(life > 0))
    return { said: "has ended already, by the clock of this machine: check that", until: at + leftAlone };
  return { said: "", until: at + Math.max(life - Math.min(margin, life * 0.2), youngest) };
};

/** Gives work a time limit, also work that does not listen to its signal. */
export const within = async <T>(
  timeout: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeout);
  const either = AbortSignal.any([signal, late.signal]);
  try {
    return await unlessAborted(work(either), either);
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    throw new DrayError("TIMEOUT", `did not answer within ${timeout / 1000} s and was given up`);
  } finally {
    clearTimeout(timer);
  }
};
