import { allOf, configured, copy, edit, openRepository } from "dray";
import { appended, emptyImage, filesTar, ingestLayer } from "dray/image";

/** An image from nothing: one layer with one program. */
export const pushProgram = async (location: string, program: Uint8Array): Promise<string> => {
  const target = await openRepository(location);
  const layer = await ingestLayer(target.store, filesTar([{ name: "app", mode: 0o755, content: program }]));
  const made = allOf(
    appended([{ layer, history: { created_by: "the build" } }]),
    configured({ os: "linux", architecture: "amd64", entrypoint: ["/app"] }),
  );
  const { store, root } = await edit(await emptyImage(), made);
  await copy({ store, name: root.digest, location: "the new image" }, target);
  return root.digest;
};
