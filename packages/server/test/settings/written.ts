/** A configuration as a file has it, from keys and what they say in YAML. */
export const fileOf = (said: Readonly<Record<string, string>>): string => {
  const root: Branch = new Map();
  for (const [key, value] of Object.entries(said)) {
    const words = key.split(".");
    const last = words.pop() ?? "";
    let at = root;
    for (const word of words) {
      const below = at.get(word);
      const branch: Branch = below instanceof Map ? below : new Map();
      at.set(word, branch);
      at = branch;
    }
    at.set(last, value);
  }
  return linesOf(root, "");
};

type Branch = Map<string, Branch | string>;

const linesOf = (branch: Branch, indent: string): string =>
  [...branch]
    .map(([name, below]) =>
      below instanceof Map ? `${indent}${name}:\n${linesOf(below, `${indent}  `)}` : `${indent}${name}: ${below}\n`,
    )
    .join("");
