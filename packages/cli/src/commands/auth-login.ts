import { login } from "dray/auth";
import { DrayError } from "dray/errors";
import type { Act, Define } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { passwordOf, registriesFor } from "../registries.ts";
import { hostOf } from "./auth-get.ts";

interface LoginOptions extends SharedOptions {
  readonly check?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<registry>", "host[:port]")
    .option("-u, --username <name>", "user name")
    .option("-p, --password <password>", "password; better by --password-stdin")
    .option("--password-stdin", "read the password from stdin")
    .option("--no-check", "keep the credentials without asking the registry whether they are right")
    .addHelpText("after", "\nExample:\n  dray auth login ghcr.io -u octocat --password-stdin < token.txt");

/** Asked first, kept then: a typing error shows here and not in the middle of the night. */
export const act: Act<LoginOptions> = async (call, [named = ""]) => {
  const { options, env, signal, reporter } = call;
  const registry = hostOf(named);
  const username = options.username ?? "";
  const password = (await passwordOf(call)) ?? "";
  if (username === "" || password === "") throw new DrayError("USAGE", "username and password required");
  if (options.check !== false) await (await registriesFor(call)).connect(registry).ping({ signal });
  const place = await login(registry, { username, password }, { env, signal, authFile: options.authfile });
  const by = place.helper ?? place.file;
  if (place.helper === undefined)
    reporter.warn(`the password is not encrypted in ${place.file}; a credential helper (credsStore) would do that`);
  reporter.summary(`logged in to ${registry} via ${by}`, { registry, via: by });
};
