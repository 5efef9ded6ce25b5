import { open } from "dray";
import { hasTags } from "dray/content";
import type { Call } from "../context.ts";
import { registriesFor } from "../registries.ts";

/** Tags offered at most: nobody reads more, and a registry may have a million. */
const most = 500;

/** The first tags of a repository. */
export const tagsOf = async (call: Call, repository: string): Promise<readonly string[]> => {
  const { connect } = await registriesFor(call);
  const { store } = await open(repository, { connect, defaultTag: "" });
  const tags: string[] = [];
  if (!hasTags(store)) return tags;
  for await (const tag of store.tags({ signal: call.signal })) {
    tags.push(tag);
    if (tags.length === most) break;
  }
  return tags;
};
