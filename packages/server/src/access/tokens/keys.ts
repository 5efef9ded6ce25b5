import { WatchedFile, type WatchedOptions } from "@dray/service/identity";
import { type KeyRing, readBundle, readKeySetFile } from "./key-ring.ts";
import { type FetchJson, RemoteKeys } from "./remote-keys.ts";

export interface KeysOptions extends WatchedOptions {
  /** PEM file of certificates; read again when it changes, like the next. */
  readonly rootcertbundle?: string;
  /** File of a set of keys. */
  readonly jwks?: string;
  readonly jwksUrl?: string;
  /** Needed for `jwksUrl`. */
  readonly fetchJson?: FetchJson;
}

/** The keys that count now, from wherever they come. */
export interface Keys {
  /** The same object as long as nothing changed. */
  ring(): KeyRing;
  /** Something to wait for before the ring is asked for, once a second. */
  fresh(): Promise<unknown> | undefined;
  /** A key was not among them: asks the places that may have more. */
  refresh(): Promise<void>;
  /** Whether every place was heard once. */
  complete(): boolean;
  reload(): Promise<void>;
}

/** @throws DrayError for a file that cannot be used at the start */
export const openKeys = async (options: KeysOptions): Promise<Keys> => {
  const { rootcertbundle, jwks, jwksUrl, fetchJson, now = Date.now, onNotice = () => {} } = options;
  const open = async (path: string | undefined, read: typeof readBundle): Promise<WatchedFile<KeyRing>[]> =>
    path === undefined
      ? []
      : [await WatchedFile.open(path, (bytes) => read(bytes, { from: path, onNotice, now }), options)];
  const sources = [...(await open(rootcertbundle, readBundle)), ...(await open(jwks, readKeySetFile))];
  const remote =
    jwksUrl === undefined || fetchJson === undefined
      ? undefined
      : new RemoteKeys({ url: jwksUrl, fetchJson, now, onNotice });

  let parts: readonly KeyRing[] = [];
  let joined: KeyRing = { keys: [], roots: [] };
  return {
    ring: () => {
      const current = [...sources.map(({ value }) => value), ...(remote?.ring === undefined ? [] : [remote.ring])];
      if (current.length === parts.length && current.every((part, at) => part === parts[at])) return joined;
      parts = current;
      joined = { keys: current.flatMap(({ keys }) => keys), roots: current.flatMap(({ roots }) => roots) };
      return joined;
    },
    fresh: () => {
      remote?.renew();
      const waiting = sources.map((file) => file.fresh()).filter((checking) => checking !== undefined);
      return waiting.length === 0 ? undefined : Promise.all(waiting);
    },
    refresh: async () => remote?.refresh(),
    complete: () => remote === undefined || remote.ring !== undefined,
    reload: async () => {
      await Promise.all([...sources.map((file) => file.reload()), remote?.refresh({ always: true })]);
    },
  };
};
