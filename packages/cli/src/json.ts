import { isDrayError, printable } from "dray/errors";
import { messageOf } from "./failure.ts";
import type { ListingOptions } from "./flags.ts";
import type { Output } from "./output.ts";

type Members = Readonly<Record<string, unknown>>;

/** The version of every document that `-o json` prints; docs/json.md says what may change without a new one. */
const schemaVersion = 1;

/** JSON on one line, safe for a terminal: more is escaped than JSON asks for, and means the same to whoever reads it. */
export const jsonText = (value: unknown): string => printable(JSON.stringify(value));

/** A JSON document for people's scripts: its version first, then what it says. */
export const document = (members: Members): string => jsonText({ schemaVersion, ...members });

/** What a command found: as a document with `-o json`, else in these lines. */
export const printResult = async (
  { options, out }: { readonly options: ListingOptions; readonly out: Output },
  members: Members,
  lines: string | readonly string[],
): Promise<void> => {
  for (const line of options.output === "json" ? [document(members)] : [lines].flat()) await out.line(line);
};

/**
 * A document with one long list at its end, printed while it comes. Nothing is printed before there is an item, or none; a list that ends early
 * is closed, with the reason behind it, so that what was printed is a document whatever happens.
 */
export const listing = async <T>(
  out: Output,
  members: Members,
  name: string,
  items: AsyncIterable<T> | Iterable<T>,
  memberOf: (item: T) => unknown,
): Promise<void> => {
  const head = `${document(members).slice(0, -1)},${JSON.stringify(name)}:[`;
  let before = head;
  try {
    for await (const item of items) {
      await out.text(before + jsonText(memberOf(item)));
      before = ",";
    }
  } catch (error) {
    if (before !== head && isDrayError(error))
      await out.end(`],"error":${jsonText({ code: error.code, message: messageOf(error) })}}\n`);
    throw error;
  }
  await out.line(`${before === head ? head : ""}]}`);
};
