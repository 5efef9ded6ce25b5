import type { Flags } from "@dray/server";
import { printable } from "dray/errors";
import type { Act, Call } from "../context.ts";
import { type ServingOptions, settingsFor } from "../serve-flags.ts";
import { version } from "../version.ts";

type ServeOptions = ServingOptions & Flags;

export { startingFlags as define } from "../serve-flags.ts";

export const examples: readonly string[] = ["dray serve --data /srv/registry --listen :5000", "dray serve config.yml"];

/** Serves until a signal ends it. One that comes while it starts is no less an end in order. */
export const act: Act<ServeOptions> = async (call, words) => {
  if (call.signal.aborted) return 0;
  // A terminal that closes ends what was started in it.
  const hangup = process.stdin.isTTY ? "stop" : "reload";
  let hungUp = false;
  const early = (): void => {
    hungUp = true;
  };
  process.on("SIGHUP", early);
  try {
    const ended = await begun(call, words, hangup);
    // What came before it could be heard is heard now.
    if (hungUp) process.emit("SIGHUP", "SIGHUP");
    process.off("SIGHUP", early);
    return await ended.code;
  } catch (error) {
    if (call.signal.aborted) return 0;
    throw error;
  } finally {
    process.off("SIGHUP", early);
  }
};

/** A registry that runs, with the code that its process will end with. */
const begun = async (
  call: Call<ServeOptions>,
  words: readonly string[],
  hangup: "stop" | "reload",
): Promise<{ readonly code: Promise<number> }> => {
  const { out, signal } = call;
  const read = () => settingsFor(call, words);
  const settings = await read();
  const { serve, untilSignals } = await import("@dray/server");
  const serving = await serve(settings, { version, settings: read, signal });
  const { storage } = settings;
  const where =
    storage.driver === "filesystem" ? `the data is in ${printable(storage.root)}` : "the data is in memory alone";
  try {
    await out.line(`The registry is at ${serving.origin}; ${where}. Ctrl-C ends it.`);
    await out.flush();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const ended = Promise.withResolvers<void>();
  if (signal.aborted) ended.resolve();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  const code = untilSignals(
    {
      stop: (hurry) => serving.stop(hurry),
      reload: () => serving.reload("SIGHUP"),
      onNotice: (message) => serving.log("info", message),
    },
    { drain: settings.listen.drain, hangup, ended: ended.promise },
  );
  return { code };
};
