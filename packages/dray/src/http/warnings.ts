import type { OnEvent } from "../content/index.ts";
import { headerValues, type Middleware } from "./types.ts";

/** Who hears of the warnings. */
export interface WarningsOptions {
  /** Hears of warnings on requests that have no `onEvent` of their own. */
  readonly onEvent?: OnEvent | undefined;
}

/** What a registry wants its users to know becomes a `warning` event, each text once for a registry. */
export const warnings = ({ onEvent }: WarningsOptions = {}): Middleware => {
  const said = new Set<string>();
  return (next) => async (request) => {
    const response = await next(request);
    for (const value of headerValues(response.headers, "warning"))
      for (const text of parseWarnings(value)) {
        if (said.has(text) || said.size >= mostTexts) continue;
        said.add(text);
        (request.context?.onEvent ?? onEvent)?.({ type: "warning", message: `${new URL(response.url).host}: ${text}` });
      }
    return response;
  };
};

/** A registry that counts in its warnings must not fill our memory or the user's screen. */
const mostTexts = 100;

/**
 * The texts of a `Warning` header that are meant for us: code 299, agent `-`. Other codes belong to caches.
 * @example parseWarnings('299 - "quota: \\"90 %\\"", 110 cache "stale"') // ['quota: "90 %"']
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#warnings
 * @see https://www.rfc-editor.org/rfc/rfc7234#section-5.5
 */
export const parseWarnings = (value: string): string[] => {
  const texts: string[] = [];
  const item = /\s*(\d{3})\s+([^\s",]+)\s+"((?:[^"\\]|\\.)*)"(?:\s+"[^"]*")?\s*(?:,|$)/y;
  for (let found = item.exec(value); found !== null; found = item.exec(value)) {
    const [, code, agent, quoted = ""] = found;
    if (code === "299" && agent === "-") texts.push(quoted.replace(/\\(.)/g, "$1"));
    if (item.lastIndex >= value.length) break;
  }
  return texts;
};
