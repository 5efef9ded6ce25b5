import { DrayError } from "dray/errors";

/** Hours in which nobody wants to be told anything. */
export interface QuietHours {
  /** `22:00` */
  readonly from: string;
  /** `07:00`; earlier than `from` it is of the next day. */
  readonly to: string;
  /** An IANA time zone: `Europe/Vienna`. Default: the machine's. */
  readonly timeZone?: string;
  /** What becomes of what happened meanwhile: each is sent afterwards, or all of it as one. Default `send`. */
  readonly afterwards?: "send" | "digest";
}

const minute = 60_000;
const dayMinutes = 24 * 60;

/**
 * When quiet hours end that are on at a moment: milliseconds since 1970; `undefined` where none are on.
 * @throws DrayError `CONFIG_INVALID` for what is no time of day and no time zone
 * @example quietUntil({ from: "22:00", to: "07:00", timeZone: "UTC" }, Date.parse("2026-03-01T23:00:00Z")) // 07:00 of the next day
 */
export const quietUntil = ({ from, to, timeZone }: QuietHours, now: number): number | undefined => {
  const [begin, end] = [minuteOf(from), minuteOf(to)];
  const at = minuteAt(now, timeZone);
  const since = (at - begin + dayMinutes) % dayMinutes;
  const length = (end - begin + dayMinutes) % dayMinutes;
  if (since >= length) return undefined;
  return now - (now % minute) + (length - since) * minute;
};

const minuteOf = (text: string): number => {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined) throw new DrayError("CONFIG_INVALID", `${text} is no time of day; write it as 22:00`);
  return Number(hours) * 60 + Number(minutes);
};

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

const minuteAt = (now: number, timeZone: string | undefined): number => {
  let format = formats.get(timeZone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    } catch {
      throw new DrayError("CONFIG_INVALID", `${timeZone} is no time zone; write one as Europe/Vienna or UTC`);
    }
    formats.set(timeZone, format);
  }
  return minuteOf(format.format(now));
};
