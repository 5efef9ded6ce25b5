/** A connection of which others may need the room. */
interface Held {
  /** Address, with or without its port. */
  readonly peer: string | undefined;
  /** The beat since when nothing moves on it. */
  readonly since: number;
}

/**
 * In the order in which connections are ended for room: always one of the address that has most of them left, of its own the one on which
 * nothing moved for longest. So whoever holds many loses his before anybody loses the only one.
 */
export const mostHeldFirst = <T extends Held>(all: readonly T[]): T[] => {
  const left = new Map<string, number>();
  const ranked = all
    .toReversed()
    .toSorted((a, b) => b.since - a.since)
    .map((one) => {
      const address = one.peer?.replace(/:\d+$/, "") ?? "";
      const rank = (left.get(address) ?? 0) + 1;
      left.set(address, rank);
      return { one, rank };
    });
  return ranked.toSorted((a, b) => b.rank - a.rank || a.one.since - b.one.since).map(({ one }) => one);
};
