import { formatPlatform, type Platform, parsePlatform, platformCovers } from "dray/oci";
import { isDigestTag } from "../filter/index.ts";
import { compareText, newestNaturally } from "../natural.ts";
import { byDate, byNothing, byNumber, byText, byVersion, isPlace, type Order, type Place } from "../orders/index.ts";
import { boundsOf } from "./bounds-of.ts";
import { at } from "./check.ts";
import type { PolicyDocument, Requirement } from "./document.ts";
import { type Filter, filterOf } from "./filter-of.ts";
import type { LeftOut } from "./left-out.ts";
import { readDocument } from "./read-document.ts";

/** A tag that is wanted by its name, and its place in the order. */
export interface Candidate {
  readonly tag: string;
  readonly place: Place;
}

/** What is asked about an image before it is taken. */
export type Fact = "time" | "platforms" | Requirement;

/**
 * A policy that was checked. It knows tags by their names alone; what is asked about images is in `facts`, and `chooseTag` asks it.
 */
export interface Policy {
  /** The same as data, with what was left unsaid still unsaid. */
  readonly document: PolicyDocument;
  /** What has to be known of an image before it is taken; empty: names are enough. */
  readonly facts: readonly Fact[];
  /** Whether tags come in the order of their times, so that the time of each has to be known. */
  readonly isByTime: boolean;
  /** Whether values are taken out of tags, of which two may then have the same. */
  readonly extracts: boolean;
  /** A candidate, or why not. @param flavour that is wanted, whatever the filter says */
  readonly judge: (tag: string, flavour?: string) => Candidate | LeftOut;
  /** Newest first, and among equals by their names. */
  readonly compare: (a: Candidate, b: Candidate) => number;
  /** Newest first by the order alone: 0 where one is as new as the other, whatever their names are. */
  readonly compareAge: (a: Candidate, b: Candidate) => number;
  /** Milliseconds; 0: any age. */
  readonly minAge: number;
  /** The first platform that is wanted and not among these. */
  readonly lacksPlatform: (platforms: readonly Platform[]) => string | undefined;
}

/** Whether a tag is wanted by its name. */
export const isCandidate = (judged: Candidate | LeftOut): judged is Candidate => "tag" in judged;

/**
 * Reads a policy: data of our own form, or an ImagePolicy of Flux. Whatever is wrong in it is refused here, never when tags are looked at.
 * @throws DrayError `USAGE` that names the member that is wrong, and the nearest right word; `PLATFORM_INVALID`
 * @example await readPolicy({ semver: { range: "^1.2" }, minAge: "3d" })
 */
export const readPolicy = async (value: unknown): Promise<Policy> => {
  const document = readDocument(value);
  const filter = await filterOf(document);
  const order = await at("calver.format", () => orderOf(document));
  const bounds = await boundsOf(document);
  const direction = directionOf(document) === "desc" ? -1 : 1;
  const wanted = await at("platform", () => [document.platform ?? []].flat().map((text) => parsePlatform(text)));
  const minAge = Number(document.minAge ?? 0);
  const required = [...new Set([document.require ?? []].flat())];
  const isByTime = document.created !== undefined;
  const compareAge: Policy["compareAge"] = (a, b) => direction * order.compare(a.place, b.place);
  return {
    document,
    isByTime,
    extracts: document.filterTags?.extract !== undefined,
    facts: [
      ...(isByTime || minAge > 0 ? (["time"] as const) : []),
      ...(wanted.length > 0 ? (["platforms"] as const) : []),
      ...required,
    ],
    judge: (tag, flavour) => {
      const out = namesNothing(tag) ?? filter.refuses(tag);
      if (out !== undefined) return out;
      const value = filter.valueOf(tag);
      const read = order.read(value);
      if (!isPlace(read)) return { ...read, text: value === tag ? read.text : `gives "${value}", which ${read.text}` };
      const why = flavourOut(read, { tag, flavour, demands: filter.demands }) ?? bounds(read);
      return why === undefined ? { tag, place: read } : { ...why, place: read };
    },
    compare: (a, b) => compareAge(a, b) || newestNaturally(a.tag, b.tag) || compareText(a.tag, b.tag),
    compareAge,
    minAge,
    lacksPlatform: (platforms) => {
      const lacking = wanted.find((each) => !platforms.some((platform) => platformCovers(each, platform)));
      return lacking === undefined ? undefined : formatPlatform(lacking);
    },
  };
};

const namesNothing = (tag: string): LeftOut | undefined => {
  if (tag === "") return { code: "no-tag", text: "is empty" };
  return isDigestTag(tag)
    ? { code: "digest-tag", text: "stands for a digest: a signature or a list of referrers" }
    : undefined;
};

const orderOf = ({ semver, calver, numerical, alphabetical, created, tag }: PolicyDocument): Order => {
  if (calver !== undefined) return byDate(calver.format);
  if (numerical !== undefined) return byNumber;
  if (alphabetical !== undefined) return byText;
  if (created !== undefined || tag !== undefined) return byNothing;
  return byVersion({ strict: semver?.strict === true });
};

const directionOf = ({ calver, numerical, alphabetical, created }: PolicyDocument): string =>
  (calver ?? numerical ?? alphabetical ?? created)?.order ?? "asc";

interface Asked {
  readonly tag: string;
  readonly flavour: string | undefined;
  readonly demands: Filter["demands"];
}

const flavourOut = (place: Place, { tag, flavour, demands }: Asked): LeftOut | undefined => {
  if (flavour !== undefined ? place.flavour === flavour : place.flavour === "" || demands(tag, place.flavour)) return;
  const instead =
    flavour === undefined
      ? "which was not asked for"
      : flavour === ""
        ? "and none is wanted"
        : `and ${flavour} is wanted`;
  return {
    code: "flavour",
    text: place.flavour === "" ? `is of no flavour, ${instead}` : `is of the flavour ${place.flavour}, ${instead}`,
  };
};
