import { chooseTag, type ImageFacts, readPolicy } from "@dray/policy";
import { knownFacts, type RepositoryState, tagNamed, tagsOf, type WatchFile } from "@dray/watch";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { parseReference } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { listing } from "../json.ts";
import { addPolicyFlags, documentOf, type PolicyOptions } from "../latest/index.ts";
import { dbFlag, familiarName, knownNamed, openWatch, timeOf, type WatchOptions } from "../watch/index.ts";

type ExplainOptions = WatchOptions & PolicyOptions;

export const define: Define = (command) => {
  command.argument("<image>", "a repository, for each of its tags; with a tag for that one");
  addPolicyFlags(command).addOption(dbFlag()).addOption(outputFlag());
};

export const examples: readonly string[] = [
  "dray watch explain alpine",
  "dray watch explain --semver '^3' --min-age 3d alpine:3.22",
];

/** The longest code. */
const width = "other-precision".length;

/** Why a policy chooses a tag or does not, by what is known; nothing is asked of a registry. */
export const act: Act<ExplainOptions> = async (call, [text = ""]) => {
  const file = await openWatch(call);
  const { registry, repository, tag = "" } = parseReference(text, { defaultTag: "" });
  const known = knownNamed(file, `${registry}/${repository}`);
  const policy = await readPolicy(documentOf(call));
  const names = tagsOf(file.statements, known.id).map((each) => each.tag);
  if (names.length === 0) {
    const why = known.problem === undefined ? "" : `: ${known.problem.message}`;
    throw new DrayError("NOT_FOUND", `no tag of ${familiarName(known.name)} is known${why}`, { reference: known.name });
  }
  if (tag !== "" && !names.includes(tag)) {
    const reference = `${known.name}:${tag}`;
    throw new DrayError("NOT_FOUND", `${familiarName(known.name)} has no tag ${tag}, as far as is known`, {
      reference,
    });
  }
  const now = Date.now();
  const facts = (name: string): ImageFacts => factsOf(file, known, name, now);
  const { tag: chosen, why } = await chooseTag(names, policy, { facts, now, signal: call.signal });
  const wanted = tag === "" ? names : [tag];
  if (call.options.output === "json") {
    const members = defined<Record<string, unknown>>({ repository: known.name, chosen });
    await listing(call.out, members, "verdicts", wanted, (name) => {
      const { until, ...verdict } = why(name);
      return defined<Record<string, unknown>>({ ...verdict, until: timeOf(until) });
    });
    return;
  }
  for (const name of wanted) {
    const { code, text: said } = why(name);
    await call.out.line(printable(`${code.padEnd(width)}  ${said}`));
  }
};

/** What the file has of the image behind a tag. */
const factsOf = ({ statements }: WatchFile, { id, name }: RepositoryState, tag: string, now: number): ImageFacts => {
  const state = tagNamed(statements, id, tag);
  if (state === undefined) return { error: "it is gone" };
  const { facts } = knownFacts(statements, name, state, now);
  if (facts.error !== undefined || state.digest !== undefined) return facts;
  return { error: state.wanted ? "it was not looked at yet" : "scans do not select it" };
};
