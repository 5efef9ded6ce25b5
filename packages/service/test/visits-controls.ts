import type { ControlFormat } from "../src/control/index.ts";

/** What the operator of `visits.ts` may ask. */
export interface Controls {
  forget: {
    readonly options: { readonly under?: number };
    readonly progress: { readonly user: string };
    readonly result: { readonly gone: number };
  };
}

export const controls: ControlFormat<Controls> = {
  program: "the counter",
  words: { forget: { options: { under: "number" } } },
};
