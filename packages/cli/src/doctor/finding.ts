import { isDrayError, reasonOf } from "dray/errors";
import { messageOf } from "../failure.ts";

/** What is looked at, in this order. */
export const checks = [
  "proxy",
  "name",
  "address",
  "tls",
  "api",
  "clock",
  "limits",
  "challenge",
  "credentials",
  "token",
  "mirrors",
  "pull",
  "range",
  "referrers",
  "push",
  "mount",
  "delete",
] as const;

export type Check = (typeof checks)[number];

/** What one look has shown. */
export interface Finding {
  readonly check: Check;
  /** `skipped`: it was not looked at, and `said` says why. */
  readonly outcome: "ok" | "warning" | "failed" | "skipped";
  readonly said: string;
  /** What helps. */
  readonly remedy?: string | undefined;
}

/** Hears of findings as they are made. */
export type Tell = (finding: Finding) => Promise<void>;

/** A failure as a finding: its message says what helps, where that is known. A limit is one, whatever met it. */
export const failureAt = (check: Check, error: unknown, remedy?: string): Finding => {
  if (isDrayError(error, "RATE_LIMITED"))
    return { check: "limits", outcome: "failed", said: messageOf(error), remedy: undefined };
  const said = isDrayError(error) ? messageOf(error) : reasonOf(error);
  return { check, outcome: "failed", said, remedy };
};
