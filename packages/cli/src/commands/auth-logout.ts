import type { Command } from "commander";
import { logout } from "dray/auth";
import type { Call } from "../context.ts";
import { hostOf } from "./auth-get.ts";

export const define = (command: Command): void => {
  command.argument("<registry>", "host[:port]");
};

export const act = async ({ options, env, signal, reporter }: Call, [named = ""]: readonly string[]): Promise<void> => {
  const registry = hostOf(named);
  const place = await logout(registry, { env, signal, authFile: options.authfile });
  if (place === undefined) reporter.note(`not logged in to ${registry}`);
  else reporter.summary(`logged out of ${registry} via ${place.helper ?? place.file}`, { registry });
};
