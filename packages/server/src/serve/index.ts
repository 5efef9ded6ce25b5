/** A registry put together from settings: served, or looked after. The top of this package. */
export type { ControlClient } from "./controls.ts";
export { maintain } from "./maintain.ts";
export { type ServeOptions, type Serving, serve } from "./serve.ts";
