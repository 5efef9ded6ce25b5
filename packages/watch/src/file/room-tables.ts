/**
 * Tables of one room of the file. A room begins with version 1 and adds a step for each change: what it holds is never made anew, since first
 * sights and events cannot be had a second time.
 */
export interface RoomTables {
  /** Names the room in the file, for ever: `events`. */
  readonly room: string;
  /** `steps[n]` brings its tables from version `n` to `n + 1`; the first makes them. */
  readonly steps: readonly string[];
}
