import { printable } from "dray/errors";

export type Level = "debug" | "info" | "warn" | "error";

const order: readonly Level[] = ["debug", "info", "warn", "error"];

/** What an operator should know, from a part of a program that has no log of its own. */
export interface Notice {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
}

export interface LogOptions {
  /** The least that is told. Default `info`. */
  readonly level?: Level;
  /** `logstash` is JSON with `@timestamp` and `message`. Default `text`. */
  readonly format?: "text" | "json" | "logstash";
  /** In every line. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What an operator should know, a line each. */
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/**
 * A program's own log: what it does, and what went wrong. Not the access log. In `text` a line is what systemd and a
 * terminal want, words and then `key=value`; control characters are shown as escapes.
 */
export const openLog = (
  to: { write(line: string): unknown },
  { level = "info", format = "text", fields = {}, now = Date.now }: LogOptions = {},
): Log => {
  const least = order.indexOf(level);
  return (at, message, more) => {
    if (order.indexOf(at) < least) return;
    const time = new Date(now()).toISOString();
    to.write(`${lineOf[format](time, at, message, { ...fields, ...more })}\n`);
  };
};

type Line = (time: string, level: Level, message: string, fields: Readonly<Record<string, unknown>>) => string;

const lineOf: Readonly<Record<NonNullable<LogOptions["format"]>, Line>> = {
  json: (time, level, msg, fields) => JSON.stringify({ time, level, msg: printable(msg), ...fields }),
  logstash: (time, level, message, fields) =>
    JSON.stringify({ "@timestamp": time, "@version": "1", level, message: printable(message), ...fields }),
  text: (time, level, message, fields) => {
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${wordOf(value)}`],
    );
    return [time, level.padEnd(5), printable(message), ...pairs].join(" ");
  },
};

const wordOf = (value: unknown): string => {
  const text = printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
};
