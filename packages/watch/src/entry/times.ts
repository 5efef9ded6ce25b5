import type { ImageInfo } from "./entry.ts";

const grammar = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|[+-]([01]\d|2[0-3]):([0-5]\d))$/;

/** Whether text is a time as RFC 3339 writes it, on a day that there is. @example isTime("2026-02-30T00:00:00Z") // false */
export const isTime = (text: unknown): text is string => {
  const match = typeof text === "string" ? grammar.exec(text) : null;
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
};

/** The first second of the year 1 is what programs in Go write for no time at all. */
const isNone = (text: string): boolean => text.startsWith("0001-01-01T");

/** A time that says something. */
export const timeIn = (value: unknown): string | undefined => (isTime(value) && !isNone(value) ? value : undefined);

/** The same time in UTC, without zeros at the end. */
export const inUtc = (text: string): string => {
  const fraction = (grammar.exec(text)?.[7] ?? "").replace(/0+$/, "");
  const whole = new Date(text.replace(/\.\d+/, ""));
  if (Number.isNaN(whole.getTime())) return text;
  return whole.toISOString().replace(/\.000Z$/, `${fraction === "" ? "" : `.${fraction}`}Z`);
};

export const timeLabels = {
  created: "org.opencontainers.image.created",
  buildDate: "org.label-schema.build-date",
} as const;

/** When an image says that it was made, by what was written on it. */
export interface LabelTimes {
  /** `org.opencontainers.image.created` */
  readonly created?: string;
  /** `org.label-schema.build-date` */
  readonly buildDate?: string;
  /** Labels whose text is no time of RFC 3339: who built the image has to mend that. */
  readonly wrong: readonly string[];
}

/**
 * When an image says that it was made, by its labels, and by its annotations where it has no such label. What is no time is named and hides nothing else.
 * @example labelTimes(info).created // "2026-01-12T08:30:00Z"
 */
export const labelTimes = ({ labels, annotations }: Pick<ImageInfo, "labels" | "annotations">): LabelTimes => {
  const found: { created?: string; buildDate?: string } = {};
  const wrong: string[] = [];
  for (const [name, key] of Object.entries(timeLabels) as [keyof typeof found, string][]) {
    const text = labels?.[key] || annotations?.[key] || "";
    const time = timeIn(text);
    if (time !== undefined) found[name] = time;
    else if (text !== "" && !isTime(text)) wrong.push(key);
  }
  return { ...found, wrong };
};
