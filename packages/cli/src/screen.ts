/** What results are printed on: a terminal has columns, a file or program none. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Digits of a digest that tell it from others, as docker shows it. */
const digits = 12;

/** A line as it is; on a terminal that it would not fit, with short digests, and if that is not enough, cut: a page that wraps is not read. */
export const shortened = (line: string, { isTTY, columns }: Screen): string => {
  if (isTTY !== true || columns === undefined || width(line) <= columns) return line;
  const short = line.replace(new RegExp(`\\b(sha(?:256|512)):([0-9a-f]{${digits}})[0-9a-f]{20,}`, "g"), "$1:$2");
  if (width(short) <= columns) return short;
  const bare = short.replace(new RegExp(`\\bsha(?:256|512):([0-9a-f]{${digits}})\\b`, "g"), "$1");
  return width(bare) <= columns
    ? bare
    : `${Array.from(bare)
        .slice(0, Math.max(1, columns - 1))
        .join("")}…`;
};

const width = (text: string): number => Array.from(text).length;
