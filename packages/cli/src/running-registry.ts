import type { Settings } from "@dray/server";
import type { Call } from "./context.ts";
import type { SharedOptions } from "./flags.ts";
import { version } from "./version.ts";

/** How a command runs a registry. */
export interface Running {
  /** What it is to do; asked again when it is to read its configuration again. */
  readonly settings: () => Promise<Settings>;
  /** Says where it is, once it is there. */
  readonly tell: (origin: string, settings: Settings) => Promise<void>;
  /** What a hangup means. */
  readonly hangup: "stop" | "reload";
  /** The flag that says where it listens, for complaints. */
  readonly flag: string;
}

/** Serves until a signal ends it, and returns the exit code. A signal that comes while it starts is no less an end in order. */
export const runRegistry = async (call: Call<SharedOptions>, running: Running): Promise<number> => {
  if (call.signal.aborted) return 0;
  let hungUp = false;
  const early = (): void => {
    hungUp = true;
  };
  process.on("SIGHUP", early);
  try {
    const ended = await begun(call, running);
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
  { signal }: Call<SharedOptions>,
  { settings: read, tell, hangup, flag }: Running,
): Promise<{ readonly code: Promise<number> }> => {
  const settings = await read();
  const { serve, untilSignals } = await import("@dray/server");
  const serving = await serve(settings, { version, settings: read, signal, flag });
  try {
    await tell(serving.origin, settings);
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
