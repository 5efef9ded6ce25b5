import type { Cancel, ProgressEvent } from "dray/content";
import { type Clock, systemClock } from "dray/http";
import { formatReference, isTag, type WantedPlatform } from "dray/oci";
import type { Repository as Store } from "dray/registry";
import { imageOf, type Repository } from "../repository.ts";
import type { Client, TagList } from "./client.ts";
import type { ConfigurationReader } from "./configurations.ts";
import { lookInto } from "./look.ts";

/** What a client of a registry stands on. */
export interface RemoteClientParts {
  readonly repository: Repository;
  /** Runs work with the store of the repository, which is connected as long as it runs. */
  readonly within: <T>(work: (store: Store) => Promise<T>) => Promise<T>;
  readonly platforms: readonly WantedPlatform[];
  readonly configurations: ConfigurationReader;
  readonly clock?: Pick<Clock, "now"> | undefined;
}

/** A client that asks the registry. */
export const remoteClient = (parts: RemoteClientParts): Client => {
  const { repository, within, platforms, configurations, clock = systemClock } = parts;
  return {
    repository,
    tags: ({ signal } = {}) => within((store) => listTags(store, { signal })),
    digest: (tag, { signal } = {}) => within((store) => store.digest(tag, { signal, orRead: true })),
    manifest: (tag, { digest, signal } = {}) =>
      within((store) =>
        lookInto(store, {
          id: formatReference(imageOf(repository, tag)),
          name: digest ?? tag,
          platforms,
          configurations,
          now: new Date(clock.now()).toISOString(),
          signal,
        }),
      ),
  };
};

/** All pages of the list; each tag once, and no name that is none. */
const listTags = async (store: Store, { signal }: Cancel): Promise<TagList> => {
  const faults: string[] = [];
  let complete = true;
  const onEvent = (event: ProgressEvent): void => {
    if (event.type !== "warning") return;
    faults.push(event.message);
    if (event.partial === true) complete = false;
  };
  const tags = new Set<string>();
  let twice = 0;
  let wrong = 0;
  for await (const page of store.tags({ signal, onEvent }).pages())
    for (const tag of page) {
      if (!isTag(tag)) wrong++;
      else if (tags.size === tags.add(tag).size) twice++;
    }
  if (twice > 0) faults.push(`the list names ${twice} tags more than once`);
  if (wrong > 0) faults.push(`the list has ${wrong} names that are no tags`);
  return { tags: [...tags], complete, faults };
};
