import {
  collect,
  describes,
  type LoadedManifest,
  type Located,
  looksUp,
  type ReadableStore,
  selectOne,
} from "dray/content";
import { DrayError, isDrayError, restated, throwIfAborted } from "dray/errors";
import { open } from "dray/locations";
import {
  type Descriptor,
  formatReference,
  isDigest,
  isIndexType,
  largestManifest,
  type Manifest,
  parseManifest,
  parseReference,
  type Reference,
  type WantedPlatform,
} from "dray/oci";
import type { Repository } from "dray/registry";
import type { Call } from "./context.ts";
import { onePlatform } from "./flags.ts";
import { warnOfLocal } from "./local-names.ts";
import { type EndOptions, registriesFor } from "./registries.ts";
import { longNameOf } from "./short-names.ts";

/** Opens one location with the flags of the call. */
export const opened = async (call: Call<EndOptions>, location: string): Promise<Located> => {
  await warnOfLocal(call, location);
  const { connect, engine } = await registriesFor(call);
  return open(location, { connect, engine });
};

/** The same for what is only read: a registry's mirrors are asked first. */
export const openedToRead = async (call: Call<EndOptions>, text: string): Promise<Located> => {
  const location = await longNameOf(call, text);
  await warnOfLocal(call, location);
  const { connectToRead, engine } = await registriesFor(call);
  return open(location, { connect: connectToRead, engine });
};

/** What stands before a name in a location that names none: an engine's ends in a colon already. */
export const beforeName = (location: string): string => (location.endsWith(":") ? location : `${location}:`);

/** What a location names; of an index the child for the one platform that the flags name. */
export const rootOf = async (
  { options, signal }: Call,
  { store, name, location }: Located<ReadableStore>,
): Promise<Descriptor> => {
  const platform = onePlatform(options);
  const found = await store.resolve(name, { signal }).catch(unlessBlob(store, { name, location }, signal));
  return platform === undefined ? found : (await selectOne(store, found, platform, { signal, called: location })).root;
};

/** A manifest's bytes and what they are. */
type NamedManifest = Pick<LoadedManifest, "descriptor" | "bytes">;

/** Whether the store answers for a name in one request. */
const readsManifests = (store: object): store is Pick<Repository, "manifest"> =>
  typeof (store as Partial<Repository>).manifest === "function";

/** The manifest that a name stands for; of an index the child for the platform, if one is asked for. */
export const manifestOf = async (
  { signal }: Call,
  { store, name, location }: Located<ReadableStore>,
  platform?: WantedPlatform,
): Promise<NamedManifest> => {
  const named = readsManifests(store)
    ? await store.manifest(name, { signal }).catch(unlessBlob(store, { name, location }, signal))
    : await bytesOf(store, await store.resolve(name, { signal }), signal);
  if (platform === undefined || !isIndexType(named.descriptor.mediaType)) return named;
  const { root } = await selectOne(store, named.descriptor, platform, { signal, called: location });
  return bytesOf(store, root, signal);
};

/** What an error does not say, since it is about something else of the same digest. */
export const elsewhere = (error: DrayError, hint: string): DrayError =>
  restated(error, error.code, `${error.message.replace(/; check the name$/, "")}; ${hint}`);

/** Whether a digest is a manifest's. Where that cannot be found out it is none, as far as anybody can tell. */
export const isManifestOf = async (store: object, digest: string, signal: AbortSignal): Promise<boolean> =>
  looksUp(store) && (await store.lookUp(digest, { signal }).catch(unknownTo(signal))) !== undefined;

/** Says of a digest that is no manifest's where it is a blob's. */
const unlessBlob =
  (store: object, { name, location }: Pick<Located, "name" | "location">, signal: AbortSignal) =>
  async (error: unknown): Promise<never> => {
    const mayBe = isDrayError(error, "NOT_FOUND") && isDigest(name) && readsManifests(store) && describes(store);
    const isBlob = mayBe && (await store.describe(name, { signal }).catch(unknownTo(signal))) !== undefined;
    throw isBlob ? elsewhere(error, `it is a blob, printed by dray blob ${location}`) : error;
  };

const unknownTo = (signal: AbortSignal) => (): undefined => throwIfAborted(signal) as undefined;

const bytesOf = async (store: ReadableStore, descriptor: Descriptor, signal: AbortSignal): Promise<NamedManifest> => ({
  descriptor,
  bytes: await collect(store.read(descriptor, { signal }), largestManifest, `manifest ${descriptor.digest}`),
});

/** What crane takes where an image is needed, an index is there, and nobody named a platform. */
export const defaultPlatform: WantedPlatform = { os: "linux", architecture: "amd64" };

/** The manifest of one image: an index stands for its child. @throws DrayError `UNSUPPORTED` where it is no image. */
export const imageManifestOf = async (
  call: Call,
  located: Located<ReadableStore>,
  platform: WantedPlatform = defaultPlatform,
): Promise<Manifest> => {
  const { descriptor, bytes } = await manifestOf(call, located, platform);
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === "manifest") return parsed.manifest;
  const { location } = located;
  const what = parsed.kind === "schema1" ? "a Docker schema 1 image" : "an artifact manifest";
  throw new DrayError("UNSUPPORTED", `${location} is ${what}, which can only be copied`, {
    reference: location,
  });
};

/** Names content on a registry by its digest, as crane prints what it pushed. */
export const digestReference = ({ registry, repository }: Reference, { digest }: Descriptor): string =>
  formatReference({ registry, repository, digest });

/** A location that must be on a registry. */
export const referenceOf = (text: string): Reference => parseReference(text.replace(/^docker:\/\//, ""));
