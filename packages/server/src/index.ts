/** The registry server: a `Handler` over a driver, sockets to serve it on, and what an operator needs around it. */

export { type Remark, remarkText, SettingsInvalid } from "@dray/service/config";
export { type Limits, type Listener, type ListenOptions, listen, type TlsOptions } from "@dray/service/http-server";
export { untilSignals } from "@dray/service/program";
export type { Access as RegistryAccess, Action, Need, Principal, Verdict } from "./access/index.ts";
export type { CompleteIndexes } from "./blobs/index.ts";
export {
  describeSettings,
  describeText,
  type Flags,
  loadSettings,
  locateData,
  type Place,
  type Settings,
  type UsableSettings,
  usableSettings,
} from "./config/index.ts";
export type { Restored } from "./deletion/index.ts";
export { treePaths, typeInside } from "./distribution-tree/index.ts";
export type { Collected, Decision } from "./gc/index.ts";
export type { Difference } from "./metadata/index.ts";
export type { Notice } from "./notice.ts";
export type { RegistryOptions } from "./options.ts";
export { createRegistry, type Registry } from "./registry.ts";
export type { RefusalCode } from "./registry-error.ts";
export * from "./serve/index.ts";
export * from "./storage/index.ts";
export type { RepositoryUsage } from "./usage/index.ts";
export type { Finding, Verified } from "./verify/index.ts";
