import {
  ageText,
  type Choice,
  chooseTag,
  knownTime,
  newerThan,
  type Policy,
  pinnedTo,
  readPolicy,
  type Verdict,
} from "@dray/policy";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Call, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { listing, printResult } from "../json.ts";
import {
  addImageFlags,
  addPolicyFlags,
  documentOf,
  type Place,
  type PolicyOptions,
  placeOf,
  sourceOf,
  type TagSource,
} from "../latest/index.ts";

interface LatestOptions extends PolicyOptions, ListingOptions {
  readonly explain?: boolean;
}

export const define: Define = (command) => {
  command.argument(
    "<image>",
    "a repository, or a location such as oci:DIR; with a tag what is newer than that, of the same flavour",
  );
  addImageFlags(addPolicyFlags(command))
    .option("--explain", "print each tag with why it was chosen or not")
    .addOption(outputFlag());
};

export const examples: readonly string[] = [
  "dray latest alpine",
  "dray latest --semver '^1.2' --min-age 3d ghcr.io/team/app",
  "dray latest --glob '*-alpine' --digest always redis",
  "dray latest redis:7.0.14-alpine",
  "dray latest --numerical --filter '^[0-9]+$' ghcr.io/team/app",
  "dray latest --explain --platform linux/arm64 alpine",
];

export const act: Act<LatestOptions> = async (call, [text = ""]) => {
  const place = placeOf(text);
  const said = await readPolicy(documentOf(call));
  const policy = place.tag === undefined ? said : newerThan(said, place.tag);
  const source = await sourceOf(call, place.text);
  const { explain } = call.options;
  const heard = new Heard(place.tag, explain === true);
  const choice = await chooseTag(heard.through(source.tags()), policy, { facts: source.facts, signal: call.signal });
  tell(call, choice);
  // What runs is the newest, where it is there and none is newer.
  const newest = choice.tag ?? (heard.isThere ? place.tag : undefined);
  const reference = newest === undefined ? undefined : await referenceTo(policy, { source, place, tag: newest });
  if (explain === true) await explained(call, { place, reference, names: heard.names, why: choice.why });
  else if (newest !== undefined && reference !== undefined)
    await printResult(call, { image: place.text, tag: newest, reference, ...membersOf(choice) }, printable(reference));
  if (reference === undefined) throw nothing(place, choice);
};

/** Hears of tags that pass: whether one is among them, and their names where those are told one by one. */
class Heard {
  readonly names: string[] = [];
  isThere = false;
  readonly #tag: string | undefined;
  readonly #keeps: boolean;

  constructor(tag: string | undefined, keeps: boolean) {
    this.#tag = tag;
    this.#keeps = keeps;
  }

  async *through(tags: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const tag of tags) {
      if (tag === this.#tag) this.isThere = true;
      if (this.#keeps) this.names.push(tag);
      yield tag;
    }
  }
}

interface Newest {
  readonly source: TagSource;
  readonly place: Place;
  readonly tag: string;
}

const referenceTo = async (policy: Policy, { source, place, tag }: Newest): Promise<string> => {
  const before = place.tag === undefined ? undefined : { tag: place.tag, digest: place.digest };
  const isPinned = (policy.document.digestReflectionPolicy ?? "Never") !== "Never";
  // Kept where it was: then nobody has to be asked.
  const pinned = pinnedTo(policy, { tag }, before);
  const digest = isPinned && pinned.digest === undefined ? await source.digest(tag) : pinned.digest;
  return `${place.prefix}${tag}${digest === undefined ? "" : `@${digest}`}`;
};

/** What a person should hear of besides. */
const tell = ({ reporter }: Call, { tag, isAgeUnknown, refused, collisions }: Choice): void => {
  if (isAgeUnknown) reporter.warn(`${tag}: when it was created is not known, so its age holds nothing back`);
  const [first] = collisions;
  const others = collisions.length > 1 ? `, and so it is with ${collisions.length - 1} more values` : "";
  if (first !== undefined)
    reporter.warn(`${first.tags.slice(0, 5).join(", ")} give one value, "${first.value}"; the first is taken${others}`);
  if (tag !== undefined) for (const { text } of refused) reporter.note(text);
};

const membersOf = (choice: Choice): Readonly<Record<string, unknown>> => {
  const created = knownTime(choice.facts?.time);
  return defined<Record<string, unknown>>({
    created: created === undefined ? undefined : new Date(created).toISOString(),
    ageUnknown: choice.isAgeUnknown || undefined,
    tags: choice.tags,
    leftOut: choice.leftOut,
    refused: choice.refused.map(verdictOf),
    collisions: choice.collisions,
  });
};

const verdictOf = ({ tag, code, text, value, until }: Verdict): Readonly<Record<string, unknown>> =>
  defined<Record<string, unknown>>({
    tag,
    code,
    text,
    value,
    until: until === undefined ? undefined : new Date(until).toISOString(),
  });

/** The longest code. */
const width = "other-precision".length;

interface Explained {
  readonly place: Place;
  readonly reference: string | undefined;
  readonly names: readonly string[];
  readonly why: Choice["why"];
}

const explained = async (
  { options, out }: Call<LatestOptions>,
  { place, reference, names, why }: Explained,
): Promise<void> => {
  if (options.output === "json") {
    const members = defined<Record<string, unknown>>({ image: place.text, reference });
    await listing(out, members, "verdicts", names, (tag) => verdictOf(why(tag)));
    return;
  }
  for (const tag of names) {
    const { code, text } = why(tag);
    await out.line(printable(`${code.padEnd(width)}  ${text}`));
  }
};

/** That nothing fits, and what comes near. */
const nothing = ({ text, tag }: Place, { tags, nearest, refused }: Choice): DrayError => {
  const wanted = tag === undefined ? "fits" : `is newer than ${tag}`;
  const near = nearest.map((each) => each.text.replace(/\.$/, "")).join("; ");
  const young = refused.flatMap(({ until }) => until ?? []);
  const later = young.length === 0 ? "" : `; one will be old enough in ${ageText(Math.min(...young) - Date.now())}`;
  const said = tags === 0 ? "has no tags" : `none of ${tags} tags ${wanted}${near === "" ? "" : `: ${near}`}${later}`;
  return new DrayError("NOT_FOUND", `${text}: ${said}`, { reference: text });
};
