import {
  type CreatedTag,
  firstOf,
  newestCreated,
  newestNaturally,
  newestVersion,
  tagFilter,
  versionedTag,
} from "@dray/policy";
import { Option } from "commander";
import { hasTags, type ReadableStore } from "dray/content";
import { DrayError, isDrayError, printable, throwIfAborted } from "dray/errors";
import { mapOrdered } from "dray/internal/async";
import { open, parseFileLocation, parseLocation } from "dray/locations";
import { familiar } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { messageOf } from "../failure.ts";
import { cacheFlags, type ListFilesOptions, listFiles } from "../files/index.ts";
import { count, gather, outputFlag } from "../flags.ts";
import { beforeName } from "../images.ts";
import { listing } from "../json.ts";
import { warnOfLocal } from "../local-names.ts";
import { itsRepositories, registryIn } from "../named-registry.ts";
import { registriesFor } from "../registries.ts";
import { type ListRepositoriesOptions, listRepositories } from "../repositories/index.ts";
import { creationTimes, isBroken, type TagOrder, tagOrders } from "../tags/index.ts";

/** Images whose time of creation is asked for at the same time. */
const imagesAtOnce = 8;

interface LsOptions extends ListFilesOptions, ListRepositoriesOptions {
  readonly fullRef?: boolean;
  readonly omitDigestTags?: boolean;
  readonly sort?: TagOrder;
  readonly limit?: number;
  readonly match?: readonly string[];
  readonly exclude?: readonly string[];
}

export const define: Define = (command) => {
  command
    .usage("[options] REPOSITORY | IMAGE:/PATH")
    .argument(
      "<repository>",
      "a repository or a location such as oci:DIR, for its tags; IMAGE:/PATH for files in an image",
    )
    .option("--full-ref", "print the whole reference of each tag, or IMAGE:/PATH of each file")
    .option("-O, --omit-digest-tags", "leave out tags that stand for a digest, such as sha256-….sig")
    .addOption(new Option("--sort <order>", "newest first by version, name or time of creation").choices(tagOrders))
    .option("--limit <count>", "print so many at most", count)
    .option("--match <pattern>", "only these: a glob such as '1.*', or /regular expression/; again for more", gather)
    .option("--exclude <pattern>", "not these; again for more", gather)
    .option("-l, --long", "of files: mode, owner, size and time; of a repository: digests, and what lies below")
    .option("-r, --recursive", "all below, with their paths: files, or repositories with their digests")
    .addOption(new Option("-R").implies({ recursive: true }).hideHelp())
    .option("--json", "of a repository, or with -r of each: one line as Google's registries write it")
    .addOption(outputFlag());
  for (const flag of cacheFlags()) command.addOption(flag);
};

export const examples: readonly string[] = [
  "dray ls registry.example.com/team/app",
  "dray ls -l alpine:3.20:/etc",
  "dray ls --sort semver --limit 5 --match '3.*' alpine",
  "dray ls -r registry.example.com/team",
];

export const act: Act<LsOptions> = async (call, [text = ""]) => {
  const { options, out, signal } = call;
  const file = parseFileLocation(text);
  if (file !== undefined) {
    refuseOthers(call, [...tagFlags, "json"], "tags");
    return listFiles(call, file);
  }
  if (repositoryFlags.some((flag) => options[flag] === true)) {
    refuseOthers(call, [...tagFlags, "fullRef"], "tags alone");
    return listRepositories(call, text);
  }
  const wanted = await tagFilter(options);
  const { prefix, members } = placeOf(text);
  // A registry may call anything a tag.
  const named = (tag: string): string => printable(options.fullRef === true ? prefix + tag : tag);
  await warnOfLocal(call, text);
  const { connect, engine } = await registriesFor(call);
  const { store } = await open(text, { connect, engine, defaultTag: "" });
  if (!hasTags(store)) throw new DrayError("UNSUPPORTED", `${text}: has no list of names`, { reference: text });
  const names = store.tags({ signal });
  const tags = members["location"] === undefined ? names : listed(names, () => tellUnnamed(call, store, text));
  if (options.sort === undefined && options.output !== "json") {
    await printed(tags, wanted, { limit: options.limit, print: (tag) => out.line(named(tag)) });
    return;
  }
  const broken: string[] = [];
  const chosen = await sorted(call, (view) => filtered(tags, wanted, view), store, broken);
  if (options.output === "json")
    await listing(out, members, "tags", chosen, ({ tag, created }) => ({
      tag,
      reference: prefix + tag,
      created: created === undefined ? undefined : new Date(created).toISOString(),
    }));
  else for await (const { tag } of chosen) await out.line(named(tag));
  if (broken.length > 0)
    throw new DrayError(
      "PARTIAL",
      `${broken.length} tags of ${text} are broken: when they were created cannot be told`,
      {
        reference: text,
      },
    );
};

/** Hears where a list was empty to begin with. */
const listed = async function* (tags: AsyncIterable<string>, onNone: () => Promise<void>): AsyncGenerator<string> {
  let none = true;
  for await (const tag of tags) {
    none = false;
    yield tag;
  }
  if (none) await onNone();
};

