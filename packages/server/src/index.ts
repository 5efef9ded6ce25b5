/** The registry server: a `Handler` over a driver, sockets to serve it on, and what an operator needs around it. */
export type { Access as RegistryAccess, Action, Need, Principal, Verdict } from "./access/index.ts";
export {
  describeSettings,
  describeText,
  type Flags,
  loadSettings,
  remarkText,
  type Settings,
  SettingsInvalid,
} from "./config/index.ts";
export { treePaths, typeInside } from "./distribution-tree/index.ts";
export type { Collected, Decision } from "./gc/index.ts";
export * from "./listen/index.ts";
export type { Difference } from "./metadata/index.ts";
export type { Notice } from "./notice.ts";
export { type ControlClient, untilSignals } from "./operation/index.ts";
export type { RegistryOptions } from "./options.ts";
export { createRegistry, type Registry } from "./registry.ts";
export type { RefusalCode } from "./registry-error.ts";
export * from "./serve/index.ts";
export * from "./storage/index.ts";
