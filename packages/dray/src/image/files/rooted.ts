/** Bytes of a path at most, as Linux allows; a name or a link in a layer may have a megabyte, and each part of a path is looked up. */
export const longestPath = 4096;

/**
 * A name in a layer as it is seen from the root of the image, which `..` does not leave: `/etc/passwd`. Names may be any bytes, and Bun's
 * `node:path` keeps only those that are text.
 */
export const rooted = (name: string): string => {
  const parts: string[] = [];
  for (const part of name.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return `/${parts.join("/")}`;
};

/** The directory that a path, seen from the root, lies in, and its name there. */
export const parted = (path: string): readonly [folder: string, name: string] => {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash) || "/", path.slice(slash + 1)];
};

/** Where a symbolic link leads, with what follows it in a path. */
export const behindLink = (link: string, target: string, rest: readonly string[] = []): string =>
  rooted([...(target.startsWith("/") ? [] : [parted(link)[0]]), target, ...rest].join("/"));
