/** The registry server: a `Handler` over a driver, sockets to serve it on, and what an operator needs around it. */
export type { Access as RegistryAccess, Action, Need, Principal, Verdict } from "./access/types.ts";
export {
  describeSettings,
  describeText,
  type Flags,
  loadSettings,
  remarkText,
  type Settings,
  SettingsInvalid,
} from "./config/index.ts";
export { typeInside } from "./distribution-tree/index.ts";
export * as treePaths from "./distribution-tree/paths.ts";
export type { RefusalCode } from "./endpoints/registry-error.ts";
export type { Collected, Decision } from "./gc/types.ts";
export * from "./listen/index.ts";
export type { Difference } from "./metadata/types.ts";
export { type ControlClient, untilSignals } from "./operation/index.ts";
export type { Notice, RegistryOptions } from "./options.ts";
export { createRegistry, type Registry } from "./registry/create.ts";
export * from "./serve/index.ts";
export * from "./storage/index.ts";
