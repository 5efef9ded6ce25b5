import { copy, edit, openImage, openRepository, viewOf } from "dray";
import { rebased } from "dray/image";

/** Puts the image of each platform on another base; layers that were added to the old one stay as they are. */
export const rebase = async (location: string, oldBase: string, newBase: string, tag: string): Promise<string> => {
  const opened = await openRepository(location);
  const view = await viewOf(opened.store, await opened.store.resolve(opened.name));
  const change = rebased(async (image) => {
    const platform = await image.platform();
    return { from: await openImage(oldBase, { platform }), to: await openImage(newBase, { platform }), name: newBase };
  });
  const { store, root } = await edit(view, change);
  await copy({ store, name: root.digest, location }, { ...opened, name: tag });
  return root.digest;
};
