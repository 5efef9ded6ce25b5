/**
 * What an operator says, in distribution's file, in variables and by flags, as settings: with everything that is wrong and where.
 * Imports shapes of the other parts and their checks; opens nothing but the file itself.
 */
export { type Described, describeSettings, describeText } from "./describe.ts";
export { loadSettings, SettingsInvalid, type Sources } from "./load.ts";
export { type Origin, originText, type Remark, remarkText } from "./node.ts";
export type { Place } from "./place.ts";
export { type Reload, reloadable } from "./reload.ts";
export { configSchema } from "./schema.ts";
export type {
  AccessSettings,
  DebugSettings,
  Effective,
  Flags,
  ListenSettings,
  Loaded,
  LogSettings,
  Settings,
  StorageSettings,
  TlsSettings,
} from "./settings/types.ts";
export { variableOf } from "./variables.ts";
