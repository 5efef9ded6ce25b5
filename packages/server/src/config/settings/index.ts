/** Settings from what the keys say: defaults that depend on each other, and what contradicts what. */
import type { MapNode, Remark } from "../node.ts";
import type { Said } from "../read.ts";
import { Values } from "../values.ts";
import { accessOf } from "./access.ts";
import type { Context } from "./context.ts";
import { debugOf, isLoopback, listenOf } from "./listen.ts";
import { logOf, registryOf } from "./registry.ts";
import { storageOf } from "./storage.ts";
import type { Settings } from "./types.ts";

export interface Built {
  /** Missing where something does not fit. */
  readonly settings?: Settings;
  readonly complaints: readonly Remark[];
  readonly warnings: readonly Remark[];
}

export const buildSettings = (root: MapNode, said: Said, { withFile }: { readonly withFile: boolean }): Built => {
  const values = new Values(said, withFile);
  const complaints: Remark[] = [];
  const warnings: Remark[] = [];
  const context: Context = {
    values,
    root,
    complain: (key, message, origin) => {
      complaints.push({ key, message, origin: origin ?? originOf(context, key) });
      return undefined;
    },
    warn: (key, message, origin) => void warnings.push({ key, message, origin: origin ?? originOf(context, key) }),
  };
  if (withFile && !values.has("version"))
    context.complain("version", "is missing; write version: 0.1, as distribution does", root.origin);
  const storage = storageOf(context);
  const access = accessOf(context);
  const listen = listenOf(context);
  const debug = debugOf(context);
  if (access?.kind === "none" && listen !== undefined && !isLoopback(listen.place))
    context.warn(
      "http.addr",
      "whoever reaches it may push and delete; set auth.htpasswd or auth.token, or listen on 127.0.0.1",
    );
  if (storage === undefined || access === undefined || listen === undefined) return { complaints, warnings };
  const computed = storage.driver === "filesystem" ? { "dray.index": storage.index } : {};
  const log = logOf(context);
  const idle = [
    ...(storage.driver === "inmemory" ? ["storage.filesystem.", "dray.durability"] : []),
    ...(access.kind === "htpasswd" ? [] : ["dray.access.lockout."]),
    ...(access.kind === "token" ? [] : ["auth.token."]),
    ...(listen.tls === undefined ? ["http.tls."] : []),
    ...(debug === undefined ? ["http.debug."] : []),
    ...(log.access === undefined ? ["dray.log.access."] : []),
  ];
  const settings: Settings = {
    storage,
    registry: registryOf(context),
    purging: { interval: values.number("storage.maintenance.uploadpurging.interval") },
    access,
    listen,
    log,
    ...(debug === undefined ? {} : { debug }),
    effective: values.effective(
      {
        ...computed,
        ...(listen.tls?.clientAuth === "require" ? { "http.tls.clientauth": "require-and-verify-client-cert" } : {}),
      },
      (path) => idle.some((part) => path.startsWith(part)),
    ),
  };
  return { settings, complaints, warnings };
};

/** Where a key was said, or else the part that it belongs to. */
const originOf = ({ values, root }: Context, key: string): Remark["origin"] => {
  if (values.has(key)) return values.originOf(key);
  return root.entries.get(key.split(".")[0] ?? "")?.origin ?? root.origin;
};
