import { allOf, configured, copy, edit, exportTar, openImage, openRepository, viewOf } from "dray";
import { appended, filesTar, ingestLayer } from "dray/image";

/** `crane append` and `crane mutate` in one: files on top of each image of a tag, and another command. */
export const addFiles = async (
  base: string,
  target: string,
  files: Readonly<Record<string, Uint8Array>>,
  cmd: readonly string[],
): Promise<string> => {
  const from = await openRepository(base);
  const to = await openRepository(target);
  const list = Object.entries(files).map(([name, content]) => ({ name, content }));
  const layer = await ingestLayer(to.store, filesTar(list));
  const view = await viewOf(from.store, await from.store.resolve(from.name));
  const { store, root } = await edit(view, allOf(appended([{ layer }]), configured({ cmd })));
  await copy({ ...from, store, name: root.digest }, to);
  return root.digest;
};

/** `crane export`: the files of one platform as a tar, while its layers arrive. */
export async function* exported(location: string, platform: string): AsyncGenerator<Uint8Array> {
  const image = await openImage(location, { platform });
  yield* exportTar(image);
}
