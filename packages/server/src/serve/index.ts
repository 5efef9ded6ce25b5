/** A registry put together from settings: served, or looked after. The top of this package. */

export { running, runningWriter } from "./control-socket.ts";
export type { ControlClient } from "./controls.ts";
export { type MaintainOptions, maintain } from "./maintain.ts";
export { preflight } from "./preflight.ts";
export { type ServeOptions, type Serving, serve } from "./serve.ts";
