import { formatBytes } from "@dray/service/figures";
import { printable } from "dray/errors";
import { hexOf, isConfigType, isLayerType } from "dray/oci";
import { statusParts } from "./sentences.ts";
import type { Ingesting, Moving, ProgressState } from "./state.ts";

/** Characters of a bar: where there is room, and where it is no bar any more but tells enough. */
const [widest, narrowest] = [24, 8];

/** Room on the screen, in characters. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The state as lines: one for each blob on its way, as many as there is room for, and the whole at the end. No line is
 * wider than the screen, or the terminal would wrap it and the next picture would not cover this one; and none is cut off, since a number without
 * its end reads like another one. Where it is narrow all bars are shorter, and then fields are left out, the last ones first.
 */
export const drawBars = (state: ProgressState, rate: number | undefined, { columns, rows }: Screen): string[] => {
  const all: readonly Line[] = [...state.ingesting.map(ingestingLine), ...state.moving.map(movingLine)];
  const room = Math.max(0, Math.min(all.length, rows - 3));
  const hidden = all.length - room;
  const lines: Line[] = all.slice(0, room);
  const total = statusParts(state, rate);
  lines.push({ fraction: state.fraction, parts: hidden > 0 ? [...total, `(${hidden} more)`] : total });
  const most = Math.max(0, columns - 1);
  const longest = Math.max(...lines.map(({ parts }) => parts.join(", ").length));
  const width = Math.min(widest, Math.max(narrowest, most - longest - "[] ".length));
  return lines.map((line) => fitted(line, width, most));
};

/** A bar, and what stands behind it, the more important first. */
interface Line {
  readonly fraction: number;
  readonly parts: readonly string[];
}

const movingLine = ({ descriptor, through }: Moving): Line => {
  const fraction = descriptor.size === 0 ? 1 : through / descriptor.size;
  const share = `${Math.floor(fraction * 100)}%`.padStart(4);
  const name = `${kindOf(descriptor.mediaType)} ${hexOf(descriptor.digest).slice(0, 12)}`;
  return { fraction, parts: [`${share}  ${name}`, `${formatBytes(through)} of ${formatBytes(descriptor.size)}`] };
};

const ingestingLine = ({ what, size, through }: Ingesting): Line => {
  const name = `layer  ${printable(what).slice(-24)}`;
  if (size === undefined) return { fraction: 0, parts: [`${" ".repeat(4)}  ${name}`, formatBytes(through)] };
  const fraction = size === 0 ? 1 : through / size;
  return {
    fraction,
    parts: [
      `${`${Math.floor(fraction * 100)}%`.padStart(4)}  ${name}`,
      `${formatBytes(through)} of ${formatBytes(size)}`,
    ],
  };
};

/** Whole fields, as many as there is room for; where there is room for none, the bar alone, or nothing. */
const fitted = ({ fraction, parts }: Line, width: number, most: number): string => {
  for (let count = parts.length; count > 0; count--) {
    const line = `${bar(fraction, width)} ${parts.slice(0, count).join(", ")}`;
    if (line.length <= most) return line;
  }
  const alone = bar(fraction, Math.min(width, most - 2));
  return alone.length <= most ? alone : "";
};

const bar = (fraction: number, width: number): string => {
  const cells = Math.max(0, width);
  const filled = Math.min(cells, Math.floor(fraction * cells));
  return `[${"=".repeat(filled)}${" ".repeat(cells - filled)}]`;
};

const kindOf = (mediaType: string): string =>
  isLayerType(mediaType) ? "layer " : isConfigType(mediaType) ? "config" : "blob  ";
