import { parseRegistry } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { registriesFor } from "../registries.ts";

export const define: Define = (command) =>
  command.argument("[registry]", "host[:port]; read from stdin where it is left out");

export const examples: readonly string[] = ["echo registry.example.com | dray auth get"];

/** The protocol of credential helpers, and crane's words where there is nothing. */
export const act: Act = async (call, [named]) => {
  const registry = hostOf(named ?? (await firstLine(call)));
  const credential = await (await registriesFor(call)).keychain(registry)({ registry }, { signal: call.signal });
  const { username, password, identityToken } = credential ?? {};
  const answer = identityToken
    ? { Username: "<token>", Secret: identityToken }
    : { Username: username ?? "", Secret: password ?? "" };
  const found = answer.Secret !== "";
  await call.out.line(found ? JSON.stringify(answer) : "credentials not found in native keychain");
  return found ? 0 : 1;
};

/** Docker asks its helpers by URL: `https://index.docker.io/v1/`. */
export const hostOf = (text: string): string =>
  parseRegistry(
    text
      .trim()
      .replace(/^https?:\/\//, "")
      .replace(/\/.*$/s, ""),
  );

const firstLine = async ({ stdin }: Call): Promise<string> => {
  let text = "";
  for await (const chunk of stdin()) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
};
