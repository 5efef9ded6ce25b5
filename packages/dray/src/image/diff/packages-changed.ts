import { databaseOf, type InstalledPackage, isPackageFile, type PackageList } from "./packages/index.ts";
import type { Side, State } from "./side.ts";

/** A package that two images do not have alike. */
export interface PackageChange {
  readonly name: string;
  readonly architecture: string;
  /** The version; several where there are several. `undefined`: it is not installed. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** The file, or folder, of the package manager. */
  readonly database: string;
}

/** What differs, and of which lists it cannot be told. */
export interface PackagesChanged {
  readonly changes: readonly PackageChange[];
  readonly unread: readonly { readonly database: string; readonly reason: string }[];
}

interface Lists {
  before: InstalledPackage[];
  after: InstalledPackage[];
  reasons: string[];
}

/** Compares what package managers say in the layers that were read. */
export const packagesChanged = (before: Side, after: Side, paths: ReadonlySet<string>): PackagesChanged => {
  const databases = new Map<string, Lists>();
  for (const path of [...paths].filter(isPackageFile).sort()) {
    const database = databaseOf(path);
    const lists = databases.get(database) ?? { before: [], after: [], reasons: [] };
    databases.set(database, lists);
    const [one, other] = [stateAt(before, path), stateAt(after, path)];
    // A file for each package: one that only layers have that both share is the same in both.
    const isWhole = database !== path || (one.kind !== "shared" && other.kind !== "shared");
    if (!isWhole) lists.reasons.push("one image has the list in a layer that both share, which was not read");
    add(lists.before, listAt(before, one), lists.reasons);
    add(lists.after, listAt(after, other), lists.reasons);
  }
  const changes: PackageChange[] = [];
  const unread: { database: string; reason: string }[] = [];
  for (const [database, lists] of databases) {
    for (const reason of new Set(lists.reasons)) unread.push({ database, reason });
    if (lists.reasons.length === 0) changes.push(...changed(database, lists));
  }
  return { changes, unread };
};

const stateAt = (side: Side, path: string): State => {
  let spot = side.root;
  for (const name of path.split("/").slice(1)) spot = side.inside(spot, name);
  return side.state(spot);
};

const listAt = (side: Side, state: State): PackageList =>
  state.kind === "entry" ? (side.packages(state.node) ?? { unreadable: "it is no file" }) : [];

const add = (all: InstalledPackage[], list: PackageList, reasons: string[]): void => {
  if ("unreadable" in list) reasons.push(list.unreadable);
  else for (const each of list) all.push(each);
};

const changed = (database: string, { before, after }: Lists): PackageChange[] => {
  const [one, other] = [versions(before), versions(after)];
  return [...new Set([...one.keys(), ...other.keys()])].sort().flatMap((key) => {
    const [was, is] = [one.get(key), other.get(key)];
    const [name = "", architecture = ""] = key.split("\0");
    return was === is ? [] : [{ name, architecture, before: was, after: is, database }];
  });
};

/** By name and architecture; rpm keeps several versions of a kernel. */
const versions = (packages: readonly InstalledPackage[]): Map<string, string> => {
  const found = new Map<string, Set<string>>();
  for (const { name, version, architecture } of packages) {
    const key = `${name}\0${architecture}`;
    const there = found.get(key);
    if (there === undefined) found.set(key, new Set([version]));
    else there.add(version);
  }
  return new Map([...found].map(([key, all]) => [key, [...all].sort().join(", ")]));
};
