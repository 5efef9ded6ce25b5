import { hasTags } from "dray/content";
import { open } from "dray/locations";
import type { Call } from "../context.ts";
import { registriesFor } from "../registries.ts";

/** Names offered at most: nobody reads more, and a registry may have a million. */
const most = 500;
/** Names looked at for those, in a registry that has another order. */
const mostSeen = 5000;

/** The first tags of a repository, or names in a layout. */
export const tagsOf = async (call: Call, repository: string): Promise<readonly string[]> => {
  const { connect, engine } = await registriesFor(call);
  const { store } = await open(repository, { connect, engine, defaultTag: "" });
  return hasTags(store) ? first(store.tags({ signal: call.signal }), "") : [];
};

/** The first repositories of a registry whose names begin so. */
export const repositoriesOf = async (call: Call, registry: string, start: string): Promise<readonly string[]> => {
  // Lists are in order, and begin behind a name: the one that was typed is to be among them.
  const last = start === "" ? {} : { last: start.slice(0, -1) };
  return first((await registriesFor(call)).connect(registry).catalog({ signal: call.signal, ...last }), start);
};

const first = async (names: AsyncIterable<string>, start: string): Promise<readonly string[]> => {
  const found: string[] = [];
  let seen = 0;
  for await (const name of names) {
    if (name.startsWith(start)) found.push(name);
    if (found.length === most || ++seen === mostSeen) break;
  }
  return found;
};
