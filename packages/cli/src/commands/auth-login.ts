import { cloudsOf } from "@dray/cloud/hosts";
import { login } from "dray/auth";
import { DrayError, isDrayError, restated } from "dray/errors";
import type { Act, Call, Define } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { passwordOf, registriesFor } from "../registries.ts";
import { terminalOf } from "../terminal-input.ts";
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
    .addHelpText("after", "\nAsks for what is not said, at a terminal.");

export const examples: readonly string[] = [
  "dray auth login ghcr.io",
  "dray auth login ghcr.io -u octocat --password-stdin < token.txt",
];

/** Asked first, kept then: a typing error shows here and not in the middle of the night. */
export const act: Act<LoginOptions> = async (call, [named = ""]) => {
  const { env, signal, reporter } = call;
  const registry = hostOf(named);
  const { username, password } = await credentialsOf(call, registry);
  const options = { ...call.options, username, password, passwordStdin: false };
  if (options.check !== false) {
    const { connect } = await registriesFor({ ...call, options });
    const { asked } = await connect(registry)
      .ping({ signal })
      .catch((error: unknown) => {
        if (!isDrayError(error, "UNAUTHORIZED", "DENIED")) throw error;
        const message = `${registry} refuses the password of ${username} (${error.status}); nothing was kept: check both and try again`;
        throw restated(error, error.code, message, { remedy: undefined });
      });
    if (!asked) reporter.warn(`${registry} asked for no credentials: they are kept, but nobody has checked them`);
  }
  const place = await login(registry, { username, password }, { env, signal, authFile: options.authfile });
  const by = place.helper ?? place.file;
  if (place.helper === undefined)
    reporter.warn(`the password is not encrypted in ${place.file}; a credential helper (credsStore) would do that`);
  reporter.summary(`logged in to ${registry} via ${by}`, { registry, via: by });
};

/** What flags and variables do not say is asked for, where somebody sits at a terminal. */
const credentialsOf = async (
  call: Call<LoginOptions>,
  registry: string,
): Promise<{ username: string; password: string }> => {
  const given = (await passwordOf(call)) || undefined;
  const asked = terminalOf(call);
  const username = call.options.username || (await asked?.line(`User name for ${registry}: `));
  const password = given ?? (username ? await asked?.secret("Password: ") : undefined);
  if (username && password) return { username, password };
  const required = "username and password required: -u NAME with --password-stdin, or at a terminal";
  const [cloud] = cloudsOf(registry, call.env);
  throw new DrayError(
    "USAGE",
    cloud === undefined
      ? required
      : `${required}; a registry of ${cloud} needs none where that knows who we are, which dray auth explain ${registry} tells`,
  );
};
