import { type Explanation, explain } from "dray/auth";
import { isDrayError, printable } from "dray/errors";
import { parseReference, parseRegistry } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { registriesFor } from "../registries.ts";

export const define: Define = (command) =>
  command.argument("<registry-or-repository>", "host[:port], or a reference").addOption(outputFlag());

export const examples: readonly string[] = ["dray auth explain ghcr.io", "dray auth explain -o json ghcr.io/team/app"];

/** No secret is in it: it may be pasted into a report. */
export const act: Act<ListingOptions> = async (call, [text = ""]) => {
  const target = targetOf(text);
  const keychain = (await registriesFor(call)).keychain(target.registry);
  const found = await explain(target, keychain, { signal: call.signal });
  await printResult(call, { ...found }, inWords(found).map(printable));
};

/** `ghcr.io` is a registry and `ghcr.io/team/app` a repository; a bare `app` is one on Docker Hub. */
const targetOf = (text: string): { registry: string; repository?: string } => {
  if (!text.includes("/") && /[.:]|^localhost$/.test(text)) {
    try {
      return { registry: parseRegistry(text) };
    } catch (error) {
      // `app:1.0` is no host with a port.
      if (!isDrayError(error, "REFERENCE_INVALID")) throw error;
    }
  }
  const { registry, repository } = parseReference(text);
  return { registry, repository };
};

const inWords = ({ registry, repository, tried, chosen }: Explanation): string[] => {
  const user = chosen.username === undefined ? "" : ` of ${chosen.username}`;
  const source = chosen.source === undefined ? "" : ` from ${chosen.source}`;
  const end = chosen.expiresAt === undefined ? "" : `, until ${chosen.expiresAt.toISOString()}`;
  return [
    `${registry}${repository === undefined ? "" : `/${repository}`}: ${chosen.kind}${user}${source}${end}`,
    ...tried.map(({ source, said }) => `  ${source}: ${said}`),
  ];
};
