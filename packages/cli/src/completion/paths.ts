import { readdir, stat } from "node:fs/promises";
import { posix } from "node:path";

/** What may follow the prefix of a location that is a path: the names in its folder, those of folders with a slash. */
export const pathsFor = async (word: string): Promise<readonly string[] | undefined> => {
  const [prefix, path = ""] = /^(oci|oci-archive|docker-archive):([^:]*)$/.exec(word)?.slice(1) ?? [];
  if (prefix === undefined) return undefined;
  const slash = path.lastIndexOf("/") + 1;
  const [folder, start] = [path.slice(0, slash), path.slice(slash)];
  const names = await readdir(folder === "" ? "." : folder).catch((): string[] => []);
  // What is hidden is offered to whoever begins with a dot, as shells do.
  const fitting = names.filter((name) => name.startsWith(start) && (start !== "" || !name.startsWith("."))).toSorted();
  const shown: string[] = [];
  for (const name of fitting) {
    const isFolder = await stat(posix.join(folder, name)).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    if (isFolder) shown.push(`${prefix}:${folder}${name}/`);
    else if (prefix !== "oci") shown.push(`${prefix}:${folder}${name}`);
  }
  return shown;
};

/** What begins a location that is a path. */
export const prefixes: readonly string[] = ["oci:", "oci-archive:", "docker-archive:"];
