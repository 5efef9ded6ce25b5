import { explain, logout } from "dray/auth";
import type { Act, Define } from "../context.ts";
import { registriesFor } from "../registries.ts";
import { hostOf } from "./auth-get.ts";

export const define: Define = (command) => command.argument("<registry>", "host[:port]");

export const examples: readonly string[] = ["dray auth logout ghcr.io"];

/** What another file, a helper or a variable still has is told: who believes to have logged out would go on as somebody. */
export const act: Act = async (call, [named = ""]) => {
  const { options, env, signal, reporter } = call;
  const registry = hostOf(named);
  const place = await logout(registry, { env, signal, authFile: options.authfile });
  if (place === undefined) reporter.note(`not logged in to ${registry}`);
  else reporter.summary(`logged out of ${registry} via ${place.helper ?? place.file}`, { registry });
  const { chosen } = await explain({ registry }, (await registriesFor(call)).keychain(registry), { signal });
  if (chosen.kind !== "anonymous")
    reporter.warn(`${chosen.source} still has a ${chosen.kind} for ${registry}, which is used from now on`);
};
