import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../environment.ts";

/** Where podman keeps what holds for all users. */
export const systemFolder = "/etc/containers";

/**
 * The files of `registries.conf` that podman and skopeo read: the one that `CONTAINERS_REGISTRIES_CONF` names, else the user's own with the
 * user's drop-ins alone, else the system's; then the drop-ins of the system and of the user, by their names.
 * @param system a folder that stands for `/etc/containers`
 */
export const registriesConfFiles = async (
  env: Environment,
  system: string = systemFolder,
): Promise<readonly string[]> => {
  const user = join(env["HOME"] || homedir(), ".config/containers");
  const named = env["CONTAINERS_REGISTRIES_CONF"];
  const [own, all] = [join(user, "registries.conf"), join(system, "registries.conf")];
  const [ownDropIns, allDropIns] = [`${own}.d`, `${all}.d`];
  if (!named && (await isFile(own))) return [own, ...(await dropIns(ownDropIns))];
  const main = named || ((await isFile(all)) ? all : undefined);
  return [...(main === undefined ? [] : [main]), ...(await dropIns(allDropIns)), ...(await dropIns(ownDropIns))];
};

/** The files of a drop-in folder in the order of their names; none where there is no such folder. */
export const dropIns = async (folder: string): Promise<readonly string[]> =>
  (await namesIn(folder))
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => join(folder, name));

/** The names in a folder; none where there is no such folder. */
export const namesIn = async (folder: string): Promise<readonly string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  );
