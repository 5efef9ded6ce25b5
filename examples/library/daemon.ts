import { copy, dockerArchive, open } from "dray";

/** What `docker save IMAGE` writes goes to a registry as it comes: `push(spawn("docker", ["save", name]).stdout, location)`. */
export const pushSaved = async (saved: AsyncIterable<Uint8Array>, location: string): Promise<string> => {
  const target = await open(location);
  const archive = dockerArchive("-", { input: saved });
  const { root } = await copy({ store: archive, name: "", location: "docker save" }, target);
  return root.digest;
};
