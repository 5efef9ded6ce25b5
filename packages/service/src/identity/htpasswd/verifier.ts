import { availableParallelism } from "node:os";
import { ThreadPool } from "dray/internal/threads";
import { bcryptScript } from "./bcrypt.script.ts";
import type { Question } from "./verification.ts";

/** Computes about passwords, elsewhere than here. */
export interface Verifier {
  /** @throws VerifierBusy where too many wait already */
  verify(question: Question): Promise<boolean>;
  close(): Promise<void>;
}

/** Nobody's fault, and over soon. */
export class VerifierBusy extends Error {}

export interface VerifierOptions {
  /** Threads at most; each works on one password at a time. Default: one less than there are processors, 1 to 4. */
  readonly threads?: number;
  /** Passwords that wait at most. Default 64. */
  readonly waiting?: number;
}

interface Asked {
  readonly question: Question;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** A bounded queue before threads that start with the first password; each works on one at a time. */
export const createVerifier = (options: VerifierOptions = {}): Verifier => {
  const { threads: most = Math.max(1, Math.min(4, availableParallelism() - 1)), waiting: longest = 64 } = options;
  const pool = new ThreadPool<Question, boolean>({
    script: bcryptScript,
    inPlace: async () => {
      const { verify } = await import("./verification.ts");
      return () => verify;
    },
    most: () => most,
  });
  const running = new Set<Asked>();
  const waiting: Asked[] = [];
  let closed = false;

  const begin = (asked: Asked): void => {
    running.add(asked);
    const over = (): void => {
      running.delete(asked);
      const next = closed ? undefined : waiting.shift();
      if (next !== undefined) begin(next);
    };
    const failed = (error: Error): void => {
      asked.reject(error);
      over();
    };
    const answered = (right: boolean): void => {
      asked.resolve(right);
      over();
    };
    const { thread, id } = pool.join({ answered, refused: failed, lost: failed });
    thread.ask(id, asked.question, true);
  };

  return {
    verify: (question) =>
      new Promise((resolve, reject) => {
        if (closed) throw new VerifierBusy("the program is stopping");
        const asked: Asked = { question, resolve, reject };
        if (running.size < most) begin(asked);
        else if (waiting.length < longest) waiting.push(asked);
        else throw new VerifierBusy("too many passwords wait to be verified");
      }),
    close: async () => {
      closed = true;
      const stopping = new VerifierBusy("the program is stopping");
      for (const { reject } of [...waiting.splice(0), ...running]) reject(stopping);
      await pool.close();
    },
  };
};
