import type { StreamedEntry, TarEntry } from "../tar/index.ts";

/** An entry of a layer as its index keeps it. */
export interface KeptEntry extends TarEntry {
  /** First byte of its body in the tar. */
  readonly offset: number;
  /** Bytes that its body takes there. */
  readonly stored: number;
}

const usual = {
  name: "",
  type: "file",
  size: 0,
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  mtime: 0,
  deviceMajor: 0,
  deviceMinor: 0,
} as const satisfies Partial<TarEntry>;

/** A line of JSON, without what is usual. */
export const lineOf = (entry: Omit<StreamedEntry, "body" | "data">): string => {
  const said: Record<string, unknown> = { offset: entry.offset };
  for (const [key, value] of Object.entries(usual)) {
    const own = entry[key as keyof typeof usual];
    if (own !== value) said[key] = own;
  }
  if (entry.stored !== entry.size) said["stored"] = entry.stored;
  if (entry.extents !== undefined) said["extents"] = entry.extents.flatMap(({ offset, size }) => [offset, size]);
  if (Object.keys(entry.pax).length > 0) said["pax"] = entry.pax;
  return `${JSON.stringify(said)}\n`;
};

/** The entry of a line. */
export const entryOf = (line: string): KeptEntry => {
  const { extents, ...said } = JSON.parse(line) as Partial<KeptEntry> & { readonly offset: number; extents?: number[] };
  const entry = { ...usual, pax: {}, ...said };
  const pairs = extents as readonly number[] | undefined;
  return {
    ...entry,
    stored: said.stored ?? entry.size,
    ...(pairs === undefined
      ? {}
      : {
          extents: Array.from({ length: pairs.length / 2 }, (_, i) => ({
            offset: pairs[2 * i] as number,
            size: pairs[2 * i + 1] as number,
          })),
        }),
  };
};
