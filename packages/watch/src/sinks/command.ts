import { DrayError } from "dray/errors";
import { runProgram } from "dray/internal/programs";
import { cloudEventOf, type Sink, subjectOf, type WatchEvent } from "../events/index.ts";
import type { SinkContext } from "./context.ts";
import type { CommandSettings } from "./settings.ts";

/** The event as variables: `DRAY_EVENT_IMAGE` and so on; what it does not have is empty. */
export const variablesOf = (event: WatchEvent): Record<string, string> => {
  const { id, type, repository, tag, digest = "", previous = "", time } = event;
  const said = { id, type, image: subjectOf(event), repository, tag, digest, previous, time };
  return Object.fromEntries(Object.entries(said).map(([name, value]) => [`DRAY_EVENT_${name.toUpperCase()}`, value]));
};

/** Longer than the time limit of an attempt, which ends the program. */
const atMost = 3_600_000;

/**
 * Runs a program for each event: its CloudEvent as JSON on standard input, and variables. No shell is between, so that no tag is ever a command. It has taken the
 * event when it ends with 0; else it runs again later. What several as one would be is one run each.
 */
export const commandSink = ({ name, command }: CommandSettings, { environment = process.env }: SinkContext): Sink => ({
  name,
  send: async (events, signal) => {
    const [program = "", ...words] = command;
    for (const event of events) {
      const env = { ...environment, ...variablesOf(event) };
      const input = `${JSON.stringify(cloudEventOf(event))}\n`;
      const ended = await runProgram(program, words, { env, timeout: atMost, signal, input });
      if ("fault" in ended)
        throw new DrayError("SINK", `${program} ${ended.fault}; ${ended.remedy}`, { retryable: true });
      if (ended.status !== 0) {
        const last = ended.stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
        throw new DrayError("SINK", `${program} ended with ${ended.status}${last === "" ? "" : `: ${last}`}`, {
          retryable: true,
        });
      }
    }
    return undefined;
  },
});
