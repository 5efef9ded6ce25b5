import { DrayError, printable } from "dray/errors";
import { isDigest, isRepository, isTag } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { asking } from "../control-client.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { plural } from "../progress/index.ts";
import { servingFlags } from "../serve-flags.ts";

export const define: Define = (command) =>
  servingFlags(command.argument("<repository@digest | repository:tag>")).addOption(outputFlag());

/** Makes the links of what was deleted again, as long as its data is there. */
export const act: Act = (call, [what = "", ...words]) =>
  asking({ name: "restore" }, async (client) => {
    const { repository, name } = placeOf(what);
    const restored = await client.ask("restore", { repository, name }, { signal: call.signal });
    const { digest, kind, links, tag, missing } = restored;
    for (const child of missing) call.reporter.warn(`${child} is not here: the index refers to it`);
    const done = links === 0 ? "all its links were there" : `made ${plural(links, "link")}`;
    const named = tag === undefined ? "" : ` as ${tag}`;
    await printResult(call, { restored }, printable(`restored ${kind} ${repository}@${digest}${named}; ${done}`));
  })(call, words);

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
