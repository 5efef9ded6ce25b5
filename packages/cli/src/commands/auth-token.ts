import type { Token } from "dray/auth";
import { parseRepository } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { gather, type SharedOptions } from "../flags.ts";
import { registriesFor } from "../registries.ts";

interface TokenOptions extends SharedOptions {
  readonly header?: boolean;
  readonly mount?: readonly string[];
  readonly push?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<repository>", "the repository to get at")
    .option("-H, --header", "print it as a header, without a newline")
    .option("-m, --mount <repository>", "also to mount from here; again for more", gather)
    .option("--push", "also to push");

export const examples: readonly string[] = [
  'curl -H "$(dray auth token -H alpine)" https://registry-1.docker.io/v2/library/alpine/tags/list',
];

export const act: Act<TokenOptions> = async (call, [text = ""]) => {
  const { options, out, signal } = call;
  const { registry, repository } = parseRepository(text);
  const scopes = [
    `repository:${repository}:${options.push === true ? "push,pull" : "pull"}`,
    ...(options.mount ?? []).map((from) => `repository:${mounted(registry, from)}:pull`),
  ];
  const token = await (await registriesFor(call)).connect(registry).token(scopes, { signal });
  if (options.header === true) await out.text(`Authorization: Bearer ${token.text}`);
  else await out.line(JSON.stringify(answerOf(token)));
};

/** Crane's members. */
const answerOf = ({ text, expiresAt, refreshToken }: Token): object => ({
  token: text,
  access_token: text,
  refresh_token: refreshToken,
  expires_in: Math.max(0, Math.round((expiresAt - Date.now()) / 1000)),
});

/** A repository to mount from is on the same registry, named in full or not. */
const mounted = (registry: string, text: string): string => {
  const named = parseRepository(text);
  return named.registry === registry ? named.repository : text;
};
