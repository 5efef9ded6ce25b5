/** Every key of the registry's configuration: of distribution 2.8 and 3, and ours. */
import { type KeyTable, keyTable } from "@dray/service/config";
import { authKeys } from "./access.ts";
import { drayKeys } from "./dray.ts";
import { generalKeys } from "./general.ts";
import { httpKeys } from "./http.ts";
import { storageKeys } from "./storage.ts";

/** `unix:PATH` or an address, for `http.addr` and `http.net` together. */
const listenKeys = (text: string): Readonly<Record<string, string>> =>
  text.startsWith("unix:")
    ? { "http.net": "unix", "http.addr": text.slice("unix:".length) }
    : { "http.net": "tcp", "http.addr": text };

export const table: KeyTable = keyTable([...generalKeys, ...storageKeys, ...authKeys, ...httpKeys, ...drayKeys], {
  prefixes: { "": "REGISTRY", dray: "DRAY_SERVE" },
  fileVariable: "REGISTRY_CONFIGURATION_PATH",
  // Where podman, skopeo and our own client find their passwords.
  foreignVariables: ["REGISTRY_AUTH_FILE"],
  flags: [
    { name: "--data", variable: "DRAY_SERVE_DATA", key: "storage.filesystem.rootdirectory" },
    { name: "--read-only", variable: "DRAY_SERVE_READ_ONLY", key: "storage.maintenance.readonly.enabled" },
    { name: "--log-level", variable: "DRAY_SERVE_LOG_LEVEL", key: "log.level" },
    { name: "--listen", variable: "DRAY_SERVE_LISTEN", key: "http.addr", spread: listenKeys },
  ],
  shorthands: {
    storage: { name: true },
    auth: { name: true },
    "storage.maintenance.readonly": { member: "enabled" },
    "storage.maintenance.uploadpurging": { member: "enabled" },
  },
  harmless: ["log", "health", "reporting", "compatibility", "catalog", "tags"],
  version: "0.1",
  example: "dray.gc.grace=1h",
  title: "Configuration of dray serve, in distribution's format",
});
