import { bytesContent, collect } from "dray/content";
import { DrayError, printable } from "dray/errors";
import { connection } from "dray/http";

const largestAnswer = 64 * 1024;

/**
 * Exchanges a token of Azure's for a refresh token of the registry. It goes to the registry alone, by https, and follows no redirect.
 * @throws DrayError `DENIED` where the registry refuses, `REGISTRY` for an answer that makes no sense
 * @see https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 */
export const exchanged = async (registry: string, accessToken: string, signal: AbortSignal): Promise<string> => {
  const send = connection();
  try {
    const form = new URLSearchParams({ grant_type: "access_token", service: registry, access_token: accessToken });
    const { status, body } = await send({
      method: "POST",
      origin: `https://${registry}`,
      target: "/oauth2/exchange",
      headers: [
        ["Content-Type", "application/x-www-form-urlencoded"],
        ["Accept", "application/json"],
      ],
      body: bytesContent(new TextEncoder().encode(form.toString())),
      signal,
    });
    const bytes = await collect(body.chunks, largestAnswer, `the answer of ${registry}`);
    const answer = membersOf(new TextDecoder().decode(bytes));
    if (status !== 200) throw refusal(registry, status, answer);
    const token = answer["refresh_token"];
    if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
    throw new DrayError("REGISTRY", `${registry} answered 200 without a refresh token`, { registry, status });
  } finally {
    await send.close();
  }
};

const refusal = (registry: string, status: number, answer: Readonly<Record<string, unknown>>): DrayError => {
  const [first] = Array.isArray(answer["errors"]) ? (answer["errors"] as unknown[]) : [];
  const { message } = (first ?? {}) as { readonly message?: unknown };
  const said = typeof message === "string" ? `: ${printable(message.split("\n")[0] ?? "")}` : "";
  const why = `${registry} does not take this identity's token (${status})${said}; it needs the role AcrPull`;
  return new DrayError(status === 401 || status === 403 ? "DENIED" : "REGISTRY", why, { registry, status });
};

const membersOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};
