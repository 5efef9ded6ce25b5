import type { Finding } from "@dray/server";
import { formatBytes, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Define } from "../context.ts";
import { type AskingOptions, asking } from "../control-client.ts";
import { outputFlag, size } from "../flags.ts";
import { printResult } from "../json.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

interface VerifyOptions extends ServingOptions {
  readonly rate?: number;
  readonly resume?: boolean;
  readonly quarantine?: boolean;
}

export const define: Define = (command) =>
  servingFlags(command)
    .option(
      "--rate <size>",
      "bytes that are read in a second at most; 0: no bound (default: the registry's dray.verify.rate)",
      size,
    )
    .option("--resume", "go on where the last run in the registry was cut off")
    .option("--quarantine", "put damaged data aside, so that the next push brings it again")
    .addOption(outputFlag());

/** Only who puts something aside needs the volume for himself. */
const how: AskingOptions<VerifyOptions> = { name: "verify", reads: ({ quarantine }) => quarantine !== true };

export const examples: readonly string[] = [
  "dray serve verify --rate 50MB",
  "dray serve verify --quarantine --data /srv/registry",
];

/** 1 where something is not whole. */
export const act: Act<VerifyOptions> = asking(how, async (client, call) => {
  const { options, signal } = call;
  const { rate, resume, quarantine } = options;
  const onProgress = (finding: Finding): void => void printResult(call, { finding }, lineOf(finding));
  const verified = await client.ask("verify", defined({ rate, resume, quarantine }), { signal, onProgress });
  const { tags, manifests, blobs, bytes, findings, absent } = verified;
  const sums = [plural(tags, "tag"), plural(manifests, "manifest"), `${plural(blobs, "blob")}, ${formatBytes(bytes)}`];
  const verdict = findings === 0 ? "whole" : plural(findings, "finding");
  const sparse = absent === 0 ? "" : `; of sparse manifests ${plural(absent, "part")} not here`;
  await printResult(call, { verified }, `${sums.join(", ")}: ${verdict}${sparse}`);
  return findings === 0 ? 0 : 1;
});

const lineOf = ({ kind, repository, tag, digest, reason, remedy, putAside }: Finding): string => {
  const name = [repository, tag === undefined ? undefined : `:${tag}`, digest === undefined ? undefined : `@${digest}`];
  const said = `${kind} ${name
    .filter((part) => part !== undefined)
    .join("")
    .replace(/^@/, "")}: ${reason}`;
  return printable(`${said}${putAside === undefined ? "" : `; put aside as ${putAside}`}; ${remedy}`);
};
