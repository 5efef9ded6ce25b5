import type { Settings } from "@dray/server";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Call, Define } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { runRegistry } from "../running-registry.ts";

interface RegistryServeOptions extends SharedOptions {
  readonly address?: string;
  readonly disk?: string;
}

export const define: Define = (command) =>
  command
    .option("--address <address>", "host:port, or :port for every interface (default :$PORT, else a free port)")
    .option("--disk <folder>", "folder where what is pushed is kept (default: in memory, gone with the process)");

export const examples: readonly string[] = [
  "dray registry serve --address 127.0.0.1:5000",
  "PORT=5000 dray registry serve --disk ./data",
];

/** A registry for a test or a script, as crane has it: two flags and `$PORT`, no configuration. */
export const act: Act<RegistryServeOptions> = (call) =>
  runRegistry(call, {
    settings: () => settingsOf(call),
    hangup: "stop",
    flag: "--address",
    tell: async (origin, { storage }) => {
      if (storage.driver === "filesystem") call.stderr.write(`storing blobs in ${printable(storage.root)}\n`);
      call.stderr.write(`serving on port ${new URL(origin).port || "80"}\n`);
    },
  });

/** @throws DrayError `USAGE` for an address or a port that is none */
const settingsOf = async ({ options, env, reporter }: Call<RegistryServeOptions>): Promise<Settings> => {
  const { loadSettings } = await import("@dray/server");
  // Empty is not said, as in crane.
  const data = options.disk || undefined;
  const set = data === undefined ? ["storage.inmemory={}"] : [];
  const listen = await addressOf(options.address || undefined, env["PORT"]);
  // No variable and no file besides: what a script starts is the same on every machine.
  const { settings, warnings } = loadSettings({ env: {}, flags: defined({ listen, data, set }) });
  if (warnings.some(({ key }) => key === "http.addr"))
    reporter.warn(
      "whoever reaches this machine may push and delete; --address 127.0.0.1:PORT keeps it to this machine",
    );
  return settings;
};

/** What `--address` says, else `$PORT`, else a port that is free. */
const addressOf = async (address: string | undefined, port: string | undefined): Promise<string> => {
  const { addressFault } = await import("@dray/service/http-server");
  const said = address ?? `:${port || "0"}`;
  const fault = addressFault(said, 5000);
  if (fault === undefined) return said;
  if (address !== undefined) throw new DrayError("USAGE", `--address: ${JSON.stringify(address)} ${fault}`);
  throw new DrayError("USAGE", `PORT=${JSON.stringify(port)}: expected a port from 0 to 65535`);
};
