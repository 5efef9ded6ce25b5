/** The bill of materials of an executable, as CycloneDX 1.6: what of npm is in it, by the lock, and the runtime. Equal locks make equal bytes. */

/** A row of `packages` in package-lock.json. */
interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

interface Component {
  readonly type: "library" | "application";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly { readonly license: { readonly id: string } }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

interface Found {
  readonly component: Component;
  readonly needs: string[];
  /** Where the lock has it, from the root of the workspace. */
  readonly place: string;
}

/** @param folder of the command in the workspace, such as `packages/cli` */
export const billOfMaterials = (lock: Lock, folder: string): object => {
  const bun = lock.packages["node_modules/bun"];
  if (bun === undefined) throw new Error("package-lock.json has no bun, which is in every executable");
  const found = new Map<string, Found>();
  const root = visit(lock, folder, found);
  const runtime = component("bun", bun, "application");
  found.set(runtime["bom-ref"], { component: runtime, needs: [], place: "node_modules/bun" });
  found.get(root)?.needs.push(runtime["bom-ref"]);
  const main = found.get(root)?.component;
  const all = [...found.values()].sort((a, b) => (a.component["bom-ref"] < b.component["bom-ref"] ? -1 : 1));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { ...main, type: "application" } },
    components: all.map((each) => each.component).filter((each) => each["bom-ref"] !== root),
    dependencies: all.map((each) => ({ ref: each.component["bom-ref"], dependsOn: [...each.needs].sort() })),
  };
};

/** The folders of what is needed to run and was written by others, the runtime among them. */
export const foldersNeeded = (lock: Lock, folder: string): string[] => {
  const found = new Map<string, Found>();
  visit(lock, folder, found);
  return [...found.values()]
    .map(({ place }) => place)
    .filter((place) => place.includes("node_modules/"))
    .concat("node_modules/bun");
};

/** Follows what is needed to run, each package once. Returns its reference. */
const visit = (lock: Lock, path: string, found: Map<string, Found>): string => {
  const locked = lock.packages[path];
  if (locked === undefined) throw new Error(`package-lock.json has no ${path}`);
  if (locked.link === true && locked.resolved !== undefined) return visit(lock, locked.resolved, found);
  const own = component(locked.name ?? nameAt(path), locked, "library");
  const reference = own["bom-ref"];
  if (found.has(reference)) return reference;
  const needs: string[] = [];
  found.set(reference, { component: own, needs, place: path });
  for (const name of Object.keys(locked.dependencies ?? {})) needs.push(visit(lock, placeOf(lock, path, name), found));
  return reference;
};

const nameAt = (path: string): string =>
  path
    .split("node_modules/")
    .at(-1)
    ?.replace(/^packages\//, "") ?? path;

/** Where npm has put what a package asks for: beside it, or above. */
const placeOf = (lock: Lock, from: string, name: string): string => {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const place = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (place in lock.packages) return place;
    if (folder === "") throw new Error(`package-lock.json has no ${name}, which ${from} needs`);
  }
};

const component = (name: string, { version = "", license, integrity }: Locked, type: Component["type"]): Component => {
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  const [algorithm = "", hash = ""] = integrity?.split("-") ?? [];
  return {
    type,
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
    ...(algorithm === "sha512" && {
      hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }],
    }),
  };
};
