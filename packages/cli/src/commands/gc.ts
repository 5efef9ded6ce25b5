import { plural } from "@dray/service/figures";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { ListedManifest } from "dray/registry";
import { garbageIn, removeGarbage, type Unneeded, untaggedIn } from "dray/repositories";
import type { Act, Call, Define } from "../context.ts";
import { duration, type ListingOptions, outputFlag } from "../flags.ts";
import { listing } from "../json.ts";
import { registriesFor } from "../registries.ts";
import { type Ended, onOne, placeIn, repositoriesAt, tellBroken, type Where } from "../repositories/index.ts";

interface GcOptions extends ListingOptions {
  readonly recursive?: boolean;
  readonly delete?: boolean;
  readonly grace?: number;
  readonly dryRun?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<repository>", "a repository; with -r also a path with repositories below it, or a registry")
    .option("-r, --recursive", "also every repository below")
    .option("--delete", "delete what nobody needs; what a kept index names, and what refers to something kept, stays")
    .option(
      "--grace <duration>",
      "keep what is younger, and unless this is 0 what does not tell its age (default 1d)",
      duration,
    )
    .option("--dry-run", "say what would be done, and do nothing")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray gc -r gcr.io/project",
  "dray gc --delete --grace 7d --dry-run gcr.io/project/app",
  "dray gc --delete --grace 7d gcr.io/project/app",
];

/** A manifest, and the repository in which it lies. */
type Found = Unneeded & Partial<Pick<ListedManifest, "mediaType" | "created" | "uploaded">> & { readonly name: string };

/** Without `--delete` and `--dry-run` everything that has no tag, as gcrane lists it; else what nobody needs. */
export const act: Act<GcOptions> = async (call, [text = ""]) => {
  const { options, out, reporter } = call;
  const { dryRun = false, grace, recursive = false } = options;
  const deletes = options.delete === true || dryRun;
  if (grace !== undefined && !deletes)
    throw new DrayError("USAGE", `${call.named("grace")} is about what --delete deletes; say that, or --dry-run`);
  const ended: Ended = { whole: 0, broken: [] };
  const found = (deletes ? unneeded : untagged)(call, text, { recursive, ended });
  let [count, repositories] = [0, new Set<string>()];
  const counted = async function* (): AsyncGenerator<Found> {
    for await (const each of found) {
      count++;
      repositories.add(each.name);
      yield each;
    }
  };
  if (options.output === "json")
    await listing(out, { reference: text, deletes, dryRun }, "manifests", counted(), inWords);
  else for await (const { name, digest } of counted()) await out.line(printable(`${name}@${digest}`));
  if (deletes)
    reporter.summary(
      `${dryRun ? "would delete" : "deleted"} ${plural(count, "manifest")} of ${repositories.size === 1 ? "1 repository" : `${repositories.size} repositories`}`,
      { deleted: count, repositories: repositories.size, dryRun },
    );
  tellBroken(ended, "looked through");
};

async function* untagged(call: Call<GcOptions>, text: string, where: Where): AsyncGenerator<Found> {
  for await (const { name, repository, contents } of await repositoriesIn(call, text, where)) {
    const manifests = await onOne(call, name, where, () => untaggedIn(repository, contents, call));
    for (const each of manifests ?? []) yield { ...each, name };
  }
}

async function* unneeded(call: Call<GcOptions>, text: string, where: Where): AsyncGenerator<Found> {
  const { options, reporter, signal } = call;
  const { grace, dryRun = false } = options;
  let told = false;
  for await (const { name, repository, contents } of await repositoriesIn(call, text, where)) {
    if (contents.manifests === undefined && !told) {
      told = true;
      reporter.note(
        `${repository.registry} does not list what has no tag: only what is left of deleted images is found, and how old that is is not known${grace === 0 ? "" : ", so that it stays unless --grace 0s is said"}`,
      );
    }
    const gone: Unneeded[] = [];
    await onOne(call, name, where, async () => {
      const garbage = await garbageIn(repository, contents, { grace, signal });
      if (garbage.held !== undefined)
        throw new DrayError("MANIFEST_INVALID", `nothing is deleted, since any may be needed: ${garbage.held}`);
      if (dryRun) gone.push(...garbage.unneeded);
      else {
        const removed = await removeGarbage(repository, garbage, { signal, onRemoved: (each) => gone.push(each) });
        if (removed.length === 0 && garbage.unneeded.length > 0)
          reporter.note(
            `${name}: what was pushed meanwhile may need what was found, so nothing is deleted this time; run it again`,
          );
      }
    });
    for (const each of gone) yield { ...each, name };
  }
}

const repositoriesIn = async (call: Call<GcOptions>, text: string, where: Where) => {
  const place = placeIn(text, where);
  const { connect } = await registriesFor(call);
  return repositoriesAt(call, connect(place.registry), place, where);
};

const inWords = ({ name, digest, tag, mediaType, size, created, uploaded }: Found): unknown =>
  defined({
    repository: name,
    digest,
    tag,
    mediaType,
    // Registries that list no manifests tell no sizes either.
    size: size === 0 ? undefined : size,
    created: created?.toISOString(),
    uploaded: uploaded?.toISOString(),
  });
