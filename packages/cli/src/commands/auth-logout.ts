import { logout } from "dray/auth";
import type { Act, Define } from "../context.ts";
import { hostOf } from "./auth-get.ts";

export const define: Define = (command) => command.argument("<registry>", "host[:port]");

export const examples: readonly string[] = ["dray auth logout ghcr.io"];

export const act: Act = async ({ options, env, signal, reporter }, [named = ""]) => {
  const registry = hostOf(named);
  const place = await logout(registry, { env, signal, authFile: options.authfile });
  if (place === undefined) reporter.note(`not logged in to ${registry}`);
  else reporter.summary(`logged out of ${registry} via ${place.helper ?? place.file}`, { registry });
};
