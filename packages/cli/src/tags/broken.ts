import { type DrayError, isDrayError } from "dray/errors";

/** Whether an error is about one image, whatever is with the others: they can be looked at all the same. */
export const isBroken = (error: unknown): error is DrayError =>
  isDrayError(
    error,
    "NOT_FOUND",
    "MANIFEST_INVALID",
    "UNSUPPORTED",
    "DIGEST_MISMATCH",
    "SIZE_MISMATCH",
    "LIMIT_EXCEEDED",
  );
