import { type Descriptor, isManifestLike } from "dray/oci";
import type { Happening } from "./types.ts";

/** A blob on its way. */
export interface Moving {
  readonly descriptor: Descriptor;
  /** Bytes that are through; never falls, whatever is tried again. */
  readonly through: number;
}

/** New content on its way, which has no digest yet. */
export interface Ingesting {
  readonly what: string;
  readonly size: number | undefined;
  readonly through: number;
}

/** How far the work is. Every number only grows, so that nothing drawn from it goes backwards. */
export interface ProgressState {
  /** Blobs known of, and their bytes. Grows while manifests are read. */
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs that need nothing more: moved, mounted, or there already. */
  readonly settled: number;
  readonly settledBytes: number;
  /** Bytes that went over the wire in this run: what a rate is made of. */
  readonly moved: number;
  /** In the order in which they began. */
  readonly moving: readonly Moving[];
  readonly ingesting: readonly Ingesting[];
  /** 0 to 1. When more work becomes known it stands still until the work has caught up. */
  readonly fraction: number;
}

export const noProgress: ProgressState = {
  blobs: 0,
  bytes: 0,
  settled: 0,
  settledBytes: 0,
  moved: 0,
  moving: [],
  ingesting: [],
  fraction: 0,
};

/** Bytes settled or through. */
export const bytesThrough = ({ settledBytes, moving, ingesting }: ProgressState): number =>
  [...moving, ...ingesting].reduce((sum, { through }) => sum + through, settledBytes);

/** Whether nobody knows how much is still to come. */
export const hasNoEnd = ({ ingesting }: ProgressState): boolean => ingesting.some(({ size }) => size === undefined);

/** The state after an event. Pure. */
export const advance = (state: ProgressState, event: Happening): ProgressState => {
  switch (event.type) {
    case "plan":
      return { ...state, blobs: state.blobs + event.blobs, bytes: state.bytes + event.bytes };
    case "start":
      return measured(reached(state, event.descriptor, event.offset));
    case "bytes":
      return measured(moved(state, event.descriptor, event.bytes));
    case "done":
    case "mounted":
      return measured(settle(state, event.descriptor));
    case "skipped":
      // A manifest that was there already was never planned.
      return isManifestLike(event.descriptor.mediaType) ? state : measured(settle(state, event.descriptor));
    case "ingest":
      return measured(ingested(state, event));
    case "retry":
    case "throttled":
    case "rateLimit":
    case "warning":
      return state;
  }
};

const reached = (state: ProgressState, descriptor: Descriptor, offset: number): ProgressState => {
  const through = Math.min(offset, descriptor.size);
  const at = state.moving.findIndex((each) => each.descriptor.digest === descriptor.digest);
  if (at < 0) return { ...state, moving: [...state.moving, { descriptor, through }] };
  return { ...state, moving: state.moving.map((each, i) => (i === at ? furthest(each, through) : each)) };
};

const furthest = (moving: Moving, through: number): Moving =>
  through > moving.through ? { ...moving, through } : moving;

const moved = (state: ProgressState, descriptor: Descriptor, bytes: number): ProgressState => {
  const before = state.moving.find((each) => each.descriptor.digest === descriptor.digest)?.through ?? 0;
  const next = reached(state, descriptor, before + bytes);
  return { ...next, moved: state.moved + bytes };
};

const settle = (state: ProgressState, descriptor: Descriptor): ProgressState => ({
  ...state,
  settled: state.settled + 1,
  settledBytes: state.settledBytes + descriptor.size,
  moving: state.moving.filter((each) => each.descriptor.digest !== descriptor.digest),
});

const ingested = (
  state: ProgressState,
  { what, size, bytes, done = false }: Extract<Happening, { readonly type: "ingest" }>,
): ProgressState => {
  const before = state.ingesting.find((each) => each.what === what);
  const now = { what, size, through: (before?.through ?? 0) + bytes };
  const others = state.ingesting.filter((each) => each !== before);
  const after = {
    ...state,
    blobs: state.blobs + (before === undefined ? 1 : 0),
    bytes: state.bytes + (before === undefined ? (size ?? 0) : 0),
    moved: state.moved + bytes,
  };
  return done
    ? { ...after, ingesting: others, settled: state.settled + 1, settledBytes: state.settledBytes + now.through }
    : { ...after, ingesting: [...others, now] };
};

const measured = (state: ProgressState): ProgressState => {
  const through = bytesThrough(state);
  const bytes = Math.max(state.bytes, through);
  const blobs = Math.max(state.blobs, state.settled);
  const fraction = bytes === 0 || hasNoEnd(state) ? 0 : through / bytes;
  return { ...state, blobs, bytes, fraction: Math.max(state.fraction, fraction) };
};
