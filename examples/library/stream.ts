import { copy, edit, openRepository, viewOf } from "dray";
import { appended, ingestLayer } from "dray/image";

/** A tar that comes once, as from a pipe, becomes a layer on top of each image of a tag. It is compressed while it goes up, and never kept. */
export const appendStream = async (location: string, tar: AsyncIterable<Uint8Array>, tag: string): Promise<string> => {
  const opened = await openRepository(location);
  const layer = await ingestLayer(opened.store, tar, { what: "standard input" });
  const view = await viewOf(opened.store, await opened.store.resolve(opened.name));
  const { store, root } = await edit(view, appended([{ layer, history: { created_by: "a pipe" } }]));
  await copy({ store, name: root.digest, location }, { ...opened, name: tag });
  return layer.diffID;
};
