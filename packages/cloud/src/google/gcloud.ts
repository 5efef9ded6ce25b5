import type { Credential } from "dray/auth";
import { DrayError } from "dray/errors";
import { runProgram } from "dray/internal/programs";

/** Milliseconds that `gcloud` may take; whoever asks may give up before. */
const longest = 60_000;

/**
 * The token of whoever `gcloud` is logged in as. `undefined`: it is not installed, or nobody is.
 * @throws DrayError `CONFIG_INVALID` where it is there and does not work
 */
export const gcloudToken = async (username: string, signal: AbortSignal): Promise<Credential | undefined> => {
  const words = ["config", "config-helper", "--format=json(credential)"];
  const ended = await runProgram("gcloud", words, { env: process.env, timeout: longest, signal });
  if ("fault" in ended) {
    if (ended.fault === "is not in PATH") return undefined;
    throw new DrayError("CONFIG_INVALID", `gcloud ${ended.fault}; ${ended.remedy}`);
  }
  if (ended.status !== 0) {
    if (/do(?:es)? not (?:currently )?have (?:an active account|a valid set)|gcloud auth login/.test(ended.stderr))
      return undefined;
    throw new DrayError("CONFIG_INVALID", `gcloud failed with status ${ended.status}; try it by hand`);
  }
  const { access_token, token_expiry } = credentialIn(ended.stdout);
  if (typeof access_token !== "string" || access_token === "")
    throw new DrayError(
      "CONFIG_INVALID",
      "gcloud printed something that is no credential; try it by hand, or update it",
    );
  const expiresAt = new Date(typeof token_expiry === "string" ? token_expiry : Number.NaN);
  return {
    username,
    password: access_token,
    source: "google (gcloud)",
    ...(Number.isNaN(expiresAt.getTime()) ? {} : { expiresAt }),
  };
};

const credentialIn = (text: string): { readonly access_token?: unknown; readonly token_expiry?: unknown } => {
  try {
    return (JSON.parse(text) as { readonly credential?: object } | null)?.credential ?? {};
  } catch {
    return {};
  }
};
