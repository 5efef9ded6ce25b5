import { chooseTag, explain, type ImageFacts, newerThan, type Policy, stepOf, type Verdict } from "@dray/policy";
import { HttpError } from "@dray/service/response";
import { defined } from "dray/internal/defined";
import { parseReference } from "dray/oci";
import type { WatchFile } from "../file/index.ts";
import { knownFacts } from "../ledger/index.ts";
import { parseRepository } from "../repository.ts";
import {
  allRepositories,
  countTags,
  historyOf,
  type RepositoryState,
  repositoryNamed,
  type TagState,
  tagNamed,
  tagsOf,
} from "../state/index.ts";
import { invalid } from "./query.ts";

const timeOf = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

/** The canonical name of a repository as a caller wrote it. */
export const canonicalName = (text: string): string => {
  try {
    return parseRepository(text).text;
  } catch (error) {
    throw invalid((error as Error).message);
  }
};

const problemOf = ({ problem }: Pick<RepositoryState | TagState, "problem">): object | undefined =>
  problem && { code: problem.code, message: problem.message, since: timeOf(problem.since), seen: timeOf(problem.seen) };

const repositoryAnswer = (file: WatchFile, state: RepositoryState): object =>
  defined({
    name: state.name,
    added: timeOf(state.added),
    looked: timeOf(state.looked),
    listed: timeOf(state.listed),
    due: timeOf(state.due),
    complete: state.missing.length === 0,
    missing: state.missing,
    problem: problemOf(state),
    ...countTags(file.statements, state.id),
  });

/** A page of repositories, by name. */
export const repositoriesAnswer = (
  file: WatchFile,
  { after, limit }: { after?: string | undefined; limit: number },
): object => {
  const all = allRepositories(file.statements).filter(({ name }) => after === undefined || name > after);
  const page = all.slice(0, limit).map((state) => repositoryAnswer(file, state));
  return { repositories: page, ...(all.length > limit ? { next: all[limit - 1]?.name } : {}) };
};

/** A repository of which something is known; a reader never waits for a registry. */
export const knownRepository = (file: WatchFile, name: string, now: number): RepositoryState => {
  const state = repositoryNamed(file.statements, canonicalName(name));
  if (state === undefined) throw new HttpError(404, "NOT_FOUND", `${name} is not watched`);
  if (state.listed !== undefined) return state;
  const { problem } = state;
  const last = problem === undefined ? "it has not been looked at" : `the last error: ${problem.message}`;
  const detail = problem && {
    code: problem.code,
    message: problem.message,
    age: Math.round((now - problem.since) / 1000),
  };
  throw new HttpError(503, "NO_IMAGE_DATA", `nothing is known of ${name} yet; ${last}`, { detail });
};

const tagAnswer = (file: WatchFile, repository: string, tag: TagState, now: number): object => {
  const { released, entry } = knownFacts(file.statements, repository, tag, now);
  const { info, excluded } = entry ?? {};
  return defined({
    tag: tag.tag,
    digest: tag.digest,
    since: timeOf(tag.since),
    firstSeen: timeOf(tag.firstSeen),
    gone: timeOf(tag.gone),
    released,
    platforms: info?.platforms?.map(({ platform }) => platform),
    excluded: excluded && { reason: excluded.reason, message: excluded.message },
    wanted: tag.wanted ? undefined : false,
    problem: problemOf(tag),
  });
};

/** A repository with a page of its tags, or one tag with what it named before. */
export const imageAnswer = (
  file: WatchFile,
  name: string,
  { after, limit, gone, now }: { after?: string | undefined; limit: number; gone: boolean; now: number },
): object => {
  const { repository, tag } = referenceOf(name);
  const state = knownRepository(file, repository, now);
  if (tag !== undefined) {
    const found = tagNamed(file.statements, state.id, tag);
    if (found === undefined) throw new HttpError(404, "NOT_FOUND", `${repository} has no tag ${tag}`);
    const before = historyOf(file.statements, state.id, tag);
    const history = before.map(({ digest, since, until }) => ({ digest, since: timeOf(since), until: timeOf(until) }));
    return { repository: state.name, ...tagAnswer(file, state.name, found, now), history };
  }
  const all = tagsOf(file.statements, state.id, { gone, after, limit: limit + 1 });
  const next = all.length > limit ? { next: all[limit - 1]?.tag } : {};
  return {
    ...repositoryAnswer(file, state),
    tagsPage: all.slice(0, limit).map((tag) => tagAnswer(file, state.name, tag, now)),
    ...next,
  };
};

