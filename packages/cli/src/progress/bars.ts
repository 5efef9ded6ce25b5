import { hexOf, isConfigType, isLayerType } from "dray/oci";
import { formatBytes } from "./figures.ts";
import { statusLine } from "./sentences.ts";
import type { Moving, ProgressState } from "./state.ts";

/** Characters of a bar. */
const barWidth = 24;

/** Room on the screen, in characters. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The state as lines: one for each blob on its way, as many as there is room for, and the whole at the end. No line is
 * wider than the screen, or the terminal would wrap it and the next picture would not cover this one.
 */
export const drawBars = (state: ProgressState, rate: number | undefined, { columns, rows }: Screen): string[] => {
  const room = Math.max(0, Math.min(state.moving.length, rows - 3));
  const lines = state.moving.slice(0, room).map(movingLine);
  const hidden = state.moving.length - room;
  const total = `${bar(state.fraction)} ${statusLine(state, rate)}`;
  lines.push(hidden > 0 ? `${total} (${hidden} more)` : total);
  return lines.map((line) => line.slice(0, Math.max(0, columns - 1)));
};

const movingLine = ({ descriptor, through }: Moving): string => {
  const fraction = descriptor.size === 0 ? 1 : through / descriptor.size;
  const share = `${Math.floor(fraction * 100)}%`.padStart(4);
  const name = `${kindOf(descriptor.mediaType)} ${hexOf(descriptor.digest).slice(0, 12)}`;
  return `${bar(fraction)} ${share}  ${name}  ${formatBytes(through)} of ${formatBytes(descriptor.size)}`;
};

const bar = (fraction: number): string => {
  const filled = Math.min(barWidth, Math.floor(fraction * barWidth));
  return `[${"=".repeat(filled)}${" ".repeat(barWidth - filled)}]`;
};

const kindOf = (mediaType: string): string =>
  isLayerType(mediaType) ? "layer " : isConfigType(mediaType) ? "config" : "blob  ";
