import { removes } from "dray/content";
import { DrayError } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { opened } from "../images.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a tag or digest, deleted as it is written; or a location such as oci:DIR:NAME");

/** As typed: a registry may take a tag away alone, or refuse tags and want the digest. */
export const act: Act = async (call, [image = ""]) => {
  const { store, name, location } = await opened(call, image);
  if (!removes(store)) throw new DrayError("UNSUPPORTED", `${location}: nothing can be deleted here`);
  await store.remove(name, { signal: call.signal });
  call.reporter.summary(`deleted ${location}`, { deleted: location });
};
