import type { WatchEvent } from "../events/index.ts";
import { readTemplate } from "./template.ts";

/** What a person reads. */
export interface Message {
  readonly title: string;
  readonly text: string;
}

/** Templates of a sink whose events people read. */
export interface Texts {
  /** Template of the title, where there is one. Default: `{{image}} was {{action}}`. */
  readonly title?: string | undefined;
  /** Template of the text. Default: the image, what became of it, and the digests. */
  readonly text?: string | undefined;
}

export const defaultTitle = "{{image}} was {{action}}";
export const defaultText =
  "{{image}} was {{action}}{{#digest}}: {{shortDigest}}{{/digest}}{{#previous}} (before: {{shortPrevious}}){{/previous}}";

/** Makes the message of one event, or of several as one: a line each. @throws DrayError `CONFIG_INVALID` as `readTemplate` does */
export const messages = async ({
  title = defaultTitle,
  text = defaultText,
}: Texts): Promise<(events: readonly WatchEvent[]) => Message> => {
  const [titleOf, textOf] = [await readTemplate(title), await readTemplate(text)];
  return (events) => {
    const [first] = events;
    if (first !== undefined && events.length === 1) return { title: titleOf(first), text: textOf(first) };
    return { title: `${events.length} changes of images`, text: events.map((event) => textOf(event)).join("\n") };
  };
};

/** How much of a limit a character takes. */
export type Measure = (character: string) => number;

/** UTF-16 code units: what most vendors count, or no less than they do. */
export const units: Measure = (character) => character.length;
export const utf8: Measure = (character) => Buffer.byteLength(character);
/** Bytes in a JSON text. */
export const jsonBytes: Measure = (character) => Buffer.byteLength(JSON.stringify(character)) - 2;

/** A text that fits, cut between two characters with an ellipsis where it was too long. */
export const cut = (text: string, limit: number, measure: Measure = units): string => {
  const room = limit - measure("…");
  let [size, end, fits] = [0, 0, 0];
  for (const character of text) {
    size += measure(character);
    end += character.length;
    if (size <= room) fits = end;
    if (size > limit) return `${text.slice(0, fits)}…`;
  }
  return text;
};
