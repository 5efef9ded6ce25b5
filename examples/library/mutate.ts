import { allOf, annotated, configured, copy, edit, openRepository, viewOf } from "dray";

/** Gives every image of a tag another user and a label, takes a variable away, and puts the result under another tag. No layer moves. */
export const harden = async (location: string, tag: string): Promise<string> => {
  const opened = await openRepository(location);
  const view = await viewOf(opened.store, await opened.store.resolve(opened.name));
  const change = allOf(
    configured({ user: "65532", labels: { "org.example.hardened": "yes" }, env: { DEBUG: null } }),
    annotated({ "org.opencontainers.image.vendor": "Example" }, ["manifest", "index"]),
  );
  const { store, root } = await edit(view, change);
  await copy({ store, name: root.digest, location }, { ...opened, name: tag });
  return root.digest;
};
