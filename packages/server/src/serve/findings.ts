import type { Remark } from "@dray/service/config";

/** What a look at this machine finds. */
export interface Findings {
  /** Nothing would start with these. */
  readonly complaints: Remark[];
  readonly warnings: Remark[];
}

export type Tell = (kind: keyof Findings, key: string, error: unknown) => void;
