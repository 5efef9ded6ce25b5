import type { PolicyDocument } from "@dray/policy";
import type { OutdatedImage, RunningImage } from "@dray/watch";
import { Option } from "commander";
import { chain } from "dray/auth";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { formatPlatform, type Reference } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { duration, gather, type ListingOptions, outputFlag } from "../flags.ts";
import { listing } from "../json.ts";
import { outdatedDocument, outdatedTable, runningImages, type WhatRuns } from "../outdated/index.ts";
import { registriesFor } from "../registries.ts";

interface OutdatedCommandOptions extends ListingOptions, WhatRuns {
  readonly semver?: string;
  readonly match?: readonly string[];
  readonly exclude?: readonly string[];
  readonly minAge?: number;
  readonly all?: boolean;
  readonly check?: boolean;
}

export const define: Define = (command) =>
  command
    .usage("[options] [FILE | DIR …]")
    .argument("[files...]", "files that name images, or folders of them (default the current one)")
    .option("-i, --image <image>", "an image that runs; again for more", gather)
    .option("--docker", "containers of the engine that DOCKER_HOST or docker's context names")
    .option("--podman", "containers of podman, at CONTAINER_HOST or its own socket")
    .option("--kubernetes", "pods of the cluster that KUBECONFIG names")
    .addOption(new Option("-n, --namespace <namespace>", "pods of this namespace alone").implies({ kubernetes: true }))
    .option("--semver <range>", "only versions in this range, such as '^7.0'")
    .option("--match <pattern>", "only tags like this glob; again for more", gather)
    .option("--exclude <pattern>", "no tags like this: a glob, or /regular expression/; again for more", gather)
    .addOption(new Option("--min-age <duration>", "only what was created so long ago, such as 3d").argParser(duration))
    .option("-a, --all", "print those that are not outdated, too")
    .option("--check", "exit with 1 if something is outdated")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray outdated",
  "dray outdated --check compose.yml",
  "dray outdated --docker --min-age 3d",
  "dray outdated -i redis:7.0.14 --semver '^7.0' -o json",
];

/** Exit code 1 with `--check` where something is outdated; 3 where of some images nothing could be found out. */
export const act: Act<OutdatedCommandOptions> = async (call, words) => {
  const { options, out, signal, reporter } = call;
  const [{ readPolicy }, { outdatedImages }] = await Promise.all([import("@dray/policy"), import("@dray/watch")]);
  const policy = await readPolicy(policyOf(options));
  const images = await runningImages(call, words);
  const looked = outdatedImages(images, { repositoryOf: await reaching(call), policy, signal });
  const counts = { images: 0, outdated: 0, unknown: 0 };
  const counted = async function* (): AsyncGenerator<OutdatedImage> {
    for await (const each of looked) {
      counts.images++;
      if (each.state === "outdated") counts.outdated++;
      if (each.state === "unknown") counts.unknown++;
      if (each.state === "unknown" && options.output !== "json")
        reporter.warn(`${each.image.image} (${each.image.places[0]}): ${each.reason ?? ""}`);
      if (options.all === true || each.state === "outdated" || each.state === "unknown") yield each;
    }
  };
  if (options.output === "json") await listing(out, {}, "images", counted(), outdatedDocument);
  else for (const line of outdatedTable(await Array.fromAsync(counted()), Date.now())) await out.line(printable(line));
  reporter.note(
    counts.images === 0
      ? "no images were found"
      : `${counts.outdated} of ${counts.images} images ${counts.outdated === 1 ? "is" : "are"} outdated`,
  );
  if (options.check === true && counts.outdated > 0) return 1;
  if (counts.unknown > 0)
    throw new DrayError("PARTIAL", `of ${counts.unknown} of ${counts.images} images nothing could be found out`);
  return 0;
};

const policyOf = ({ semver, match, exclude, minAge, platform }: OutdatedCommandOptions): PolicyDocument => {
  const filterTags =
    match === undefined && exclude === undefined ? undefined : defined<object>({ glob: match, exclude });
  const platforms = platform?.map((each) => formatPlatform(each));
  return defined<PolicyDocument>({
    semver: semver === undefined ? undefined : { range: semver },
    filterTags,
    minAge,
    platform: platforms,
  });
};

/** Each registry once; with credentials of a workload once for those. */
const reaching = async (call: Call<OutdatedCommandOptions>) => {
  const { connectToRead, connectAs, keychain } = await registriesFor(call);
  const owned = new Map<RunningImage["credentials"], Map<string, ReturnType<typeof connectAs>>>();
  return ({ registry, repository }: Reference, credentials: RunningImage["credentials"]) => {
    if (credentials === undefined) return connectToRead(registry).repository(repository);
    const among = owned.get(credentials) ?? new Map<string, ReturnType<typeof connectAs>>();
    owned.set(credentials, among);
    const connection =
      among.get(registry) ?? connectAs(registry, registry, { credentials: chain(credentials, keychain(registry)) });
    among.set(registry, connection);
    return connection.repository(repository);
  };
};
