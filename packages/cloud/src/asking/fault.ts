import { isDrayError, printable, reasonOf } from "dray/errors";

const longest = 240;

/**
 * What went wrong in a cloud's library, in one line without secrets. Services quote what they were sent: Amazon the whole request, with the
 * session's token, where a signature is wrong.
 */
export const faultIn = (error: unknown, env: Readonly<Record<string, string | undefined>> = process.env): string => {
  if (isDrayError(error)) return shown(error.message, env);
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  const [line = ""] = reasonOf(error)
    .trim()
    .split(/[\r\n]/);
  // A system's errors say their code alone; those of services have names that people search for.
  const kind = [name, code].find((each) => typeof each === "string" && !/^(?:\w*Error|ERR_\w+)$/.test(each));
  const prefix = typeof kind === "string" && !line.includes(kind) ? `${kind}: ` : "";
  return shown(`${prefix}${line}`, env);
};

const shown = (text: string, env: Readonly<Record<string, string | undefined>>): string =>
  printable(withoutSecrets(text, env)).slice(0, longest) || "failed without a word";

/** Variables whose value nobody may read. */
const secretNames = /SECRET|TOKEN|PASSWORD|KEY/i;
/** Neither a name nor a path is this long without a break; tokens are. */
const tokenLike = /(?:eyJ[\w-]*\.[\w.-]+|[A-Za-z0-9+/=_~-]{40,})/g;

const withoutSecrets = (text: string, env: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(env)
    .flatMap(([name, value]) => (value !== undefined && value.length >= 8 && secretNames.test(name) ? [value] : []))
    .reduce((left, secret) => left.replaceAll(secret, "…"), text)
    .replace(tokenLike, "…");
