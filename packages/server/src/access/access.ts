import type { HttpRequest } from "dray/http";

export type Action = "pull" | "push" | "delete";

/** What a request is about to do. */
export type Need =
  | {
      readonly repository: string;
      readonly actions: readonly Action[];
      /** Where a mount would come from. Not needed, but asked for with the rest: without it the mount becomes an upload. */
      readonly from?: string;
    }
  /** The list of all repositories. */
  | { readonly catalog: true }
  /** Only a known user. */
  | { readonly known: true }
  /** Nothing that anybody was ever given: what the table of needs does not list. */
  | { readonly nobody: true };

/** Who asks. */
export interface Principal {
  /** Stable and unique, for logs and to bind uploads to who began them; `""` for anybody. */
  readonly name: string;
  /** Whether they may do this too: what the catalog shows, where a mount may come from. */
  may(repository: string, action: Action): boolean;
}

export type Verdict =
  | { readonly allowed: true; readonly principal: Principal }
  | {
      readonly allowed: false;
      /** 401: not known, or a token that says too little. 403: known, and not allowed. 429: too many wrong passwords. 503: cannot be told now. */
      readonly status: 401 | 403 | 429 | 503;
      readonly message: string;
      /** `WWW-Authenticate`, `Retry-After`. */
      readonly headers?: Readonly<Record<string, string>>;
    };

/**
 * The one place that allows: asked once for every request of the API, before storage is touched. Synchronous where the answer is
 * known already.
 */
export interface Access {
  authorise(request: HttpRequest, need: Need): Verdict | Promise<Verdict>;
  /** How often somebody was locked out since the start, where that is done. */
  lockouts?(): number;
  /** Reads files it was configured with again. */
  reload?(): Promise<void>;
  close?(): Promise<void>;
}

const anybody: Principal = { name: "", may: () => true };
const allowed: Verdict = { allowed: true, principal: anybody };

/** Anybody may do anything: for a registry that only those can reach who may. */
export const openAccess = (): Access => ({ authorise: () => allowed });

export const forbidden = (message: string): Verdict => ({ allowed: false, status: 403, message });

const words: Readonly<Record<Action, string>> = { pull: "pulling from", push: "pushing to", delete: "deleting in" };

/** A need in words: `pushing to team/app`. */
export const saidOf = (need: Need): string => {
  if ("repository" in need) return `${words[need.actions.at(-1) ?? "pull"]} ${need.repository}`;
  return "catalog" in need ? "listing all repositories" : "this";
};
