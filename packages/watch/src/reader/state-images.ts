import type { Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";
import { formatReference } from "dray/oci";
import { imageOf, type Repository } from "../repository.ts";
import { entryOf, type Problem, repositoryNamed, type TagState, tagNamed, tagsOf } from "../state/index.ts";
import type { KnownImages, KnownRepository, KnownTag, LastError } from "./known.ts";

/**
 * What the file of a watch knows. Of a tag whose manifest nobody has read there is the digest alone; one that no policy wants is named and never
 * looked at.
 * @example const registry = knownRegistry(stateImages(file.statements));
 */
export const stateImages = (on: Statements): KnownImages => {
  const knownTag = (repository: Repository, { tag, digest, problem, wanted }: TagState): KnownTag =>
    defined<KnownTag>({
      entry: digest && (entryOf(on, digest) ?? { info: { id: formatReference(imageOf(repository, tag)), digest } }),
      lastError: problem && lastErrorOf(problem),
      unwanted: wanted ? undefined : true,
    });
  return {
    repository: async (repository) => {
      const state = repositoryNamed(on, repository.text);
      if (state === undefined) return undefined;
      const tags = tagsOf(on, state.id).map((tag): [string, KnownTag] => [tag.tag, knownTag(repository, tag)]);
      return defined<KnownRepository>({
        tags: new Map(tags),
        complete: state.missing.every(({ what }) => what !== "list"),
        lastUpdate: state.listed,
        lastError: state.problem && lastErrorOf(state.problem),
      });
    },
    tag: async (repository, name) => {
      const state = repositoryNamed(on, repository.text);
      const tag = state && tagNamed(on, state.id, name);
      if (tag === undefined || tag.gone !== undefined) return undefined;
      const known = knownTag(repository, tag);
      // Where the whole repository cannot be asked, none of its tags is sure.
      const lastError = known.lastError ?? (state?.problem && lastErrorOf(state.problem));
      return defined<KnownTag>({ ...known, lastError });
    },
  };
};

const lastErrorOf = ({ code, message, since, seen }: Problem): LastError => ({ code, message, since, seen });
