import type { Restored } from "@dray/server";
import { plural } from "@dray/service/figures";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { isDigest, isRepository, isTag } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { asking } from "../control-client.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

interface RestoreOptions extends ServingOptions {
  readonly tags?: boolean;
}

export const define: Define = (command) =>
  servingFlags(command.argument("<repository@digest | repository:tag>"))
    .option("--tags", "of a digest: also put back the deleted tags that stood for it")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray serve restore team/app:1.0",
  "dray serve restore --tags team/app@sha256:…",
];

/** Makes the links of what was deleted again, as long as its data is there. */
export const act: Act<RestoreOptions> = (call, [what = "", ...words]) =>
  asking<RestoreOptions>({ name: "restore" }, async (client) => {
    const { repository, name } = placeOf(what);
    const { tags } = call.options;
    const asked = defined<{ repository: string; name: string; tags?: boolean }>({ repository, name, tags });
    const restored = await client.ask("restore", asked, { signal: call.signal });
    const { missing } = restored;
    if (missing.length > 0)
      call.reporter.warn(
        `${plural(missing.length, "manifest")} of the index ${missing.length === 1 ? "is" : "are"} not here, and may never have been: ${some(missing)}`,
      );
    await printResult(call, { restored }, textOf(repository, restored).map(printable).join("\n"));
  })(call, words);

const textOf = (repository: string, { digest, kind, links, tag, putBack, tags, formerTags }: Restored): string[] => {
  const what = `${kind} ${repository}@${digest}`;
  const named = tag === undefined ? "" : ` as ${tag}`;
  const lines = [
    links > 0
      ? `restored ${what}${named}; made ${plural(links, "link")}`
      : tag !== undefined
        ? `restored the tag ${repository}:${tag} for ${kind} ${digest}; all its links were there`
        : putBack.length > 0
          ? `restored tags of ${what}; all its links were there`
          : `nothing was deleted: ${what} has all its links`,
  ];
  if (kind === "blob") return lines;
  if (putBack.length > 0) lines.push(`put back: ${some(putBack)}`);
  lines.push(tags.length === 0 ? "no tag stands for it" : `its tags: ${some(tags)}`);
  const deleted = formerTags.filter(({ now }) => now === undefined).map((former) => former.tag);
  const moved = formerTags.flatMap((former) => (former.now === undefined ? [] : [`${former.tag} (now ${former.now})`]));
  if (deleted.length > 0)
    lines.push(
      `deleted tags that stood for it: ${some(deleted)}; dray serve restore --tags ${repository}@${digest} puts them back`,
    );
  if (moved.length > 0) lines.push(`tags that stood for it and stand for something else: ${some(moved)}`);
  return lines;
};

/** Names that are told one by one. */
const most = 5;

const some = (names: readonly string[]): string =>
  names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;

const placeOf = (what: string): { repository: string; name: string } => {
  const at = what.includes("@") ? what.indexOf("@") : what.lastIndexOf(":");
  const [repository, name] = [what.slice(0, Math.max(0, at)), what.slice(at + 1)];
  if (!isRepository(repository) || !(isDigest(name) || (isTag(name) && !what.includes("@"))))
    throw new DrayError(
      "USAGE",
      `"${what}" is no place in this registry; write demo/hello@sha256:… or demo/hello:1.0, without a host`,
    );
  return { repository, name };
};
