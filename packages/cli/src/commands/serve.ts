import type { Flags } from "@dray/server";
import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { type ServingOptions, servingFlags, settingsFor } from "../serve-flags.ts";
import { version } from "../version.ts";

type ServeOptions = ServingOptions & Flags;

export const define: Define = (command) =>
  servingFlags(command)
    .option("--listen <address>", "host:port, :port for every interface, unix:path (default 127.0.0.1:5000)")
    .option("--read-only", "serve what is there, take nothing")
    .option("--log-level <level>", "error, warn, info or debug (default info)");

/** Serves until a signal ends it. */
export const act: Act<ServeOptions> = async (call, words) => {
  const { out, signal } = call;
  const read = () => settingsFor(call, words);
  const settings = await read();
  const { serve, untilSignals } = await import("@dray/server");
  const serving = await serve(settings, { version, settings: read });
  const { storage } = settings;
  const where =
    storage.driver === "filesystem" ? `the data is in ${printable(storage.root)}` : "the data is in memory alone";
  await out.line(`The registry is at ${serving.origin}; ${where}. Ctrl-C ends it.`);
  await out.flush();
  const ended = Promise.withResolvers<void>();
  if (signal.aborted) ended.resolve();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  return untilSignals(
    {
      stop: (hurry) => serving.stop(hurry),
      reload: () => serving.reload(),
      onNotice: (message) => serving.log("info", message),
    },
    {
      drain: settings.listen.drain,
      // A terminal that closes ends what was started in it.
      hangup: process.stdin.isTTY ? "stop" : "reload",
      ended: ended.promise,
    },
  );
};
