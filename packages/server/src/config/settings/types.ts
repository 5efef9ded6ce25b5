import type { Effective } from "@dray/service/config";
import type { Limits, ListenAddress } from "@dray/service/http-server";
import type { TlsFiles } from "@dray/service/program";
import type { HtpasswdOptions, TokensOptions } from "../../access/index.ts";
import type { RegistryOptions } from "../../options.ts";

/** Everything an operator said, and defaults for the rest, as plain data. Times are milliseconds, sizes bytes, paths as they were written. */
export interface Settings {
  readonly storage: StorageSettings;
  /** What `createRegistry` takes besides driver, index, access and its surroundings. `uploads.age` is `Infinity` where uploads are not purged. */
  readonly registry: Omit<RegistryOptions, "driver" | "index" | "access" | "now" | "onNotice">;
  readonly purging: { readonly interval: number };
  readonly access: AccessSettings;
  readonly listen: ListenSettings;
  readonly log: LogSettings;
  /** Missing: nowhere. */
  readonly debug?: DebugSettings;
  /** What each supported key says in the end, and who said it. */
  readonly effective: readonly Effective[];
}

export type StorageSettings = FileStorage | { readonly driver: "inmemory" };

export interface FileStorage {
  readonly driver: "filesystem";
  readonly root: string;
  readonly durability: "full" | "relaxed";
  /** Default: beside the tree. */
  readonly index?: string;
}

/** `options` is what `htpasswd` and `tokens` of `access/` take. With `jwksUrl` the latter needs something to fetch with. */
export type AccessSettings =
  | { readonly kind: "none" }
  | {
      readonly kind: "htpasswd";
      readonly options: Pick<HtpasswdOptions, "file" | "realm" | "lockout" | "anonymousPull" | "anonymousPing">;
    }
  | { readonly kind: "token"; readonly options: Omit<TokensOptions, "fetchJson" | "files" | "now" | "onNotice"> };

export interface ListenSettings {
  /** `host: "::"` is every interface. */
  readonly address: ListenAddress;
  readonly tls?: TlsFiles;
  /** Of every answer. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly limits: Limits;
  /** Bytes of bodies and answers in memory. */
  readonly memory: number;
  readonly trustedProxies: readonly string[];
  /** How long requests may go on after the order to stop. */
  readonly drain: number;
}

export interface LogSettings {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly format: "text" | "json" | "logstash";
  readonly fields: Readonly<Record<string, string>>;
  /** Missing: none. `to` is `stdout`, `stderr` or a path. */
  readonly access?: { readonly format: LogSettings["format"]; readonly to: string };
  readonly audit?: { readonly to: string };
}

export interface DebugSettings {
  readonly address: ListenAddress;
  /** Path of the page for Prometheus. */
  readonly metrics?: string;
}
