/** Settings from what the keys say: defaults that depend on each other, and what contradicts what. */
import { join } from "node:path";
import type { ConfigContext } from "@dray/service/config";
import { defined } from "dray/internal/defined";
import { accessOf } from "./access.ts";
import { debugOf, isLoopback, listenOf } from "./listen.ts";
import { logOf, registryOf } from "./registry.ts";
import { storageOf } from "./storage.ts";
import type { Settings } from "./types.ts";

export type * from "./types.ts";
export { type UsableSettings, usableOf } from "./usable.ts";

/** What is asked of settings by whoever looks for the registry that is running on a folder. */
export interface Place {
  readonly storage: Settings["storage"];
  readonly registry: Pick<Settings["registry"], "readOnly">;
}

/** The place alone, whatever the rest says. */
export const placeOf = (context: ConfigContext): Place | undefined => {
  const storage = storageOf(context);
  const readOnly = context.values.truth("storage.maintenance.readonly.enabled");
  return storage && { storage, registry: { readOnly } };
};

/** `undefined` where something does not fit, of which the context has heard. */
export const buildSettings = (context: ConfigContext): Settings | undefined => {
  const { values, root } = context;
  if (values.withFile && !values.has("version"))
    context.complain("version", "is missing; write version: 0.1, as distribution does", root.origin);
  const storage = storageOf(context);
  const access = accessOf(context);
  const listen = listenOf(context);
  const debug = debugOf(context);
  if (access?.kind === "none" && listen !== undefined && !isLoopback(listen.address))
    context.warn(
      "http.addr",
      "whoever reaches it may push and delete; set auth.htpasswd or auth.token, or listen on 127.0.0.1",
    );
  if (storage === undefined || access === undefined || listen === undefined) return undefined;
  const log = logOf(context);
  const computed = defined<Record<string, unknown>>({
    "dray.index":
      storage.driver === "filesystem" ? (storage.index ?? join(storage.root, "dray", "index.db")) : undefined,
    "dray.log.access.format": log.access?.format,
    "http.tls.clientauth": listen.tls?.clientAuth === "require" ? "require-and-verify-client-cert" : undefined,
  });
  const idle = [
    ...(storage.driver === "inmemory" ? ["storage.filesystem.", "dray.durability"] : []),
    ...(access.kind === "htpasswd" ? [] : ["dray.access.lockout."]),
    ...(access.kind === "token" ? [] : ["auth.token."]),
    ...(listen.tls === undefined ? ["http.tls."] : []),
    ...(debug === undefined ? ["http.debug."] : []),
    ...(log.access === undefined ? ["dray.log.access."] : []),
  ];
  return defined({
    storage,
    registry: registryOf(context),
    purging: { interval: values.number("storage.maintenance.uploadpurging.interval") },
    access,
    listen,
    log,
    debug,
    effective: values.effective(computed, (path) => idle.some((part) => path.startsWith(part))),
  });
};
