import type { CopyPair } from "dray/copy";
import { DrayError } from "dray/errors";
import { mapOrdered } from "dray/internal/async";
import { newsBetween } from "dray/repositories";
import type { Call } from "../context.ts";
import { registriesFor } from "../registries.ts";
import { type Moved, type MovingOptions, moveAll, reportMoved } from "../transfer-report.ts";
import { type HeldRepository, onOne, type Place, placeIn, repositoriesAt, tellBroken, type Where } from "./place.ts";

/** How repositories are copied. */
export interface CopyBelowOptions extends MovingOptions {
  readonly clobber?: boolean;
}

/** Repositories that are compared at the same time. */
const comparedAtOnce = 8;
/** Images that are copied together: they share what they have in common, and are kept in memory by name. */
const imagesTogether = 1000;

/**
 * Copies a repository and all below it, each to the same path below another. What is the same on both sides is found out by lists, or by one HEAD a
 * tag, before anything is read.
 */
export const copyBelow = async (call: Call<CopyBelowOptions>, from: string, to: string): Promise<void> => {
  const began = performance.now();
  const [source, target] = [from, to].map((text) => placeIn(text, { recursive: true })) as [Place, Place];
  refuseInside(source, target, to);
  const { connect } = await registriesFor(call);
  const where: Where = { recursive: true, ended: { whole: 0, broken: [] } };
  const there = connect(target.registry, "target");
  // To a registry alone everything goes under the path that it has.
  const renamed = (path: string): string =>
    target.path === "" ? path : joined(target.path, path.slice(source.path.length).replace(/^\//, ""));
  const { clobber, referrers = false, force = false } = call.options;
  const news = async ({ name, repository, contents }: HeldRepository): Promise<CopyPair[]> => {
    const path = renamed(repository.name);
    // A list of manifests has what refers to others, which tags do not tell of.
    const unchanged = force || (referrers && contents.manifests === undefined);
    const found = await onOne(call, name, where, async () =>
      newsBetween(repository, contents, there.repository(path), { clobber, unchanged, signal: call.signal }),
    );
    return found ?? [];
  };
  let all: Moved = { copied: 0, mounted: 0, skipped: 0, leftOut: 0, bytes: 0, resumed: 0, outcomes: [] };
  let together: CopyPair[] = [];
  const move = async (): Promise<void> => {
    if (together.length > 0) all = sumOf(all, await moveAll(call, together));
    together = [];
  };
  const held = repositoriesAt(call, connect(source.registry, "source"), source, where);
  for await (const pairs of mapOrdered(held, comparedAtOnce, news)) {
    together.push(...pairs);
    if (together.length >= imagesTogether) await move();
  }
  await move();
  await reportMoved(call, all, "copied", began);
  tellBroken(where.ended, "compared");
};

const joined = (path: string, rest: string): string => [path, rest].filter((part) => part !== "").join("/");

/** Each copy would be found as something to copy. */
const refuseInside = (source: Place, target: Place, text: string): void => {
  const isInside = source.path === "" || `${target.path}/`.startsWith(`${source.path}/`);
  if (source.registry !== target.registry || !isInside) return;
  throw new DrayError("USAGE", `${text} lies in what is to be copied; name another destination`, { reference: text });
};

/** Names stay, and stores are let go: each holds what it has read. */
const sumOf = (before: Moved, { outcomes, ...counts }: Moved): Moved => ({
  copied: before.copied + counts.copied,
  mounted: before.mounted + counts.mounted,
  skipped: before.skipped + counts.skipped,
  leftOut: before.leftOut + counts.leftOut,
  bytes: before.bytes + counts.bytes,
  resumed: before.resumed + counts.resumed,
  outcomes: [
    ...before.outcomes,
    ...outcomes.map(({ pair: { source, target }, root, error }) => ({
      pair: { source: { location: source.location }, target: { location: target.location } },
      root,
      error,
    })),
  ],
});
