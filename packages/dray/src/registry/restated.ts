import { DrayError, type ErrorCode, type ErrorFacts } from "../errors.ts";

/** The same facts under another code, in other words: for those who know more of what was tried than the status tells. */
export const restated = (
  error: DrayError,
  code: ErrorCode,
  message: string,
  { retryable = error.retryable }: Pick<ErrorFacts, "retryable"> = {},
): DrayError => {
  const { status, registry, reference, retryAfter, registryCode, remedy, host } = error;
  return new DrayError(code, message, {
    retryable,
    cause: error,
    ...(status === undefined ? {} : { status }),
    ...(registry === undefined ? {} : { registry }),
    ...(reference === undefined ? {} : { reference }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(registryCode === undefined ? {} : { registryCode }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(host === undefined ? {} : { host }),
  });
};
