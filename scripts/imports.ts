/** Which file may import which. The table is the architecture: change it there and here together. */

/** The floors of the library, lowest first. A file imports its own folder and the floors below it, never a sibling. */
export const floors: readonly (readonly string[])[] = [
  ["errors.ts"],
  ["async"],
  ["oci"],
  ["hash"],
  ["content"],
  ["files"],
  ["compression"],
  ["http", "auth", "tar"],
  ["registry", "layout", "archive", "daemon"],
  ["image"],
  ["open.ts"],
  ["index.ts"],
];

/**
 * Siblings that may know each other: the authenticating middleware speaks of requests and responses, and judges addresses
 * as redirects do. Of `types` the types alone, of `pure` everything: files of words without I/O.
 */
export const betweenSiblings: readonly { from: string; types: readonly string[]; pure: readonly string[] }[] = [
  { from: "auth", types: ["http/index.ts"], pure: ["http/types.ts", "http/addresses.ts"] },
];

/** The packages, lowest first. A package imports the lower ones by their public names, never a sibling. */
export const packageFloors: readonly (readonly string[])[] = [
  ["dray"],
  ["server", "cloud", "bundle", "watch", "console"],
  ["testkit"],
  ["cli"],
  ["e2e", "bench"],
];

/** What tests may use wherever they lie, as long as it is among the `devDependencies`. */
export const testPackages: readonly string[] = ["testkit"];

export interface Import {
  specifier: string;
  typeOnly: boolean;
  line: number;
}

const statement =
  /^[ \t]*(?:import|export)\b(?<type>[ \t]+type\b)?(?:(?<names>[^"';]*?)\bfrom)?[ \t\n]*"(?<specifier>[^"\n]+)"/gm;
const dynamic = /\bimport\([ \t\n]*"(?<specifier>[^"\n]+)"/g;
const worker = /\bnew URL\([ \t\n]*"(?<specifier>\.[^"\n]+\.worker\.ts)"/g;

/** Every specifier a source names, types and workers included. The formatter sees to it that quotes are double. */
export const readImports = (source: string): Import[] =>
  [statement, dynamic, worker].flatMap((pattern) =>
    [...source.matchAll(pattern)].map(({ groups = {}, index }) => ({
      specifier: groups["specifier"] ?? "",
      typeOnly: groups["type"] !== undefined || onlyTypes(groups["names"]),
      line: source.slice(0, index).split("\n").length,
    })),
  );

/** `import { type A, type B }`, too, leaves nothing behind. */
const onlyTypes = (names: string | undefined): boolean => {
  const inside = /^\s*\{(.*)\}\s*$/s.exec(names ?? "")?.[1];
  const parts = inside?.split(",").filter((part) => part.trim() !== "");
  return parts !== undefined && parts.length > 0 && parts.every((part) => /^\s*type\s/.test(part));
};

/** What a package's own `package.json` says of it. */
export interface Manifest {
  name: string;
  dependencies: readonly string[];
  devDependencies: readonly string[];
}

/** Where an import leads: a file of the repository, or a package by name. */
export type Target = { file: string } | { package: string };

/** Tests, and what several of them begin with, which lies in a package's own `test/`. No package carries either. */
const isTest = (file: string): boolean => file.endsWith(".test.ts") || /^packages\/[^/]+\/test\//.test(file);
/** `packages/dray/src/oci/index.ts` -> `dray`; `e2e/copy.test.ts` -> `e2e`; `scripts/build.ts` -> undefined. */
const roomOf = (file: string): string | undefined => {
  const [first = "", second] = file.split("/");
  return first === "packages" ? second : packageFloors.flat().includes(first) ? first : undefined;
};
const level = (table: readonly (readonly string[])[], room: string): number =>
  table.findIndex((floor) => floor.includes(room));

/** Why a file may not import this, or nothing when it may. `manifests` are keyed by the package's folder. */
export const fault = (
  file: string,
  { typeOnly }: Pick<Import, "typeOnly">,
  target: Target,
  manifests: ReadonlyMap<string, Manifest>,
): string | undefined => {
  const room = roomOf(file);
  if (room === undefined) return undefined;
  if (level(packageFloors, room) === -1) return `the package "${room}" has no floor; give it one in scripts/imports.ts`;
  if ("package" in target) return packageFault(file, room, target.package, manifests);
  const other = roomOf(target.file);
  if (other !== room) return `leaves its package by a relative path; import ${other ?? target.file} by its public name`;
  return room === "dray" && !isTest(file) ? floorFault(inLibrary(file), inLibrary(target.file), typeOnly) : undefined;
};

const inLibrary = (file: string): string => file.replace(/^packages\/dray\/src\//, "");

const floorFault = (file: string, target: string, typeOnly: boolean): string | undefined => {
  const [from = "", to = ""] = [file.split("/")[0], target.split("/")[0]];
  const unplaced = [from, to].find((name) => level(floors, name) === -1);
  if (unplaced !== undefined) return `"${unplaced}" has no floor; give it one in scripts/imports.ts`;
  if (isTest(target) && !isTest(file)) return "a test is nobody's library";
  if (from === to || level(floors, to) < level(floors, from)) return undefined;
  if (level(floors, to) > level(floors, from)) return `${from} lies below ${to}; imports point down`;
  const rules = betweenSiblings.filter((rule) => rule.from === from);
  if (rules.some(({ pure }) => pure.includes(target))) return undefined;
  if (!rules.some(({ types }) => types.includes(target))) {
    return `${from} and ${to} are siblings, which do not know each other`;
  }
  return typeOnly ? undefined : `${from} may import types alone from ${target}`;
};

const packageFault = (
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
