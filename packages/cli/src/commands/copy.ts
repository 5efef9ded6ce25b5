import { stat } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { hasTags, type Located, namesReferences } from "dray/content";
import { type CopyPair } from "dray/copy";
import { DrayError, type ErrorCode, isDrayError } from "dray/errors";
import { type FileLocation, isStandardStream, open, parseFileLocation, parseLocation } from "dray/locations";
import type { Act, Call, Define } from "../context.ts";
import { type CacheOptions, cacheFlags, copyFiles } from "../files/index.ts";
import { connectionFlagNames, endFlags, outputFlag, positive } from "../flags.ts";
import { beforeName } from "../images.ts";
import { warnOfLocal } from "../local-names.ts";
import { type EndOptions, registriesFor } from "../registries.ts";
import { copyBelow, placeIn } from "../repositories/index.ts";
import { longNameOf } from "../short-names.ts";
import { type MovingOptions, moveAll, reportMoved } from "../transfer-report.ts";

interface CpOptions extends MovingOptions, CacheOptions {
  readonly recursive?: boolean;
  readonly allTags?: boolean;
  readonly clobber?: boolean;
}

export const define: Define = (command) => {
  command
    .argument(
      "<source-location>",
      "a reference, oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:REF], docker-daemon:NAME; IMAGE:/PATH for files",
    )
    .argument("<destination-location>", "the same; of files a path of this machine")
    .option("-a, --all-tags", "copy every tag; both ends are repositories or layouts without a name")
    .option(
      "-r, --recursive",
      "copy a repository and all below it, each to the same path below the destination; what is the same is passed over",
    )
    .option("-n, --no-clobber", "never overwrite a tag that is there")
    .option(
      "-j, --jobs <count>",
      "bodies in flight at the same time (default 4 large ones, or up to 32 small ones)",
      positive,
    )
    .option("--referrers", "also signatures, attestations and whatever else refers to what is copied")
    .option(
      "--verify",
      "check every digest, even where the registry does, and what a layout has already: damage there is replaced",
    )
    .option("--force", "ask for every piece of content and write every manifest again: mends what has lost some of it")
    .option("--dry-run", "say what would be done, and do nothing")
    .addOption(outputFlag())
    .addHelpText(
      "after",
      `\nFor one end only there are --src-… and --dest-… of each of these, which win over those for both:\n  ${connectionFlagNames}`,
    );
  for (const flag of cacheFlags()) command.addOption(flag.helpGroup("Of Files:"));
  for (const flag of [...endFlags("src"), ...endFlags("dest")]) command.addOption(flag);
};

export const examples: readonly string[] = [
  "dray copy docker.io/library/alpine:3.20 registry.example.com/alpine:3.20",
  "dray copy -a --referrers registry.example.com/team/app oci:backup",
  "dray copy --platform linux/amd64,linux/arm64 alpine:3.20 oci:mirror:alpine",
  "dray cp -r registry.example.com/team localhost:5000/mirror",
  "dray cp --platform linux/amd64 alpine:3.20:/etc/apk .",
];

export const act: Act<CpOptions & EndOptions> = async (call, [from = "", to = ""]) => {
  const file = parseFileLocation(from);
  refuseFlags(call, file === undefined ? filesOnly : imagesOnly, file === undefined ? "files: IMAGE:/PATH" : "images");
  const into = parseFileLocation(to);
  // Behind a file it may be a path of this machine, where that leads anywhere.
  if (into !== undefined && (file === undefined || !(await isThere(dirname(to))))) throw intoImage(to, into);
  if (file !== undefined) return copyFiles(call, file, to);
  const { output, dryRun = false } = call.options;
  if (output === "json" && !dryRun && isStandardStream(to))
    throw new DrayError("USAGE", "-o json and an archive cannot both go to stdout");
  if (call.options.recursive === true) {
    const [source, target] = [from, to].map((text) => placeIn(text, { recursive: true }).registry);
    refuseSharedPassword(call, source, target);
    if (call.options.allTags === true)
      call.reporter.note("--all-tags says nothing more beside --recursive, which copies every tag of each repository");
    return copyBelow(call, from, to);
  }
  const ends = await bothEnds(call, from, to);
  const pairs = call.options.allTags === true ? await everyTag(call, ends) : await onePair(call, ends);
  const began = performance.now();
  const result = await moveAll(call, pairs);
  await reportMoved(call, result, "copied", began);
};

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const intoImage = (to: string, { image, path }: FileLocation): DrayError => {
  const { dir } = posix.parse(path);
  return new DrayError(
    "USAGE",
    `${to}: nothing is copied into an image; a directory comes into one as a layer: dray append -b ${image} -f DIR --prefix ${dir} -t ${image}`,
    { reference: to },
  );
};

/** What is said of files alone, and of images alone. */
const filesOnly = ["cache_path", "cacheSize", "cache"] as const;
const takingAway: ReadonlySet<string> = new Set(["cache", "clobber"]);
const imagesOnly = ["allTags", "recursive", "clobber", "jobs", "referrers", "verify", "force", "dryRun"] as const;

