/**
 * What an operator says of a registry, in distribution's file, in variables and by flags, as settings.
 * Imports shapes of the other parts and their checks.
 */
export {
  describeSettings,
  describeText,
  type Flags,
  loadSettings,
  locateData,
  type Sources,
  usableSettings,
} from "./load.ts";
export { type Reload, reloadable } from "./reload.ts";
export type {
  AccessSettings,
  DebugSettings,
  ListenSettings,
  Place,
  Settings,
  UsableSettings,
} from "./settings/index.ts";
