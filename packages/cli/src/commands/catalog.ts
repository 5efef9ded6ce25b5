import { DrayError, printable } from "dray/errors";
import { isRepository, parseRegistry } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { listing } from "../json.ts";
import { registriesFor } from "../registries.ts";

interface CatalogOptions extends ListingOptions {
  readonly fullRef?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<registry>", "host[:port]")
    .option("--full-ref", "print the registry with each repository")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray catalog registry.example.com",
  "dray catalog --full-ref localhost:5000",
];

/** Each page is printed as it comes. */
export const act: Act<CatalogOptions> = async (call, [host = ""]) => {
  const { options, out, signal } = call;
  const registry = registryOf(host);
  const repositories = (await registriesFor(call)).connect(registry).catalog({ signal });
  const named = (repository: string): string => (options.fullRef === true ? `${registry}/${repository}` : repository);
  if (options.output === "json") return listing(out, { registry }, "repositories", repositories, named);
  for await (const repository of repositories) await out.line(printable(named(repository)));
};

/** What has a path is a repository, which has tags. */
const registryOf = (text: string): string => {
  const path = /^[^/]+\/(.*)$/.exec(text)?.[1];
  if (path === undefined || path === "" || !isRepository(path)) return parseRegistry(text.replace(/\/$/, ""));
  throw new DrayError("USAGE", `"${text}" is a repository; its tags are listed by dray ls ${text}`);
};
