/**
 * What an operator says, in distribution's file, in variables and by flags, as settings: with everything that is wrong and where.
 * Imports shapes of the other parts and their checks; opens nothing but the file itself.
 */
export type { Described } from "./describe.ts";
export type { ListenAddress } from "./listen-address.ts";
export { describeSettings, describeText, type Flags, loadSettings, type Sources } from "./load.ts";
export { type Origin, originText, type Remark, remarkText } from "./node.ts";
export { SettingsInvalid } from "./read-config.ts";
export { type Reload, reloadable } from "./reload.ts";
export type {
  AccessSettings,
  DebugSettings,
  ListenSettings,
  LogSettings,
  Settings,
  StorageSettings,
  TlsSettings,
} from "./settings/types.ts";
