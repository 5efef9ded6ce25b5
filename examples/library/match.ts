import { type Descriptor, openRepository, viewOf } from "dray";
import { byAnnotation, byPlatform } from "dray/image";

/** The entries of an index that are for Linux, without those that a builder says about them. */
export const linuxEntries = async (location: string): Promise<readonly Descriptor[]> => {
  await using opened = await openRepository(location);
  const view = await viewOf(opened.store, await opened.store.resolve(opened.name));
  if (view.kind === "image") return [view.descriptor];
  const isAttestation = byAnnotation("vnd.docker.reference.type");
  return (await view.index()).manifests.filter(byPlatform("linux")).filter((entry) => !isAttestation(entry));
};
