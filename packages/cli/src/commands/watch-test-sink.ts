import { sinkOf, testSink } from "@dray/watch";
import { DrayError, printable, reasonOf } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { type WatchServeOptions, watchSettingsFor } from "../watch/index.ts";

export const define: Define = (command) =>
  command
    .argument("<watch.yml>", "configuration of the watch")
    .argument("[sinks...]", "names of sinks in it (default all)")
    .addOption(outputFlag());

export const examples: readonly string[] = ["dray watch test-sink watch.yml phone", "dray watch test-sink watch.yml"];

/** Milliseconds that a sink may take. */
const patience = 30_000;

/** Sends an event that never happened to sinks of a configuration, one after the other. */
export const act: Act<WatchServeOptions> = async (call, [file, ...names]) => {
  const { sinks } = await watchSettingsFor(call, file);
  const unknown = names.find((name) => !sinks.some(({ sink }) => sink.name === name));
  if (unknown !== undefined) {
    const known = sinks.map(({ sink }) => sink.name).join(", ");
    throw new DrayError(
      "USAGE",
      `${file} has no sink ${unknown}; ${known === "" ? "it has none" : `there are ${known}`}`,
    );
  }
  if (sinks.length === 0) throw new DrayError("CONFIG_INVALID", `${file} has no sinks; name one below its key sinks`);
  const results: { sink: string; delivered: boolean; error?: string }[] = [];
  for (const { sink: settings } of sinks) {
    const { name } = settings;
    if (names.length > 0 && !names.includes(name)) continue;
    const sink = await sinkOf(settings, { environment: call.env });
    try {
      const refusal = await testSink(sink, AbortSignal.any([AbortSignal.timeout(patience), call.signal]));
      results.push(
        refusal === undefined
          ? { sink: name, delivered: true }
          : { sink: name, delivered: false, error: refusal.refused },
      );
    } catch (error) {
      if (call.signal.aborted) throw error;
      results.push({ sink: name, delivered: false, error: reasonOf(error) });
    } finally {
      await sink.close?.();
    }
  }
  const lines = results.map(({ sink, error }) => printable(`${sink}  ${error ?? "it has arrived"}`));
  await printResult(call, { sinks: results }, lines);
  const failed = results.filter(({ delivered }) => !delivered).length;
  if (failed > 0) throw new DrayError("SINK", `${failed} of ${results.length} sinks did not take the event`);
};
