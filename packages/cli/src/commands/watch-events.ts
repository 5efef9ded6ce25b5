import { EventLog, type EventType, eventTypes } from "@dray/watch";
import { Option } from "commander";
import { printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Define } from "../context.ts";
import { outputFlag, positive } from "../flags.ts";
import { printResult } from "../json.ts";
import { dbFlag, familiarName, knownNamed, openWatch, type WatchOptions } from "../watch/index.ts";

interface EventsOptions extends WatchOptions {
  readonly after?: string;
  readonly type?: EventType;
  readonly limit?: number;
}

export const define: Define = (command) =>
  command
    .argument("[repository]", "of this one alone")
    .option("--after <id>", "what came after the event of this id")
    .addOption(new Option("--type <type>", "of one kind alone").choices(eventTypes))
    .option("--limit <count>", "print so many at most (default 100)", positive)
    .addOption(dbFlag())
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray watch events",
  "dray watch events --type tag.moved alpine",
  "dray watch events -o json --after 0123456789abcdef0123456789abcdef",
];

/** What has happened, from the oldest on. */
export const act: Act<EventsOptions> = async (call, [text]) => {
  const file = await openWatch(call);
  const { after, type, limit } = call.options;
  const repository = text === undefined ? undefined : knownNamed(file, text).name;
  const events = new EventLog(file.statements).list(defined({ after, type, limit, repository }));
  await printResult(
    call,
    { events },
    events.map((event) => {
      const { time, type: kind, repository: name, tag, digest, previous } = event;
      const what = kind === "tag.moved" ? `${previous} -> ${digest}` : (digest ?? previous ?? "");
      return printable(
        `${time.replace(/\.\d+/, "")}  ${kind.replace("tag.", "").padEnd(7)}  ${familiarName(name)}:${tag}  ${what}`,
      );
    }),
  );
};
