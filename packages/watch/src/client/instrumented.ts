import type { Clock } from "dray/http";
import { Durations } from "../durations.ts";
import type { Client, ManifestOptions } from "./client.ts";

/** The label that says what was asked for. */
export const labelRequestKind = "kind";

/** What is asked of a registry: the list of tags, or what one of them names. */
export const requestKinds = { tags: "tags", metadata: "metadata" } as const;

/** How long registries take, as flux has told it: `flux_client_fetch_duration_seconds` by `kind` and `success`. */
export const clientDurations = (options?: { readonly clock?: Pick<Clock, "now"> }): Durations =>
  new Durations(
    "flux_client_fetch_duration_seconds",
    "Duration of requests of image metadata to registries, in seconds.",
    options,
  );

/**
 * A client whose requests are counted by kind and by whether they succeeded.
 * @example
 * const durations = clientDurations();
 * const client = instrumentedClient(await factory.clientFor(repository), durations);
 * page.add(durations.family());
 */
export const instrumentedClient = (client: Client, durations: Durations): Client => {
  const { tags, metadata } = requestKinds;
  return {
    repository: client.repository,
    tags: (options) => durations.of({ [labelRequestKind]: tags }, () => client.tags(options)),
    digest: (tag, options) => durations.of({ [labelRequestKind]: metadata }, () => client.digest(tag, options)),
    manifest: (tag: string, options?: ManifestOptions) =>
      durations.of({ [labelRequestKind]: metadata }, () => client.manifest(tag, options)),
  };
};
