import { availableParallelism } from "node:os";
import { ThreadPool } from "dray/internal/threads";
import { bcryptScript } from "./bcrypt.script.ts";
import { FairQueue } from "./fair-queue.ts";
import type { Question } from "./verification.ts";

/** Computes about passwords, elsewhere than here. */
export interface Verifier {
  /**
   * @param place from where it is asked: one that asks much waits behind those that ask little, and there a user at whom others guess
   * behind those at whom nobody does
   * @throws VerifierBusy where too many wait already
   */
  verify(question: Question, place: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Nobody's fault, and over soon. */
export class VerifierBusy extends Error {}

export interface VerifierOptions {
  /** Threads at most; each works on one password at a time. Default: one less than there are processors, 1 to 4. */
  readonly threads?: number;
  /** Passwords that wait at most. Default 1024. */
  readonly waiting?: number;
}

interface Asked {
  readonly question: Question;
  readonly place: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** There is no such user: whatever the password, the answer is known, and only its time is spent. */
const isNobody = ({ question }: Asked): boolean => question.hash === undefined;

/**
 * A bounded, fair queue before threads that start with the first password; each works on one at a time.
 *
 * Names that are nobody's stand in the queue like others, and are computed about like others while nobody waits behind them. Else
 * they take their turn and the time of the last refusal, but no thread: whoever makes names up keeps nobody from logging in, and does
 * not learn by the time who has an account.
 */
export const createVerifier = (options: VerifierOptions = {}): Verifier => {
  const { threads: most = Math.max(1, Math.min(4, availableParallelism() - 1)), waiting: longest = 1024 } = options;
  const pool = new ThreadPool<Question, boolean>({
    script: bcryptScript,
    inPlace: async () => {
      const { verify } = await import("./verification.ts");
      return () => verify;
    },
    most: () => most,
  });
  const running = new Set<Asked>();
  const queue = new FairQueue<Asked>(longest, ({ question }) => question.hash);
  /** Milliseconds that the last refusal took, and at what cost. */
  let refusal: { readonly cost: number; readonly took: number } | undefined;
  let closed = false;

  const begin = (asked: Asked): void => {
    running.add(asked);
    const begun = performance.now();
    const over = (): void => {
      running.delete(asked);
      next();
    };
    const failed = (error: Error): void => {
      asked.reject(error);
      over();
    };
    const answered = (right: boolean): void => {
      if (!right) {
        refusal = { cost: asked.question.cost, took: performance.now() - begun };
        queue.served(asked.place, asked);
      }
      asked.resolve(right);
      over();
    };
    const { thread, id } = pool.join({ answered, refused: failed, lost: failed });
    thread.ask(id, asked.question, true);
  };

  /** Says no when the thread would have. `false`: nobody knows yet how long that is. */
  const pretend = (asked: Asked): boolean => {
    if (refusal === undefined || refusal.cost !== asked.question.cost) return false;
    setTimeout(() => asked.resolve(false), refusal.took);
    return true;
  };

  const next = (): void => {
    while (running.size < most) {
      const turn = queue.next();
      if (turn === undefined) return;
      if (!isNobody(turn.item) || queue.size === 0 || !pretend(turn.item)) begin(turn.item);
    }
  };

  return {
    verify: (question, place) =>
      new Promise((resolve, reject) => {
        if (closed) throw new VerifierBusy("the program is stopping");
        const asked: Asked = { question, place, resolve, reject };
        if (running.size < most) return begin(asked);
        const left = queue.push(place, asked, isNobody);
        if (left === undefined || (isNobody(left) && pretend(left))) return;
        left.reject(new VerifierBusy("too many passwords wait to be verified"));
      }),
    close: async () => {
      closed = true;
      const stopping = new VerifierBusy("the program is stopping");
      for (const { reject } of [...queue.clear(), ...running]) reject(stopping);
      await pool.close();
    },
  };
};
