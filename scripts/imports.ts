/** Which file may import which, by the table in `floors.ts`. Pure. */
import { type FaultKind, floors, packageFloors, testPackages } from "./floors.ts";

export interface Import {
  specifier: string;
  line: number;
}

const statement = /^[ \t]*(?:import|export)\b(?:[ \t]+type\b)?(?:(?:[^"';]*?)\bfrom)?[ \t\n]*"(?<specifier>[^"\n]+)"/gm;
const dynamic = /\bimport\([ \t\n]*"(?<specifier>[^"\n]+)"/g;
const worker = /\bnew URL\([ \t\n]*"(?<specifier>\.[^"\n]+\.worker\.ts)"/g;

/** Every specifier a source names, types and workers included. The formatter sees to it that quotes are double. */
export const readImports = (source: string): Import[] =>
  [statement, dynamic, worker].flatMap((pattern) =>
    [...source.matchAll(pattern)].map(({ groups = {}, index }) => ({
      specifier: groups["specifier"] ?? "",
      line: source.slice(0, index).split("\n").length,
    })),
  );

/** What a package's own `package.json` says of it. */
export interface Manifest {
  name: string;
  dependencies: readonly string[];
  devDependencies: readonly string[];
}

/** Where an import leads: a file of the repository, or a package by name. */
export type Target = { file: string } | { package: string };

export interface Fault {
  readonly kind: FaultKind;
  readonly reason: string;
}

/** Tests and what they begin with; no package carries either. */
export const isTest = (file: string): boolean => file.endsWith(".test.ts") || isSupport(file);
const isSupport = (file: string): boolean => /^packages\/[^/]+\/test\//.test(file);

/** `packages/dray/src/oci/index.ts` -> `dray`; `e2e/copy.test.ts` -> `e2e`; `scripts/build.ts` -> undefined. */
const packageOf = (file: string): string | undefined => {
  const [first = "", second] = file.split("/");
  return first === "packages" ? second : packageFloors.flat().includes(first) ? first : undefined;
};
const level = (table: readonly (readonly string[])[], room: string): number =>
  table.findIndex((floor) => floor.includes(room));

/** Why a file may not import this, or nothing when it may. `manifests` are keyed by the package's folder. */
export const fault = (file: string, target: Target, manifests: ReadonlyMap<string, Manifest>): Fault | undefined => {
  const own = packageOf(file);
  if (own === undefined) return undefined;
  const packageFault = (reason: string | undefined): Fault | undefined =>
    reason === undefined ? undefined : { kind: "package", reason };
  if (level(packageFloors, own) === -1)
    return packageFault(`the package "${own}" has no floor; give it one in scripts/floors.ts`);
  if ("package" in target) return packageFault(between(file, own, target.package, manifests));
  const other = packageOf(target.file);
  if (other !== own)
    return packageFault(`leaves its package by a relative path; import ${other ?? target.file} by its public name`);
  if (isTest(file) || !file.startsWith("packages/")) return undefined;
  if (isSupport(target.file)) return { kind: "test", reason: "what is published imports nothing from test/" };
  if (isTest(target.file)) return { kind: "test", reason: "a test is nobody's library" };
  const [from, to] = [inSources(file), inSources(target.file)];
  const unplaced = unplacedFault(own, [roomOf(from), roomOf(to)]);
  if (unplaced !== undefined) return packageFault(unplaced);
  const reason = floorFault(floors[own] ?? [], roomOf(from), roomOf(to));
  if (reason !== undefined) return { kind: "floor", reason };
  const door = doorOf(file, target.file);
  return door === undefined || door === target.file
    ? undefined
    : { kind: "door", reason: `goes past ${inSources(door)}` };
};

const inSources = (file: string): string => file.replace(/^packages\/[^/]+\/src\//, "");
const roomOf = (file: string): string => file.split("/")[0] ?? "";

const unplacedFault = (own: string, rooms: readonly string[]): string | undefined => {
  const table = floors[own];
  if (table === undefined) return `the package "${own}" has no floors; give it some in scripts/floors.ts`;
  const room = rooms.find((one) => level(table, one) === -1);
  return room === undefined ? undefined : `"${room}" has no floor in ${own}; give it one in scripts/floors.ts`;
};

const floorFault = (table: readonly (readonly string[])[], from: string, to: string): string | undefined => {
  const difference = level(table, from) - level(table, to);
  if (from === to || difference > 0) return undefined;
  return difference < 0
    ? `${from} lies below ${to}; imports point down`
    : `${from} and ${to} are siblings, which do not know each other`;
};

/**
 * The one file by which a folder is entered from where this file lies: `http/index.ts` for all below `http/`. None where the
 * target lies in a folder that the file lies in, too.
 */
const doorOf = (file: string, target: string): string | undefined => {
  const [from, to] = [file.split("/"), target.split("/")];
  const depth = to.findIndex((part, i) => part !== from[i]);
  return depth === to.length - 1 || depth === -1 ? undefined : [...to.slice(0, depth + 1), "index.ts"].join("/");
};

const between = (
  file: string,
  room: string,
  name: string,
  manifests: ReadonlyMap<string, Manifest>,
): string | undefined => {
  const own = manifests.get(room);
  if (own === undefined) return undefined;
  if (own.name === name) return "imports its own package by name; inside a package, paths are relative";
  const other = [...manifests].find(([, manifest]) => manifest.name === name)?.[0];
  const listed = isTest(file) ? [...own.dependencies, ...own.devDependencies] : own.dependencies;
  if (!listed.includes(name)) {
    return `package.json does not list ${name} under dependencies${isTest(file) ? " or devDependencies" : ""}`;
  }
  if (other === undefined || (isTest(file) && testPackages.includes(other))) return undefined;
  return level(packageFloors, other) < level(packageFloors, room) ? undefined : `${room} does not lie above ${other}`;
};
