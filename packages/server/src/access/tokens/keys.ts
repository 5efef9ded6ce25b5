import { WatchedFile, type WatchedOptions } from "@dray/service/identity";
import { nodeFiles } from "dray/internal/files";
import type { Notice } from "../../notice.ts";
import { joinRings, type KeyRing, readBundle, readKeySetFile } from "./key-ring.ts";
import { type FetchJson, RemoteKeys } from "./remote-keys.ts";

export interface KeysOptions extends WatchedOptions {
  readonly rootcertbundle?: string;
  readonly jwks?: string;
  readonly jwksUrl?: string;
  readonly fetchJson?: FetchJson;
  readonly now: () => number;
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
  const { rootcertbundle, jwks, jwksUrl, fetchJson, now, files = nodeFiles } = options;
  const onNotice: (notice: Notice) => void = options.onNotice ?? (() => {});
  const watched = { files, now, onNotice };
  const open = (
    path: string | undefined,
    read: (
      bytes: Uint8Array,
      settings: { from: string; onNotice: typeof onNotice; now: () => number },
    ) => Promise<KeyRing>,
  ): Promise<WatchedFile<KeyRing>[]> =>
    path === undefined
      ? Promise.resolve([])
      : WatchedFile.open(path, (bytes) => read(bytes, { from: path, onNotice, now }), watched).then((file) => [file]);
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
      joined = joinRings(current);
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
