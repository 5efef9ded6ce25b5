import type { Located, Store } from "../content/index.ts";
import type { Engine } from "../daemon/index.ts";
import { DrayError } from "../errors.ts";
import type { ParseReferenceOptions } from "../oci/index.ts";
import { type ConnectOptions, connect, type Registry, type Repository } from "../registry/index.ts";
import { elsewhere, notYet } from "./foreign.ts";
import {
  type LocationKind,
  locationKinds,
  type ParsedLocation,
  registryKind,
  shared,
  sharedEngine,
  storesOf,
} from "./table.ts";

/**
 * How names are completed, and how registries are connected to. With any option of `connect` a location on a registry has a connection of its own,
 * which ends with it; for many locations on one registry give `connect`, so that they share connections, budget and tokens.
 */
export interface OpenOptions extends ParseReferenceOptions, ConnectOptions {
  /** Connections to registries. Default: `connect` with its defaults, one per registry for the life of the process. */
  connect?: (registry: string) => Registry;
  /** The container engine of `docker-daemon:`, the same one each time. Default: `connectEngine()`, one for the life of the process. */
  engine?: () => Engine | Promise<Engine>;
}

/** What was opened. With `await using` its own connection is closed at the end of the block, and what an archive or layout holds is let go (write `return await` there, or it is closed before the work is done); `close` of an archive's store, which `copy` calls, makes it whole. */
export type Opened<S = Store> = Located<S> & AsyncDisposable;

/**
 * Opens a location, whatever it is:
 *
 * | location | what it is |
 * |---|---|
 * | `alpine:3.20`, `docker://quay.io/team/app@sha256:…` | a repository on a registry |
 * | `oci:DIR[:NAME]` | an OCI layout |
 * | `oci-archive:FILE[:NAME]` | an OCI layout in a tar |
 * | `docker-archive:FILE[:REFERENCE]` | what `docker save` writes |
 * | `docker-daemon:[NAME]` | an image of a container engine, by docker's API |
 * | `docker-container:NAME` | the file system of a container, to be read as an image of one layer |
 * | `memory:[NAME]` | a new store in memory |
 *
 * Nothing is read or written yet.
 * @throws DrayError `REFERENCE_INVALID`, `LOCATION_INVALID`, `UNSUPPORTED`
 * @example
 * const alpine = await open("docker.io/library/alpine:3.20");
 * await using own = await open("registry.example/team/app:1", { credentials, ca });
 */
export const open = async (text: string, options: OpenOptions = {}): Promise<Opened> => {
  const kind = kindOf(text);
  const { connection: registry, close } = connections(options);
  const through = { registry, engine: async () => storesOf(await (options.engine ?? sharedEngine)()) };
  const { store, name } = await kind.open(parsedAs(kind, text, options), through);
  const letGo = kind === registryKind ? close : () => store.close({ abort: true });
  return { store, name, location: text, [Symbol.asyncDispose]: letGo };
};

/**
 * Opens a repository on a registry, and a name in it: `open` with all that a repository can do.
 * @throws DrayError `REFERENCE_INVALID`; `LOCATION_INVALID` for another kind of location
 * @example
 * const { store, name } = await openRepository("ghcr.io/acme/app:1.0");
 * console.log(await store.digest(name));
 */
export const openRepository = async (text: string, options: OpenOptions = {}): Promise<Opened<Repository>> => {
  const kind = kindOf(text);
  const location = parsedAs(kind, text, options);
  if (location.kind !== "registry")
    throw new DrayError("LOCATION_INVALID", `location "${text}" is no repository on a registry`, { reference: text });
  const { registry, repository, tag, digest } = location.reference;
  const { connection, close } = connections(options);
  const store = connection(registry).repository(repository);
  return { store, name: digest ?? tag ?? "", location: text, [Symbol.asyncDispose]: close };
};

/** The connections that options ask for, and how those of their own are closed. */
const connections = ({
  connect: given,
  defaultRegistry: _registry,
  defaultTag: _tag,
  strict: _strict,
  engine: _engine,
  ...own
}: OpenOptions): { readonly connection: (registry: string) => Registry; readonly close: () => Promise<void> } => {
  const made: Registry[] = [];
  const making = (registry: string): Registry => {
    const one = connect(registry, own);
    made.push(one);
    return one;
  };
  const asksForOwn = Object.values(own).some((value) => value !== undefined);
  return {
    connection: given ?? (asksForOwn ? making : shared),
    close: async () => void (await Promise.all(made.map((registry) => registry.close()))),
  };
};

/**
 * Takes a location apart without opening it.
 * @throws DrayError `REFERENCE_INVALID`, `LOCATION_INVALID`, `UNSUPPORTED`
 * @example parseLocation("oci:./mirror:alpine") // { kind: "oci", path: "./mirror", name: "alpine" }
 */
export const parseLocation = (text: string, options: ParseReferenceOptions = {}): ParsedLocation =>
  parsedAs(kindOf(text), text, options);

/** Whether a location is an archive that comes from standard input or goes to standard output. */
export const isStandardStream = (text: string): boolean => {
  const { path, prefix } = kindOf(text);
  return path === "file" && /^-(?::|$)/.test(text.slice(prefix.length));
};

const parsedAs = (kind: LocationKind, text: string, options: ParseReferenceOptions): ParsedLocation =>
  kind.parse(text.startsWith(kind.prefix) ? text.slice(kind.prefix.length) : text, text, options);

/** The kind whose prefix it has; else it is a reference, unless it looks like something that somebody may take for a location. */
const kindOf = (text: string): LocationKind => {
  const kind = locationKinds.find(({ prefix }) => text.startsWith(prefix));
  if (kind !== undefined) return kind;
  const [foreign = ""] = /^[a-z-]+(?=:)/.exec(text) ?? [];
  if (Object.hasOwn(notYet, foreign))
    throw new DrayError("UNSUPPORTED", `location "${text}": ${foreign}: is not there yet; ${notYet[foreign]}`, {
      reference: text,
    });
  const [misspelt, word = ""] = /^([a-z-]+):(?:\/\/)?/.exec(text) ?? [];
  if (misspelt !== undefined && Object.hasOwn(elsewhere, word))
    throw new DrayError(
      "LOCATION_INVALID",
      `location "${text}": ${word}: is ${elsewhere[word]} here; write ${elsewhere[word]}${text.slice(misspelt.length)}`,
      { reference: text },
    );
  if (text === "-")
    throw new DrayError(
      "LOCATION_INVALID",
      `location "-": say what comes or goes there: ${oneOf(
        atPaths.filter(({ path }) => path === "file"),
        "or",
        "-",
      )}`,
    );
  // No reference holds a backslash: that is a path of Windows.
  if (/^\.{0,2}\/|^[A-Za-z]:\/|\\/.test(text))
    throw new DrayError(
      "LOCATION_INVALID",
      `location "${text}" is a path; say what lies there: ${oneOf(atPaths, "or", text)}`,
      { reference: text },
    );
  return registryKind;
};

const atPaths = locationKinds.filter(({ path }) => path !== undefined);

/** `oci:a, oci-archive:a or docker-archive:a`. */
const oneOf = (kinds: readonly LocationKind[], last: "and" | "or", path = ""): string => {
  const words = kinds.map(({ prefix }) => `${prefix}${path}`);
  return [words.slice(0, -1).join(", "), words.at(-1)].join(` ${last} `);
};
