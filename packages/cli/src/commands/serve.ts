import type { Flags } from "@dray/server";
import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { runRegistry } from "../running-registry.ts";
import { type ServingOptions, settingsFor } from "../serve-flags.ts";

type ServeOptions = ServingOptions & Flags;

export { startingFlags as define } from "../serve-flags.ts";

export const examples: readonly string[] = ["dray serve --data /srv/registry --listen :5000", "dray serve config.yml"];

/** Serves until a signal ends it. */
export const act: Act<ServeOptions> = (call, words) =>
  runRegistry(call, {
    settings: () => settingsFor(call, words),
    // A terminal that closes ends what was started in it.
    hangup: process.stdin.isTTY ? "stop" : "reload",
    flag: "--listen",
    tell: async (origin, { storage }) => {
      const where =
        storage.driver === "filesystem" ? `the data is in ${printable(storage.root)}` : "the data is in memory alone";
      await call.out.line(`The registry is at ${origin}; ${where}. Ctrl-C ends it.`);
      await call.out.flush();
    },
  });
