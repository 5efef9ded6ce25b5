import { defined } from "dray/internal/defined";
import { parseDuration } from "dray/internal/duration";
import { isObject, isTag } from "dray/oci";
import { membersOf, refused, textOf, textsOf, truthOf, wordOf } from "./check.ts";
import type { DigestReflection, Direction, PolicyDocument, Requirement } from "./document.ts";

/** The orders, of which a policy has one. */
export const orderNames = ["semver", "calver", "numerical", "alphabetical", "created", "tag"] as const;
const others = ["filterTags", "digestReflectionPolicy", "minAge", "platform", "require"] as const;
/** Members of Flux's ImagePolicy that say how often and of what, and not which tag. */
const ofFlux = ["policy", "imageRepositoryRef", "interval", "suspend"];

const directions: readonly Direction[] = ["asc", "desc"];
const requirements: readonly Requirement[] = ["signature", "sbom"];
const reflections: readonly DigestReflection[] = ["Never", "IfNotPresent", "Always"];

/**
 * Checks what somebody wrote as a policy: of our own form, or an ImagePolicy of Flux, whole or its `spec`, whose versions are read strictly, as Flux does.
 * @throws DrayError `USAGE` that names the member, and the nearest right word
 */
export const readDocument = (value: unknown): PolicyDocument => {
  if (isObject(value) && value["kind"] === "ImagePolicy") return readDocument(value["spec"] ?? {});
  const isFlux = isObject(value) && "policy" in value;
  const said = membersOf(value, "", [...orderNames, ...others, ...(isFlux ? ofFlux : [])]);
  const all = isFlux ? { ...said, ...membersOf(said["policy"], "policy", orderNames) } : said;
  const orders = orderNames.filter((name) => all[name] !== undefined);
  if (orders.length > 1) throw refused(orders.join(" and "), "are two orders; a tag can be the newest by one alone");
  const at = <T>(name: string, read: (value: unknown, where: string) => T): T | undefined =>
    all[name] === undefined ? undefined : read(all[name], name);
  return defined<PolicyDocument>({
    semver: at("semver", (each, where) => semverOf(each, where, isFlux)),
    calver: at("calver", calverOf),
    numerical: at("numerical", directionOf),
    alphabetical: at("alphabetical", directionOf),
    created: at("created", directionOf),
    tag: at("tag", tagOf),
    filterTags: at("filterTags", filterOf),
    digestReflectionPolicy: at("digestReflectionPolicy", (each, where) => wordOf(each, where, reflections)),
    minAge: at("minAge", ageOf),
    platform: at("platform", textsOf),
    require: at("require", requirementsOf),
  });
};

const semverOf = (value: unknown, where: string, isFlux: boolean): PolicyDocument["semver"] => {
  const { range, strict, prerelease } = membersOf(value, where, ["range", "strict", "prerelease"]);
  return defined<NonNullable<PolicyDocument["semver"]>>({
    range: range === undefined ? undefined : textOf(range, `${where}.range`),
    strict: strict === undefined ? isFlux || undefined : truthOf(strict, `${where}.strict`),
    prerelease: prerelease === undefined ? undefined : truthOf(prerelease, `${where}.prerelease`),
  });
};

const calverOf = (value: unknown, where: string): PolicyDocument["calver"] => {
  const { format, prerelease, order } = membersOf(value, where, ["format", "prerelease", "order"]);
  return defined<NonNullable<PolicyDocument["calver"]>>({
    format: format === undefined ? undefined : textOf(format, `${where}.format`),
    prerelease: prerelease === undefined ? undefined : truthOf(prerelease, `${where}.prerelease`),
    order: order === undefined ? undefined : wordOf(order, `${where}.order`, directions),
  });
};

const directionOf = (value: unknown, where: string): { order?: Direction } => {
  const { order } = membersOf(value, where, ["order"]);
  return order === undefined ? {} : { order: wordOf(order, `${where}.order`, directions) };
};

const tagOf = (value: unknown, where: string): string => {
  const tag = textOf(value, where);
  if (isTag(tag)) return tag;
  throw refused(where, `is ${JSON.stringify(tag)}, which is no tag; a pattern belongs into filterTags`);
};

const filterOf = (value: unknown, where: string): PolicyDocument["filterTags"] => {
  const { pattern, extract, glob, exclude } = membersOf(value, where, ["pattern", "extract", "glob", "exclude"]);
  if (extract !== undefined && pattern === undefined)
    throw refused(`${where}.extract`, `takes groups of ${where}.pattern, which is not there`);
  return defined<NonNullable<PolicyDocument["filterTags"]>>({
    pattern: pattern === undefined ? undefined : textOf(pattern, `${where}.pattern`),
    extract: extract === undefined ? undefined : textOf(extract, `${where}.extract`),
    glob: glob === undefined ? undefined : textsOf(glob, `${where}.glob`),
    exclude: exclude === undefined ? undefined : textsOf(exclude, `${where}.exclude`),
  });
};

const ageOf = (value: unknown, where: string): number => {
  const age = typeof value === "string" ? parseDuration(value) : value;
  if (typeof age === "number" && Number.isFinite(age) && age >= 0) return age;
  throw refused(where, `is ${JSON.stringify(value)}; expected a duration such as 3d or 12h`);
};

const requirementsOf = (value: unknown, where: string): readonly Requirement[] =>
  (Array.isArray(value) ? value : [value]).map((each) => wordOf(each, where, requirements));
