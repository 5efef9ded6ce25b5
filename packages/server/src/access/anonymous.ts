import type { Need, Principal } from "./access.ts";
import { repositoryPatterns } from "./patterns.ts";

/** What anybody may do without saying who they are: nothing but pull, from the repositories whose names match. */
export interface Anonymous {
  readonly principal: Principal;
  allows(need: Need): boolean;
}

export interface AnonymousOptions {
  /** Patterns over names of repositories, as `public/**`; see `repositoryPatterns`. Default none. */
  readonly anonymousPull?: readonly string[];
  /**
   * `true`: `/v2/` answers anybody. Default `false`: it asks for credentials, also where anybody may pull, since docker, podman and skopeo
   * send theirs only where they were asked for them there, and `docker login` has a password checked there. All clients but one pull
   * anonymously all the same; docker with its old image store gives up where it is asked for a password and has none. `true` is for a
   * registry that such clients pull from: no docker, podman or skopeo pushes to it any more.
   */
  readonly anonymousPing?: boolean;
}

export const anonymous = ({ anonymousPull = [], anonymousPing = false }: AnonymousOptions): Anonymous => {
  const matches = repositoryPatterns(anonymousPull);
  const principal: Principal = { name: "", may: (repository, action) => action === "pull" && matches(repository) };
  return {
    principal,
    allows: (need) => {
      if ("known" in need) return anonymousPing;
      return "repository" in need && need.actions.every((action) => principal.may(need.repository, action));
    },
  };
};
