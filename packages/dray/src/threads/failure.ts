import { DrayError, type ErrorCode, exitCodes } from "../errors.ts";

/** An error as it travels between threads, which keep neither its class nor its code. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
}

export const failureOf = (error: unknown): Failure => ({
  message: error instanceof Error ? error.message : String(error),
  code: (error as NodeJS.ErrnoException).code,
});

/** The error again, where somebody waits for it: a `DrayError` where it was one. */
export const errorOf = ({ message, code }: Failure): Error => {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  if (code === undefined || !Object.hasOwn(exitCodes, code)) return error;
  return new DrayError(code as ErrorCode, message, { cause: error });
};
