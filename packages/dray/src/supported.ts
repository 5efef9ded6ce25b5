/** The oldest Node that has what is used, asked before the rest is loaded: else whoever has an older one hears of some function that is none. */

/** The library's. The command and the server need more. */
export const oldestNode = "22.12";

/** The sentence that says so, where this is Node and older than `least`, such as `22.21`. Bun, Deno and workers say what they are like. */
export const tooOld = (
  name: string,
  least: string,
  versions: Readonly<Partial<Record<string, string>>> = process.versions,
): string | undefined => {
  const { node, bun, deno } = versions;
  if (node === undefined || bun !== undefined || deno !== undefined) return undefined;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  const isEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  return isEnough ? undefined : `${name} needs Node ${least} or newer, or Bun; this is Node ${node}`;
};
