import { type WatchSettings, watchKeys } from "../config/index.ts";

/** Keys that say something else than before: those that apply at once, and those that wait for a restart. */
export const changedKeys = (
  before: WatchSettings,
  after: WatchSettings,
): { readonly applies: readonly string[]; readonly restart: readonly string[] } => {
  const written = ({ effective }: WatchSettings): Map<string, string> =>
    new Map(effective.map(({ key, value }) => [key, JSON.stringify(value instanceof Map ? [...value] : value)]));
  const [old, now] = [written(before), written(after)];
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
  const isLive = (key: string): boolean => watchKeys.at.get(key)?.reloadable === true;
  return { applies: changed.filter(isLive), restart: changed.filter((key) => !isLive(key)) };
};
