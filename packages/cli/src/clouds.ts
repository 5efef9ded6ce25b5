import { cloudsOf } from "@dray/cloud/hosts";
import type { Keychain } from "dray/auth";
import { Lazy } from "dray/internal/async";
import type { Call } from "./context.ts";

let areHushed = false;

/**
 * Google's library warns the process wherever another cloud, or a proxy, answers in the place of its metadata server, in words that name neither. What
 * it comes to is told by `explain`.
 */
const hushLookups = (): void => {
  if (areHushed) return;
  areHushed = true;
  const tellers = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "MetadataLookupWarning") for (const tell of tellers) tell(warning);
  });
};

/**
 * The keychains of clouds, those that `DRAY_KEYCHAINS` names. No file of theirs is read before a registry of one is met.
 * @throws DrayError `CONFIG_INVALID` from the keychain, for a name in the variable that is no cloud
 */
export const cloudKeychain = ({ env, reporter, options }: Pick<Call, "env" | "reporter" | "options">): Keychain => {
  const loaded = new Lazy<Keychain>();
  const load = async (): Promise<Keychain> => {
    const { clouds, parseClouds } = await import("@dray/cloud");
    hushLookups();
    return clouds({
      only: parseClouds(env["DRAY_KEYCHAINS"], "DRAY_KEYCHAINS"),
      env,
      timeout: options.timeout,
      onWarning: (message) => reporter.warn(message),
    });
  };
  return async (target, asked) =>
    cloudsOf(target.registry, env).length === 0 ? undefined : (await loaded.get(load))(target, asked);
};
