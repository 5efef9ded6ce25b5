import { copy, edit, openRepository, viewOf } from "dray";
import { byPlatform, entriesKept } from "dray/image";

/** Leaves of an index what is for Linux, with what its builder attached to that, and gives it another tag. */
export const linuxOnly = async (location: string, tag: string): Promise<string> => {
  const opened = await openRepository(location);
  const view = await viewOf(opened.store, await opened.store.resolve(opened.name));
  const { store, root } = await edit(view, entriesKept(byPlatform("linux")));
  await copy({ store, name: root.digest, location }, { ...opened, name: tag });
  return root.digest;
};
