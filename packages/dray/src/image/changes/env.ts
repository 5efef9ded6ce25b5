import type { TextChange } from "./members.ts";

/**
 * `NAME=value` of each variable after a change: one that is there keeps its place, a new one comes last. Windows knows no case in names, and
 * there they are written in capitals where they are new.
 */
export const changedEnv = (before: readonly string[], change: TextChange, windows: boolean): readonly string[] => {
  if (change === null) return [];
  const same = (name: string): string => (windows ? name.toUpperCase() : name);
  const values = new Map(Object.entries(change).map(([name, value]) => [same(name), value]));
  const set = new Set<string>();
  const kept = before.flatMap((line) => {
    const at = line.indexOf("=");
    const name = at < 0 ? line : line.slice(0, at);
    const value = values.get(same(name));
    if (value === undefined) return [line];
    // Of two lines for one name the last one counts, so one is left.
    if (value === null || set.has(same(name))) return [];
    set.add(same(name));
    return [`${name}=${value}`];
  });
  const added = [...values].filter(([name, value]) => value !== null && !set.has(name));
  return [...kept, ...added.map(([name, value]) => `${name}=${value}`)];
};
