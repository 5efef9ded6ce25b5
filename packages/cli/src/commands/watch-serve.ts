import { untilSignals } from "@dray/service/program";
import { serveWatch } from "@dray/watch";
import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { gather } from "../flags.ts";
import { registriesFor } from "../registries.ts";
import { version } from "../version.ts";
import { dbFlag, type WatchServeOptions, watchSettingsFor } from "../watch/index.ts";

export const define: Define = (command) =>
  command
    .argument("[watch.yml]", "configuration of the watch")
    .option("--listen <address>", "host:port, :port for every interface, unix:path (default 127.0.0.1:8085)")
    .option("--log-level <level>", "error, warn, info or debug (default info)")
    .option("--set <key=value>", "a key of the configuration, such as registry.reserve=30%; again for several", gather)
    .addOption(dbFlag());

export const examples: readonly string[] = ["dray watch serve", "dray watch serve watch.yml --listen 127.0.0.1:9000"];

/** Serves until a signal ends it. */
export const act: Act<WatchServeOptions> = async (call, [file]) => {
  const { keychain, optionsFor } = await registriesFor(call);
  const read = () => watchSettingsFor(call, file);
  const { env, signal } = call;
  const serving = await serveWatch(await read(), {
    version,
    settings: read,
    keychain,
    connect: optionsFor,
    environment: env,
    signal,
  });
  await call.out.line(printable(`The watch is at ${serving.origin}. Ctrl-C ends it.`));
  await call.out.flush();
  const ended = Promise.withResolvers<void>();
  if (signal.aborted) ended.resolve();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  const service = {
    stop: (hurry: AbortSignal) => serving.stop(hurry),
    reload: () => serving.reload("SIGHUP"),
    onNotice: (message: string) => serving.log("info", message),
  };
  // A terminal that closes ends what was started in it.
  return untilSignals(service, { hangup: process.stdin.isTTY ? "stop" : "reload", ended: ended.promise });
};
