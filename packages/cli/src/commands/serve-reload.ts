import type { Act } from "../context.ts";
import { asking, statusOf } from "../control-client.ts";

export { servingFlags as define } from "../serve-flags.ts";

/** The registry reads its configuration, passwords, keys and certificates again. */
export const act: Act = asking(async (client, call) => {
  await statusOf(client, call);
  await client.ask("reload", {}, { signal: call.signal });
  await call.out.line("reloaded; its log says what waits for a restart");
});
