import type { PolicyDocument, Requirement } from "@dray/policy";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import { formatPlatform } from "dray/oci";
import type { Call } from "../context.ts";
import { duration, gather, type SharedOptions } from "../flags.ts";

/** When a reference is pinned to a digest, and what Flux calls it. */
const reflections = { never: "Never", "if-absent": "IfNotPresent", always: "Always" } as const;

/** A policy, as it is said on a command line. */
export interface PolicyOptions extends SharedOptions {
  readonly semver?: string;
  readonly strict?: boolean;
  readonly prerelease?: boolean;
  readonly calver?: boolean;
  readonly calverFormat?: string;
  readonly numerical?: boolean;
  readonly alphabetical?: boolean;
  readonly created?: boolean;
  readonly filter?: string;
  readonly extract?: string;
  readonly glob?: readonly string[];
  readonly exclude?: readonly string[];
  /** Milliseconds. */
  readonly minAge?: number;
  readonly require?: readonly Requirement[];
  readonly digest?: keyof typeof reflections;
}

/** Declares the flags of a policy that go by tags and times. */
export const addPolicyFlags = (command: Command): Command =>
  command
    .option("--semver <range>", "versions in this range, such as '^1.2' or '>=1.2 <2' (default all versions)")
    .option("--strict", "versions have three numbers, as semver.org says; what is behind a dash is a pre-release")
    .option("--prerelease", "pre-releases count, too")
    .option("--calver", "by date: 2024.05.01, 24.04, 20240501")
    .option("--calver-format <format>", "by date in this form of calver.org, such as YYYY.0M.MICRO")
    .option("--numerical", "by number; tags that are none are left out")
    .option("--alphabetical", "by letters")
    .option("--created", "by when images were created, which asks for each of them")
    .option("--filter <expression>", "only tags in which this expression (RE2) is found")
    .option("--extract <template>", "compare by this part of what the expression finds: '$1' or '$name'")
    .option("--glob <pattern>", "only tags that fit this glob, such as '*-alpine'; again for more", gather)
    .option("--exclude <pattern>", "not these: a glob, or /expression/; again for more", gather)
    .option(
      "--min-age <duration>",
      "only what was created so long ago, such as 3d; without a time it counts",
      duration,
    );

/** Declares what a policy asks of the image itself, for those who can ask its registry. */
export const addImageFlags = (command: Command): Command =>
  command
    .addOption(
      new Option("--require <what>", "only images that have this attached, whoever signed it; again for both")
        .choices(["signature", "sbom"])
        .argParser(requirement),
    )
    .addOption(
      new Option(
        "--digest <when>",
        "pin to a digest; if-absent keeps that of IMAGE while its tag is the newest",
      ).choices(Object.keys(reflections)),
    );

/** Those that were said, and one more. */
const requirement = (text: string, before: readonly string[] | undefined): readonly string[] => {
  if (text !== "signature" && text !== "sbom") throw new InvalidArgumentError("Expected signature or sbom.");
  return gather(text, before);
};

/** What was said, as data; `readPolicy` checks it. @throws DrayError `USAGE` for flags that go with another order */
export const documentOf = ({ options, named }: Pick<Call<PolicyOptions>, "options" | "named">): PolicyDocument => {
  const { semver, strict, prerelease, calverFormat, numerical, alphabetical, created } = options;
  const isDated = options.calver === true || calverFormat !== undefined;
  const others = isDated || numerical === true || alphabetical === true || created === true;
  const alone = strict === true ? "strict" : prerelease === true && !isDated ? "prerelease" : undefined;
  if (others && alone !== undefined) throw new DrayError("USAGE", `${named(alone)} is about versions`);
  const isSemver = semver !== undefined || (!others && (strict === true || prerelease === true));
  const { filter: pattern, extract, glob, exclude } = options;
  const filters = defined<NonNullable<PolicyDocument["filterTags"]>>({ pattern, extract, glob, exclude });
  return defined<PolicyDocument>({
    semver: isSemver
      ? defined<NonNullable<PolicyDocument["semver"]>>({ range: semver, strict, prerelease })
      : undefined,
    calver: isDated ? defined<NonNullable<PolicyDocument["calver"]>>({ format: calverFormat, prerelease }) : undefined,
    numerical: numerical === true ? {} : undefined,
    alphabetical: alphabetical === true ? {} : undefined,
    created: created === true ? {} : undefined,
    filterTags: Object.keys(filters).length === 0 ? undefined : filters,
    minAge: options.minAge,
    platform: options.platform?.map(formatPlatform),
    require: options.require,
    digestReflectionPolicy: options.digest === undefined ? undefined : reflections[options.digest],
  });
};
