import type { ConfigContext, Effective } from "@dray/service/config";
import type { SomeTlsFiles } from "@dray/service/program";
import { defined } from "dray/internal/defined";
import { addressOf, debugOf } from "./listen.ts";
import { storageOf } from "./storage.ts";
import type { AccessSettings, Settings } from "./types.ts";

/** What of settings says something about this machine: files, folders, addresses. Each part may be missing. */
export interface UsableSettings {
  readonly storage?: Settings["storage"];
  readonly registry?: Pick<Settings["registry"], "readOnly" | "freeSpace" | "memory">;
  /** Users, keys. */
  readonly access: readonly (readonly [key: string, AccessSettings])[];
  readonly address?: Settings["listen"]["address"];
  readonly tls?: SomeTlsFiles;
  readonly debug?: Settings["debug"];
  readonly logs: readonly (readonly [key: string, to: string])[];
  readonly effective: readonly Effective[];
}

/** A part of a configuration, where the keys that it hangs on say something. */
type Read = <T>(keys: readonly string[], build: (context: ConfigContext) => T | undefined) => T | undefined;

/** Reads part by part, however wrong other parts are. */
export const usableOf = (read: Read): UsableSettings => {
  const file = (key: string): string | undefined => read(branch(key), ({ values }) => values.maybe<string>(key));
  const truth = (key: string): boolean | undefined => read(branch(key), ({ values }) => values.truth(key));
  const storage = read([...branch("storage.filesystem.rootdirectory"), "dray.index"], storageOf);
  const users = file("auth.htpasswd.path");
  const [rootcertbundle, jwks] = ["rootcertbundle", "jwks"].map((name) => file(`auth.token.${name}`));
  const access: UsableSettings["access"] = [
    ...(users === undefined ? [] : [["auth.htpasswd.path", htpasswd(users)] as const]),
    ...(rootcertbundle === undefined ? [] : [["auth.token.rootcertbundle", token({ rootcertbundle })] as const]),
    ...(jwks === undefined ? [] : [["auth.token.jwks", token({ jwks })] as const]),
  ];
  const clientCas = read(branch("http.tls.clientcas"), ({ values }) => values.list("http.tls.clientcas")) ?? [];
  const tls = defined<SomeTlsFiles>({
    certificate: file("http.tls.certificate"),
    key: file("http.tls.key"),
    clientCas,
  });
  const effective = read([], ({ values }) => values.effective({}, () => false)) ?? [];
  const logs = ["dray.log.access.to", "dray.log.audit.to"].flatMap((key) => {
    const to = file(key);
    return to === undefined || (key === "dray.log.access.to" && truth("log.accesslog.disabled") === true)
      ? []
      : [[key, to] as const];
  });
  return defined<UsableSettings>({
    storage,
    registry: defined({
      readOnly: truth("storage.maintenance.readonly.enabled"),
      freeSpace: read(branch("dray.freespace"), ({ values }) => values.number("dray.freespace")),
      memory: read(branch("dray.memory"), ({ values }) => values.number("dray.memory")),
    }),
    access,
    address: read([...branch("http.addr"), "http.net"], addressOf),
    tls,
    debug: read(branch("http.debug.addr"), debugOf),
    logs,
    effective,
  });
};

/** What a file is looked at with; what clients are told is said elsewhere. */
const htpasswd = (file: string): AccessSettings => ({ kind: "htpasswd", options: { realm: "registry", file } });
const token = (files: { readonly rootcertbundle?: string } | { readonly jwks?: string }): AccessSettings => ({
  kind: "token",
  options: { realm: "https://registry", service: "registry", issuer: "registry", ...files },
});

/** A key, and all that it lies in: what is wrong with one of these says nothing of it. */
const branch = (key: string): readonly string[] =>
  key.split(".").map((_, at, words) => words.slice(0, at + 1).join("."));
