import { isDeepStrictEqual } from "node:util";
import type { Effective } from "@dray/service/config";
import { table } from "./keys/index.ts";
import type { Settings } from "./settings/index.ts";

export interface Reload {
  /** Keys whose change applies while the registry runs. */
  readonly applies: readonly string[];
  /** Keys whose change waits for a restart. Until then the old values hold. */
  readonly restart: readonly string[];
}

/** What changed between two configurations, and what of it needs a restart. */
export const reloadable = (old: Settings, next: Settings): Reload => {
  const [before, after] = [valuesOf(old.effective, next.effective), valuesOf(next.effective, old.effective)];
  const changed = new Set(
    [...before.keys(), ...after.keys()].filter((key) => !isDeepStrictEqual(before.get(key), after.get(key))),
  );
  // TLS as a whole comes and goes with the socket, access by files with the way of access, each with its first key.
  const socket = (old.listen.tls === undefined) !== (next.listen.tls === undefined);
  const access = old.access.kind !== next.access.kind;
  const waits = (key: string): boolean =>
    table.at.get(key)?.reloadable !== true ||
    (socket && key.startsWith("http.tls.")) ||
    (access && key.startsWith("auth."));
  return {
    applies: [...changed].filter((key) => !waits(key)),
    restart: [...changed].filter(waits),
  };
};

/** A default that comes or goes with something else is no change of its own. */
const valuesOf = (mine: readonly Effective[], others: readonly Effective[]): Map<string, unknown> => {
  const there = new Set(others.map(({ key }) => key));
  const counted = mine.filter(({ key, origin }) => origin.kind !== "default" || there.has(key));
  return new Map(counted.map(({ key, value }) => [key, value]));
};
