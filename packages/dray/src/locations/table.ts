import { type Located, memoryStore, type Store } from "../content/index.ts";
import type { ContainerStore, Engine, EngineStore } from "../daemon/index.ts";
import { DrayError } from "../errors.ts";
import { type ParseReferenceOptions, parseReference, type Reference } from "../oci/index.ts";
import { connect, type Registry } from "../registry/index.ts";

/** A repository on a registry, and a name in it. */
export interface RegistryLocation {
  readonly kind: "registry";
  readonly reference: Reference;
}

/** A directory or file, and a name in it: `""` where the location names only the path. */
export interface PathLocation {
  readonly kind: "oci" | "oci-archive" | "docker-archive";
  readonly path: string;
  readonly name: string;
}

/** A new store in memory, and the name that something gets there. */
export interface MemoryLocation {
  readonly kind: "memory";
  readonly name: string;
}

/** An image or container of a container engine, by a name that the engine knows; `""` where the location names only the engine. */
export interface EngineLocation {
  readonly kind: "docker-daemon" | "docker-container";
  readonly name: string;
}

/** A location taken apart: what kind of place it is, and where. */
export type ParsedLocation = RegistryLocation | PathLocation | MemoryLocation | EngineLocation;

/** A kind of place. A new one is a row below, and its parts in the union above. */
export interface LocationKind {
  /** What such a location begins with. */
  readonly prefix: string;
  /** Where it is a path: to what. */
  readonly path?: "directory" | "file";
  /** @param rest what follows the prefix; `text` is all of it, for messages */
  parse(rest: string, text: string, options: ParseReferenceOptions): ParsedLocation;
  /** Opens what `parse` gave. Nothing is read or written yet. */
  open(location: ParsedLocation, through: Connections): Promise<Omit<Located, "location">>;
}

/** What an engine has. */
export interface EngineStores {
  readonly images: EngineStore;
  readonly containers: ContainerStore;
}

/** What locations that are no paths are reached through. */
export interface Connections {
  readonly registry: (registry: string) => Registry;
  /** The engine that is meant, as stores. */
  readonly engine: () => Promise<EngineStores>;
}

/** A reference is a location without a prefix, too. */
export const registryKind: LocationKind = {
  prefix: "docker://",
  parse: (rest, _text, options) => ({ kind: "registry", reference: parseReference(rest, options) }),
  async open(
    { reference: { registry, repository, tag, digest } }: RegistryLocation,
    { registry: connection }: Connections,
  ) {
    return { store: connection(registry).repository(repository), name: digest ?? tag ?? "" };
  },
};

const atPath = (
  kind: PathLocation["kind"],
  path: "directory" | "file",
  store: (path: string) => Promise<Store>,
): LocationKind => ({
  prefix: `${kind}:`,
  path,
  parse: (rest, text) => ({ kind, ...splitPath(kind, rest, text) }),
  async open(location: PathLocation) {
    return { store: await store(location.path), name: location.name };
  },
});

/** Rooms are entered when somebody goes there: most locations are on registries, and reading the rest of the code takes time. */
export const locationKinds: readonly LocationKind[] = [
  registryKind,
  atPath("oci", "directory", async (path) => (await import("../layout/index.ts")).layoutStore(path)),
  atPath("oci-archive", "file", async (path) => (await import("../layout/index.ts")).ociArchive(path)),
  atPath("docker-archive", "file", async (path) => (await import("../archive/index.ts")).dockerArchive(path)),
  {
    prefix: "docker-daemon:",
    parse: (name, text) => ({ kind: "docker-daemon", name: imageName(name, text) }),
    async open({ name }: EngineLocation, { engine }) {
      return { store: (await engine()).images, name };
    },
  },
  {
    prefix: "docker-container:",
    parse: (name, text) => ({ kind: "docker-container", name: containerName(name, text) }),
    async open({ name }: EngineLocation, { engine }) {
      return { store: (await engine()).containers, name };
    },
  },
  {
    prefix: "memory:",
    parse: (name) => ({ kind: "memory", name }),
    async open({ name }: MemoryLocation) {
      return { store: memoryStore(), name };
    },
  },
];

/** `PATH[:NAME]` or `PATH[@DIGEST]`; the path ends at the first colon that is not a drive's. */
const splitPath = (kind: string, rest: string, text: string): Pick<PathLocation, "path" | "name"> => {
  const drive = /^(?:[\\/]{2}[?.][\\/])?[A-Za-z]:[\\/]/.exec(rest)?.[0].length ?? 0;
  const at = /@(?:sha256|sha512):[0-9a-f]+$/.exec(rest);
  const colon = rest.indexOf(":", drive);
  const end = at !== null && (colon < 0 || at.index < colon) ? at.index : colon;
  const path = end < 0 ? rest : rest.slice(0, end);
  if (path === "")
    throw new DrayError("LOCATION_INVALID", `location "${text}": the path is missing; write ${kind}:PATH[:NAME]`, {
      reference: text,
    });
  return { path, name: end < 0 ? "" : rest.slice(end + 1) };
};

/** What is an ID, or the beginning of one, an engine knows by itself. */
const imageName = (name: string, text: string): string => {
  if (name === "" || /^(?:sha256:)?[0-9a-f]{12,64}$/.test(name)) return name;
  if (name.startsWith("/"))
    throw new DrayError(
      "LOCATION_INVALID",
      `location "${text}": expected docker-daemon:NAME, where NAME is an image of the engine; its socket is named by DOCKER_HOST`,
      { reference: text },
    );
  parseReference(name);
  return name;
};

const containerName = (name: string, text: string): string => {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return name;
  throw new DrayError("LOCATION_INVALID", `location "${text}": expected docker-container:NAME, or an ID in its place`, {
    reference: text,
  });
};

const registries = new Map<string, Registry>();

/** The connection to a registry that all have who say nothing about it, for the life of the process. */
export const shared = (name: string): Registry => {
  let registry = registries.get(name);
  if (registry === undefined) registries.set(name, (registry = connect(name)));
  return registry;
};

const engines = new WeakMap<Engine, EngineStores>();

/** The stores of an engine, the same ones each time, so that what goes from it into one target comes together. */
export const storesOf = async (engine: Engine): Promise<EngineStores> => {
  const { containerStore, engineStore } = await import("../daemon/index.ts");
  const stores = engines.get(engine) ?? { images: engineStore(engine), containers: containerStore(engine) };
  engines.set(engine, stores);
  return stores;
};

let engine: Promise<Engine> | undefined;

/** The engine that all have who say nothing about it, for the life of the process. */
export const sharedEngine = (): Promise<Engine> =>
  (engine ??= import("../daemon/index.ts").then(({ connectEngine }) => connectEngine()));