/** An archive or layout without names is perhaps not empty: its images are written by their digests, and an engine's by their IDs. */
const tellUnnamed = async ({ reporter, signal }: Call, store: ReadableStore, text: string): Promise<void> => {
  if (parseLocation(text).kind === "docker-daemon")
    return reporter.note(`the engine of ${text} has no image with a name`);
  try {
    const { digest } = await store.resolve("", { signal });
    reporter.note(`${text} has one image, without a name: ${text}@${digest}`);
  } catch (error) {
    throwIfAborted(signal);
    // How many there are, and how each is written, or that there is none.
    if (!isDrayError(error, "USAGE", "NOT_FOUND")) throw error;
    reporter.note(error.message);
  }
};

/** What is said of tags alone, and what asks for more of a repository. */
const tagFlags = ["omitDigestTags", "sort", "limit", "match", "exclude"] as const;
const repositoryFlags = ["long", "recursive", "json"] as const;

const refuseOthers = (
  { options, named }: Call<LsOptions>,
  flags: readonly (keyof LsOptions)[],
  about: string,
): void => {
  const said = flags.find((flag) => options[flag] !== undefined);
  if (said !== undefined) throw new DrayError("USAGE", `${named(said)} is about ${about}`);
};

/** One loop: a hundred thousand tags through two more generators take as long as asking for them. */
const printed = async (
  tags: AsyncIterable<string>,
  wanted: (tag: string) => boolean,
  {
    limit = Number.POSITIVE_INFINITY,
    print,
  }: { limit: number | undefined; print: (tag: string) => Promise<void> | undefined },
): Promise<void> => {
  let left = limit;
  if (left === 0) return;
  for await (const tag of tags) {
    if (!wanted(tag)) continue;
    const full = print(tag);
    if (full !== undefined) await full;
    if (--left === 0) return;
  }
};

/** What stands before each tag in a full reference, and what the JSON document calls the place. */
const placeOf = (text: string): { prefix: string; members: Record<string, string> } => {
  const host = text.endsWith("/") ? registryIn(text) : undefined;
  if (host !== undefined) throw new DrayError("USAGE", `"${text}" names no repository${itsRepositories(host)}`);
  const location = parseLocation(text, { defaultTag: "" });
  if (location.kind !== "registry") {
    const { kind, name } = location;
    const all = "path" in location ? `${kind}:${location.path}` : `${kind}:`;
    // Where there is no list, that is what is to be said.
    if (name !== "" && kind !== "docker-container")
      throw new DrayError(
        "REFERENCE_INVALID",
        `"${text}" names one image, which has no list of names; those of all are listed by dray ls ${all}`,
        { reference: text },
      );
    return { prefix: beforeName(text), members: { location: text } };
  }
  const { registry, repository, tag, digest } = location.reference;
  if (tag !== undefined || digest !== undefined)
    throw new DrayError(
      "REFERENCE_INVALID",
      `"${text}": expected a repository without tag or digest${hint(text, familiar({ registry, repository }))}`,
      {
        reference: text,
      },
    );
  return { prefix: `${registry}/${repository}:`, members: { registry, repository } };
};

/** Tags in the order asked for; `broken` gets those whose image cannot be read. Without one they stream, and a limit ends the asking. */
const sorted = async (
  { options: { sort, limit }, signal, reporter }: Call<LsOptions>,
  tagsAs: <T>(view: (tag: string) => T) => AsyncIterable<T>,
  store: ReadableStore,
  broken: string[],
): Promise<AsyncIterable<CreatedTag> | Iterable<CreatedTag>> => {
  if (sort === "semver") return firstOf(tagsAs(versionedTag), newestVersion, limit);
  if (sort === "natural") return firstOf(tagsAs(asTag), (a, b) => newestNaturally(a.tag, b.tag), limit);
  if (sort === undefined) return first(tagsAs(asTag), limit);
  const timeOf = creationTimes(store, signal);
  const undated = (tag: string, error: unknown): CreatedTag => {
    throwIfAborted(signal);
    if (!isBroken(error)) throw error;
    reporter.warn(`${tag}: when it was created cannot be told: ${messageOf(error)}`);
    broken.push(tag);
    return { tag };
  };
  const dated = mapOrdered(
    tagsAs((tag) => tag),
    imagesAtOnce,
    async (tag): Promise<CreatedTag> => {
      try {
        return { tag, created: await timeOf(tag) };
      } catch (error) {
        return undated(tag, error);
      }
    },
  );
  return firstOf(dated, newestCreated, limit);
};

const asTag = (tag: string): CreatedTag => ({ tag });

const filtered = async function* <T>(
  tags: AsyncIterable<string>,
  wanted: (tag: string) => boolean,
  view: (tag: string) => T,
): AsyncGenerator<T> {
  for await (const tag of tags) if (wanted(tag)) yield view(tag);
};

const first = async function* <T>(items: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): AsyncGenerator<T> {
  if (limit === 0) return;
  let left = limit;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
};

/** A host and its port look like a repository and its tag. */
const hint = (text: string, repository: string): string => {
  const host = /:\d+$/.test(text) ? registryIn(text) : undefined;
  return host === undefined ? `; its tags are listed by dray ls ${repository}` : itsRepositories(host);
};
