import type { Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";
import { entryOf, type Problem, repositoryNamed, type TagState, tagNamed, tagsOf } from "../state/index.ts";
import type { KnownImages, KnownRepository, KnownTag, LastError } from "./known.ts";

/**
 * What the file of a watch knows. Tags that no policy wants are named and never looked into.
 * @example const registry = knownRegistry(stateImages(file.statements));
 */
export const stateImages = (on: Statements): KnownImages => {
  const knownTag = ({ digest, problem, wanted }: TagState): KnownTag =>
    defined<KnownTag>({
      entry: digest === undefined ? undefined : entryOf(on, digest),
      lastError: problem && lastErrorOf(problem),
      unwanted: wanted ? undefined : true,
    });
  return {
    repository: async ({ text }) => {
      const state = repositoryNamed(on, text);
      if (state === undefined) return undefined;
      const tags = tagsOf(on, state.id).map((tag): [string, KnownTag] => [tag.tag, knownTag(tag)]);
      return defined<KnownRepository>({
        tags: new Map(tags),
        complete: state.missing.every(({ what }) => what !== "list"),
        lastUpdate: state.listed,
        lastError: state.problem && lastErrorOf(state.problem),
      });
    },
    tag: async ({ text }, name) => {
      const state = repositoryNamed(on, text);
      const tag = state && tagNamed(on, state.id, name);
      if (tag === undefined || tag.gone !== undefined) return undefined;
      const known = knownTag(tag);
      // Where the whole repository cannot be asked, none of its tags is sure.
      const lastError = known.lastError ?? (state?.problem && lastErrorOf(state.problem));
      return defined<KnownTag>({ ...known, lastError });
    },
  };
};

const lastErrorOf = ({ code, message, since, seen }: Problem): LastError => ({ code, message, since, seen });
