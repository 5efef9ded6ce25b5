import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/** Names in a page as the client wants them: no more than `most`. @throws RegistryError for what is no number */
export const pageSize = ({ query }: Call, most: number): number => {
  const text = query.get("n");
  if (text === null) return most;
  if (!/^\d{1,15}$/.test(text))
    throw new RegistryError(400, "UNSUPPORTED", `n=${JSON.stringify(text.slice(0, 40))} is no number of entries`);
  return Math.min(Number(text), most);
};

/** `Link` to the next page. @see https://www.rfc-editor.org/rfc/rfc8288 */
export const linkTo = ({ context }: Call, path: string, query: Readonly<Record<string, string>>): [string, string] => [
  "Link",
  `<${context.settings.locations.prefix}${path}?${new URLSearchParams(query).toString()}>; rel="next"`,
];
