import { printable } from "dray/errors";
import type { FileEntry } from "dray/image";

const letters: Readonly<Record<FileEntry["type"], string>> = {
  file: "-",
  hardlink: "-",
  other: "-",
  directory: "d",
  symlink: "l",
  "character-device": "c",
  "block-device": "b",
  fifo: "p",
};

/** As `ls -l` writes it: `-rwsr-xr-x`. */
export const modeText = ({ type, mode }: Pick<FileEntry, "type" | "mode">): string => {
  const bits = [6, 3, 0].map((shift) => (mode >> shift) & 7);
  const special = [0o4000, 0o2000, 0o1000].map((bit) => (mode & bit) !== 0);
  const text = bits.map((three, i) => {
    const runs = (three & 1) !== 0;
    const letter = i === 2 ? "t" : "s";
    const last = special[i] ? (runs ? letter : letter.toUpperCase()) : runs ? "x" : "-";
    return `${(three & 4) !== 0 ? "r" : "-"}${(three & 2) !== 0 ? "w" : "-"}${last}`;
  });
  return letters[type] + text.join("");
};

/** What a file is called in its directory. */
export const shortName = (path: string): string => path.slice(path.lastIndexOf("/") + 1) || "/";

/** One line for each: mode, owner, size, time and name, in columns. */
export const longLines = (entries: readonly FileEntry[], nameOf: (entry: FileEntry) => string): string[] => {
  const owners = entries.map(({ uid, gid }) => `${uid}/${gid}`);
  const sizes = entries.map((entry) =>
    entry.type.endsWith("device") ? `${entry.deviceMajor},${entry.deviceMinor}` : String(entry.size),
  );
  const [owner, size] = [widest(owners), widest(sizes)];
  return entries.map((entry, i) =>
    [
      modeText(entry),
      (owners[i] as string).padEnd(owner),
      (sizes[i] as string).padStart(size),
      timeText(entry.mtime),
      printable(nameOf(entry)) + leadsTo(entry),
    ].join(" "),
  );
};

const widest = (texts: readonly string[]): number => texts.reduce((most, { length }) => Math.max(most, length), 0);

/** To the second, in UTC. */
const timeText = (seconds: number): string => isoTime(seconds).replace(/\.\d+Z$/, "Z");

const isoTime = (seconds: number): string => {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
};

const leadsTo = ({ type, linkName }: FileEntry): string =>
  type === "symlink" ? ` -> ${printable(linkName)}` : type === "hardlink" ? ` link to ${printable(linkName)}` : "";

/** The members of a file in a document. */
export const describedFile = (entry: FileEntry): object => {
  const { path, type, size, mode, uid, gid, mtime, linkName, layer, deviceMajor, deviceMinor, xattrs } = entry;
  const names = Object.keys(xattrs);
  return {
    path,
    type,
    size,
    mode: mode.toString(8).padStart(4, "0"),
    uid,
    gid,
    modified: isoTime(mtime),
    ...(linkName === "" ? {} : { linkName }),
    ...(type.endsWith("device") ? { device: [deviceMajor, deviceMinor] } : {}),
    ...(names.length === 0
      ? {}
      : {
          xattrs: Object.fromEntries(
            names.map((name) => [name, Buffer.from(xattrs[name] as string, "latin1").toString("base64")]),
          ),
        }),
    layer,
  };
};