const refuseFlags = ({ options, named }: Call<CpOptions>, flags: readonly (keyof CpOptions)[], about: string): void => {
  // A flag that takes away is true before anybody says it; a variable is not about this one command.
  const isSaid = (flag: keyof CpOptions): boolean =>
    options[flag] !== undefined && !(takingAway.has(flag) && options[flag] === true) && named(flag).startsWith("--");
  const said = flags.find(isSaid);
  if (said === undefined) return;
  throw new DrayError("USAGE", `${named(said)} is about ${about}`);
};

interface Ends {
  readonly source: Located;
  readonly target: Located;
}

const bothEnds = async (call: Call<CpOptions & EndOptions>, typed: string, to: string): Promise<Ends> => {
  const from = await longNameOf(call, typed);
  const naming = call.options.allTags === true ? { defaultTag: "" } : {};
  for (const location of [from, to]) await warnOfLocal(call, location);
  const { connect, connectToRead, engine } = await registriesFor(call);
  refuseSharedPassword(call, registryOf(from), registryOf(to));
  // Within one registry nothing is moved that a mirror could give.
  const isWithin = registryOf(from) !== undefined && registryOf(from) === registryOf(to);
  const source = isWithin ? connect : connectToRead;
  return {
    source: await open(from, { ...naming, engine, connect: (registry) => source(registry) }),
    target: await open(to, { ...naming, engine, connect: (registry) => connect(registry, "target") }),
  };
};

const registryOf = (location: string): string | undefined => {
  const parsed = parseLocation(location);
  return parsed.kind === "registry" ? parsed.reference.registry : undefined;
};

/** A password is meant for one registry. Which of two, only the user can say. */
const refuseSharedPassword = (
  { options, named }: Call<EndOptions>,
  from: string | undefined,
  to: string | undefined,
): void => {
  // One that lacks its password is none.
  const isSaid = options.username !== undefined && (options.passwordStdin === true || Boolean(options.password));
  if (!isSaid || from === undefined || to === undefined || from === to) return;
  if (options.srcUsername !== undefined && options.destUsername !== undefined) return;
  throw new DrayError(
    "USAGE",
    `${named("username")}: say for which of ${from} and ${to}, with --src-username or --dest-username`,
  );
};

const onePair = async ({ options, signal }: Call<CpOptions>, { source, target }: Ends): Promise<CopyPair[]> => {
  if (options.clobber === false) {
    // What we may not see is treated as if it were not there.
    const there = await ifThere(target.store.resolve(target.name, { signal }), "NOT_FOUND", "DENIED");
    if (there !== undefined)
      throw new DrayError("EXISTS", `refusing to clobber existing tag ${target.location}@${there.digest}`, {
        reference: target.location,
      });
  }
  return [{ source, target }];
};

/** What was found; `undefined` where it fails with one of these. */
const ifThere = <T>(found: Promise<T>, ...codes: ErrorCode[]): Promise<T | undefined> =>
  found.catch((error: unknown) => {
    if (isDrayError(error, ...codes)) return undefined;
    throw error;
  });

const everyTag = async ({ options, signal, reporter }: Call<CpOptions>, ends: Ends): Promise<CopyPair[]> => {
  const { source, target } = ends;
  for (const { name, location } of [source, target])
    if (name !== "")
      throw new DrayError("REFERENCE_INVALID", `--all-tags: "${location}" names one tag; leave it out`, {
        reference: location,
      });
  const there = options.clobber === false ? await ifThere(tagsOf(target, signal), "NOT_FOUND") : undefined;
  const pairs: CopyPair[] = [];
  for (const tag of await tagsOf(source, signal)) {
    if (there?.has(tag)) reporter.note(`skipping ${tag}: it is there already`);
    else pairs.push({ source: named(source, tag), target: named(target, nameIn(target, source, tag)) });
  }
  return pairs;
};

/** A docker archive or an engine has whole references: those of a repository, or what another place has as names. */
const nameIn = (target: Located, source: Located, tag: string): string => {
  if (!namesReferences(target.store)) return tag;
  if (parseLocation(source.location, { defaultTag: "" }).kind === "registry")
    return `${source.location.replace(/^docker:\/\//, "")}:${tag}`;
  if (tag.includes(":")) return tag;
  const [from, to] = [source, target].map(({ location }) => beforeName(location));
  throw new DrayError(
    "USAGE",
    `--all-tags: "${tag}" in ${source.location} says no repository, which names there do; copy each: dray copy ${from}${tag} ${to}NAME:${tag}`,
  );
};

const named = ({ store, location }: Located, name: string): Located => ({
  store,
  name,
  location: beforeName(location) + name,
});

const tagsOf = async ({ store, location }: Located, signal: AbortSignal): Promise<Set<string>> => {
  if (!hasTags(store))
    throw new DrayError("UNSUPPORTED", `--all-tags: "${location}" has no list of names`, { reference: location });
  const tags = new Set<string>();
  for await (const tag of store.tags({ signal })) tags.add(tag);
  return tags;
};