const referenceOf = (name: string): { readonly repository: string; readonly tag?: string } => {
  try {
    const { registry, repository, tag, digest } = parseReference(name);
    if (digest !== undefined) throw new Error("a digest names one image for ever; ask for a tag");
    return { repository: `${registry}/${repository}`, ...(tag === undefined || !/:[^/]*$/.test(name) ? {} : { tag }) };
  } catch (error) {
    throw invalid((error as Error).message);
  }
};

/** What is newer than an image that runs. */
export const updatesAnswer = async (
  file: WatchFile,
  image: string,
  policyOf: (name: string) => Policy,
  now: number,
): Promise<object> => {
  const { repository, tag = "latest" } = referenceOf(image);
  const state = knownRepository(file, repository, now);
  const tags = tagsOf(file.statements, state.id);
  const running = tagNamed(file.statements, state.id, tag);
  const choice = await chooseTag(
    tags.map((one) => one.tag),
    newerThan(policyOf(state.name), tag),
    { now, facts: factsOf(file, state.name, tags, now) },
  );
  const newest = choice.tag === undefined ? undefined : tags.find((one) => one.tag === choice.tag);
  const isNew =
    newest !== undefined && newest.tag !== tag && (newest.digest === undefined || newest.digest !== running?.digest);
  const { digest } = running ?? {};
  return defined({
    image: `${state.name}:${tag}`,
    digest,
    newest: isNew ? tagAnswer(file, state.name, newest, now) : undefined,
    step: isNew ? stepOf({ tag, digest }, { tag: newest.tag, digest: newest.digest }) : undefined,
    complete: state.missing.length === 0,
  });
};

/** What the file knows of the image behind each tag. */
const factsOf = (
  file: WatchFile,
  repository: string,
  tags: readonly TagState[],
  now: number,
): ((name: string) => ImageFacts) => {
  const byName = new Map(tags.map((each) => [each.tag, each]));
  return (name) => {
    const tag = byName.get(name);
    return tag === undefined ? {} : knownFacts(file.statements, repository, tag, now).facts;
  };
};

/** Why each tag is chosen or not. */
export const explainAnswer = async (
  file: WatchFile,
  name: string,
  policyOf: (name: string) => Policy,
  { tag, limit, now }: { tag?: string | undefined; limit: number; now: number },
): Promise<object> => {
  const state = knownRepository(file, name, now);
  const tags = tagsOf(file.statements, state.id);
  const names = tags.map((one) => one.tag);
  const verdicts: Verdict[] = [];
  const facts = factsOf(file, state.name, tags, now);
  for await (const verdict of explain(names, policyOf(state.name), { now, facts })) {
    if (tag !== undefined && verdict.tag !== tag) continue;
    if (verdict.code === "chosen") verdicts.unshift(verdict);
    else verdicts.push(verdict);
  }
  return { repository: state.name, tags: names.length, verdicts: verdicts.slice(0, limit) };
};

/**
 * The form of Renovate's custom datasources.
 * @see https://docs.renovatebot.com/modules/datasource/custom/
 */
export const renovateAnswer = (file: WatchFile, name: string, now: number): object => {
  const state = knownRepository(file, name, now);
  const releases = tagsOf(file.statements, state.id).map((each) => {
    const { tag: version, digest } = each;
    const { released } = knownFacts(file.statements, state.name, each, now);
    return defined({
      version,
      newDigest: digest,
      digest,
      releaseTimestamp: released?.time,
      releaseSource: released?.source,
    });
  });
  return { releases };
};
