import { bytesContent, copy, type Descriptor, DrayError, open, type ReadableStore } from "dray";
import { checked } from "dray/content";

/** A database of our own. */
export interface Database {
  tag(name: string): Promise<Descriptor | undefined>;
  bytes(digest: string): Promise<Uint8Array | undefined>;
}

/** Two functions make a store of it: every view, change and copy works on it then. */
export const databaseStore = (database: Database): ReadableStore => ({
  resolve: async (name) => {
    const found = await database.tag(name);
    if (found === undefined) throw new DrayError("NOT_FOUND", `the database has no "${name}"`, { reference: name });
    return found;
  },
  read: async function* (descriptor, options = {}) {
    const bytes = await database.bytes(descriptor.digest);
    if (bytes === undefined) throw new DrayError("NOT_FOUND", `the database has no ${descriptor.digest}`);
    yield* checked(bytesContent(bytes).open(options), descriptor, options, (error) => error);
  },
});

/** What lies in the database goes to a registry. */
export const publishFrom = async (database: Database, name: string, location: string): Promise<string> => {
  const target = await open(location);
  const { root } = await copy({ store: databaseStore(database), name, location: "the database" }, target);
  return root.digest;
};
